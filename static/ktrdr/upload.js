// A file field with data-most (bytes) says data-most-says before a larger file is sent: the server would cut it off.
function check(field) {
  const large = [...field.files].some((file) => file.size > Number(field.dataset.most));
  field.setCustomValidity(large ? field.dataset.mostSays : "");
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file][data-most]")) return;
  check(target);
  target.reportValidity();
});
// The same file chosen again, smaller now, makes no change: a click on a form's button comes before it is validated.
document.addEventListener("click", ({ target }) => {
  for (const field of target.closest("button")?.form?.querySelectorAll("input[data-most]") ?? []) check(field);
});
