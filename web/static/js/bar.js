// The action bar: only what can be done now.

import { isLocal, mayAct } from "./ask.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { unacknowledged } from "./model.js";

export function bar({ state, live, session }) {
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
  const person = session.person;
  const rest = person ? `${person.name} · ${t(`ui.role.${person.role}`)}`
    : shown.length || waiting ? "" : t("ui.action.none");
  shown.push(h("span", { class: "rest", "data-key": "rest" }, rest));
  if (!person && waiting && !anybody) {
    shown.push(h("button", { "data-key": "signin", "data-do": "signin" }, t("ui.signin")));
  }
  return shown;
}

const loudNow = (alarm) => !alarm.silenced && (alarm.active || alarm.state.startsWith("latched"));
