// Ages that tick by the server's clock: data-age="ISO time"; data-age-style="elapsed" leaves out the "ago".
import { hear } from "./bus.js";

const PACE_MS = 1000;
let ahead = 0; // of the server's clock before ours, in ms

function learn(iso) {
  const server = Date.parse(iso);
  if (!Number.isNaN(server)) ahead = server - Date.now();
}

export function now() {
  return new Date(Date.now() + ahead);
}

// The same words as research/dashboard/words.py.
export function inWords(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

function tick(root = document) {
  const at = now();
  for (const element of root.querySelectorAll("[data-age]")) {
    const words = inWords((at - Date.parse(element.dataset.age)) / 1000);
    const text = element.dataset.ageStyle === "elapsed" ? words : `${words} ago`;
    if (element.textContent !== text) element.textContent = text;
  }
}

export function start() {
  learn(document.documentElement.dataset.now);
  hear("frame", (frame) => frame.now && learn(frame.now));
  hear("morphed", ({ element }) => element && tick(element));
  setInterval(tick, PACE_MS, document);
  tick();
}
