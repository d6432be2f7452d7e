// The drill: the plan run through with nothing switched and no host touched.

import { isLocal, mayOperate } from "./ask.js";
import { h } from "./dom.js";
import { nameOf } from "./hosts.js";
import { date, t, time } from "./i18n.js";
import { sheetHead } from "./sheethead.js";

const HOLD_MS = 1500;
const PLANS = ["outage", "return"];

/** What the last real outage or drill showed, and when. */
export const proven = (run) => run
  ? t(`ui.power.${run.kind}-${run.ok ? "proven" : "failed"}`, { date: date(run.at) })
  : t("ui.power.never-proven");

export function drillSteps(plan) {
  const { drill } = plan;
  return h("section", { class: "items drill", "data-key": "drill" },
    h("div", { class: "item", "data-key": "since" }, h("b", {}, drill.running ? "●" : "■"),
      t(drill.running ? "ui.drill.running" : "ui.drill.over"),
      drill.since && h("span", {}, t("ui.alarm.since", { time: time(drill.since) }))),
    ...drill.steps.map((step, at) => h("div", {
      class: step.ok === false ? "item missing" : "item", "data-key": String(at),
    }, h("b", {}, step.ok == null ? "…" : step.ok ? "✓" : "✕"),
    t(`ui.drill.${step.action}`, { host: nameOf(plan, step.host) }),
    h("span", {}, [step.text, step.took_s != null && t("ui.time.s", { n: step.took_s })]
      .filter(Boolean).join(" · ")))));
}

export function drillSheet(plan) {
  const free = plan.phase === "idle" && !plan.drill?.running;
  return [
    sheetHead(t("ui.drill.title")),
    h("p", { class: "told", "data-key": "told" }, t("ui.drill.what"), " ", proven(plan.last_run)),
    plan.drill && drillSteps(plan),
    mayOperate() ? h("div", { class: "buttons", "data-key": "buttons" },
      ...PLANS.map((which) => h("button", {
        class: "act", "data-key": which, "data-do": "drill", "data-arg": which, "data-hold": HOLD_MS,
        disabled: !free,
      }, t(`ui.action.drill-${which}`))))
      : isLocal() && h("p", { class: "told", "data-key": "signin" }, t("ui.power.sign-in")),
  ].filter(Boolean);
}
