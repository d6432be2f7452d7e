// The controller is gone: nothing shown is live, and the page says so first.

import { h } from "./dom.js";
import { t, time } from "./i18n.js";

export function lost({ state, since }) {
  return [h("section", { class: "nocontact", "data-key": "lost", role: "alert" },
    h("div", {},
      h("h1", {}, t("ui.lost.title")),
      h("p", {}, state ? t("ui.lost.since", { time: time(since) }) : t("ui.lost.never")),
      h("p", {}, t("ui.lost.works"))))];
}
