// What people have at hand: an authenticator app, and an inbox.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const STEP_MS = 30_000;

/** The code of a secret (RFC 6238) now, or `ahead` time steps later. */
export function totp(secret: string, ahead = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + ahead));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Six digits that are no code of a secret, now or near. */
export function wrongCode(secret: string): string {
  const right = new Set<string>();
  for (let ahead = -5; ahead <= 5; ahead += 1) right.add(totp(secret, ahead));
  for (let number = 0; ; number += 1) {
    const code = String(number).padStart(6, "0");
    if (!right.has(code)) return code;
  }
}

function base32(text: string): Buffer {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of text.replace(/=+$/, "")) {
    bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/** What `countersign dev` would have sent. */
export class Inbox {
  readonly #url: string;
  readonly #taken = new Set<string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** The newest code sent to a number or an address that was not taken yet, once it is there. */
  async code(to: string): Promise<string> {
    for (const deadline = Date.now() + 20_000; ; await sleep(25)) {
      const answer = await fetch(`${this.#url}/dev/messages?to=${encodeURIComponent(to)}`);
      const { data } = (await answer.json()) as { data: { id: string; code: string }[] };
      const newest = data[0];
      if (newest !== undefined && !this.#taken.has(newest.id)) {
        for (const { id } of data) this.#taken.add(id);
        return newest.code;
      }
      assert.ok(Date.now() < deadline, `no message came to ${to}`);
    }
  }
}
