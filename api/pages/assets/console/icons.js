// Small drawings: what kind of factor, and which way.

import { s } from "./dom.js";

/** @type {Record<string, string[]>} */
const PATHS = {
  TOTP: ["M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z", "M11 18h2"],
  SMS: ["M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-8l-4 4v-4H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z"],
  EMAIL: ["M4 6h16v12H4z", "m4 7 8 6 8-6"],
  WEBAUTHN: ["M14 10a4 4 0 1 1-1.2-2.8", "M13 11h7v3", "M17 11v2"],
  DEVICE: ["M4 5h16v11H4z", "M9 20h6", "M12 16v4"],
};

/** @param {string} kind */
export function icon(kind) {
  const paths = (PATHS[kind] ?? []).map((d) => s("path", { d }));
  return s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, ...paths);
}
