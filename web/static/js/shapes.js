// Priority as shape and number, so that colour never speaks alone.

import { s } from "./dom.js";

const SHAPES = {
  critical: ["1", () => s("rect", { x: 2, y: 2, width: 20, height: 20, rx: 2 }), 16.8],
  high: ["2", () => s("path", { d: "M12 1 24 22H0z" }), 18.5],
  low: ["3", () => s("circle", { cx: 12, cy: 12, r: 11 }), 16.8],
  journal: ["", () => s("circle", { cx: 12, cy: 12, r: 5 }), 12],
};

export function shape(priority, flashing = false) {
  const [number, draw, y] = SHAPES[priority] ?? SHAPES.journal;
  return s("svg", { class: `shape ${priority}${flashing ? " flash" : ""}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    draw(), s("text", { x: 12, y }, number));
}

/** A ring that empties: `share` 0..1 of it is left. */
export function ring(share, text, sub = "") {
  const left = Math.round(Math.max(0, Math.min(1, share)) * 1000) / 10;
  return s("svg", { class: "ring", viewBox: "0 0 120 120", role: "img", "aria-label": `${text} ${sub}` },
    s("circle", { class: "track", cx: 60, cy: 60, r: 52 }),
    s("circle", {
      class: "left", cx: 60, cy: 60, r: 52, pathLength: 100,
      "stroke-dasharray": `${left} ${100 - left}`, transform: "rotate(-90 60 60)",
    }),
    s("text", { class: text.length > 5 ? "small" : "", x: 60, y: sub ? 54 : 60 }, text),
    sub && s("text", { class: "sub", x: 60, y: 80 }, sub));
}
