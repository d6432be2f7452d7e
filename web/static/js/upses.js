// The UPSes, one row each. What is not known is struck out and hatched; what a UPS does not tell
// at all is a plain dash.

import { h } from "./dom.js";
import { age, duration, number, t, word } from "./i18n.js";

const COLUMNS = ["supply", "charge", "runtime", "load", "input", "age", "self-test", "faults"];

export function upses({ upses: all }) {
  if (!all.length) return h("p", { class: "upses none", "data-key": "upses" }, t("ui.ups.none"));
  return h("table", { class: "upses", "data-key": "upses" },
    h("thead", {}, h("tr", {}, h("th", {}, "UPS"),
      ...COLUMNS.map((name) => h("th", {}, t(`ui.ups.${name}`))))),
    h("tbody", {}, ...all.map(row)));
}

// The snapshot names qualities as the UPS's normal form does, with the unit.
const QUALITIES = {
  charge: "charge_pct", load: "load_pct", input_voltage: "input_voltage_v",
  input_frequency: "input_frequency_hz",
};

/** "good", "stale" ..; a value of which nothing is said is missing. */
export const qualityOf = (ups, name) => ups.quality[QUALITIES[name] ?? name] ?? "missing";

export const isKnown = (ups, name) =>
  isHeard(ups) && ups[name] != null && qualityOf(ups, name) === "good";

const unit = (name) => (value) => [number(value), h("small", {}, ` ${name}`)];

function row(ups) {
  const heard = isHeard(ups);
  const cell = (...shown) => h("td", {}, ...shown);
  return h("tr", { class: heard ? "" : "unknown", "data-key": ups.id },
    h("td", {}, h("b", {}, ups.id)),
    cell(value(ups, "supply", (supply) => supplyWord(supply))),
    cell(value(ups, "charge", unit("%")), ups.battery_low && h("span", { class: "tag" }, t("ui.ups.low"))),
    cell(value(ups, "runtime_s", (seconds) => duration(seconds, Math.floor))),
    cell(value(ups, "load", unit("%"))),
    cell(value(ups, "input_voltage", unit("V")), " ", value(ups, "input_frequency", unit("Hz"))),
    heard ? [
      cell(value(ups, "battery_age_d", (days) => t("ui.time.d", { n: Math.floor(days) }))),
      cell(value(ups, "self_test", (test) => word("self-test", test))),
      cell(value(ups, "faults", faults))]
      : h("td", { colspan: 3 }, silence(ups)));
}

/** Contacts have no link of their own that could be lost. */
export const isHeard = (ups) => ups.link === "ok" || ups.kind === "dry-contacts";

const supplyWord = (supply) =>
  supply === "mains" ? word("supply", supply) : h("b", {}, word("supply", supply));

function value(ups, name, shown) {
  const quality = qualityOf(ups, name);
  // No faults are news only where they are told.
  const known = name === "faults" && quality !== "good" && !ups.faults.length ? null : ups[name];
  if (known != null && quality === "good") return h("span", {}, shown(known));
  if (known == null && quality === "missing" && isHeard(ups)) return h("span", { class: "untold" }, "—");
  return h("span", { class: "unknown" }, known == null ? "—" : h("s", {}, shown(known)),
    isHeard(ups) && h("span", { class: "quality" }, ` ${t(`ui.quality.${quality}`)}`));
}

const faults = (words) =>
  words.length ? h("b", {}, words.map((each) => t(`ui.fault.${each}`)).join(t("list.comma"))) : t("ui.ups.no-fault");

function silence({ link, at }) {
  const fault = link ? link.split(":")[0] : "never";
  return h("span", { class: "quality" }, t(`ui.link.${fault}`), at && ` ${age(at)}`);
}
