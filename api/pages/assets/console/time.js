// Times as a person reads them, in the browser's own zone.

import { h } from "./dom.js";

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param {Date} at */
export const clock = (at) => CLOCK.format(at);

/** @param {Date} at */
export const full = (at) => FULL.format(at);

/**
 * How long ago, or the date.
 * @param {Date} at
 */
function ago(at) {
  const passed = Date.now() - at.getTime();
  if (passed < 0) return SHORT.format(at);
  if (passed < MINUTE) return "just now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ago`;
  if (passed < 7 * DAY) return SHORT.format(at);
  return DATE.format(at);
}

/**
 * A time, short, with the whole of it for whoever points at it.
 * @param {string} iso
 * @param {"ago" | "short" | "date"} [how]
 */
export function time(iso, how = "ago") {
  const at = new Date(iso);
  const text = how === "ago" ? ago(at) : how === "short" ? SHORT.format(at) : DATE.format(at);
  return h("time", { datetime: iso, title: FULL.format(at) }, text);
}
