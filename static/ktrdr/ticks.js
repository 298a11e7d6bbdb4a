// A list whose rows can be ticked: one box ticks all on the page, and the number ticked is said.
const boxes = () => [...document.querySelectorAll('input[data-tick][name="pick"]')];

function show() {
  const all = document.querySelector("[data-tick-all]");
  const said = document.querySelector("[data-ticked]");
  if (!all || !said) return;
  const ticked = boxes().filter((box) => box.checked).length;
  all.hidden = false;
  all.checked = ticked > 0 && ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
  said.hidden = ticked === 0;
  said.textContent = `${ticked} ticked`;
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick]")) return;
  if (event.target.matches("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
  show();
});
document.addEventListener("ktrdr:morphed", show);
addEventListener("pageshow", show);
show();
