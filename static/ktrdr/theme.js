// Light or dark without a reload; the cookie tells the server, so that the next page has it from its first paint.
export function start() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-theme-form]")) return;
    event.preventDefault();
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const present = root.dataset.theme ?? (dark ? "dark" : "light");
    root.dataset.theme = present === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    document.dispatchEvent(new CustomEvent("ktrdr:theme"));
  });
}
