// The head of everything that slides over the page.

import { h } from "./dom.js";
import { t } from "./i18n.js";

export const sheetHead = (title) => h("header", { "data-key": "head" }, h("h2", {}, title),
  h("button", { "data-do": "close" }, t("ui.close")));
