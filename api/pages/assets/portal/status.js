// What is said to whoever listens to the page, without moving them (WCAG 2.2 success criterion 4.1.3).

/**
 * Says something, once.
 * @param {string | undefined} words
 */
export function say(words) {
  const status = document.querySelector("[data-status]");
  if (status && words) status.textContent = words;
}

/** Says what the page came with: a region that is filled as it loads is not read aloud. */
export function sayAtFirst() {
  const status = document.querySelector("[data-status]");
  if (!(status instanceof HTMLElement) || !status.dataset.status) return;
  const words = status.dataset.status;
  setTimeout(() => say(words), 500);
  // Whoever loads the page again has heard it.
  const address = new URL(window.location.href);
  address.searchParams.delete("sent");
  window.history.replaceState(null, "", address);
}
