// When another code can be sent.

/** Counts the seconds down on buttons that have to wait. */
export function countDown() {
  for (const button of document.querySelectorAll("button[data-at]")) {
    if (button instanceof HTMLButtonElement) wait(button);
  }
}

/** @param {HTMLButtonElement} button */
function wait(button) {
  const at = new Date(button.dataset.at ?? "").getTime();
  const ready = button.textContent ?? "";
  // The button tells it itself.
  button.form?.querySelector("[data-wait]")?.setAttribute("hidden", "");
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((at - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      button.disabled = false;
      button.textContent = ready;
      return;
    }
    const seconds = String(left % 60).padStart(2, "0");
    button.textContent = `${button.dataset.again} ${Math.floor(left / 60)}:${seconds}`;
  };
  const timer = setInterval(tick, 500);
  tick();
}
