// Projectors: on, off, and the ring that says how long the fan still needs its power.

import { h } from "./dom.js";
import { minutes, t, word } from "./i18n.js";
import { ring } from "./shapes.js";

const longest = new Map(); // projector id -> the most seconds seen of this cooling

export function projectors({ state }) {
  return [h("div", { class: "tiles", "data-key": "projectors" }, ...(state?.projectors ?? []).map((each) => tile(state, each)))];
}

function tile(state, projector) {
  const { id, phase } = projector;
  const left = projector.cooling_left_s ?? 0;
  const cooling = left > 0 && phase !== "on";
  if (cooling) longest.set(id, Math.max(left, longest.get(id) ?? projector.cooling_s ?? 0));
  else longest.delete(id);
  const outlet = state.outputs.find((output) => output.id === projector.outlet);
  const lit = ["on", "starting", "powering"].includes(phase);
  const keep = cooling || phase === "stopping";
  return h("section", { class: "tile", "data-key": id },
    cooling ? ring(left / longest.get(id), minutes(left), t("ui.phase.cooling"))
      : ring(phase === "on" ? 1 : 0, t(`ui.phase.${phase}`)),
    h("h2", {}, id),
    h("div", { class: "facts" },
      keep && h("p", { class: "keep" }, t("ui.projector.keep")),
      projector.waiting && h("p", {}, t("ui.projector.waiting")),
      !lit && !cooling && h("p", {}, t(projector.hot ? "ui.projector.hot" : "ui.projector.cool")),
      outlet && h("p", {}, t("ui.projector.outlet", { state: word("outlet", outlet.actual ?? outlet.commanded) })),
      projector.hot_cuts > 0 && h("p", {}, t("ui.projector.hot-cuts", { count: projector.hot_cuts }))),
    h("div", { class: "buttons" },
      h("button", { "data-do": "projector-on", "data-arg": id, disabled: lit || projector.waiting },
        t("ui.action.projector-on")),
      h("button", { "data-do": "projector-off", "data-arg": id, disabled: !lit && !projector.waiting && phase !== "unknown" },
        t("ui.action.projector-off"))));
}
