// Reads values out of a chart: under the pointer, or with the arrow keys. The chart itself is the server's SVG.
// [data-plot="ID"] names a JSON block {x: [0..1], label: [...], series: [{name, value: [...]}]}; x is in order.
const reading = new WeakMap(); // chart -> number of the point being read

function pointsOf(plot) {
  const block = document.getElementById(plot.dataset.plot);
  return block ? JSON.parse(block.textContent) : null;
}

// The chart's points are parsed once for every version of its block, since a live chart's block changes.
const parsed = new WeakMap();
function cached(plot) {
  const text = document.getElementById(plot.dataset.plot)?.textContent;
  const known = parsed.get(plot);
  if (known?.text === text) return known.points;
  const points = pointsOf(plot);
  parsed.set(plot, { text, points });
  return points;
}

function nearest(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle;
    else high = middle;
  }
  return x - xs[low] <= xs[high] - x ? low : high;
}

function read(plot, number) {
  const points = cached(plot);
  if (!points?.x.length) return;
  const at = Math.min(Math.max(number, 0), points.x.length - 1);
  reading.set(plot, at);
  const place = `${100 * points.x[at]}%`;
  const cursor = plot.querySelector("[data-cursor]");
  cursor.setAttribute("x1", place);
  cursor.setAttribute("x2", place);
  const output = plot.querySelector("[data-readout]");
  const label = document.createElement("b");
  label.textContent = points.label[at];
  const values = points.series.map((series) => {
    const value = document.createElement("span");
    value.textContent = `${series.name} ${series.value[at]}`;
    return value;
  });
  output.replaceChildren(label, ...values);
  output.hidden = false;
  plot.dataset.reading = "";
  plot.dataset.side = points.x[at] > 0.5 ? "right" : "left";
}

function leave(plot) {
  reading.delete(plot);
  delete plot.dataset.reading;
  plot.querySelector("[data-readout]").hidden = true;
}

document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest?.("[data-plot]");
  const points = plot && cached(plot);
  if (!points?.x.length) return;
  const box = plot.querySelector("svg").getBoundingClientRect();
  read(plot, nearest(points.x, (event.clientX - box.left) / box.width));
});
document.addEventListener("pointerout", (event) => {
  const plot = event.target.closest?.("[data-plot]");
  if (plot && !plot.contains(event.relatedTarget)) leave(plot);
});
document.addEventListener("focusout", (event) => event.target.matches?.("[data-plot]") && leave(event.target));

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-plot]")) return;
  const plot = event.target;
  const count = cached(plot)?.x.length ?? 0;
  const at = reading.get(plot);
  const stride = event.shiftKey ? Math.ceil(count / 20) : 1;
  const to = { ArrowLeft: (at ?? count) - stride, ArrowRight: (at ?? -1) + stride, Home: 0, End: count - 1 }[event.key];
  if (event.key === "Escape") return leave(plot);
  if (to === undefined) return;
  event.preventDefault();
  read(plot, to);
});

// A morph may have put the server's attributes back: what was being read is read again.
document.addEventListener("ktrdr:morphed", (event) => {
  for (const plot of event.target.querySelectorAll("[data-plot]")) {
    if (reading.has(plot)) read(plot, reading.get(plot));
  }
});
