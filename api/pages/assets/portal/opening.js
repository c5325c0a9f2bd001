// Opening a link: whoever came from the application need not press a button.

import { sending } from "./forms.js";

/** How long an answer is waited for before the form is sent as forms are. */
const PATIENCE_MS = 10_000;

/** Opens the link, where the page says so. */
export function openAtOnce() {
  const form = document.querySelector("form[data-at-once]");
  if (!(form instanceof HTMLFormElement)) return;
  const start = () => void open(form);
  // A page that the browser only prepares has been looked at by nobody yet.
  if ("prerendering" in document && document.prerendering) {
    document.addEventListener("prerenderingchange", start, { once: true });
  } else {
    start();
  }
}

/**
 * Does what the form does, but leaves no page behind: the way back is to whoever led here.
 * @param {HTMLFormElement} form
 */
async function open(form) {
  if (form.dataset.sent) return;
  // Whoever presses the button meanwhile would end this, and with it the cookie that it brings.
  sending(form, true);
  const { value } = /** @type {HTMLInputElement} */ (form.elements.namedItem("once"));
  const body = new URLSearchParams({ once: value });
  const signal = AbortSignal.timeout?.(PATIENCE_MS);
  const sent = fetch(window.location.href, { method: "POST", body, signal });
  const answer = await sent.catch(() => undefined);
  // Where it cannot be opened, the form's own answer says why; where only the answer was lost, the
  // same form gets it again.
  if (answer?.redirected) window.location.replace(answer.url);
  else form.submit();
}
