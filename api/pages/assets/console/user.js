// One user: factors, recovery codes, trusted devices, the lock, and what the audit log tells.

import { Problem, query } from "./api.js";
import { button, card, fill, h, notice } from "./dom.js";
import { confirm } from "./confirm.js";
import { eventRow } from "./events.js";
import { icon } from "./icons.js";
import { listing } from "./listing.js";
import { time } from "./time.js";
import { FACTORS, REQUIREMENTS, counted, plain } from "./words.js";

/** @typedef {import("./users.js").User} User */

/**
 * @typedef {object} Status
 * @property {boolean} enabled
 * @property {number} factorCount
 * @property {number} recoveryCodesRemaining
 * @property {number} trustedDeviceCount
 * @property {string} requirement
 * @property {string | null} gracePeriodEndsAt
 * @property {string | null} lockedUntil
 * @property {boolean} unlockRequired
 * @property {number} failedAttempts
 */

/**
 * @typedef {object} Factor
 * @property {string} id
 * @property {string} type
 * @property {string | null} name
 * @property {boolean} primary
 * @property {string} createdAt
 * @property {string | null} lastUsedAt
 * @property {string | null} maskedDestination
 * @property {{ backedUp: boolean, userVerified: boolean, aaguid: string } | null} webauthn
 */

/**
 * @typedef {object} Device
 * @property {string} id
 * @property {string | null} name
 * @property {string | null} userAgent
 * @property {string} createdAt
 * @property {string | null} lastUsedAt
 * @property {string} expiresAt
 */

/** @type {import("./main.js").View} */
export async function user({ root, api, signal }, id) {
  const path = `users/${encodeURIComponent(id)}`;
  const heading = h("h1", { tabindex: "-1", class: "user-id" }, id);
  const said = h("div", { class: "said" });
  const body = h("div", { class: "stack" }, h("div", { class: "skeleton" }));
  fill(root, h("p", {}, h("a", { href: "#/users" }, "‹ All users")), heading, said, body);

  /**
   * Asks, does it, says so, and shows the user as it is then.
   * @param {Parameters<typeof confirm>[0]} what
   * @param {string} done
   */
  const act = async (what, done) => {
    if (!(await confirm(what)) || signal.aborted) return;
    fill(said, notice("success", done));
    await show();
    heading.focus();
  };

  async function show() {
    /** @type {[User, Status, any]} */
    const [person, status, codes] = await Promise.all([
      api.get(path, signal),
      api.get(`${path}/mfa/status`, signal),
      api.get(`${path}/mfa/recovery-codes`, signal),
    ]);
    const factors = listing({
      page: (cursor) => api.get(`${path}/mfa/factors${query({ cursor, limit: 20 })}`, signal),
      row: (/** @type {Factor} */ factor) => factorRow(factor, removing(factor, status)),
      empty: "None enrolled.",
      label: "Factors",
      signal,
    });
    const devices = listing({
      page: (cursor) => api.get(`${path}/mfa/devices${query({ cursor, limit: 10 })}`, signal),
      row: (/** @type {Device} */ device) => deviceRow(device, revoking(device)),
      empty: "None remembered.",
      label: "Trusted devices",
      signal,
    });
    fill(
      body,
      lock(status, unlocking(status)),
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          { class: "stack columns-main" },
          card("Factors", factors.element),
          card(
            "Trusted devices",
            devices.element,
            status.trustedDeviceCount > 1 &&
              button("Forget all devices", "quiet danger small", () => void act(...revokingAll())),
          ),
        ),
        h(
          "div",
          { class: "stack columns-side" },
          card("Standing", standing(status, codes)),
          card("Profile", profile(person)),
          card(
            "Reset",
            h(
              "p",
              { class: "muted" },
              "For someone who lost everything. Check who is asking before you do.",
            ),
            button("Reset second factors", "danger", () => void act(...resetting())),
          ),
        ),
        h("div", { class: "columns-rest" }, trail()),
      ),
    );
    await Promise.all([factors.filled, devices.filled]);
  }

  /** @param {Status} status @returns {() => void} */
  const unlocking = (status) => () =>
    void act(
      {
        title: `Unlock ${id}?`,
        says: [
          `Codes are read again at once, and the ${counted(status.failedAttempts, "wrong code")} so far no longer count.`,
          "If these were somebody else’s guesses, that person may guess on.",
        ],
        act: "Unlock",
        work: () => api.change("POST", `${path}/mfa/unlock`),
      },
      "Unlocked: codes are read again.",
    );

  /** @param {Factor} factor @param {Status} status @returns {() => void} */
  const removing = (factor, status) => () =>
    void act(
      {
        title: `Remove “${nameOf(factor)}”?`,
        says: [
          "It stops working at once and cannot be brought back; it can be enrolled anew.",
          status.factorCount === 1
            ? "It is the last factor. What happens at the next login is for the policy to say."
            : factor.primary
              ? "It is the primary factor: another one becomes it."
              : "The other factors stay.",
        ],
        act: "Remove factor",
        grave: true,
        work: () => api.change("DELETE", `${path}/mfa/factors/${factor.id}`),
      },
      `“${nameOf(factor)}” was removed.`,
    );

  /** @param {Device} device @returns {() => void} */
  const revoking = (device) => () =>
    void act(
      {
        title: `Forget “${deviceName(device)}”?`,
        says: ["At the next login there, a second factor is asked for again."],
        act: "Forget device",
        grave: true,
        work: () => api.change("DELETE", `${path}/mfa/devices/${device.id}`),
      },
      `“${deviceName(device)}” is not trusted any more.`,
    );

  /** @returns {Parameters<typeof act>} */
  const revokingAll = () => [
    {
      title: "Forget all devices?",
      says: [`Wherever ${id} logs in next, a second factor is asked for again.`],
      act: "Forget all",
      grave: true,
      work: () => api.change("DELETE", `${path}/mfa/devices`),
    },
    "No device is trusted any more.",
  ];

  /** @returns {Parameters<typeof act>} */
  const resetting = () => [
    {
      title: `Reset ${id}?`,
      says: [
        "All factors, recovery codes and trusted devices end at once, and so do enrollments and logins that are under way. Nothing of it can be brought back.",
        "The user then stands as somebody who never enrolled.",
      ],
      act: "Reset",
      grave: true,
      reason: "Reason, for the audit log",
      work: (reason) =>
        api.change("POST", `${path}/mfa/reset`, reason === "" ? {} : { reason }),
    },
    "Reset: nothing is enrolled any more.",
  ];

  function trail() {
    const events = listing({
      page: (cursor) => api.get(`audit${query({ userId: id, cursor, limit: 20 })}`, signal),
      row: (/** @type {import("./events.js").AuditEvent} */ event) => eventRow(event, false),
      empty: "Nothing has happened yet.",
      label: "Audit trail",
      signal,
    });
    return card("Audit trail", events.element);
  }

  try {
    await show();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "user_not_found") throw error;
    fill(body, h("section", { class: "card" }, h("p", {}, "There is no user of this id.")));
  }
}

/** @param {Status} status @param {() => void} unlock */
function lock(status, unlock) {
  if (!status.unlockRequired && !status.lockedUntil) return null;
  const until = status.lockedUntil
    ? ["Codes are refused until ", time(status.lockedUntil, "short"), "."]
    : ["Codes are refused until somebody unlocks."];
  return notice(
    "warning",
    h(
      "div",
      { class: "line-between" },
      h(
        "div",
        {},
        h("p", {}, h("b", {}, "Locked")),
        h("p", {}, until, ` ${counted(status.failedAttempts, "wrong code")} in a row.`),
      ),
      button("Unlock", "small", unlock),
    ),
  );
}

/**
 * @param {Status} status
 * @param {{ total: number, remaining: number, generatedAt: string | null }} codes
 */
function standing(status, codes) {
  const locked = status.unlockRequired || status.lockedUntil !== null;
  const made = codes.generatedAt
    ? [`${codes.remaining} of ${codes.total} left, made `, time(codes.generatedAt, "date")]
    : ["None made"];
  return facts([
    ["Second factor", REQUIREMENTS[status.requirement] ?? status.requirement],
    ["Grace ends", status.gracePeriodEndsAt && time(status.gracePeriodEndsAt, "short")],
    [
      "Codes",
      h("span", { class: `badge ${locked ? "danger" : "success"}` }, locked ? "Locked" : "Open"),
    ],
    ["Wrong codes in a row", String(status.failedAttempts)],
    ["Recovery codes", h("span", {}, made)],
  ]);
}

/** @param {User} person */
function profile(person) {
  const email = person.email && [
    person.email,
    " ",
    h("span", { class: "badge" }, person.emailVerified ? "verified" : "not verified"),
  ];
  return facts([
    ["Name", person.displayName],
    ["Email", email && h("span", {}, email)],
    ["Telephone", person.phoneNumber],
    ["Groups", person.groups.join(", ")],
    ["Created", time(person.createdAt, "short")],
    ["Last change", time(person.updatedAt, "short")],
  ]);
}

/** @param {[string, Node | string | null][]} pairs */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== "");
  return h(
    "dl",
    { class: "facts" },
    known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** @param {Factor} factor */
const nameOf = (factor) => factor.name ?? FACTORS[factor.type] ?? factor.type;

/** @param {Device} device */
const deviceName = (device) => device.name ?? "Unnamed device";

/** @param {Factor} factor @param {() => void} remove */
function factorRow(factor, remove) {
  const kind = FACTORS[factor.type] ?? plain(factor.type);
  const about = [factor.name ? kind : null, factor.maskedDestination].filter(Boolean).join(" · ");
  const used = factor.lastUsedAt
    ? ["Used ", time(factor.lastUsedAt)]
    : ["Enrolled ", time(factor.createdAt), ", not used yet"];
  return h(
    "div",
    { class: "row" },
    h("span", { class: "row-icon" }, icon(factor.type)),
    h(
      "span",
      { class: "row-text" },
      h(
        "span",
        { class: "line row-title" },
        h("b", {}, nameOf(factor)),
        factor.primary && h("span", { class: "badge accent" }, "Primary"),
        factor.webauthn?.backedUp && h("span", { class: "badge" }, "Synced"),
      ),
      about && h("span", {}, about),
      h("small", {}, used),
    ),
    h(
      "span",
      { class: "row-end" },
      button("Remove", "quiet danger small", remove, {
        "aria-label": `Remove ${nameOf(factor)}`,
      }),
    ),
  );
}

/** @param {Device} device @param {() => void} revoke */
function deviceRow(device, revoke) {
  return h(
    "div",
    { class: "row" },
    h("span", { class: "row-icon" }, icon("DEVICE")),
    h(
      "span",
      { class: "row-text" },
      h("b", {}, deviceName(device)),
      device.userAgent && h("span", { class: "clipped", title: device.userAgent }, device.userAgent),
      h("small", {}, "Trusted ", time(device.createdAt), ", until ", time(device.expiresAt, "date")),
    ),
    h(
      "span",
      { class: "row-end" },
      button("Forget", "quiet danger small", revoke, {
        "aria-label": `Forget ${deviceName(device)}`,
      }),
    ),
  );
}
