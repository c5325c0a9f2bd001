// What the API's words mean to a person.

/** @type {Record<string, string>} */
export const FACTORS = {
  TOTP: "Authenticator app",
  SMS: "Text message",
  EMAIL: "Email",
  WEBAUTHN: "Security key or passkey",
};

/** @type {Record<string, string>} */
export const REQUIREMENTS = {
  DISABLED: "Disabled",
  OPTIONAL: "Optional",
  RISK_BASED: "Risk-based",
  REQUIRED: "Required",
};

/** @type {Record<string, string>} */
const EVENTS = {
  "mfa.alert.address_failures": "One address fails for many users",
  "mfa.alert.brute_force": "Many wrong codes for one user",
  "mfa.alert.counter_lowered": "A security key’s counter went back",
  "mfa.alert.possible_relay": "A spent code came again from elsewhere",
  "mfa.alert.recovery_codes": "Many recovery codes used within a day",
  "mfa.alert.reset_burst": "One API key reset many users",
  "mfa.alert.risky_enrollment": "A risky login was answered by enrolling",
  "mfa.alert.send_flood": "More messages than a limit allows",
  "mfa.api_key.created": "API key made",
  "mfa.api_key.revoked": "API key revoked",
  "mfa.root_keys.replaced": "Root keys replaced",
  "mfa.assertion.failed": "Security key refused",
  "mfa.assertion.verified": "Security key verified",
  "mfa.challenge.failed": "Proof refused",
  "mfa.challenge.verified": "Login verified",
  "mfa.code.refused": "Code not sent",
  "mfa.code.requested": "Code asked for",
  "mfa.code.sent": "Code sent",
  "mfa.delivery.failed": "Code could not be delivered",
  "mfa.device.all_revoked": "All devices forgotten",
  "mfa.device.revoked": "Device forgotten",
  "mfa.device.trusted": "Device remembered",
  "mfa.enrollment.failed": "Enrollment refused",
  "mfa.enrollment.started": "Enrollment begun",
  "mfa.factor.enrolled": "Factor enrolled",
  "mfa.factor.primary_set": "Factor made primary",
  "mfa.factor.removed": "Factor removed",
  "mfa.factor.renamed": "Factor renamed",
  "mfa.factors.reset": "Second factors reset",
  "mfa.policy.updated": "Policy changed",
  "mfa.recovery_code.failed": "Recovery code refused",
  "mfa.recovery_code.used": "Recovery code used",
  "mfa.recovery_codes.generated": "Recovery codes made",
  "mfa.recovery_codes.regenerated": "Recovery codes made anew",
  "mfa.settings.updated": "Settings changed",
  "mfa.tenant.created": "Tenant made",
  "mfa.tenant.removed": "Tenant removed",
  "mfa.user.created": "User created",
  "mfa.user.erased": "User erased",
  "mfa.user.locked": "User locked",
  "mfa.user.password_changed": "Password changed",
  "mfa.user.unlocked": "User unlocked",
  "mfa.user.updated": "User updated",
  "mfa.webhook.created": "Webhook made",
  "mfa.webhook.disabled": "Webhook disabled",
  "mfa.webhook.enabled": "Webhook enabled",
  "mfa.webhook.removed": "Webhook removed",
  "mfa.webhook.secret_rotated": "Webhook secret rotated",
  "mfa.webhook.updated": "Webhook changed",
};

/** @param {string} type */
export const event = (type) => EVENTS[type] ?? type;

/**
 * A stable word as a person reads it: `invalid_code` is `invalid code`.
 * @param {string} word
 */
export const plain = (word) => word.replaceAll("_", " ").toLowerCase();

const NUMBER = new Intl.NumberFormat("en");

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * `1 user`, `2 users`.
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (count, one, many = `${one}s`) =>
  `${number(count)} ${count === 1 ? one : many}`;
