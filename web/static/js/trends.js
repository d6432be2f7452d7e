// Trends of the last hours: choose a point, choose how far back.

import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { isNumber, pointName } from "./model.js";
import { store } from "./state.js";

const HOURS = [1, 4, 24];
const AGAIN_MS = 15000;
const chosen = { point: null, hours: 4 };
const charts = new WeakMap(); // element -> {chart, key, at}

export const choose = (changes) => Object.assign(chosen, changes);

const drawable = (state) => (state?.points ?? []).filter(isNumber)
  .filter((point) => point.quality !== "missing");

export function trends({ state }) {
  const points = drawable(state);
  if (!points.some((point) => point.id === chosen.point)) chosen.point = points[0]?.id ?? null;
  return [h("div", { class: "trends", "data-key": "trends" },
    h("div", { class: "chips" },
      ...points.map((point) => h("button", {
        "data-key": point.id, "data-do": "trend", "data-arg": point.id,
        "aria-pressed": String(point.id === chosen.point),
      }, pointName(point, state.points))),
      h("div", { class: "end", "data-key": "hours" }, ...hourChips())),
    chartBox(chosen.point, chosen.hours))];
}

export const hourChips = () => HOURS.map((hours) => h("button", {
  "data-do": "hours", "data-arg": hours, "aria-pressed": String(hours === chosen.hours),
}, t("ui.trends.hours", { hours })));

export const chartBox = (point, hours = chosen.hours) =>
  h("div", { class: "chart", "data-keep": true, "data-chart": point ?? "", "data-hours": hours });

/** Draw what has come onto the page, and again now and then. */
export function drawCharts() {
  for (const element of document.querySelectorAll("[data-chart]")) {
    const key = `${element.dataset.chart} ${element.dataset.hours} ${document.documentElement.dataset.theme}` +
      ` ${document.documentElement.lang} ${element.clientWidth}x${element.clientHeight}`;
    const known = charts.get(element) ?? { chart: new Chart(element), key: "", at: 0 };
    charts.set(element, known);
    if (known.key === key && Date.now() - known.at < AGAIN_MS) continue;
    Object.assign(known, { key, at: Date.now() });
    fetchInto(element, known.chart);
  }
}

async function fetchInto(element, chart) {
  const { chart: id, hours } = element.dataset;
  const to = Date.now();
  const from = to - Number(hours) * 3_600_000;
  let rows = [];
  if (id) {
    const width = Math.max(10, Math.round(element.clientWidth / 2));
    const answer = await fetch(`/api/v1/history?${new URLSearchParams({ point: id, from, to, width })}`)
      .catch(() => null);
    if (answer?.ok) ({ rows } = await answer.json());
  }
  if (element.dataset.chart !== id || !element.isConnected) return;
  const point = store.state?.points.find((each) => each.id === id);
  if (rows.length) {
    element.querySelector(".none")?.remove();
    chart.draw(rows, from, to, point?.limits, point?.unit ?? "");
  } else {
    chart.clear();
    element.replaceChildren(h("div", { class: "none" }, t("ui.trends.none")));
  }
}
