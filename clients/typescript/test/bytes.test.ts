// base64url, and bytes that become it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { bytesOf, decodeBase64Url, encodeBase64Url } from "../src/bytes.js";
import { Base64UrlBytes } from "../src/index.js";

test("bytes of any length go there and back", () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = randomBytes(length);
    const text = encodeBase64Url(bytes);
    assert.equal(text, bytes.toString("base64url"));
    assert.deepEqual(Buffer.from(decodeBase64Url(text)), bytes);
  }
});

test("what is no base64url is refused", () => {
  const wrong = {
    "a digit that is left over": ["A", "AAAAA", "AAAAAAAAA"],
    "bits that belong to no byte": ["AB", "AAB", "AAAAAB", "__", "AA_"],
    padding: ["AA==", "AAA="],
    "the other alphabet": ["A+AA", "A/AA"],
    "what is no digit": ["A A", "AA\n", "ÄA", "🦊AA"],
  };
  for (const [why, texts] of Object.entries(wrong)) {
    for (const text of texts) assert.throws(() => decodeBase64Url(text), SyntaxError, `${why}: ${text}`);
  }
});

test("bytes of WebAuthn are bytes to everybody, and base64url in JSON", () => {
  const bytes = Base64UrlBytes.parse("AQID_w");
  assert.ok(bytes instanceof Uint8Array);
  assert.deepEqual([...bytes], [1, 2, 3, 255]);
  assert.equal(bytes.buffer.byteLength, 4);
  assert.equal(JSON.stringify({ challenge: bytes }), '{"challenge":"AQID_w"}');
  for (const part of [bytes.slice(1), bytes.subarray(1), bytes.map((byte) => byte)]) {
    assert.equal(Object.getPrototypeOf(part), Uint8Array.prototype);
  }
});

test("bytes are found in whatever holds them, and only the part that is meant", () => {
  const buffer = Uint8Array.of(9, 1, 2, 9).buffer;
  for (const holder of [new Uint8Array(buffer, 1, 2), new DataView(buffer, 1, 2), Buffer.from(buffer, 1, 2)]) {
    assert.deepEqual([...(bytesOf(holder) ?? [])], [1, 2]);
  }
  assert.deepEqual([...(bytesOf(buffer) ?? [])], [9, 1, 2, 9]);
  assert.deepEqual([...(bytesOf(structuredClone(buffer)) ?? [])], [9, 1, 2, 9]);
  for (const nothing of ["AQI", null, undefined, 1, {}, [1, 2]]) assert.equal(bytesOf(nothing), null);
});
