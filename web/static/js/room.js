// The room in one look: every point and output as a block, on one screen, without scrolling.

import { hostsBlock, outputBlock, pointBlock, projectorBlock, unreadBlock, upsBlock } from "./blocks.js";
import { h } from "./dom.js";
import { isNumber } from "./model.js";

const GAP = 8;
const NARROWEST = 120;
const LOWEST = 48;
const COMFORTABLE = 56;
const TALL = 84;
const HIGHEST = 132;
const ORDER = ["climate", "smoke", "call-point", "emergency", "leak", "door", "window", "mains"];

const place = (point) => {
  const at = ORDER.indexOf(point.role);
  return at < 0 ? ORDER.length : at;
};

export function room({ state }) {
  if (!state) return [];
  const projectors = new Set(state.projectors.map((each) => each.id));
  // The Power page shows these in full; here each takes one block.
  const { upses = [], hosts = [] } = state.plan ?? {};
  const elsewhere = new Set([...projectors, ...upses.map(({ id }) => id), ...hosts.map(({ id }) => id)]);
  if (state.plan) elsewhere.add("power");
  const points = state.points.filter((point) => !elsewhere.has(point.part))
    .toSorted((a, b) => place(a) - place(b));
  const unread = unreadParts(points);
  const shown = points.filter((point) => !unread.has(point.part) || unread.get(point.part)[0] === point);
  const cells = shown.length + upses.length + Number(hosts.length > 0) + projectors.size +
    state.outputs.length;
  const wide = (point) => !unread.has(point.part) && isNumber(point) && point.limits != null;
  return [h("div", { class: "plan", "data-key": "room", "data-cells": cells },
    ...shown.map((point) => unread.has(point.part)
      ? unreadBlock(state, point.part, unread.get(point.part))
      : pointBlock(state, point, wide(point))),
    ...upses.map((ups) => upsBlock(state, ups)),
    hosts.length > 0 && hostsBlock(state, hosts),
    ...state.projectors.map((each) => projectorBlock(state, each)),
    ...state.outputs.map((output) => outputBlock(state, output)))];
}

function unreadParts(points) {
  const parts = new Map();
  for (const point of points) parts.set(point.part, [...(parts.get(point.part) ?? []), point]);
  return new Map([...parts].filter(([, of]) =>
    of.length > 1 && of.every((point) => point.quality === "missing")));
}

/** Choose columns and rows so that everything fits; wide blocks only where there is room. */
export function arrange(page) {
  const plan = page.querySelector(".plan");
  if (!plan) return;
  const width = page.clientWidth - 2 * GAP;
  const height = page.clientHeight - 2 * GAP;
  const columns = Math.max(2, Math.floor((width + GAP) / (NARROWEST + GAP)));
  const cells = Number(plan.dataset.cells);
  const wider = [...plan.querySelectorAll(".wide")];
  const fits = (rows) => rows * (COMFORTABLE + GAP) <= height + GAP;
  const rowsWide = Math.ceil((cells + wider.length) / columns);
  const rows = fits(rowsWide) ? rowsWide : Math.ceil(cells / columns);
  const spare = rows * columns - cells;
  const row = Math.min(HIGHEST, Math.max(LOWEST, Math.floor((height + GAP) / rows) - GAP));
  plan.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  plan.style.gridAutoRows = `${row}px`;
  plan.classList.toggle("tall", row >= TALL);
  plan.classList.toggle("tight", row < COMFORTABLE);
  wider.forEach((block, at) => {
    block.style.gridColumn = at < spare ? "span 2" : "";
    block.classList.toggle("roomy", at < spare);
  });
}
