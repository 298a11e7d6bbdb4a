// The connection to /live: says which changes came, notices silence, comes back by itself and asks for what it missed.
import { hear, tell } from "./bus.js";

const SILENCE_MS = 5000; // pulses come every 2 s
const RETRY_MS = [250, 500, 1000, 2000, 3000];
const NOT_WELCOME = 4403;

let socket = null;
let seq = Number(document.documentElement.dataset.seq) || 0;
let heardAt = performance.now();
let live = null; // null: never connected yet
let tries = 0;
let timer = 0;
let greeted = false;

function connect() {
  clearTimeout(timer);
  heardAt = performance.now();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = (socket = new WebSocket(`${scheme}://${location.host}/live?seq=${seq}`));
  mine.onmessage = (message) => mine === socket && take(JSON.parse(message.data));
  mine.onclose = (event) => mine === socket && lost(event.code);
}

function take(frame) {
  heardAt = performance.now();
  tries = 0;
  const before = seq;
  if (frame.seq !== undefined) seq = frame.seq;
  tell("frame", frame);
  setLive(frame.type === "hello" ? frame.live : frame.type !== "stale");
  if (frame.type === "resync") tell("refresh");
  if (frame.type === "hello" && (greeted || frame.seq !== before)) tell("refresh");
  greeted ||= frame.type === "hello";
}

function setLive(on) {
  if (live === on) return;
  live = on;
  tell("live", { on, since: new Date(Date.now() - (performance.now() - heardAt)) });
}

function lost(code) {
  socket = null;
  if (live !== null) greeted = true;
  setLive(false);
  if (code === NOT_WELCOME) return location.reload(); // the session has ended: the server shows the login
  const wait = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
  timer = setTimeout(tries > 2 ? askThenConnect : connect, wait * (0.8 + 0.4 * Math.random()));
}

// A refused handshake looks like a dead server; a page that now leads to the login tells them apart.
async function askThenConnect() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect") return location.reload();
  } catch {
    // not there yet
  }
  connect();
}

function drop() {
  const old = socket;
  socket = null;
  old?.close();
}

function watch() {
  if (socket === null || performance.now() - heardAt < SILENCE_MS) return;
  drop();
  lost(0);
}

export function start() {
  connect();
  setInterval(watch, 1000);
  hear("reconnect", () => socket === null && connect());
  addEventListener("online", () => socket === null && connect());
  addEventListener("pagehide", drop);
  addEventListener("pageshow", (event) => event.persisted && connect());
}
