// One block per point or output: name, value, limits, and what is wrong with it.

import { h, icon, s } from "./dom.js";
import { age, minutes, number, t, word } from "./i18n.js";
import { alarmOf, isNumber, loud, outputName, pointName, quantityOf, standing } from "./model.js";
import { shape } from "./shapes.js";
import { spark } from "./spark.js";
import { isKnown } from "./upses.js";

const ICONS = new Set(["temperature", "humidity", "dew-point", "smoke", "door", "mains", "feedback",
  "hold", "leak", "cut-off", "siren", "cooling", "outlet"]);

function iconOf(thing) {
  const name = [thing.part && quantityOf(thing), thing.role].find((each) => ICONS.has(each));
  if (name) return icon(name);
  return icon(thing.kind === "ups" || thing.role === "ups" ? "ups" : "part");
}

function frame(state, thing, extra, ...content) {
  const alarm = alarmOf(state, thing);
  const flashing = alarm?.state.endsWith("unacknowledged");
  return h("button", {
    class: ["block", alarm?.priority, ...extra].filter(Boolean).join(" "),
    "data-key": thing.id, "data-do": "sheet",
    "data-arg": `${thing.part === undefined ? "output" : "point"}:${thing.id}`,
    "data-point": thing.id,
  }, ...content, alarm && shape(alarm.priority, flashing));
}

export function shownValue(point) {
  if (point.value === null || point.value === undefined) return "—";
  if (typeof point.value === "number") return number(inMinutes(point) ? point.value / 60 : point.value);
  return word(quantityOf(point) || point.role, point.value);
}

const inMinutes = (point) => point.unit === "s" && point.value >= 600;
export const shownUnit = (point) => (inMinutes(point) ? "min" : point.unit);

export function pointBlock(state, point, wide) {
  const good = point.quality === "good";
  const value = shownValue(point);
  return frame(state, point, [wide && "wide", !good && "unknown"],
    h("span", { class: "name" }, iconOf(point), h("span", {}, pointName(point, state.points))),
    h("span", { class: "value" },
      good || value === "—" ? value : h("s", {}, value),
      good && isNumber(point) && h("small", {}, shownUnit(point)),
      !good && h("span", { class: "quality" }, quality(point))),
    good && isNumber(point) && spark(point),
    good && limits(point));
}

export function quality(point) {
  const name = t(`ui.quality.${point.quality}`);
  return point.at ? `${name} ${age(point.at)}` : name;
}

/** A part of which nothing was ever read takes one block, not one for each quantity. */
export function unreadBlock(state, part, points) {
  return frame(state, points[0], ["unknown"],
    h("span", { class: "name" }, iconOf(points[0]), h("span", {}, part)),
    h("span", { class: "value" }, "—", h("span", { class: "quality" }, t("ui.quality.missing"))));
}

export function outputBlock(state, output) {
  const differs = output.actual !== null && output.actual !== output.commanded;
  return frame(state, output, ["output", differs && "unknown"],
    h("span", { class: "name" }, iconOf(output), h("span", {}, outputName(output, state.outputs))),
    h("span", { class: "value" }, word(output.role, output.actual ?? output.commanded),
      differs && h("small", {}, `≠ ${word(output.role, output.commanded)}`)));
}

export function projectorBlock(state, projector) {
  const left = projector.cooling_left_s;
  const subject = { id: projector.id };
  const block = frame(state, subject, [projector.phase === "unknown" && "unknown"],
    h("span", { class: "name" }, icon("projectors"), h("span", {}, projector.id)),
    h("span", { class: "value" }, t(`ui.phase.${projector.phase}`),
      left > 0 && h("small", {}, minutes(left))));
  block.dataset.do = "page";
  block.dataset.arg = "projectors";
  return block;
}

const toPower = (block) => {
  Object.assign(block.dataset, { do: "page", arg: "power" });
  return block;
};

export function upsBlock(state, ups) {
  const known = isKnown(ups, "supply");
  const shown = ups.supply == null ? "—" : word("supply", ups.supply);
  return toPower(frame(state, { id: ups.id }, [!known && "unknown"],
    h("span", { class: "name" }, icon("ups"), h("span", {}, ups.id)),
    h("span", { class: "value" }, known || ups.supply == null ? shown : h("s", {}, shown),
      known && isKnown(ups, "charge") && h("small", {}, `${number(ups.charge)} %`),
      !known && h("span", { class: "quality" }, t("ui.word.unknown")))));
}

/** All hosts in one block: how many run. It shows the gravest alarm of any of them. */
export function hostsBlock(state, hosts) {
  const subjects = new Set(hosts.map((host) => host.id));
  const grave = standing(state).filter(loud).find((alarm) => subjects.has(alarm.subject));
  const running = hosts.filter((host) => host.phase === "running").length;
  const block = toPower(frame(state, { id: grave?.subject ?? "hosts" }, [],
    h("span", { class: "name" }, icon("host"), h("span", {}, t("ui.host.all"))),
    h("span", { class: "value" }, `${running}/${hosts.length}`, h("small", {}, t("ui.host.run")))));
  block.dataset.key = block.dataset.point = "hosts";
  return block;
}

/** The limits as a thin bar with a mark where the value stands. */
function limits({ value, limits: known }) {
  if (!known || typeof value !== "number") return null;
  const { low, high, critical } = known;
  const ends = [low, high, critical].filter((each) => typeof each === "number");
  if (!ends.length) return null;
  const spread = Math.max(...ends) - Math.min(...ends) || Math.abs(ends[0]) || 1;
  const from = Math.min(...ends) - spread * 0.25;
  const to = Math.max(...ends) + spread * 0.25;
  const x = (at) => (Math.max(0, Math.min(1, (at - from) / (to - from))) * 100).toFixed(1);
  const line = (name, a, b) => s("path", { class: name, d: `M${a} 3H${b}` });
  return s("svg", { class: "limits", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    line("span", 0, 100),
    line("normal", low == null ? 0 : x(low), high == null ? 100 : x(high)),
    s("path", { class: "at", d: `M${x(value)} 0V6`, "vector-effect": "non-scaling-stroke" }));
}
