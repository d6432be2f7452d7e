// The last 24 hours in the corner of a block: fetched rarely, one at a time.

import { s } from "./dom.js";
import { update } from "./state.js";

const DAY_MS = 86_400_000;
const AGAIN_MS = 10 * 60_000;
const WIDTH = 60;
const paths = new Map(); // point id -> {path, at}
const waiting = [];
let busy = false;

/** The point's line, or nothing until it is known. */
export function spark(point) {
  const known = paths.get(point.id);
  if (!known || Date.now() - known.at > AGAIN_MS) want(point.id);
  if (!known?.path) return null;
  return s("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("path", { d: known.path, "vector-effect": "non-scaling-stroke" }));
}

function want(id) {
  paths.set(id, { path: paths.get(id)?.path ?? "", at: Date.now() });
  waiting.push(id);
  if (!busy) next();
}

async function next() {
  const id = waiting.shift();
  busy = id !== undefined;
  if (!busy) return;
  const to = Date.now();
  try {
    const query = new URLSearchParams({ point: id, from: to - DAY_MS, to, width: WIDTH });
    const answer = await fetch(`/api/v1/history?${query}`);
    if (answer.ok) {
      paths.set(id, { path: drawn((await answer.json()).rows, to), at: to });
      update({});
    }
  } catch {
    // Asked again later.
  }
  next();
}

function drawn(rows, to) {
  const known = rows.filter((row) => typeof row[2] === "number");
  if (known.length < 2) return "";
  const low = Math.min(...known.map((row) => row[1]));
  const high = Math.max(...known.map((row) => row[3]));
  const span = Math.max(high - low, 1e-6, Math.abs(high) * 0.02);
  const y = (value) => (28 - ((value - low) / span) * 26).toFixed(1);
  const x = (at) => (((at - (to - DAY_MS)) / DAY_MS) * 100).toFixed(1);
  let path = "";
  let pen = "M";
  for (const row of rows) {
    if (typeof row[2] !== "number") {
      pen = "M"; // a gap stays a gap
      continue;
    }
    path += `${pen}${x(row[0])} ${y(row[2])}`;
    pen = "L";
  }
  return path;
}
