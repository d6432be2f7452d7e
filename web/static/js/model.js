// What the snapshot means for the screen: names, who is in alarm, what comes first.

import { has, t } from "./i18n.js";

export const RANKS = ["critical", "high", "low", "journal"];
const rank = (alarm) => RANKS.indexOf(alarm.priority);

/** Alarms a person must know of, the most pressing first. */
export function standing(state) {
  return (state?.alarms ?? [])
    .filter((alarm) => alarm.state !== "normal")
    .toSorted((a, b) => rank(a) - rank(b) || Number(b.first_out) - Number(a.first_out) ||
      (a.since < b.since ? -1 : 1));
}

export const loud = (alarm) => alarm.priority !== "journal" &&
  !["shelved", "out-of-service"].includes(alarm.state);

export const unacknowledged = (state) =>
  standing(state).filter((alarm) => alarm.state.endsWith("unacknowledged") && loud(alarm));

/** The alarm that the band shows: a confirmed fire, else of what is still so the first-out, else
 * the most pressing. What is over comes only when nothing else is left. */
export function headline(state) {
  const known = standing(state).filter(loud);
  const there = known.filter((alarm) => !alarm.state.startsWith("returned"));
  const all = there.length ? there : known;
  const fire = all.find((alarm) => alarm.id === "fire.confirmed");
  if (fire) return fire;
  const worst = Math.min(...all.map(rank));
  return all.find((alarm) => alarm.first_out && rank(alarm) === worst) ??
    all.find((alarm) => alarm.first_out) ?? all[0];
}

export function alarmText(alarm) {
  const id = `alarm.${alarm.condition}`;
  return has(id) ? t(id, { subject: alarm.subject, ...alarm.values }) : alarm.text;
}

export function advice(alarm) {
  const id = `advice.${alarm.condition}`;
  return has(id) ? t(id, { subject: alarm.subject, ...alarm.values }) : "";
}

const quantity = (point) => point.id.slice(point.part.length + 1);

const OF_TEMPERATURE = ["rising-fast"];

/** The most pressing active alarm of a point or an output, if any. */
export function alarmOf(state, thing) {
  return standing(state).filter(loud).find((alarm) => {
    if (alarm.subject === thing.id) return true;
    if (alarm.subject !== thing.part) return false;
    const what = quantity(thing);
    const other = ["temperature", "humidity", "dew-point", "power"].find((name) =>
      alarm.condition.startsWith(name)) ?? (OF_TEMPERATURE.includes(alarm.condition) ? "temperature" : null);
    return what === "" || other === null || other === what;
  });
}

/** A name that tells this point from all others of the room. */
export function pointName(point, points) {
  const what = quantity(point);
  const label = (id) => (has(id) ? t(id) : null);
  if (what) {
    const name = label(`ui.quantity.${what}`) ?? what;
    const twins = points.filter((other) => quantity(other) === what);
    return twins.length > 1 ? `${name} ${point.part}` : name;
  }
  const name = label(`ui.part.${point.role}`);
  if (!name) return point.id;
  const twins = points.filter((other) => other.role === point.role && !quantity(other));
  if (twins.length === 1) return name;
  const numbered = /-(\d+)$/;
  return twins.every((twin) => numbered.test(twin.id)) ? `${name} ${numbered.exec(point.id)[1]}` : point.id;
}

export function outputName(output, outputs) {
  if (output.scope && has(`ui.scope.${output.scope}`)) return t(`ui.scope.${output.scope}`);
  const id = `ui.part.${output.role}`;
  const twins = outputs.filter((other) => other.role === output.role);
  if (!has(id)) return output.id;
  return twins.length > 1 ? `${t(id)} ${output.id}` : t(id);
}

export const isNumber = (point) => point.unit != null && point.unit !== "" && point.role !== "projector";
export const quantityOf = quantity;
