// The action bar: only what can be done now.

import { isLocal, mayAct } from "./ask.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { unacknowledged } from "./model.js";
import { mayReturn } from "./return.js";

export function bar({ state, live, session, page }) {
  if (!live || !state) return [];
  const anybody = isLocal() || mayAct();
  const waiting = unacknowledged(state).length;
  const sounding = state.alarms.some((alarm) => loudNow(alarm)) &&
    state.outputs.some((out) => out.role === "siren" && out.commanded === "on");
  const shown = [];
  if (anybody && sounding) {
    shown.push(h("button", { class: "primary", "data-key": "silence", "data-do": "silence" },
      icon("siren"), t("ui.action.silence")));
  }
  if (anybody && waiting) {
    const words = waiting > 1
      ? t("ui.action.acknowledge-all", { count: waiting }) : t("ui.action.acknowledge");
    shown.push(h("button", { class: "primary", "data-key": "ack", "data-do": "acknowledge-all" },
      icon("feedback"), words));
  }
  const ofPlan = page === "power" && state.plan?.hosts.length > 0;
  if (ofPlan) {
    for (const kind of ["return", "drill"]) {
      shown.push(h("button", { "data-key": kind, "data-do": "sheet", "data-arg": `${kind}:plan` },
        t(`ui.${kind}.open`)));
    }
  }
  const person = session.person;
  const rest = [person && `${person.name} · ${t(`ui.role.${person.role}`)}`,
    ...(ofPlan ? [isAnyOut(state.plan) && mayReturn(state.plan)] : notes(state))];
  shown.push(h("span", { class: "rest", "data-key": "rest" }, rest.filter(Boolean).join(" · ")));
  if (!person && waiting && !anybody) {
    shown.push(h("button", { "data-key": "signin", "data-do": "signin" }, t("ui.signin")));
  }
  return shown;
}

const isAnyOut = ({ hosts }) => hosts.some(({ phase }) => phase !== "running");

/** What everybody in the room should know beforehand. */
function notes({ fire, access, out_of_service: permits = [] }) {
  const parts = permits.map((permit) => permit.id);
  return [
    parts.length > 0 && t("ui.fire.out-of-service", { parts }),
    access?.armed && t("ui.access.armed"),
    fire.accept_risk && t("ui.fire.accept-risk", { text: fire.accept_risk }),
    fire.cuts.length > 0 && !fire.budget_s && t("ui.fire.no-budget"),
  ].filter(Boolean);
}

const loudNow = (alarm) => !alarm.silenced && (alarm.active || alarm.state.startsWith("latched"));
