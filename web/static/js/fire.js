// Fire takes the whole screen: the countdown with HOLD, and afterwards what was cut and proven.

import { isLocal, mayAct } from "./ask.js";
import { h, s } from "./dom.js";
import { t, time } from "./i18n.js";
import { outputName } from "./model.js";

const HOLD_MS = 1500;
const RESET_MS = 3000;
const TITLES = { confirmed: "ui.fire.confirmed", latched: "ui.fire.latched" };

export function fire({ state, aside }) {
  const now = state?.fire;
  if (!now) return [];
  if (now.phase === "countdown") return [countdown(state, now)];
  const over = now.phase === "confirmed" || now.phase === "latched" || now.cut;
  return over && !aside ? [aftermath(state, now)] : [];
}

const cutNames = (state, ids) => ids.map((id) => {
  const output = state.outputs.find((each) => each.id === id);
  return output ? outputName(output, state.outputs) : id;
});

function countdown(state, now) {
  const seconds = Math.max(0, Math.ceil(now.seconds_left ?? 0));
  const canHold = isLocal() && now.hold_left_s > 0 && !now.held;
  return h("section", { class: "countdown", "data-key": "countdown" },
    h("header", {}, h("h1", {}, t("ui.fire.title")), h("span", {}, t("ui.fire.leave"))),
    h("div", { class: "digits" }, String(seconds), h("small", {}, t("ui.fire.seconds"))),
    h("div", { class: "facts" },
      now.held && h("p", { class: "held" }, t("ui.fire.held")),
      h("p", {}, t("ui.fire.detectors", { detectors: now.detectors }), " · ",
        t("ui.fire.since", { time: time(now.since) })),
      h("p", {}, t("ui.fire.cuts", { cuts: cutNames(state, now.cuts) }))),
    h("div", { class: "holding" },
      h("button", {
        class: "holdbutton", "data-key": "hold", "data-do": "hold", "data-hold": HOLD_MS,
        disabled: !canHold,
      }, h("span", {}, t("ui.action.hold")),
      s("svg", { class: "holdring", viewBox: "0 0 100 100" },
        s("circle", { cx: 50, cy: 50, r: 45, pathLength: 100 }))),
      h("div", {}, canHold && t("ui.fire.hold-how")),
      h("div", {}, t("ui.fire.hold-left", { seconds: Math.ceil(now.hold_left_s) }))));
}

function aftermath(state, now) {
  const title = TITLES[now.phase] ?? "ui.fire.cut";
  return h("section", { class: "aftermath", "data-key": "aftermath" },
    h("div", {},
      h("h1", {}, t(title)),
      now.detectors.length > 0 && h("p", {}, t("ui.fire.detectors", { detectors: now.detectors }),
        " · ", t("ui.fire.since", { time: time(now.since) }))),
    h("div", { class: "cuts" }, ...now.cuts.map((id) => cut(state, id))),
    h("div", {},
      now.phase === "confirmed" && h("p", { class: "todo" }, t("ui.fire.todo")),
      h("p", {}, t("ui.fire.reset-how"))),
    h("div", { class: "buttons" },
      (isLocal() || mayAct()) && h("button", { "data-key": "silence", "data-do": "silence" },
        t("ui.action.silence")),
      isLocal() && now.phase !== "normal" && hold("reset", "ui.action.reset"),
      isLocal() && now.phase === "normal" && hold("restore", "ui.action.restore"),
      h("button", { "data-key": "aside", "data-do": "aside" }, t("ui.fire.show-room"))));
}

const hold = (action, words) => h("button", {
  "data-key": action, "data-do": action, "data-hold": RESET_MS,
}, t(words));

function cut(state, id) {
  const output = state.outputs.find((each) => each.id === id);
  if (!output) return null;
  const commanded = output.commanded === "on";
  const live = commanded && output.actual === "off";
  const told = !commanded ? "ui.fire.not-cut"
    : live ? "ui.fire.cut-live" : output.actual === "on" ? "ui.fire.cut-proven" : "ui.fire.cut-unproven";
  return h("div", { class: live ? "cut live" : "cut", "data-key": id },
    outputName(output, state.outputs), h("b", {}, t(told)));
}
