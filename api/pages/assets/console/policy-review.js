// Shows what a change of the policy would mean, before it is made.

import { confirm } from "./confirm.js";
import { h, notice } from "./dom.js";
import { SECTIONS } from "./policy-fields.js";
import { FACTORS, REQUIREMENTS, counted, number } from "./words.js";

/** @typedef {{ before: number, after: number }} Pair */

/**
 * @typedef {object} Preview
 * @property {number | null} users
 * @property {number} scanned
 * @property {boolean} complete
 * @property {number} affected
 * @property {Pair} challenged
 * @property {Pair} challengedAtRisk
 * @property {Pair} mustEnroll
 * @property {Pair} inGrace
 * @property {Pair} notAsked
 * @property {Pair} withoutUsableFactor
 */

/** @typedef {{ at: string, before: any, after: any }} Change */

/** @type {[keyof Preview, string][]} */
const ROWS = [
  ["challenged", "Asked at every login"],
  ["challengedAtRisk", "Asked when a sign of risk is seen"],
  ["mustEnroll", "Must enroll to get in"],
  ["inGrace", "Must enroll before the grace period ends"],
  ["notAsked", "Not asked"],
  ["withoutUsableFactor", "Without a factor that counts"],
];

/**
 * @param {Change[]} changes
 * @param {Preview} preview
 * @param {() => Promise<void>} save
 */
export function review(changes, preview, save) {
  return confirm({
    title: "Set this policy?",
    says: [],
    more: [whom(preview), warning(preview), table(preview), list(changes)],
    act: "Set policy",
    work: save,
  });
}

/** @param {Preview} preview */
function whom({ users, scanned, complete, affected }) {
  const others = `${counted(affected, "user")} of ${number(scanned)}`;
  if (complete) {
    return h("p", { class: "review-whom" }, h("b", {}, others), " would have something else to expect.");
  }
  const share = users === null ? "" : ` of about ${number(users)}`;
  return h(
    "p",
    { class: "review-whom" },
    h("b", {}, others),
    " looked at would have something else to expect. Time was up after ",
    `${number(scanned)}${share}; they are a fair share of all.`,
  );
}

/** @param {Preview} preview */
function warning({ mustEnroll }) {
  const more = mustEnroll.after - mustEnroll.before;
  if (more <= 0) return null;
  return notice(
    "warning",
    `${counted(more, "user")} could log in now, and after this only by enrolling a factor first. A grace period gives them time.`,
  );
}

/** @param {Preview} preview */
function table(preview) {
  const rows = ROWS.map(([name, text]) => {
    const { before, after } = /** @type {Pair} */ (preview[name]);
    const way = after > before ? "▲" : after < before ? "▼" : "";
    return h(
      "tr",
      { class: way === "" ? "unchanged" : null },
      h("th", { scope: "row" }, text),
      h("td", { class: "number" }, number(before)),
      h("td", { class: "number" }, number(after), h("span", { class: "way", "aria-hidden": "true" }, way)),
    );
  });
  return h(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-label": "Whom it affects" },
    h(
      "table",
      { class: "table compact" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Users"),
          h("th", { scope: "col", class: "number" }, "Now"),
          h("th", { scope: "col", class: "number" }, "Then"),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}

/** @param {Change[]} changes */
function list(changes) {
  return h(
    "details",
    {},
    h("summary", {}, counted(changes.length, "change")),
    h(
      "dl",
      { class: "facts" },
      changes.map(({ at, before, after }) =>
        h("div", {}, h("dt", {}, labelOf(at)), h("dd", {}, `${said(before)} → ${said(after)}`)),
      ),
    ),
  );
}

/** @param {string} at */
function labelOf(at) {
  const fields = SECTIONS.flatMap((section) => section.fields);
  return fields.find((field) => field.at === at)?.label ?? "Groups";
}

/** @param {any} value @returns {string} */
function said(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === null) return "–";
  if (Array.isArray(value)) {
    return value.length === 0 ? "none" : value.map(said).join(", ");
  }
  if (typeof value === "object") return `${value.group}: ${said(value.requirement)}`;
  return FACTORS[value] ?? REQUIREMENTS[value] ?? String(value);
}
