// Whether what was found fits what a case expects; the rules are in clients/conformance/README.md.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

type Json = unknown;

const MATCHERS: Record<string, (argument: Json, found: Json) => boolean> = {
  $type: (type, found) =>
    type === "array"
      ? Array.isArray(found)
      : type === "object"
        ? typeof found === "object" && found !== null && !Array.isArray(found)
        : typeof found === type,
  $matches: (pattern, found) => typeof found === "string" && new RegExp(String(pattern)).test(found),
  $length: (length, found) => (found as { length?: number } | null)?.length === length,
  $atMost: (most, found) => typeof found === "number" && found <= Number(most),
  $atLeast: (least, found) => typeof found === "number" && found >= Number(least),
  $absent: (absent, found) => (found === undefined) === absent,
};

/** Fails unless `found` fits `expected`. */
export function fits(expected: Json, found: Json, where = "result"): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(found), `${where} is no array: ${JSON.stringify(found)}`);
    assert.equal(found.length, expected.length, `${where} has another length`);
    expected.forEach((each, index) => fits(each, found[index], `${where}[${index}]`));
    return;
  }
  if (typeof expected === "object" && expected !== null) {
    const members = Object.entries(expected);
    if (members.some(([name]) => name.startsWith("$"))) {
      for (const [name, argument] of members) {
        const matcher = MATCHERS[name];
        assert.ok(matcher, `${where}: there is no matcher ${name}`);
        assert.ok(matcher(argument, found), `${where}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
      }
      return;
    }
    assert.ok(typeof found === "object" && found !== null, `${where} is no object: ${JSON.stringify(found)}`);
    for (const [name, member] of members) {
      fits(member, (found as Record<string, Json>)[name], `${where}.${name}`);
    }
    return;
  }
  // Times and shares of time are not whole numbers of what a computer counts in.
  if (typeof expected === "number" && typeof found === "number") {
    assert.ok(Math.abs(expected - found) < 1e-6, `${where}: ${found} is not ${expected}`);
    return;
  }
  assert.ok(isDeepStrictEqual(found, expected), `${where}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
}
