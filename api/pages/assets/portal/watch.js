// What becomes of a message: whoever waits for one that will never arrive is told.

/** After how many seconds each it is asked; a provider that takes longer is not waited for. */
const ASKED_AFTER = [1, 2, 3, 5, 8, 13, 21, 34, 55];

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
      const { status } = answer.ok ? await answer.json() : { status: "SENT" };
      if (status === "FAILED") window.location.replace(dataset.page ?? "");
      if (status !== "PENDING") return;
    } catch {
      // No answer this time.
    }
  }
}
