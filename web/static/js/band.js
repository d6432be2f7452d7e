// The state band: one word, what it is about, and whether anybody listens outside.

import { h } from "./dom.js";
import { clock, t } from "./i18n.js";
import { advice, alarmText, headline, loud, standing, unacknowledged } from "./model.js";
import { shape } from "./shapes.js";

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
  const mains = state.points.filter((point) => point.role === "mains");
  const shown = [];
  if (mains.length) {
    shown.push(["mains", t("ui.mark.mains"), mains.every((p) => p.quality === "good" && p.value)]);
  }
  if (state.feed?.configured) shown.push(["feed", t("ui.mark.feed"), state.feed.connected]);
  if (!state.journal?.ok) shown.push(["journal", t("ui.mark.journal"), false]);
  return shown.map(([, name, good]) =>
    h("span", { class: good ? "mark" : "mark off", title: t(good ? "ui.mark.ok" : "ui.mark.fault") },
      good ? "" : "✕ ", name));
}
