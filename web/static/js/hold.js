// Hold to confirm: what is dangerous, or must not happen by brushing past, needs a finger that
// stays. An element with data-hold (milliseconds) and data-do acts only after that time.

/** Have `act(element)` called once an element with data-hold was held for its time. */
export function onHold(act) {
  let held = null;
  let timer;

  const release = () => {
    clearTimeout(timer);
    if (held) delete held.dataset.holding;
    held = null;
  };

  document.addEventListener("pointerdown", (event) => {
    const element = event.target.closest("[data-hold]");
    if (!element || element.disabled) return;
    release();
    held = element;
    held.style.setProperty("--hold-time", `${element.dataset.hold}ms`);
    held.dataset.holding = "";
    timer = setTimeout(() => {
      const done = held;
      release();
      if (done?.isConnected) act(done);
    }, Number(element.dataset.hold));
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, release);
  document.addEventListener("pointermove", (event) => {
    if (!held) return;
    const box = held.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right &&
      event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) release();
  });
  document.addEventListener("contextmenu", (event) => event.preventDefault());
}
