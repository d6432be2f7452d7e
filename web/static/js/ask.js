// Requests to the gate; its answer appears where the finger was.

import { h, show } from "./dom.js";
import { reason, t } from "./i18n.js";
import { readSession, store, update } from "./state.js";

const SHOWN_MS = 4000;
let finger = { x: 0, y: 0 };
let timer;

document.addEventListener("pointerdown", (event) => {
  finger = { x: event.clientX, y: event.clientY };
}, true);

export function answer(text) {
  const box = document.getElementById("answer");
  show(box, h("span", {}, text));
  const { width, height } = box.getBoundingClientRect();
  const clamp = (value, top) => Math.max(8, Math.min(value, top - 8));
  box.style.left = `${clamp(finger.x - width / 2, innerWidth - width)}px`;
  box.style.top = `${clamp(finger.y - height - 40, innerHeight - height)}px`;
  clearTimeout(timer);
  timer = setTimeout(() => show(box), SHOWN_MS);
}

/** Send JSON and return {status, body}; status 0 where the panel does not answer. */
export async function send(method, path, body) {
  try {
    const got = await fetch(path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await got.text();
    return { status: got.status, body: text ? JSON.parse(text) : {} };
  } catch {
    return { status: 0, body: {} };
  }
}

/** Put a request to the gate and show what it said. Returns whether it was taken. */
export async function ask(action, args = {}) {
  const got = await send("POST", "/api/v1/requests", { action, args });
  const taken = got.status === 200 || got.status === 202;
  if (got.status === 401) {
    await readSession();
    update({ sheet: { kind: "signin" } });
    answer(t("ui.signin.first"));
  } else {
    answer(said(got, taken));
  }
  return taken;
}

function said({ status, body }, taken) {
  if (status === 0) return t("ui.answer.unreachable");
  const reply = taken ? body : body.reply;
  if (!reply) return t("ui.answer.refused", { reason: body.detail });
  return t(`ui.answer.${reply.status}`, { reason: reason(reply.why, reply.reason) });
}

export const mayAct = () => {
  const role = store.session.person?.role;
  return role !== undefined && role !== "view";
};
/** From here: over the network only where the room allows it. */
export const mayOperate = () => store.session.may_operate === true;
export const isLocal = () => store.session.origin === "local-screen";
