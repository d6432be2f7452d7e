// What slides over the page when a block is tapped: a point's trend, an output's ladder, sign-in.

import { isLocal, mayAct } from "./ask.js";
import { quality, shownUnit, shownValue } from "./blocks.js";
import { h } from "./dom.js";
import { drillSheet } from "./drill.js";
import { hostSheet } from "./hosts.js";
import { number, reason, t, time, word } from "./i18n.js";
import { alarmOf, alarmText, isNumber, outputName, pointName } from "./model.js";
import { returnSheet } from "./return.js";
import { sheetHead } from "./sheethead.js";
import { signin } from "./signin.js";
import { chartBox, hourChips } from "./trends.js";

const OF_THE_PLAN = {
  host: (state, id) => {
    const host = state.plan.hosts.find((each) => each.id === id);
    return host ? hostSheet(state, state.plan, host) : [];
  },
  return: ({ plan }) => returnSheet(plan),
  drill: ({ plan }) => drillSheet(plan),
};

export function sheet(store) {
  const { state, sheet: open } = store;
  if (!open) return [];
  if (open.kind === "signin") return signin(store);
  if (open.kind in OF_THE_PLAN) return state?.plan ? OF_THE_PLAN[open.kind](state, open.id) : [];
  const thing = open.kind === "output" ? state?.outputs.find((each) => each.id === open.id)
    : state?.points.find((each) => each.id === open.id);
  if (!thing) return [];
  return open.kind === "output" ? outputSheet(state, thing) : pointSheet(state, thing);
}

function alarmLine(state, thing) {
  const alarm = alarmOf(state, thing);
  return alarm && h("span", {}, alarmText(alarm));
}

function pointSheet(state, point) {
  const good = point.quality === "good";
  const limits = ["low", "high", "critical"].filter((name) => point.limits?.[name] != null)
    .map((name) => t(`ui.sheet.${name}`, { value: number(point.limits[name]) }));
  const graph = isNumber(point);
  return [
    sheetHead(`${pointName(point, state.points)} · ${point.place || point.id}`),
    h("div", { class: "facts", "data-key": "facts" },
      h("span", { class: "big" }, good ? shownValue(point) : h("s", {}, shownValue(point)),
        graph && ` ${shownUnit(point)}`),
      h("span", {}, good ? t("ui.quality.good") : quality(point)),
      h("span", {}, point.at ? t("ui.sheet.read", { time: time(point.at) }) : t("ui.never")),
      graph && h("span", {}, t("ui.sheet.limits"), ": ", limits.join(" · ") || t("ui.sheet.no-limits")),
      h("span", {}, point.id, " · ", point.kind),
      alarmLine(state, point)),
    graph && h("div", { class: "chips", "data-key": "hours" }, ...hourChips()),
    graph && h("div", { class: "trends", "data-key": "chart" }, chartBox(point.id)),
  ].filter(Boolean);
}

const CUT_MS = 3000;
const SLOTS = [1, 2, 3, 5, 7, 8, 10, 12, 16];

function outputSheet(state, output) {
  // Of several demands in one slot, the one that prevails is shown.
  const prevails = (each) => Number(each.value === output.commanded);
  const held = new Map(output.slots.toSorted((a, b) => prevails(a) - prevails(b))
    .map((each) => [each.slot, each]));
  const actual = output.actual === null ? t("ui.sheet.no-feedback")
    : t("ui.sheet.actual", { value: word(output.role, output.actual) });
  return [
    sheetHead(`${outputName(output, state.outputs)} · ${output.id}`),
    h("div", { class: "facts", "data-key": "facts" },
      h("span", {}, t("ui.sheet.commanded", { value: word(output.role, output.commanded) })),
      h("span", {}, actual),
      h("span", {}, t("ui.alarm.since", { time: time(output.since) })),
      alarmLine(state, output)),
    h("div", { class: "ladder", "data-key": "ladder" }, ...SLOTS.map((slot) =>
      rung(output, slot, held.get(slot)))),
    output.role === "cut-off" && output.commanded === "off" && isLocal() && mayAct() &&
      h("button", { "data-key": "cut", "data-do": "cut", "data-hold": CUT_MS }, t("ui.action.cut")),
  ].filter(Boolean);
}

function rung(output, slot, demand) {
  const holds = demand && slot === output.slot;
  const until = demand?.until && t("ui.sheet.until", { time: time(demand.until) });
  return h("div", { class: holds ? "rung holds" : demand ? "rung held" : "rung" },
    h("b", {}, t("ui.sheet.slot", { slot })),
    h("i", {}, t(`ui.slot.${slot}`)),
    demand ? [word(output.role, demand.value), " · ", reason(demand.why), until && ` · ${until}`,
      holds && h("span", { class: "tag" }, t("ui.sheet.holds"))] : "—");
}
