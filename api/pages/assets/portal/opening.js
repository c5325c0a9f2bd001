// Opening a link: whoever came from a page need not press a button.

/** Sends the form that opens a link, where the page says so. */
export function openAtOnce() {
  const form = document.querySelector("form[data-at-once]");
  if (!(form instanceof HTMLFormElement)) return;
  const open = () => form.requestSubmit();
  // A page that the browser only prepares has been looked at by nobody yet.
  if ("prerendering" in document && document.prerendering) {
    document.addEventListener("prerenderingchange", open, { once: true });
  } else {
    open();
  }
}
