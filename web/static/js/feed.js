// The feed to the central system: how it is, as a mark and as a line.

import { t } from "./i18n.js";

/** "ok", "attention" where it stands but not well, or "fault". */
export function feedLook({ condition, detail }) {
  if (condition === "slow" || (condition === "up" && detail)) return "attention";
  return condition === "up" ? "ok" : "fault";
}

export const feedLine = ({ condition, detail }) =>
  t("ui.feed.line", { condition: t(`ui.feed.${condition}`), detail });
