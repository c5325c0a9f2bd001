// What happened lately, as charts.

import { chart } from "./chart.js";
import { fill, h, notice } from "./dom.js";
import { poll } from "./poll.js";
import { clock, full } from "./time.js";
import { number } from "./words.js";

/** @typedef {"logins" | "challenges" | "verifications" | "failures" | "sends" | "deliveryFailures" | "lockouts" | "alerts"} Measure */

/**
 * @typedef {object} Statistics
 * @property {"1h" | "24h"} window
 * @property {number} slotSeconds
 * @property {string | null} countedSince
 * @property {Record<Measure, number>} total
 * @property {(Record<Measure, number> & { at: string })[]} slots
 */

/** @type {{ name: Measure, title: string, says: string, bad?: boolean }[]} */
const MEASURES = [
  { name: "logins", title: "Logins", says: "asked about" },
  { name: "challenges", title: "Challenges", says: "logins that needed a proof" },
  { name: "sends", title: "Messages", says: "codes that left" },
  { name: "deliveryFailures", title: "Lost messages", says: "could not be delivered", bad: true },
  { name: "lockouts", title: "Lockouts", says: "users locked", bad: true },
  { name: "alerts", title: "Alerts", says: "raised", bad: true },
];

const WINDOWS = [
  { window: "1h", title: "Last hour", every: 5_000 },
  { window: "24h", title: "Last day", every: 30_000 },
];

/** @type {import("./main.js").View} */
export async function activity({ root, api, signal, asked }) {
  const found = WINDOWS.find((one) => one.window === asked.get("window")) ?? WINDOWS[0];
  if (!found) return;
  const said = h("div", { class: "said" });
  const charts = h("div", { class: "stack" }, h("div", { class: "skeleton" }));
  const body = h("tbody", {});
  fill(
    root,
    h(
      "div",
      { class: "line-between" },
      h("h1", { tabindex: "-1" }, "Activity"),
      h(
        "nav",
        { class: "tabs", "aria-label": "How far back" },
        WINDOWS.map(({ window, title }) =>
          h(
            "a",
            { href: `#/activity?window=${window}`, "aria-current": found.window === window && "page" },
            title,
          ),
        ),
      ),
    ),
    said,
    charts,
    table(body),
  );
  await poll({
    every: found.every,
    signal,
    said,
    look: async () => {
      /** @type {Statistics} */
      const statistics = await api.get(`statistics?window=${found.window}`, signal);
      fill(charts, show(statistics));
      fill(body, rows(statistics));
    },
  });
}

/** @param {Statistics} statistics */
function show({ slots, total, countedSince, slotSeconds }) {
  const times = slots.map((slot) => new Date(slot.at));
  /** @param {Measure} name */
  const values = (name) => slots.map((slot) => slot[name]);
  const per = slotSeconds === 60 ? "minute" : `${slotSeconds / 60} minutes`;
  const partly =
    countedSince &&
    notice("info", `Complete since ${full(new Date(countedSince))}; before that, some is missing.`);
  const proofs = h(
    "section",
    { class: "card", "aria-label": "Proofs" },
    h(
      "div",
      { class: "line-between" },
      h("h2", {}, "Proofs"),
      h("span", { class: "muted small" }, `per ${per}`),
    ),
    h(
      "div",
      { class: "legend" },
      legend("accent", total.verifications, "verified"),
      legend("danger", total.failures, "refused"),
    ),
    chart({
      label: `Proofs per ${per}: ${total.verifications} verified, ${total.failures} refused`,
      times,
      series: [
        { name: "Verified", hue: "accent", values: values("verifications") },
        { name: "Refused", hue: "danger", values: values("failures") },
      ],
      large: true,
    }),
  );
  const small = MEASURES.map(({ name, title, says, bad }) =>
    h(
      "section",
      { class: "card measure", "aria-label": title },
      h(
        "div",
        {},
        h("h2", {}, title),
        h("p", { class: "figure" }, number(total[name])),
        h("p", { class: "muted small" }, says),
      ),
      chart({
        label: `${title} per ${per}: ${total[name]} in all`,
        times,
        series: [{ name: title, hue: bad ? "danger" : "accent", values: values(name) }],
      }),
    ),
  );
  return [partly || null, proofs, h("div", { class: "measures" }, small)];
}

/** @param {string} hue @param {number} count @param {string} text */
const legend = (hue, count, text) =>
  h(
    "span",
    { class: "line" },
    h("span", { class: `swatch ${hue}`, "aria-hidden": "true" }),
    h("span", {}, h("b", { class: "figure" }, number(count)), ` ${text}`),
  );

/** @type {{ name: Measure, title: string }[]} */
const COLUMNS = [
  { name: "logins", title: "Logins" },
  { name: "challenges", title: "Challenges" },
  { name: "verifications", title: "Verified" },
  { name: "failures", title: "Refused" },
  { name: "sends", title: "Messages" },
  { name: "deliveryFailures", title: "Lost" },
  { name: "lockouts", title: "Lockouts" },
  { name: "alerts", title: "Alerts" },
];

/** @param {HTMLElement} body */
function table(body) {
  const heads = ["From", ...COLUMNS.map((column) => column.title)];
  return h(
    "details",
    { class: "card as-table" },
    h("summary", {}, "As a table"),
    h(
      "div",
      { class: "table-box", tabindex: 0, role: "region", "aria-label": "Activity as a table" },
      h(
        "table",
        { class: "table" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heads.map((text, at) => h("th", { scope: "col", class: at > 0 && "number" }, text)),
          ),
        ),
        body,
      ),
    ),
  );
}

/** @param {Statistics} statistics the newest first, and only times at which something happened */
function rows({ slots }) {
  const busy = slots.filter((slot) => COLUMNS.some(({ name }) => slot[name] > 0)).reverse();
  if (busy.length === 0) {
    return [h("tr", {}, h("td", { colspan: COLUMNS.length + 1 }, "Nothing happened."))];
  }
  return busy.map((slot) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, clock(new Date(slot.at))),
      COLUMNS.map(({ name }) => h("td", { class: "number" }, number(slot[name]))),
    ),
  );
}
