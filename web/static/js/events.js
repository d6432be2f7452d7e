// The journal's last events, newest first.

import { h } from "./dom.js";
import { has, t, time } from "./i18n.js";
import { store, update } from "./state.js";

const AGAIN_MS = 5000;
const SHOWN = 60;
const known = { rows: null, at: 0, seq: -1, failed: false };

export function events({ state }) {
  const seq = state?.journal?.seq ?? 0;
  if (Date.now() - known.at > AGAIN_MS && (seq !== known.seq || known.failed)) fetchEvents(seq);
  if (known.failed) return [h("div", { class: "empty" }, t("ui.events.unavailable"))];
  if (!known.rows?.length) return [h("div", { class: "empty" }, known.rows ? t("ui.events.none") : "")];
  return [h("div", { class: "list", "data-key": "events" }, ...known.rows.map(row))];
}

async function fetchEvents(seq) {
  Object.assign(known, { at: Date.now(), seq });
  const answer = await fetch(`/api/v1/events?limit=${SHOWN}`).catch(() => null);
  known.failed = !answer?.ok;
  if (answer?.ok) known.rows = (await answer.json()).events.toReversed();
  if (store.page === "events") update({});
}

function row(event) {
  const kind = `ui.kind.${event.kind}`;
  const cause = has(event.cause) ? t(event.cause, event.data) : event.cause;
  const now = event.data?.state ?? event.data?.to ?? event.data?.status;
  const state = now && has(`ui.alarm.${now}`) ? t(`ui.alarm.${now}`) : now;
  const told = [state, cause, event.actor !== "rule" && event.actor].filter(Boolean).join(" · ");
  return h("div", { class: "row event", "data-key": event.seq },
    h("time", {}, time(event.at)),
    h("span", { class: "tag" }, has(kind) ? t(kind) : event.kind),
    h("div", { class: "what" }, event.subject, told && h("small", {}, ` ${told}`)));
}
