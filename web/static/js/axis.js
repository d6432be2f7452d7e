// One time axis from now on: the runtime left, what the plan needs of it, and its stages as blocks.

import { h, s } from "./dom.js";
import { duration, t } from "./i18n.js";

const LANE = 22;
const BAR = 16;
const STEPS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400];
const TICKS = 6;
const FAR = 3; // a runtime beyond so many times the plan's end leaves the axis at the right
const WIDE = 0.18; // of the axis: a block that holds words, not only its number
const NARROW = 0.04; // a block that does not hold even that: its number follows it

export function axis(plan) {
  const blocks = placed(plan.stages);
  const end = Math.max(plan.need_s ?? 0, ...blocks.map((each) => each.to));
  const runtime = plan.power.runtime_s;
  const span = (end > 0 ? Math.min(Math.max(end, runtime ?? 0), end * FAR) : runtime) || 60;
  const lanes = [
    [t("ui.power.runtime"), runtime, bar(runtime, span)],
    [t("ui.power.need"), plan.need_s, need(plan, span)],
  ];
  const done = plan.stages.filter((each) => each.done).map((each) => `✓ ${each.stage}`);
  return h("section", { class: "axis", "data-key": "axis" },
    h("div", { class: "names" },
      ...lanes.map(([name, seconds]) => h("div", {}, name,
        h("b", {}, seconds == null ? "?" : duration(seconds, Math.floor)))),
      h("div", {}, t("ui.power.stages"), h("b", {}, done.join(" "))),
      h("div", {}, t("ui.power.from-now"))),
    s("svg", { class: "lanes", width: "100%", height: 4 * LANE, "aria-hidden": "true" },
      hatching(), ...lanes.map(([, seconds, drawn], at) =>
        lane(at, seconds == null ? [rect(0, 1, "unknown")] : drawn)),
      lane(2, blocks.map((each, at) => block(each, blocks[at + 1], span))),
      ticks(span)));
}

/** A begun stage runs now; one whose start cannot be foreseen follows the one before it. */
function placed(stages) {
  let at = 0;
  return stages.filter((each) => !each.done).map((each) => {
    const from = each.begun ? 0 : each.begins_in_s ?? at;
    const to = from + (each.need_s ?? 0);
    at = Math.max(at, to);
    return { ...each, from, to, foreseen: each.begun != null || each.begins_in_s != null };
  }).toSorted((a, b) => a.from - b.from || b.to - a.to);
}

const percent = (share) => `${(Math.max(0, Math.min(1, share)) * 100).toFixed(2)}%`;

const rect = (from, to, look) => s("rect", {
  class: look, x: percent(from), width: percent(to - from), y: (LANE - BAR) / 2, height: BAR,
});

/** Broken off at the right where it goes on beyond the axis. */
const bar = (seconds, span) => [
  rect(0, seconds / span, "runtime"),
  seconds > span && [0.96, 0.97].map((at) => rect(at, at + 0.004, "gap")),
];

/** What the plan needs beyond the runtime stands out. */
function need({ need_s: seconds, power }, span) {
  const covered = Math.min(seconds, power.runtime_s ?? seconds);
  return [rect(0, covered / span, "need"),
    seconds > covered && rect(covered / span, seconds / span, "short")];
}

function lane(at, drawn) {
  return s("svg", { y: at * LANE, width: "100%", height: LANE, overflow: "visible" }, drawn);
}

/** Of two that begin together the longer lies behind, numbered at its other end. */
function block(each, next, span) {
  const look = ["stage", each.begun && "begun", !each.foreseen && "unforeseen"];
  const told = each.begun ? t("ui.power.running")
    : each.foreseen && t("ui.power.in", { time: duration(each.from) });
  const behind = next?.from === each.from;
  const share = (each.to - each.from) / span;
  const wide = !behind && share >= WIDE;
  const narrow = share < NARROW;
  return s("svg", {
    x: percent(each.from / span), width: percent(share), height: LANE, overflow: "visible",
  }, rect(0, 1, look.filter(Boolean).join(" ")),
  s("text", {
    class: each.begun && !narrow ? "begun" : "", y: LANE - 6,
    x: behind || narrow ? "100%" : 0, dx: behind && !narrow ? -6 : 6,
    "text-anchor": behind && !narrow ? "end" : "start",
  },
    String(each.stage), wide && told && s("tspan", { class: "told" }, ` · ${told}`)));
}

function ticks(span) {
  const step = STEPS.find((each) => span / each <= TICKS) ?? span;
  const marks = [];
  for (let at = 0; at <= span * 0.97; at += step) {
    marks.push(
      s("rect", { class: "rule", x: percent(at / span), y: 0, width: 1, height: 5 }),
      s("text", { x: percent(at / span), y: LANE - 4, "text-anchor": at ? "middle" : "start" },
        at ? duration(at) : "0"));
  }
  return lane(3, [s("rect", { class: "rule", width: "100%", height: 1 }), ...marks]);
}

const hatching = () => s("defs", {}, s("pattern", {
  id: "hatched", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
}, s("rect", { class: "ground", width: 8, height: 8 }), s("rect", { class: "line", width: 4, height: 8 })));
