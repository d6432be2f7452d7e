// The alarm list: the most pressing first, consequences under their cause; and how the feed is
// where it is not well.

import { isLocal, mayAct } from "./ask.js";
import { h } from "./dom.js";
import { feedLine, feedLook } from "./feed.js";
import { t, time } from "./i18n.js";
import { advice, alarmText, standing } from "./model.js";
import { shape } from "./shapes.js";

const HOLD_MS = 1500;

export function alarms({ state }) {
  const all = standing(state);
  const feed = feedNote(state?.feed);
  if (!all.length) return [h("div", { class: "empty" }, h("span", {}, t("ui.alarms.none")), feed)];
  const ids = new Set(all.map((alarm) => alarm.id));
  const isConsequence = (alarm) => alarm.cause && ids.has(alarm.cause);
  const ordered = all.filter((alarm) => !isConsequence(alarm)).flatMap((alarm) =>
    [alarm, ...all.filter((other) => other.cause === alarm.id)]);
  const rest = all.filter((alarm) => !ordered.includes(alarm));
  return [h("div", { class: "list", "data-key": "alarms" }, ...[...ordered, ...rest].map((alarm) =>
    row(alarm, isConsequence(alarm))), feed)];
}

const feedNote = (feed) => feed?.configured && feedLook(feed) !== "ok" &&
  h("div", { class: "note", "data-key": "feed" }, feedLine(feed));

function row(alarm, consequence) {
  const open = alarm.state.endsWith("unacknowledged");
  const notes = [
    t(`ui.priority.${alarm.priority}`),
    t(`ui.alarm.${alarm.state}`),
    t("ui.alarm.since", { time: time(alarm.since) }),
    alarm.silenced && t("ui.alarm.silenced"),
    alarm.by && t("ui.alarm.by", { actor: alarm.by }),
    alarm.cause && t("ui.alarm.cause", { cause: alarm.cause }),
  ].filter(Boolean);
  return h("div", { class: consequence ? "row consequence" : "row", "data-key": alarm.id },
    shape(alarm.priority, open),
    h("div", { class: "what" },
      h("b", {}, alarmText(alarm)), " ",
      alarm.first_out && h("span", { class: "tag" }, t("ui.alarm.first-out")),
      h("p", {}, advice(alarm)),
      h("small", {}, notes.join(" · "))),
    open && (isLocal() || mayAct()) && h("button", {
      "data-do": "acknowledge", "data-arg": alarm.id,
    }, t("ui.action.acknowledge")),
    alarm.state === "latched-acknowledged" && isLocal() && mayAct() && h("button", {
      "data-do": "reset", "data-arg": alarm.id, "data-hold": HOLD_MS,
    }, t("ui.action.reset")));
}
