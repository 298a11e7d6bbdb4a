// Elements with data-live="research:7 worker pulse" and data-fragment="/url" are fetched anew when such a change came.
// One request in flight for each; what comes meanwhile is taken together; a slow server is asked less often.
// After a fetch the element gets a bubbling event `ktrdr:morphed`. What has `data-keep` inside is left as it is, and
// a box with `data-tick` as the reader ticked it.
import { Idiomorph } from "../vendor/idiomorph-0.8.0.esm.js";
import { hear, tell } from "./bus.js";

const DEBOUNCE_MS = 80;
const RETRY_MS = 2000;
const LONGEST_MS = 500; // waits as long as the last fetch took, between these two
const states = new Map(); // by address, since morphing may replace the element

function concerns(element, changes) {
  const wanted = element.dataset.live.split(/\s+/);
  return changes.some((change) => wanted.includes(change) || wanted.includes(change.split(":")[0]));
}

function take(frame) {
  const changes = [...(frame.changes ?? []), ...(frame.pulse ? ["pulse"] : [])];
  if (changes.length === 0) return;
  for (const element of document.querySelectorAll("[data-live][data-fragment]")) {
    if (concerns(element, changes)) soon(element.dataset.fragment);
  }
}

function soon(url) {
  const state = states.get(url) ?? { busy: false, again: false, timer: 0, wait: DEBOUNCE_MS };
  states.set(url, state);
  if (state.busy) state.again = true;
  else if (!state.timer) state.timer = setTimeout(() => refresh(url, state), state.wait);
}

async function refresh(url, state) {
  Object.assign(state, { busy: true, again: false, timer: 0 });
  const began = performance.now();
  try {
    const options = { headers: { "X-Fragment": "1" }, cache: "no-store", signal: AbortSignal.timeout(15000) };
    const answer = await fetch(url, options);
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    morph(url, await answer.text());
  } catch {
    failed(url);
  } finally {
    state.busy = false;
    state.wait = Math.min(LONGEST_MS, Math.max(DEBOUNCE_MS, performance.now() - began));
    if (state.again) soon(url);
    else setTimeout(() => (state.wait = DEBOUNCE_MS), state.wait);
  }
}

// Never silently stale: the element says that it is old, and is tried again.
function failed(url) {
  find(url)?.toggleAttribute("data-failed", true);
  setTimeout(soon, RETRY_MS, url);
}

function find(url) {
  return document.querySelector(`[data-fragment="${CSS.escape(url)}"]`);
}

const callbacks = {
  beforeNodeMorphed: (old) => !(old instanceof Element && "keep" in old.dataset),
  beforeAttributeUpdated: (name, node) =>
    !(name === "open" && node.matches("details, dialog")) && !(name === "checked" && "tick" in node.dataset),
};

function morph(url, html) {
  const element = find(url);
  if (!element) return;
  Idiomorph.morph(element, html, { morphStyle: "outerHTML", ignoreActiveValue: true, restoreFocus: true, callbacks });
  const now = find(url);
  tell("morphed", { element: now });
  now?.dispatchEvent(new CustomEvent("ktrdr:morphed", { bubbles: true }));
}

export function refreshAll() {
  for (const element of document.querySelectorAll("[data-fragment]")) soon(element.dataset.fragment);
}

export function start() {
  hear("frame", take);
  hear("refresh", refreshAll);
}
