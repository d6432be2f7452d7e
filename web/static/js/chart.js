// One chart of one point: uPlot with dashed limits and hatched gaps where nothing is known.

import uPlot from "/static/vendor/uplot-1.6.32/uPlot.esm.js";
import { clock } from "./i18n.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function hatching() {
  const tile = Object.assign(document.createElement("canvas"), { width: 12, height: 12 });
  const pen = tile.getContext("2d");
  pen.strokeStyle = css("--unknown-hatch");
  pen.lineWidth = 3;
  for (const shift of [-12, 0, 12]) {
    pen.beginPath();
    pen.moveTo(shift, 12);
    pen.lineTo(shift + 12, 0);
    pen.stroke();
  }
  return tile;
}

/** Times from..to where the point was not good, as pairs of seconds. */
export function gaps(rows, toMs) {
  const found = [];
  let start = null;
  for (const [at, , mean, , quality] of rows) {
    const unknown = mean === null || quality !== "good";
    if (unknown && start === null) start = at;
    if (!unknown && start !== null) {
      found.push([start / 1000, at / 1000]);
      start = null;
    }
  }
  if (start !== null) found.push([start / 1000, toMs / 1000]);
  return found;
}

export class Chart {
  constructor(element) {
    this.element = element;
  }

  draw(rows, fromMs, toMs, limits, unit) {
    this.clear();
    const number = (value) => (typeof value === "number" ? value : null);
    const column = (at) => rows.map((row) => number(row[at]));
    const data = [rows.map((row) => row[0] / 1000), column(1), column(3), column(2)];
    const dashed = [limits?.low, limits?.high, limits?.critical].filter((each) => typeof each === "number");
    const unknown = gaps(rows, toMs);
    const line = css("--line");
    const font = `15px ${css("--font")}`;
    const axis = { stroke: css("--ink"), grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font };
    const band = `${css("--series-1")}33`;
    this.plot = new uPlot({
      ...this.size(),
      cursor: { show: false },
      legend: { show: false },
      padding: [10, 14, 0, 0],
      scales: {
        x: { min: fromMs / 1000, max: toMs / 1000 },
        y: { range: (_, low, high) => span(low, high, dashed) },
      },
      axes: [
        { ...axis, space: 90, values: (_, ticks) => ticks.map((second) => clock(second * 1000)) },
        { ...axis, size: 64, values: (_, ticks) => ticks.map((each) => `${+each.toFixed(2)}`), label: unit, labelSize: 20, labelFont: font },
      ],
      bands: [{ series: [2, 1], fill: band }],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: css("--series-1"), width: 2, points: { show: rows.length < 3 } },
      ],
      hooks: { drawClear: [(plot) => hatch(plot, unknown)], draw: [(plot) => rule(plot, dashed)] },
    }, data, this.element);
  }

  size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
  }
}

/** The values, and a limit where it is near enough to matter. */
function span(low, high, limits) {
  let [from, to] = low == null ? [Math.min(...limits, 0), Math.max(...limits, 1)] : [low, high];
  const reach = Math.max(to - from, 1) * 2;
  for (const limit of limits) {
    if (limit > from - reach && limit < to + reach) [from, to] = [Math.min(from, limit), Math.max(to, limit)];
  }
  const margin = Math.max((to - from) * 0.08, 0.2);
  return [from - margin, to + margin];
}

function hatch(plot, unknown) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = ctx.createPattern(hatching(), "repeat");
  for (const [from, to] of unknown) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

function rule(plot, limits) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = css("--muted");
  ctx.setLineDash([8, 6]);
  for (const limit of limits) {
    const y = plot.valToPos(limit, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
