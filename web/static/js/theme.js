// Light by day, dark after hours, by the room's own clock.

import { hourNow } from "./i18n.js";

const DAY = [6, 20];

export function setTheme() {
  const hour = hourNow();
  document.documentElement.dataset.theme = hour >= DAY[0] && hour < DAY[1] ? "light" : "dark";
}
