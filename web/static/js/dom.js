// Elements from plain descriptions, and a morph that keeps what is on the screen alive.
//
// Pages describe themselves anew at each state; only differences reach the document, so that a
// finger on a button never loses it. Handlers are found by delegation (data-do, see main.js).

const SVG = "http://www.w3.org/2000/svg";

function make(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  node.append(...children.flat(Infinity).filter((each) => each != null && each !== false && each !== ""));
  return node;
}

export const h = (tag, attributes, ...children) =>
  make(document.createElement(tag), attributes, children);

export const s = (tag, attributes, ...children) =>
  make(document.createElementNS(SVG, tag), attributes, children);

export const icon = (name) =>
  s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `/static/icons.svg#${name}` }));

/** Make `node` show `children` (elements or text), changing as little as possible. */
export function show(node, ...children) {
  const wanted = document.createDocumentFragment();
  make(wanted, {}, children);
  morphChildren(node, wanted);
}

function morphChildren(node, wanted) {
  const keyed = new Map();
  for (const child of node.children) {
    if (child.dataset?.key) keyed.set(child.dataset.key, child);
  }
  let at = node.firstChild;
  for (const fresh of [...wanted.childNodes]) {
    const key = fresh.dataset?.key;
    const kept = key ? keyed.get(key) : at?.dataset?.key ? null : at;
    if (kept && same(kept, fresh)) {
      if (kept === at) at = at.nextSibling;
      else node.insertBefore(kept, at);
      morph(kept, fresh);
    } else {
      node.insertBefore(fresh, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset.holding !== undefined) return; // a finger is on it
  for (const { name } of [...old.attributes]) {
    if (name !== "style" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.dataset.keep === undefined) morphChildren(old, fresh);
}
