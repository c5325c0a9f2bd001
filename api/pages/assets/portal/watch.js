// What becomes of a message: whoever waits for one that will never arrive is told.

/**
 * After how many seconds each it is asked, ever more rarely: until the code is too old, after five
 * minutes, and the message has failed.
 */
const ASKED_AFTER = [1, 2, 3, 5, 8, 13, 21, 34, 55, 75, 120];

/** Asks for as long as it is not known, and shows the page that says so if the message failed. */
export function watchMessage() {
  const element = document.querySelector("[data-watch]");
  if (element instanceof HTMLElement) void watch(element);
}

/** @param {HTMLElement} element */
async function watch({ dataset }) {
  for (const seconds of ASKED_AFTER) {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    try {
      const answer = await fetch(dataset.watch ?? "");
      // A service that is busy is asked again.
      if (answer.status === 429 || answer.status >= 500) continue;
      const { status } = answer.ok ? await answer.json() : { status: "SENT" };
      if (status === "FAILED" || status === "EXPIRED") window.location.replace(dataset.page ?? "");
      if (status !== "PENDING") return;
    } catch {
      // No answer this time.
    }
  }
}
