// An authenticator app (RFC 6238) on a phone whose clock can be set forward.

import { createHmac } from "node:crypto";

/** @param {string} text base32 (RFC 4648 section 6) */
function base32(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of text.replace(/[\s=]/g, "").toUpperCase()) {
    bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/**
 * The code of the current time step, or of one after it. A code is accepted once, and one step
 * ahead is within the service's tolerance: so a test need not wait for the next half minute.
 * @param {string} secret
 * @param {number} [ahead] steps
 */
export function totp(secret, ahead = 0) {
  const step = Math.floor(Date.now() / 30_000) + ahead;
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
