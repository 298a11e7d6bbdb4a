// Says whether the page is live, and what happened while it was not.
import { hear } from "./bus.js";
import { now } from "./clock.js";

const bar = document.querySelector("[data-live-bar]");
const badge = document.querySelector("[data-live-badge]");
const missed = document.querySelector("[data-missed]");
const TONES = { info: "tone-quiet", warning: "tone-warn", error: "tone-bad" };

function show({ on, since }) {
  document.documentElement.dataset.liveState = on ? "on" : "off";
  badge.removeAttribute("title");
  badge.textContent = on ? "Live" : "Not live";
  badge.className = `badge ${on ? "tone-good" : "tone-warn"}`;
  bar.hidden = on;
  if (!on) bar.textContent = `Not live since ${clockTime(since)}; trying again.`;
}

function clockTime(date) {
  const offset = now() - Date.now();
  return `${new Date(date.getTime() + offset).toISOString().slice(11, 19)} UTC`;
}

function entry(event) {
  const item = document.createElement("li");
  item.className = TONES[event.level] ?? "tone-quiet";
  const says = document.createElement(event.research ? "a" : "span");
  if (event.research) says.href = `/research/${event.research}`;
  says.className = "says";
  says.textContent = event.message;
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.dataset.age = event.at;
  time.title = `${event.at.slice(0, 19).replace("T", " ")} UTC`;
  item.append(says, time);
  return item;
}

let greeted = false;

function take(frame) {
  if (frame.type !== "hello") return;
  const first = !greeted;
  greeted = true;
  if (first || frame.missed.length === 0) return;
  const list = missed.querySelector("ol");
  list.prepend(...frame.missed.toReversed().map(entry));
  while (list.children.length > 50) list.lastElementChild.remove();
  const beyond = frame.more ? ` (and ${frame.more} earlier)` : "";
  missed.querySelector("h2").textContent =
    `While this page was not live: ${list.children.length} ${list.children.length === 1 ? "event" : "events"}${beyond}`;
  missed.hidden = false;
}

export function start() {
  hear("live", show);
  hear("frame", take);
  missed.querySelector("[data-dismiss]").addEventListener("click", () => {
    missed.hidden = true;
    missed.querySelector("ol").replaceChildren();
  });
}
