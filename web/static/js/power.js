// Power: how long the UPS lasts, what the plan needs of it, and where each host stands.

import { axis } from "./axis.js";
import { h } from "./dom.js";
import { drillSteps, proven } from "./drill.js";
import { hosts, triggers } from "./hosts.js";
import { duration, minutes, reason, t, time } from "./i18n.js";
import { standing } from "./model.js";
import { conditions, isReturn } from "./return.js";
import { shape } from "./shapes.js";
import { upses } from "./upses.js";

export function power({ state, hostPage }) {
  const plan = state?.plan;
  if (!plan) return [h("div", { class: "empty" }, t("ui.power.none"))];
  const back = isReturn(plan);
  return [h("div", { class: back ? "power back" : "power", "data-key": "power" },
    h("header", { "data-key": "head" }, situation(plan), margin(state, plan)),
    upses(plan),
    (plan.hosts.length > 0 || plan.power.runtime_s != null) && axis(plan),
    stages(plan),
    plan.permissive && conditions(plan),
    plan.drill?.running && drillSteps(plan),
    plan.hosts.length > 0 && hosts(state, plan, back, hostPage))];
}

function situation(plan) {
  const { power: now, drill, phase } = plan;
  const waits = phase !== "returning" && isReturn(plan);
  const returned = now.state === "mains" && now.stable_s != null && now.stable_s < now.stable_needed_s;
  const told = [
    now.since && t("ui.alarm.since", { time: time(now.since) }),
    now.state !== "mains" && now.on_battery_s > 0 &&
      t("ui.power.on-battery", { time: minutes(now.on_battery_s) }),
    returned && t("ui.power.stable", {
      have: Math.floor(now.stable_s), need: Math.ceil(now.stable_needed_s),
    }),
    now.state !== "mains" && reason(now.why, now.reason),
    now.projected && now.runtime_s != null && t("ui.power.projected"),
    now.vouched && t("ui.power.vouched"),
  ];
  const unsure = ["disagreement", "lost", "unknown"].includes(now.state);
  return h("div", {},
    h("h1", {}, h("span", { class: unsure ? "unknown" : "" }, t(`ui.word.state.${now.state}`)),
      phase === "returning" && h("span", { class: "tag" }, t("ui.power.returning")),
      waits && h("span", { class: "tag" }, t("ui.power.return-waits")),
      drill?.running && h("span", { class: "tag" }, t("ui.drill.running"))),
    h("p", {}, told.filter(Boolean).join(" · ")));
}

/** What each stage waits for, or why it began: where there is room for it. */
function stages({ stages: all }) {
  return h("section", { class: "stages", "data-key": "stages" }, ...all.map((each) =>
    h("p", { "data-key": String(each.stage) }, !each.begun ? triggers(each)
      : [t("ui.power.begun", { stage: each.stage, time: time(each.begun) }),
        reason(each.why, each.reason)].filter(Boolean).join(" · "))));
}

function margin(state, plan) {
  if (!plan.hosts.length) return null;
  return h("div", { class: "margin" }, fit(state, plan), h("p", {}, proven(plan.last_run)));
}

function fit(state, { fits, spare_s: spare }) {
  if (fits == null || spare == null) {
    return h("h1", { class: "unknown" }, t("ui.power.spare-unknown"));
  }
  if (fits) return h("h1", {}, t("ui.power.spare", { time: duration(spare, Math.floor) }));
  const alarm = standing(state).find((each) => each.id === "plan.does-not-fit");
  const priority = alarm?.priority ?? "high";
  return h("h1", { class: `short ${priority}` }, shape(priority),
    t("ui.power.short", { time: duration(spare, Math.ceil) }));
}
