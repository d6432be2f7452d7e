// The rail of targets: only what this room has.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { loud, standing } from "./model.js";

export function rail({ state, page, session }) {
  const count = standing(state).filter(loud).length;
  const pages = ["room", "alarms"];
  if (state?.plan) pages.push("power");
  pages.push("trends");
  if (state?.projectors?.length) pages.push("projectors");
  pages.push("events");
  return [
    ...pages.map((name) => h("button", {
      "data-do": "page", "data-arg": name, "aria-current": page === name && "page",
    }, icon(name), h("span", {}, t(`ui.rail.${name}`)),
    name === "alarms" && count > 0 && h("span", { class: "count" }, String(count)))),
    h("button", { "data-do": session.person ? "signout" : "signin" },
      icon("person"), h("span", {}, session.person ? t("ui.signout") : t("ui.rail.person"))),
    h("button", { "data-do": "language" }, icon("language"), h("span", {}, t("ui.rail.language"))),
  ];
}
