// The state band: one word, what it is about, and whether anybody listens outside.

import { h } from "./dom.js";
import { feedLine, feedLook } from "./feed.js";
import { clock, t } from "./i18n.js";
import { advice, alarmText, headline, loud, standing, unacknowledged } from "./model.js";
import { shape } from "./shapes.js";
import { isKnown } from "./upses.js";

const ONE_LINE = 30; // px; two are more

const LOOK = { attention: "low", alarm: "high", fire: "critical" };

export function band({ state, live }) {
  const word = live && state ? state.state : "lost";
  const first = word === "lost" ? null : headline(state);
  // The colour is the gravest alarm's, the words are the first one's.
  const critical = word === "alarm" && standing(state).some(isGrave);
  const look = critical ? "critical" : LOOK[word];
  const flashing = word !== "lost" && unacknowledged(state).length > 0;
  const room = state?.room;
  return {
    look: critical ? "critical" : word,
    nodes: [
      h("div", { class: "word" }, look && shape(look, flashing), h("span", {}, t(`ui.state.${word}`))),
      h("div", { class: "headline" }, ...(first ? alarmLines(first) : roomLines(room))),
      h("div", { class: "marks" },
        h("div", { class: "clock" }, clock(Date.now())),
        h("div", {}, ...marks(state))),
    ],
  };
}

const isGrave = (alarm) => alarm.priority === "critical" && loud(alarm) &&
  /^(active|latched)/.test(alarm.state);

/** A text of two lines leaves one for the advice, a text of one line leaves two. */
export function fit(element) {
  const headline = element.querySelector(".headline");
  headline.classList.toggle("long", headline.firstChild?.offsetHeight > ONE_LINE);
}

function alarmLines(first) {
  return [
    h("b", {}, alarmText(first)),
    h("span", {}, advice(first)),
  ];
}

function roomLines(room) {
  if (!room) return [];
  return [
    h("b", {}, room.name),
    h("span", {}, room.site, room.simulated && ` · ${t("ui.simulated")}`),
  ];
}

function marks(state) {
  if (!state) return [];
  const shown = [["mains", mains(state)], ["ups", supply(state.plan?.upses ?? [])]];
  if (state.feed?.configured) shown.push(["feed", feedLook(state.feed), feedLine(state.feed)]);
  if (!state.journal?.ok) shown.push(["journal", "fault"]);
  return shown.filter(([, is]) => is).map(([name, is, title = t(`ui.mark.${is}`)]) =>
    h("span", { class: `mark ${is}`, "data-mark": name, title },
      SIGNS[is], t(`ui.mark.${name}`)));
}

const SIGNS = { ok: "", attention: "! ", fault: "✕ ", unknown: "? " };

/** What the plan makes of the mains; where it has no word of its own, the contacts'. */
function mains({ plan, points }) {
  const judged = { mains: "ok", outage: "fault", disagreement: "unknown", unknown: "unknown" };
  const contacts = points.filter((point) => point.role === "mains");
  if (plan && plan.power.state in judged) return judged[plan.power.state];
  if (!contacts.length) return plan ? "unknown" : null;
  if (contacts.some((point) => point.quality !== "good")) return "unknown";
  return contacts.every((point) => point.value) ? "ok" : "fault";
}

/** The worst of all UPSes: one that is not heard may be anything. */
function supply(upses) {
  if (!upses.length) return null;
  const each = upses.map((ups) => {
    if (!isKnown(ups, "supply")) return "unknown";
    return ups.supply === "mains" && !ups.battery_low && !ups.faults?.length ? "ok" : "fault";
  });
  return ["fault", "unknown"].find((is) => each.includes(is)) ?? "ok";
}
