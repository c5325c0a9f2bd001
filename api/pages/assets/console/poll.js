// Looks again and again, as long as somebody is looking.

import { Problem } from "./api.js";
import { h, notice } from "./dom.js";
import { full } from "./time.js";

/**
 * Shows what `look` finds, at once and then every so often, until the signal ends it. Nothing is
 * asked while the page is hidden. What was shown last stays while the node does not answer, and it
 * is said since when.
 * @param {object} how
 * @param {number} how.every milliseconds
 * @param {AbortSignal} how.signal
 * @param {HTMLElement} how.said where it is said that there is no answer
 * @param {() => Promise<void>} how.look
 */
export async function poll({ every, signal, said, look }) {
  let seen = new Date();
  let failing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next;
  const ask = async () => {
    clearTimeout(next);
    if (signal.aborted) return;
    if (!document.hidden) {
      try {
        await look();
        seen = new Date();
        if (failing) said.replaceChildren();
        failing = false;
      } catch (error) {
        if (signal.aborted) return;
        // A refusal does not pass by waiting.
        if (!(error instanceof Problem) || (error.status > 0 && error.status < 500)) throw error;
        if (!failing) {
          const since = `No answer since ${full(seen)}. What is shown is from then.`;
          said.replaceChildren(notice("warning", h("p", {}, since)));
        }
        failing = true;
      }
    }
    clearTimeout(next);
    next = setTimeout(() => void ask().catch(() => {}), every);
  };
  const returned = () => {
    if (!document.hidden) void ask().catch(() => {});
  };
  document.addEventListener("visibilitychange", returned, { signal });
  signal.addEventListener("abort", () => clearTimeout(next));
  await ask();
}
