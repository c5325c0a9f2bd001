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
    if (form.dataset.sent) event.preventDefault();
    else sending(form, true);
  });
  // Whoever comes back to the page finds it as it was.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) sending(form, false);
  });
}

/**
 * Says that a form is on its way, or that it is not any more.
 * @param {HTMLFormElement} form
 * @param {boolean} is
 */
export function sending(form, is) {
  if (is) form.dataset.sent = "1";
  else delete form.dataset.sent;
  form.querySelector("button.button")?.classList.toggle("busy", is);
}

/** What stands between digits or around them and means nothing: spaces, dashes, invisible marks. */
const BETWEEN = /[\s\p{Pd}\u2212\p{Cf}]/gu;

/**
 * What only separates goes as soon as it is typed or pasted. Everything else stays as it was typed, in
 * whatever script: the service knows all digits, and says what is no code.
 * @param {HTMLInputElement} input
 */
function tidyCode(input) {
  const tidy = () => {
    const { value, selectionStart } = input;
    const tidied = value.replace(BETWEEN, "");
    if (tidied === value) return;
    const before = value.slice(0, selectionStart ?? value.length).replace(BETWEEN, "");
    input.value = tidied;
    input.setSelectionRange(before.length, before.length);
  };
  input.addEventListener("input", (event) => {
    // What is still being composed belongs to the input method (UI Events section 5.7).
    if (!(event instanceof InputEvent && event.isComposing)) tidy();
  });
  input.addEventListener("compositionend", tidy);
  if (input.getAttribute("aria-invalid") === "true") input.focus();
}
