// Forms with data-post are sent without leaving the page; the answer is a notice. data-post="reset" empties the form
// when it is done, "close" closes the dialog it stands in. Without this module they are ordinary forms.
const notices = document.getElementById("notices");

async function send(form) {
  const options = { method: "POST", body: new FormData(form), headers: { "X-Fragment": "1" } };
  const answer = await fetch(form.action, options);
  if (answer.status === 401 || answer.redirected) return location.reload();
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const notice = parsed.querySelector(".notice");
  if (notice === null) throw new Error(`answered ${answer.status}`);
  notices.replaceChildren(notice);
  if (answer.ok && form.dataset.post === "reset") form.reset();
  form.closest("dialog")?.close();
  notices.scrollIntoView({ block: "nearest" });
}

function failed() {
  const notice = document.createElement("p");
  notice.className = "notice tone-bad";
  notice.textContent = "The server did not answer: perhaps nothing was done. Look, and try again.";
  notices.replaceChildren(notice);
}

export function start() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-post]")) return;
    event.preventDefault();
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    try {
      await send(form);
    } catch {
      failed();
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}
