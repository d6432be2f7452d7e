// What this page knows, and how it comes: server-sent events, and a slow poll where there are
// already too many viewers.

const SILENT_MS = 4500; // a state comes each second
const POLL_MS = 2000;
const AGAIN_MS = 10000;

export const store = {
  state: null, // the controller's snapshot
  live: false,
  since: null, // when contact was lost
  session: { person: null, origin: "network-panel", may_view: true, may_operate: false, locale: "en" },
  page: "room",
  hostPage: 0, // of the Power page, where its hosts do not fit at once
  sheet: null, // {kind, id}
};

const watchers = new Set();
let queued = false;

export const watch = (watcher) => watchers.add(watcher);

/** Change the store and have everything drawn once, soon. */
export function update(changes) {
  Object.assign(store, changes);
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    for (const watcher of watchers) watcher();
  });
}

let heard = 0;

function took(state) {
  heard = Date.now();
  update({ state, live: true, since: null });
}

function lost(since) {
  heard = Date.now();
  update({ live: false, since: since ?? store.since ?? new Date().toISOString() });
}

export function connect() {
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("state", (event) => took(JSON.parse(event.data)));
  source.addEventListener("lost", (event) => lost(JSON.parse(event.data).since));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself
    poll();
    setTimeout(connect, AGAIN_MS);
  });
}

async function poll(until = Date.now() + AGAIN_MS) {
  try {
    const answer = await fetch("/api/v1/state");
    if (answer.ok) took(await answer.json());
    else lost((await answer.json()).since);
  } catch {
    // The watchdog below says so once it lasts.
  }
  if (Date.now() + POLL_MS < until) setTimeout(() => poll(until), POLL_MS);
}

setInterval(() => {
  if (store.live && Date.now() - heard > SILENT_MS) {
    update({ live: false, since: new Date(heard).toISOString() });
  }
}, 500);

export async function readSession() {
  const answer = await fetch("/api/v1/session");
  if (answer.ok) update({ session: await answer.json() });
}
