// Hosts: one block each with its state, since when, why, and what says so; a tap tells the rest.

import { isLocal, mayOperate } from "./ask.js";
import { h } from "./dom.js";
import { duration, reason, t, time, word } from "./i18n.js";
import { loud, standing } from "./model.js";
import { sheetHead } from "./sheethead.js";
import { shape } from "./shapes.js";

const HOLD_MS = 1500;
const ROOMY = matchMedia("(min-height: 700px)");
const SHOWN = { roomy: 16, compact: 6, crowded: 3 };
const CROWD = 3; // so many UPSes leave one row of hosts
const SETTLED = ["down", "waiting", "starting", "initialising"];
const SIGNS = { up: "▲", down: "▼", unknown: "?" };

/** In the order of the plan: as they go down, or as they come back. */
export const inOrder = (all, back) =>
  all.toSorted((a, b) => (back ? -1 : 1) * (a.stage - b.stage));

export const nameOf = ({ hosts: all }, id) => all.find((host) => host.id === id)?.name || id;

/** Why a host is as it is; another host that is named in it goes by its name. */
export function reasonOf(plan, { why, reason: told }) {
  const named = why?.values.host && { host: nameOf(plan, why.values.host) };
  return reason(why && { ...why, values: { ...why.values, ...named } }, told);
}

/** Whether the gate would take a person's word that it is down: nothing may say that it is up. */
const mayConfirm = ({ phase, evidence }) =>
  !SETTLED.includes(phase) && !Object.values(evidence).includes("up");

export const alarmOfHost = (state, host) =>
  standing(state).filter(loud).find((alarm) => alarm.subject === host.id);

export function hosts(state, plan, back, page = 0) {
  const room = SHOWN[ROOMY.matches ? "roomy" : plan.upses.length < CROWD ? "compact" : "crowded"];
  let shown = inOrder(plan.hosts, back);
  let more = null;
  if (shown.length > room) {
    // Where not all are seen at once, those in alarm come first.
    shown = shown.toSorted((a, b) => Number(!alarmOfHost(state, a)) - Number(!alarmOfHost(state, b)));
    const each = room - 1;
    const pages = Math.ceil(shown.length / each);
    const at = page % pages;
    shown = shown.slice(at * each, (at + 1) * each);
    more = h("button", { class: "host more", "data-key": "more", "data-do": "hosts" },
      t("ui.host.more", { at: at + 1, pages }), " ▸");
  }
  return h("section", { class: "hosts", "data-key": "hosts" },
    ...shown.map((host) => cell(state, plan, host)), more);
}

function cell(state, plan, host) {
  const alarm = alarmOfHost(state, host);
  const told = [time(host.since), proof(host), reasonOf(plan, host)];
  return h("button", {
    class: ["host", host.phase, alarm?.priority].filter(Boolean).join(" "),
    "data-key": host.id, "data-do": "sheet", "data-arg": `host:${host.id}`,
  },
  h("span", { class: "first" }, h("span", { class: "tag" }, String(host.stage)),
    h("span", { class: "name" }, host.name || host.id),
    h("b", {}, t(`ui.word.state.${host.phase}`)),
    alarm && shape(alarm.priority, alarm.state.endsWith("unacknowledged"))),
  h("span", { class: "second" }, told.filter(Boolean).join(" · ")),
  h("span", { class: "third" }, ...Object.entries(host.evidence).map(([kind, said]) =>
    h("span", { class: said === "unknown" ? "unknown" : "" },
      t(`ui.evidence.${kind}`), h("b", {}, SIGNS[said] ?? "?")))));
}

const proof = (host) => ["stopping", "unconfirmed"].includes(host.phase) && host.needs > 0 &&
  `${host.confirmed}/${host.needs}`;

/** Three lines in a block where there is room for them, else two. */
export function arrangeHosts(page) {
  const section = page.querySelector(".hosts");
  const first = section?.querySelector(".host");
  if (first) section.classList.toggle("tight", first.clientHeight < 56);
}

export function hostSheet(state, plan, host) {
  const stage = plan.stages.find((each) => each.stage === host.stage);
  const outlet = host.outlet && state.outputs.find((each) => each.id === host.outlet);
  const expected = duration(host.expected_stop_s, Math.ceil);
  const facts = [
    host.since && t("ui.alarm.since", { time: time(host.since) }),
    t(host.measured ? "ui.host.measured" : "ui.host.assumed", { time: expected }),
    host.deadline && t("ui.host.deadline", { time: time(host.deadline) }),
    outlet && t("ui.projector.outlet", { state: word("outlet", outlet.actual ?? outlet.commanded) }),
  ].filter(Boolean);
  return [
    sheetHead(`${host.name || host.id} · ${host.id}`),
    h("div", { class: "facts", "data-key": "facts" },
      h("span", { class: "big" }, t(`ui.word.state.${host.phase}`)),
      ...facts.map((fact) => h("span", {}, fact))),
    host.why && h("p", { class: "told", "data-key": "why" }, reasonOf(plan, host)),
    stage && h("p", { class: "told", "data-key": "stage" }, triggers(stage)),
    h("div", { class: "items", "data-key": "evidence" },
      ...Object.entries(host.evidence).map(([kind, said]) =>
        h("div", { class: said === "unknown" ? "item unknown" : "item" },
          h("b", {}, SIGNS[said] ?? "?"), t(`ui.evidence.${kind}`),
          h("span", {}, t(`ui.evidence.is-${said}`)))),
      h("div", { class: "item" }, h("b", {}, `${host.confirmed}/${host.needs}`), t("ui.host.needs"))),
    isLocal() && mayOperate() && mayConfirm(host) && h("button", {
      class: "act", "data-key": "confirm-down", "data-do": "confirm-down", "data-arg": host.id,
      "data-hold": HOLD_MS,
    }, t("ui.action.confirm-down")),
  ].filter(Boolean);
}

/** When a stage begins: whichever comes first. */
export function triggers({ stage, triggers: on }) {
  const words = [
    on.after_s != null && t("ui.trigger.after", { time: duration(on.after_s) }),
    on.charge_below != null && t("ui.trigger.charge", { percent: on.charge_below }),
    on.runtime_below_s != null && t("ui.trigger.runtime", { time: duration(on.runtime_below_s) }),
    on.need && t("ui.trigger.need"),
    on.temperature_above != null && t("ui.trigger.temperature", { value: on.temperature_above }),
  ].filter(Boolean);
  return words.length ? t("ui.trigger.stage", { stage, words }) : t("ui.trigger.none", { stage });
}
