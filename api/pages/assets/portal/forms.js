// Forms: sent once, and forgiving about how a code is typed.

/** Makes all forms of the page so. */
export function easeForms() {
  for (const form of document.querySelectorAll("form")) {
    if (form.hasAttribute("data-once")) sendOnce(form);
  }
  for (const input of document.querySelectorAll("input[data-code]")) {
    if (input instanceof HTMLInputElement) tidyCode(input);
  }
}

/**
 * A second click while the first is on its way sends nothing.
 * @param {HTMLFormElement} form
 */
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.querySelector("button.button")?.classList.add("busy");
  });
  // Whoever comes back to the page finds it as it was.
  window.addEventListener("pageshow", () => {
    delete form.dataset.sent;
    form.querySelector("button.button")?.classList.remove("busy");
  });
}

/**
 * Codes are digits: whatever else is typed or pasted between them goes.
 * @param {HTMLInputElement} input
 */
function tidyCode(input) {
  input.addEventListener("input", () => {
    const digits = input.value.replace(/\D/g, "");
    if (digits !== input.value) input.value = digits;
  });
  if (input.getAttribute("aria-invalid") === "true") input.focus();
}
