// Looking for a user.

import { query } from "./api.js";
import { fill, h } from "./dom.js";
import { listing } from "./listing.js";

/**
 * A user, as the API tells.
 * @typedef {object} User
 * @property {string} id
 * @property {string | null} email
 * @property {boolean} emailVerified
 * @property {string | null} phoneNumber
 * @property {string | null} displayName
 * @property {string[]} groups
 * @property {string} createdAt
 * @property {string} updatedAt
 */

/** @param {string} id */
export const addressOf = (id) => `#/user/${encodeURIComponent(id)}`;

/** @type {import("./main.js").View} */
export async function users({ root, api, signal, asked }) {
  const wanted = asked.get("q") ?? "";
  const input = h("input", {
    id: "q",
    type: "search",
    value: wanted,
    maxlength: 254,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "aria-describedby": "q-hint",
  });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const q = input.value.trim();
    const next = q === "" ? "#/users" : `#/users?${new URLSearchParams({ q })}`;
    if (location.hash === next) dispatchEvent(new Event("hashchange"));
    else location.hash = next;
  };
  const search = h(
    "form",
    { class: "search", role: "search", submit },
    h(
      "div",
      { class: "field" },
      h("label", { for: "q" }, "User id or email address"),
      h("span", { id: "q-hint", class: "hint" }, "The beginning is enough."),
      input,
    ),
    h("button", { type: "submit", class: "button primary" }, "Find"),
  );
  const list = listing({
    page: (cursor) => api.get(`users${query({ query: wanted, cursor, limit: 25 })}`, signal),
    row,
    empty: wanted === "" ? "There are no users yet." : `Nobody’s id begins with “${wanted}”${
      wanted.includes("@") ? ", and nobody’s email address does" : ""
    }.`,
    label: "Users",
    signal,
  });
  fill(
    root,
    h("h1", { tabindex: "-1" }, "Users"),
    search,
    h("section", { class: "card", "aria-label": "Users found" }, list.element),
  );
  await list.filled;
}

/** @param {User} user */
function row(user) {
  const known = [user.displayName, user.email, user.phoneNumber].filter(Boolean).join(" · ");
  return h(
    "a",
    { class: "row", href: addressOf(user.id) },
    h("span", { class: "row-text" }, h("b", {}, user.id), known && h("span", {}, known)),
    h(
      "span",
      { class: "row-end" },
      user.groups.slice(0, 3).map((group) => h("span", { class: "badge" }, group)),
      user.groups.length > 3 && h("span", { class: "badge" }, `+${user.groups.length - 3}`),
    ),
  );
}
