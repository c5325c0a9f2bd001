// Recovery codes: copied, saved as a file, printed. They never leave the browser by this.

/** Makes the buttons of the page with recovery codes work, and shows them. */
export function keepCodes() {
  const list = document.querySelector("[data-codes]");
  const buttons = document.querySelector("[data-keep]");
  if (!(list instanceof HTMLElement) || !(buttons instanceof HTMLElement)) return;
  const codes = Array.from(list.children, (item) => item.textContent ?? "");
  const about = list.dataset.codes ?? "";
  const text = `${about}\n\n${codes.join("\n")}\n`;
  on(buttons, "[data-copy]", async (button) => {
    await navigator.clipboard.writeText(codes.join("\n"));
    tell(buttons, button);
  });
  on(buttons, "[data-download]", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = "recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  on(buttons, "[data-print]", () => window.print());
  buttons.hidden = false;
}

/**
 * @param {HTMLElement} within
 * @param {string} which
 * @param {(button: HTMLElement) => void | Promise<void>} act
 */
function on(within, which, act) {
  const button = within.querySelector(which);
  if (!(button instanceof HTMLElement)) return;
  button.addEventListener("click", () => void Promise.resolve(act(button)).catch(() => {}));
}

/**
 * Says that it was copied, on the button and to whoever listens.
 * @param {HTMLElement} buttons
 * @param {HTMLElement} button
 */
function tell(buttons, button) {
  const before = button.textContent;
  const copied = button.dataset.copy ?? "";
  button.textContent = copied;
  const told = buttons.querySelector("[data-told]");
  if (told) told.textContent = copied;
  setTimeout(() => {
    button.textContent = before;
    if (told) told.textContent = "";
  }, 3000);
}
