// Charts as drawings: bars over time, one on top of the other.

import { h, s } from "./dom.js";
import { clock } from "./time.js";
import { number } from "./words.js";

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {"accent" | "danger"} hue
 * @property {number[]} values one for each slot
 */

/** The part of a slot's width that its bar takes. */
const WIDTH = 0.74;

/**
 * The least round number that is not below `value`: 1, 2 or 5 times a power of ten.
 * @param {number} value
 */
export function ceiling(value) {
  if (value <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}

/**
 * @param {object} what
 * @param {string} what.label what is shown, for those who cannot see it
 * @param {Date[]} what.times when each slot begins
 * @param {Series[]} what.series the lowest first
 * @param {boolean} [what.large]
 */
export function chart({ label, times, series, large = false }) {
  const sums = times.map((_, slot) => series.reduce((sum, one) => sum + (one.values[slot] ?? 0), 0));
  const top = ceiling(Math.max(...sums, 0));
  const bars = times.flatMap((_, slot) => {
    let floor = 100;
    return series.map((one) => {
      const height = ((one.values[slot] ?? 0) / top) * 100;
      floor -= height;
      if (height === 0) return null;
      return s("rect", {
        class: `bar ${one.hue}`,
        x: slot + (1 - WIDTH) / 2,
        y: floor,
        width: WIDTH,
        height,
      });
    });
  });
  const lines = [0, 50].map((y) => s("path", { class: "grid-line", d: `M0 ${y}H${times.length}` }));
  const base = s("path", { class: "grid-line base", d: `M0 100H${times.length}` });
  const drawing = s(
    "svg",
    {
      class: large ? "bars large" : "bars",
      viewBox: `0 0 ${times.length} 100`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    ...(large ? lines : []),
    ...bars.filter((bar) => bar !== null),
    base,
  );
  const [first, last] = [times[0], times.at(-1)];
  const reading = h("span", { class: "reading-at" });
  const axis = h(
    "div",
    { class: "axis", "aria-hidden": "true" },
    h("span", {}, first ? clock(first) : ""),
    reading,
    h("span", {}, last ? clock(last) : ""),
  );
  point(drawing, reading, times, series);
  const scale =
    large && h("div", { class: "scale", "aria-hidden": "true" }, [top, top / 2, 0].map(row));
  return h("div", { class: large ? "plot large" : "plot" }, scale || null, drawing, axis);
}

/** @param {number} value */
const row = (value) => h("span", {}, number(value));

/**
 * Reads out the slot under the pointer.
 * @param {SVGSVGElement} drawing
 * @param {HTMLElement} reading
 * @param {Date[]} times
 * @param {Series[]} series
 */
function point(drawing, reading, times, series) {
  const mark = s("rect", { class: "mark-slot", y: 0, width: 1, height: 100, visibility: "hidden" });
  drawing.prepend(mark);
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const slot = Math.floor(((event.clientX - box.left) / box.width) * times.length);
    const at = times[slot];
    if (!at) return;
    mark.setAttribute("x", String(slot));
    mark.setAttribute("visibility", "visible");
    const values = series.map((one) => {
      const value = number(one.values[slot] ?? 0);
      return series.length > 1 ? `${value} ${one.name.toLowerCase()}` : value;
    });
    reading.textContent = `${clock(at)} · ${values.join(", ")}`;
  });
  drawing.addEventListener("pointerleave", () => {
    mark.setAttribute("visibility", "hidden");
    reading.textContent = "";
  });
}
