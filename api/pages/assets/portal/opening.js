// Opening a link: whoever came from a page need not press a button.

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
  const answer = await fetch(window.location.href, { method: "POST" }).catch(() => undefined);
  // Where it cannot be opened, the form's own answer says why.
  if (answer?.redirected) window.location.replace(answer.url);
  else form.requestSubmit();
}
