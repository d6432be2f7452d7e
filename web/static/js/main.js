// The panel: what is shown where, and what a tap does.

import { alarms } from "./alarms.js";
import { ask, send } from "./ask.js";
import { band, fit } from "./band.js";
import { bar } from "./bar.js";
import { show } from "./dom.js";
import { events } from "./events.js";
import { fire } from "./fire.js";
import { onHold } from "./hold.js";
import { arrangeHosts } from "./hosts.js";
import { language, load, setZone } from "./i18n.js";
import { lost } from "./lost.js";
import { unacknowledged } from "./model.js";
import { power } from "./power.js";
import { projectors } from "./projectors.js";
import { rail } from "./rail.js";
import { arrange, room } from "./room.js";
import { sheet } from "./sheet.js";
import * as signin from "./signin.js";
import { connect, readSession, store, update, watch } from "./state.js";
import { setTheme } from "./theme.js";
import { choose, drawCharts, trends } from "./trends.js";

const PAGES = { room, alarms, power, trends, projectors, events };
const IDLE_MS = 120_000;
const TOUCH_MS = 60_000;
const CHOICE = "roomwarden.locale";
const at = (id) => document.getElementById(id);

function draw() {
  setZone(store.state?.room.timezone);
  setTheme();
  const { look, nodes } = band(store);
  at("band").className = look;
  show(at("band"), ...nodes);
  fit(at("band"));
  show(at("rail"), ...rail(store));
  show(at("bar"), ...bar(store));
  show(at("page"), ...PAGES[store.page](store));
  show(at("side"), ...alarms(store));
  show(at("sheet"), ...sheet(store));
  show(at("cover"), ...cover());
  arrange(at("page"));
  arrangeHosts(at("page"));
  drawCharts();
}

function cover() {
  if (!store.session.may_view) return [];
  return store.live ? fire(store) : lost(store);
}

const DO = {
  page: (name) => update({ page: name, sheet: null }),
  sheet: (arg) => {
    const [kind, id] = [arg.slice(0, arg.indexOf(":")), arg.slice(arg.indexOf(":") + 1)];
    update({ sheet: { kind, id } });
  },
  close: () => update({ sheet: null }),
  aside: () => update({ aside: true }),
  signin: () => signin.begin(),
  signout: () => signin.signout(),
  who: (id) => signin.who(id),
  key: (pressed) => signin.key(pressed),
  trend: (point) => {
    choose({ point });
    update({});
  },
  hours: (hours) => {
    choose({ hours: Number(hours) });
    update({});
  },
  language: async () => {
    const other = language() === "en" ? "zh-CN" : "en";
    localStorage.setItem(CHOICE, other);
    await load(other);
    update({});
  },
  silence: () => ask("silence"),
  hold: () => ask("hold"),
  reset: (alarm) => ask("reset", { alarm: alarm ?? "fire.confirmed" }),
  cut: () => ask("cut"),
  restore: () => ask("restore"),
  acknowledge: (alarm) => ask("acknowledge", { alarm }),
  "acknowledge-all": async () => {
    for (const alarm of unacknowledged(store.state)) {
      if (!await ask("acknowledge", { alarm: alarm.id })) return;
    }
  },
  hosts: () => update({ hostPage: store.hostPage + 1 }),
  "start-hosts": (override) => ask("start-hosts", override ? { override } : {}),
  drill: (plan) => ask("drill", { plan }),
  "confirm-down": (host) => ask("confirm-down", { host }),
  "confirm-mains": () => ask("confirm-mains"),
  "projector-on": (id) => ask("projector-on", { id }),
  "projector-off": (id) => ask("projector-off", { id }),
};

// A tap counts only on the very thing that the finger came down on: lists move under fingers.
let pressed = null;
let touched = Date.now();
let told = Date.now();

const doing = (element) => element && `${element.dataset.do} ${element.dataset.arg}`;

document.addEventListener("pointerdown", (event) => {
  const element = event.target.closest("[data-do]");
  pressed = element && { element, doing: doing(element) };
  touched = Date.now();
  if (store.session.person && touched - told > TOUCH_MS) {
    told = touched;
    send("POST", "/api/v1/session/active", {});
  }
});

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-do]");
  if (!element || element.dataset.hold || element.disabled) return;
  const byFinger = event.detail > 0;
  if (byFinger && (pressed?.element !== element || pressed.doing !== doing(element))) return;
  DO[element.dataset.do]?.(element.dataset.arg);
});

onHold((element) => DO[element.dataset.do]?.(element.dataset.arg));

setInterval(() => {
  if (Date.now() - touched > IDLE_MS && (store.page !== "room" || store.sheet || store.aside)) {
    update({ page: "room", sheet: store.session.may_view ? null : store.sheet, aside: false });
  }
  if (store.session.person) readSession();
}, 30_000);
setInterval(() => update({}), 1000); // the clock and ages

window.addEventListener("resize", () => update({}));

async function start() {
  await readSession();
  await load(localStorage.getItem(CHOICE) ?? store.session.locale);
  watch(draw);
  if (!store.session.may_view) {
    await signin.begin();
    watch(once);
  } else {
    connect();
  }
  update({});
}

let connected = false;
function once() {
  if (store.session.may_view && !connected) {
    connected = true;
    connect();
  }
}

start();
