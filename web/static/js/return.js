// The return: what must hold before a host is started, in which order, and who waits for what.

import { isLocal, mayOperate } from "./ask.js";
import { h } from "./dom.js";
import { has, reason, t } from "./i18n.js";
import { inOrder, reasonOf } from "./hosts.js";
import { sheetHead } from "./sheethead.js";

const HOLD_MS = 1500;

/** Whether hosts come back, or wait for what holds them while the mains is there again. */
export const isReturn = ({ phase, permissive }) => phase === "returning" ||
  (phase === "outage" && !!permissive?.items.find((item) => item.id === "mains")?.ok);

const SIGNS = { unknown: "?", met: "✓", missing: "✕", waived: "–" };
const label = (item) => (has(`ui.permissive.${item.id}`) ? t(`ui.permissive.${item.id}`) : item.id);
const missing = ({ permissive }) => (permissive?.items ?? []).filter((item) => item.ok !== true);

function condition(item) {
  const waived = item.waived && item.ok !== true;
  const state = waived ? "waived" : item.ok == null ? "unknown" : item.ok ? "met" : "missing";
  return h("div", { class: `item ${state}`, "data-key": item.id },
    h("b", {}, SIGNS[state]),
    h("i", { class: "label" }, label(item)),
    h("i", { class: "sentence" }, reason(item.why, item.text)),
    waived && h("span", {}, t("ui.return.waived")));
}

const all = ({ permissive }) => (permissive?.items ?? []).map(condition);

export const conditions = (plan) =>
  h("section", { class: "items conditions", "data-key": "conditions" }, ...all(plan));

/** In one line: whether hosts may be started, and what is missing. */
export function mayReturn(plan) {
  const { permissive } = plan;
  if (!permissive) return "";
  if (permissive.ok) return t("ui.return.ok");
  return t("ui.return.waits", {
    reason: reason(permissive.why, permissive.reason) || missing(plan).map(label),
  });
}

export function returnSheet(plan) {
  return [
    sheetHead(t("ui.return.title")),
    h("p", { class: "told", "data-key": "told" }, mayReturn(plan)),
    h("div", { class: "items", "data-key": "items" }, ...all(plan)),
    mayOperate() ? h("div", { class: "buttons", "data-key": "buttons" },
      ...start(plan),
      isLocal() && unsureOfMains(plan) && hold("confirm-mains", t("ui.action.confirm-mains")))
      : isLocal() && h("p", { class: "told", "data-key": "signin" }, t("ui.power.sign-in")),
    h("ol", { class: "order", "data-key": "order" },
      ...inOrder(plan.hosts, true).map((host) => h("li", { "data-key": host.id },
        h("b", {}, host.name || host.id), ` ${t(`ui.word.state.${host.phase}`)} `,
        h("span", {}, reasonOf(plan, host))))),
  ].filter(Boolean);
}

/** What the gate would take of a person in the room: a start, or one without a condition. */
function start(plan) {
  const { startable, waivable = [] } = plan.permissive ?? {};
  if (startable) return [hold("start-hosts", t("ui.action.start-hosts"))];
  if (!isLocal()) return []; // a condition is waived only by who stands in the room
  const lacking = missing(plan);
  if (isReturn(plan) && !waivable.length && lacking.length > 1) {
    return [h("p", { class: "told", "data-key": "several" },
      t("ui.return.several", { missing: lacking.map(label) }))];
  }
  return lacking.filter((item) => waivable.includes(item.id)).map((item) =>
    hold("start-hosts", t("ui.action.start-without", { what: label(item) }), item.id));
}

/** Where nothing tells, a person may; what is told they cannot gainsay. */
const unsureOfMains = ({ power }) => ["lost", "unknown"].includes(power.state) && !power.vouched;

const hold = (action, words, argument) => h("button", {
  class: "act", "data-key": `${action} ${argument ?? ""}`, "data-do": action, "data-arg": argument,
  "data-hold": HOLD_MS,
}, words);
