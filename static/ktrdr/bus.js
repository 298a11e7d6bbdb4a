// What the modules of a page tell each other. Detail of `frame`: the frame of /live (see research/live/frames.py).
// Of `live`: {on: true} or {on: false, since: Date}. `refresh`: everything may have changed, fetch it anew.
export const bus = new EventTarget();

export function tell(name, detail = {}) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

export function hear(name, listener) {
  bus.addEventListener(name, (event) => listener(event.detail));
}
