// Signing in: by name and PIN at the local screen, by id and password from elsewhere.

import { answer, isLocal, send } from "./ask.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { readSession, update } from "./state.js";

const LONGEST_PIN = 8;
const entry = { people: null, person: null, pin: "", wrong: "" };

export async function begin() {
  Object.assign(entry, { people: null, person: null, pin: "", wrong: "" });
  update({ sheet: { kind: "signin" } });
  if (!isLocal()) return;
  const answer = await fetch("/api/v1/people").catch(() => null);
  entry.people = answer?.ok ? (await answer.json()).people : [];
  update({});
}

export function signin({ session }) {
  const name = entry.people?.find((one) => one.id === entry.person)?.name;
  const title = name ?? (session.may_view ? t("ui.signin") : t("ui.signin.needed"));
  const top = h("header", { "data-key": "head" }, h("h2", {}, title),
    session.may_view && h("button", { "data-do": "close" }, t("ui.close")));
  if (!isLocal()) return [top, passwordForm()];
  if (!entry.person) return [top, names()];
  return [top, pad()];
}

function names() {
  const people = entry.people ?? [];
  return h("div", { class: "people", "data-key": "people" },
    entry.people && !people.length ? h("p", {}, t("ui.signin.nobody")) : h("p", {}, t("ui.signin.who")),
    ...people.map((one) => h("button", {
      "data-key": one.id, "data-do": "who", "data-arg": one.id,
    }, one.name)));
}

function pad() {
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0", "✓"];
  return h("div", { "data-key": "pad" },
    h("div", { class: entry.pin ? "dots" : "dots hint" }, "●".repeat(entry.pin.length) || t("ui.signin.pin")),
    h("div", { class: "wrong", role: "alert" }, entry.wrong),
    h("div", { class: "pinpad" }, ...keys.map((key) => h("button", {
      class: key === "✓" ? "primary" : "", "data-do": "key", "data-arg": key,
    }, key))));
}

function passwordForm() {
  return h("form", { class: "signin", "data-key": "form" },
    h("label", { for: "who" }, t("ui.signin.id")),
    h("input", { id: "who", name: "id", autocomplete: "username", autocapitalize: "off", required: true }),
    h("label", { for: "secret" }, t("ui.signin.password")),
    h("input", { id: "secret", name: "password", type: "password", autocomplete: "current-password", required: true }),
    h("div", { class: "wrong", role: "alert" }, entry.wrong),
    h("button", { class: "primary", type: "submit" }, t("ui.signin")));
}

export function who(id) {
  Object.assign(entry, { person: id, pin: "", wrong: "" });
  update({});
}

export function key(pressed) {
  entry.wrong = "";
  if (pressed === "⌫") entry.pin = entry.pin.slice(0, -1);
  else if (pressed === "✓") prove({ id: entry.person, pin: entry.pin });
  else if (entry.pin.length < LONGEST_PIN) entry.pin += pressed;
  update({});
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  prove({ id: fields.get("id").trim(), password: fields.get("password") });
});

async function prove(secret) {
  entry.pin = "";
  const { status, body } = await send("POST", "/api/v1/session", secret);
  if (status === 200) {
    await readSession();
    update({ sheet: null });
    answer(body.person.name);
    return;
  }
  entry.wrong = status === 429 ? t("ui.signin.locked", { seconds: body.locked_s })
    : status === 0 ? t("ui.answer.unreachable") : t("ui.signin.wrong");
  update({});
}

export async function signout() {
  await send("DELETE", "/api/v1/session");
  await readSession();
}
