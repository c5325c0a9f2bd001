// What the audit log tells: all of it, of one user, or the alerts alone.

import { query } from "./api.js";
import { fill, h } from "./dom.js";
import { listing } from "./listing.js";
import { time } from "./time.js";
import { addressOf } from "./users.js";
import { event as named, plain } from "./words.js";

/**
 * @typedef {object} AuditEvent
 * @property {string} id
 * @property {string} at
 * @property {string} type
 * @property {string | null} userId
 * @property {string | null} pseudonym
 * @property {string | null} factorId
 * @property {string | null} challengeId
 * @property {string | null} actor
 * @property {string | null} ipAddress
 * @property {"SUCCESS" | "FAILURE"} outcome
 * @property {string | null} reason
 * @property {Record<string, string>} details
 */

/** @type {import("./main.js").View} */
export async function alerts({ root, api, signal }) {
  const list = listing({
    page: (cursor) => api.get(`audit${query({ type: "mfa.alert.*", cursor, limit: 25 })}`, signal),
    row: (/** @type {AuditEvent} */ event) => eventRow(event, true),
    empty: "No alerts. That is how it should be.",
    label: "Alerts",
    signal,
  });
  fill(
    root,
    h(
      "div",
      { class: "card-head" },
      h("h1", { tabindex: "-1" }, "Alerts"),
      h("p", { class: "lead" }, "Signs of an attack, the newest first. Webhooks are told as well."),
    ),
    h("section", { class: "card", "aria-label": "Alerts" }, list.element),
  );
  await list.filled;
}

const TYPES = [
  ["", "Everything"],
  ["mfa.challenge.*", "Logins"],
  ["mfa.user.*", "Users and locks"],
  ["mfa.factor*", "Factors"],
  ["mfa.enrollment.*", "Enrollments"],
  ["mfa.recovery_code*", "Recovery codes"],
  ["mfa.device.*", "Trusted devices"],
  ["mfa.code.*", "Codes sent"],
  ["mfa.delivery.*", "Failed deliveries"],
  ["mfa.alert.*", "Alerts"],
  ["mfa.policy.*", "Policy"],
  ["mfa.settings.*", "Settings"],
  ["mfa.api_key.*", "API keys"],
  ["mfa.webhook.*", "Webhooks"],
];

/** @type {import("./main.js").View} */
export async function audit({ root, api, signal, asked }) {
  const user = asked.get("user") ?? "";
  const type = asked.get("type") ?? "";
  const who = h("input", { id: "audit-user", value: user, maxlength: 128, autocomplete: "off" });
  const what = h(
    "select",
    { id: "audit-type" },
    TYPES.map(([value, text]) => h("option", { value: value ?? "", selected: value === type }, text)),
  );
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    location.hash = `#/audit${query({ user: who.value.trim(), type: what.value })}`;
  };
  const list = listing({
    page: (cursor) => api.get(`audit${query({ userId: user, type, cursor, limit: 25 })}`, signal),
    row: (/** @type {AuditEvent} */ event) => eventRow(event, true),
    empty: "Nothing of this kind has happened.",
    label: "Events",
    signal,
  });
  fill(
    root,
    h("h1", { tabindex: "-1" }, "Audit"),
    h(
      "form",
      { class: "search", submit },
      h("div", { class: "field" }, h("label", { for: "audit-user" }, "User id"), who),
      h("div", { class: "field" }, h("label", { for: "audit-type" }, "What"), what),
      h("button", { type: "submit", class: "button primary" }, "Show"),
    ),
    h("section", { class: "card", "aria-label": "Events" }, list.element),
  );
  await list.filled;
}

/**
 * @param {AuditEvent} event
 * @param {boolean} withUser whether it is said whose it is
 */
export function eventRow(event, withUser) {
  const { summary, required, triggers, ...details } = event.details;
  const alert = event.type.startsWith("mfa.alert.");
  const failed = event.outcome === "FAILURE";
  const hue = alert ? "warning" : failed ? "danger" : "";
  const whose = event.userId
    ? h("a", { href: addressOf(event.userId) }, event.userId)
    : event.pseudonym && h("span", { title: event.pseudonym }, "an erased user");
  const more = [
    event.reason && plain(event.reason),
    triggers && triggers.split(",").map(plain).join(", "),
    event.ipAddress && `from ${event.ipAddress}`,
    ...Object.entries(details).map(([name, value]) => `${spaced(name)} ${value}`),
  ];
  const said = more.filter(Boolean).join(" · ");
  return h(
    "div",
    { class: "row event" },
    h("span", { class: `event-dot ${hue}`, "aria-hidden": "true" }),
    h(
      "span",
      { class: "row-text" },
      h(
        "span",
        { class: "line row-title" },
        h("b", {}, nameOf(event.type, required)),
        withUser && whose && h("span", { class: "event-user" }, whose),
      ),
      summary && h("span", {}, summary),
      h("small", {}, said, event.actor && [said && " · ", byKey(event.actor)]),
    ),
    h(
      "span",
      { class: "row-end event-end" },
      time(event.at),
      h("code", { class: "muted", title: event.type }, event.id),
    ),
  );
}

/**
 * @param {string} type
 * @param {string | undefined} required whether a login needed a proof
 */
function nameOf(type, required) {
  if (type !== "mfa.challenge.created") return named(type);
  return required === "true" ? "Login challenged" : "Login let through";
}

/**
 * Which API key asked, short.
 * @param {string} actor
 */
const byKey = (actor) =>
  h("span", { title: `by ${actor}` }, `by ${actor.slice(0, 9)}…`);

/**
 * `failedAttempts` is `failed attempts`.
 * @param {string} name
 */
const spaced = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
