// What a policy is made of, as a form shows it: one place for names, bounds and explanations.

/**
 * @typedef {object} Field
 * @property {string} at where it stands in the policy, dotted
 * @property {string} label
 * @property {string} [hint]
 * @property {"number" | "switch" | "choice" | "factors" | "lines"} kind
 * @property {number} [min]
 * @property {number} [max]
 * @property {[string, string, string?][]} [choices] value, text, explanation
 */

/** @typedef {{ title: string, says?: string, fields: Field[], folded?: boolean }} Section */

/** @type {[string, string, string][]} */
export const REQUIREMENT_CHOICES = [
  ["DISABLED", "Disabled", "Nobody is asked, and nobody can enroll."],
  ["OPTIONAL", "Optional", "Those who enrolled are asked."],
  ["RISK_BASED", "Risk-based", "Asked when a login shows a sign of risk."],
  ["REQUIRED", "Required", "Everybody is asked; who has no factor must enroll."],
];

/** @type {Section[]} */
export const SECTIONS = [
  {
    title: "Who is asked",
    fields: [
      { at: "requirement", label: "Second factor", kind: "choice", choices: REQUIREMENT_CHOICES },
      { at: "allowedFactors", label: "What counts", kind: "factors" },
    ],
  },
  {
    title: "Grace and trust",
    fields: [
      {
        at: "gracePeriod.value",
        label: "Grace period",
        hint: "How long somebody without a factor still gets in under Required; 0 for not at all.",
        kind: "number",
        min: 0,
        max: 525_600,
      },
      {
        at: "gracePeriod.unit",
        label: "Unit",
        kind: "choice",
        choices: [
          ["MINUTES", "Minutes"],
          ["HOURS", "Hours"],
          ["DAYS", "Days"],
        ],
      },
      { at: "trustedDevices.enabled", label: "Offer to remember a device", kind: "switch" },
      {
        at: "trustedDevices.durationDays",
        label: "Days a device is remembered",
        kind: "number",
        min: 1,
        max: 365,
      },
    ],
  },
  {
    title: "Signs of risk",
    says: "They decide under Risk-based; under the others they are recorded.",
    fields: [
      { at: "triggers.newDevice", label: "A browser not seen before", kind: "switch" },
      {
        at: "triggers.newLocation",
        label: "A country not seen before, or impossible travel",
        kind: "switch",
      },
      { at: "triggers.suspiciousIp", label: "A listed network, or an address that keeps failing", kind: "switch" },
      {
        at: "triggers.afterPasswordChange",
        label: "A password changed since the last verification",
        kind: "switch",
      },
      {
        at: "suspiciousIpRanges",
        label: "Listed networks",
        hint: "One a line, such as 198.51.100.0/24.",
        kind: "lines",
      },
    ],
  },
  {
    title: "Lockout",
    says: "How guessing is slowed down.",
    fields: [
      { at: "lockout.maxAttempts", label: "Wrong codes before the first delay", kind: "number", min: 1, max: 100 },
      { at: "lockout.baseDelaySeconds", label: "First delay, seconds", kind: "number", min: 1, max: 86_400 },
      { at: "lockout.maxDelaySeconds", label: "Longest delay, seconds", kind: "number", min: 1, max: 604_800 },
      {
        at: "lockout.hardLimit",
        label: "Wrong codes until only an administrator unlocks",
        kind: "number",
        min: 1,
        max: 1_000,
      },
    ],
  },
  {
    title: "Messages and recovery codes",
    fields: [
      { at: "sends.cooldownSeconds", label: "Seconds between two codes", kind: "number", min: 0, max: 3_600 },
      { at: "sends.perTenMinutes", label: "Codes a user in ten minutes", kind: "number", min: 1, max: 100 },
      { at: "sends.perDay", label: "Codes a user in a day", kind: "number", min: 1, max: 1_000 },
      { at: "recoveryCodesCount", label: "Recovery codes in a set", kind: "number", min: 1, max: 20 },
    ],
  },
  {
    title: "Security keys and passkeys",
    fields: [
      {
        at: "webauthn.userVerification",
        label: "PIN or biometric",
        kind: "choice",
        choices: [
          ["discouraged", "Not needed"],
          ["preferred", "Where the key can"],
          ["required", "Always"],
        ],
      },
      { at: "webauthn.syncedPasskeys", label: "Passkeys may be kept on several devices", kind: "switch" },
      {
        at: "webauthn.allowedAaguids",
        label: "Models that count",
        hint: "AAGUIDs, one a line; none for all.",
        kind: "lines",
      },
    ],
  },
];
