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

const STEP_MS = 30_000;

/**
 * An app with one secret, for a test that needs several codes. A code is accepted once, so each is
 * of a later time step; the service takes one step before and after its own, so three can be had
 * at once, and for more the next step is waited for.
 */
export class App {
  #last = 0;

  /** @param {string} secret base32, in groups or not */
  constructor(secret) {
    this.secret = secret;
  }

  /** @returns {Promise<string>} a code that was not given before */
  async code() {
    const now = Date.now();
    // The step before is over soon when this one is: it would come too late.
    const early = now % STEP_MS < STEP_MS / 2 ? 1 : 0;
    this.#last = Math.max(this.#last + 1, Math.floor(now / STEP_MS) - early);
    const from = (this.#last - 1) * STEP_MS;
    if (from > now) await new Promise((resolve) => setTimeout(resolve, from - now));
    return ofStep(this.secret, this.#last);
  }
}

/**
 * The code of the current time step, or of one after it. A code is accepted once, and one step
 * ahead is within the service's tolerance: so a test need not wait for the next half minute.
 * @param {string} secret
 * @param {number} [ahead] steps
 */
export function totp(secret, ahead = 0) {
  return ofStep(secret, Math.floor(Date.now() / STEP_MS) + ahead);
}

/**
 * @param {string} secret
 * @param {number} step
 */
function ofStep(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
