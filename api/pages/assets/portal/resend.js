// When another code can be sent: shown as it comes nearer, said once when it is there.

import { say } from "./status.js";

/** Counts the seconds down on buttons that have to wait. */
export function countDown() {
  for (const button of document.querySelectorAll("button[data-seconds]")) {
    if (button instanceof HTMLButtonElement) wait(button);
  }
}

/** @param {HTMLButtonElement} button */
function wait(button) {
  // By the time that passes here: the clock of this device may be wrong.
  const until = performance.now() + Number(button.dataset.seconds) * 1000;
  // What is read aloud stays what the button does; the seconds are for the eye.
  const clock = document.createElement("span");
  clock.setAttribute("aria-hidden", "true");
  button.append(clock);
  // The button tells it itself.
  button.form?.querySelector("[data-wait]")?.setAttribute("hidden", "");
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left <= 0) {
      button.disabled = false;
      clock.remove();
      say(button.dataset.now);
      return;
    }
    const seconds = String(left % 60).padStart(2, "0");
    clock.textContent = ` ${button.dataset.in} ${Math.floor(left / 60)}:${seconds}`;
    // When the next second begins, and no more often.
    setTimeout(tick, until - performance.now() - (left - 1) * 1000);
  };
  tick();
}
