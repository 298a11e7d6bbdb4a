// A link with data-dialog leads to a page that asks for confirmation; here its question opens over the page instead.
const box = document.querySelector("[data-dialog-box]");

async function open(link) {
  const answer = await fetch(link.href, { headers: { "X-Fragment": "1" }, cache: "no-store" });
  if (!answer.ok) return location.assign(link.href);
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  box.replaceChildren(...parsed.body.childNodes);
  box.showModal();
}

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link).catch(() => location.assign(link.href));
    } else if (event.target === box || event.target.closest?.("[data-dialog-close]")) {
      event.preventDefault();
      box.close();
    }
  });
}
