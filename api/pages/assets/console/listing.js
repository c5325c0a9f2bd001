// A listing that is shown a page at a time: nothing loads all of anything.

import { Problem } from "./api.js";
import { busily, button, h, notice, put } from "./dom.js";

/**
 * Pages that are asked for in a row while what is looked for was not found yet.
 */
const IN_A_ROW = 8;

/**
 * Shows a listing and, while there is more, a button for it.
 * @template T
 * @param {object} how
 * @param {(cursor: string | null) => Promise<import("./api.js").List<T>>} how.page
 * @param {(item: T) => HTMLElement} how.row
 * @param {string} how.empty what is said of a listing without rows
 * @param {string} how.label what is listed, for those who hear the page
 * @param {AbortSignal} how.signal
 * @returns {{ element: HTMLElement, filled: Promise<void> }}
 */
export function listing({ page, row, empty, label, signal }) {
  const rows = h("ul", { class: "rows", "aria-label": label, role: "list" });
  const end = h("div", { class: "listing-end", "aria-live": "polite" });
  const element = h("div", { class: "listing" }, rows, end);
  /** @type {string | null} */
  let cursor = null;
  const more = button("Show more", "small", () => void busily(more, next));

  /** One page with rows, if there is one to be found soon. */
  async function next() {
    const focus = document.activeElement === more;
    /** @type {HTMLElement[]} */
    let fresh = [];
    try {
      for (let asked = 0; asked < IN_A_ROW; asked += 1) {
        const found = await page(cursor);
        if (signal.aborted) return;
        cursor = found.nextCursor;
        fresh = found.data.map((item) => h("li", {}, row(item)));
        if (fresh.length > 0 || cursor === null) break;
      }
    } catch (error) {
      if (signal.aborted) return;
      const detail = error instanceof Problem ? error.message : "Something went wrong.";
      end.replaceChildren(notice("error", detail), more);
      more.textContent = "Try again";
      return;
    }
    put(rows, fresh);
    end.replaceChildren();
    if (cursor !== null) {
      more.textContent = fresh.length > 0 ? "Show more" : "Keep looking";
      put(
        end,
        fresh.length === 0 && h("p", { class: "muted" }, "Not found among those looked at so far."),
        more,
      );
    } else if (rows.childElementCount === 0) {
      end.append(h("p", { class: "muted" }, empty));
    }
    // Whoever asked for more with the keyboard goes on at the first of it.
    if (focus && fresh[0]) focusOn(fresh[0]);
  }

  end.append(h("div", { class: "skeleton" }));
  return { element, filled: next() };
}

/** @param {HTMLElement} item */
function focusOn(item) {
  const first = item.querySelector("a, button");
  if (first instanceof HTMLElement) return first.focus();
  item.tabIndex = -1;
  item.focus();
}
