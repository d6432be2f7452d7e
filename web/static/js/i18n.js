// Sentences by id, in the language of whoever stands here. The rules are those of
// controller/texts: {named} values, "?" for what is not known, [clauses] that need their values.

let sentences = {};
let locale = "en";

export async function load(wanted) {
  const answer = await fetch(`/api/v1/texts/${wanted}`);
  if (!answer.ok) throw new Error(`no texts in ${wanted}`);
  sentences = await answer.json();
  locale = wanted;
  document.documentElement.lang = wanted;
}

export const language = () => locale;
export const has = (id) => Object.hasOwn(sentences, id);

export function t(id, values = {}) {
  const word = (name) => asWord(values[name]);
  return (sentences[id] ?? id)
    .replace(/\[([^[\]]*)\]/g, (_, clause) =>
      [...clause.matchAll(/\{([a-z_]+)\}/g)].every((found) => word(found[1]) !== "?") ? clause : "")
    .replace(/\{([a-z_]+)\}/g, (_, name) => word(name));
}

function asWord(value) {
  if (value == null || value === "") return "?";
  if (Array.isArray(value)) return value.map(asWord).join(sentences["list.comma"] ?? ", ") || "?";
  if (typeof value === "number") return number(value);
  return String(value);
}

export const number = (value) =>
  Number.isInteger(value) ? String(value) : value.toFixed(1).replace(/\.0$/, "");

/** A reason {id, values}; `fallback` where this panel does not know the id. */
export const reason = (why, fallback = "") =>
  why && has(why.id) ? t(why.id, why.values) : fallback || why?.id || "";

/** What a value is called for a role: "open", "cut", "on". */
export function word(role, value) {
  const specific = `ui.word.${role}.${value}`;
  if (has(specific)) return t(specific);
  return has(`ui.word.${value}`) ? t(`ui.word.${value}`) : String(value);
}

let zone;
export const setZone = (name) => {
  zone = name;
};

/** Hours and minutes in the room. */
export const clock = (at) => new Date(at).toLocaleTimeString(locale, {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone,
});

const day = (of) => of.toLocaleDateString("sv-SE", { timeZone: zone });

/** The day in the room, as 2026-03-01. */
export const date = (at) => day(new Date(at));

/** A clock time, with the date where it is not today's. */
export function time(at) {
  if (at == null) return "";
  const moment = new Date(at);
  const shown = moment.toLocaleTimeString(locale, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone,
  });
  return day(moment) === day(new Date()) ? shown : `${day(moment).slice(5)} ${shown}`;
}

export const hourNow = () =>
  Number(new Date().toLocaleTimeString("en", { hour: "2-digit", hourCycle: "h23", timeZone: zone }));

export function minutes(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A length of time in words, of any sign: "95 s", "6 min", "2.5 h". */
export function duration(seconds, round = Math.round) {
  const size = Math.abs(seconds);
  if (size < 120) return t("ui.time.s", { n: round(size) });
  if (size < 7200) return t("ui.time.min", { n: round(size / 60) });
  return t("ui.time.h", { n: round(size / 360) / 10 });
}

export function age(at) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(at)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
