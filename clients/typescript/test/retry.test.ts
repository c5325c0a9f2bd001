// Where a call goes next, and when, by itself: nothing is sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Addresses, Journey, type Outcome } from "../src/retry.js";

const REFUSED: Outcome = { kind: "unreachable" };
const answered = (status: number, retryAfterMs: number | null = null): Outcome => ({
  kind: "answered",
  status,
  code: null,
  retryAfterMs,
});

test("waits double, and no longer than two seconds", () => {
  const journey = new Journey(new Addresses(["a"]), 1e6, 8, () => 0.5);
  journey.next(0);
  const waits = Array.from({ length: 9 }, () => journey.after(REFUSED, 0));
  assert.deepEqual(waits, [50, 100, 200, 400, 800, 1000, 1000, 1000, null]);
});

test("an answer that comes as time runs out is the result, though others were not asked", () => {
  const journey = new Journey(new Addresses(["a", "b"]), 1000, 2, () => 0.5);
  assert.deepEqual(journey.next(0), { kind: "send", address: "a", timeoutMs: 500 });
  assert.equal(journey.after(answered(503), 1000), null);
});

test("no attempt begins once time is up", () => {
  const journey = new Journey(new Addresses(["a"]), 1000, 2, () => 0.5);
  assert.deepEqual(journey.next(1000), { kind: "end" });
});

test("a wait that the service asks for is kept, unless it outlasts the deadline", () => {
  const patient = () => new Journey(new Addresses(["a"]), 10_000, 2, () => 0.5);
  assert.equal(patient().after(answered(429, 9_999), 0), 9_999);
  assert.equal(patient().after(answered(429, 10_000), 0), null);
  assert.equal(patient().after(answered(503, 0), 0), 0);
});

test("every address is tried once before any is tried twice, from the one that answered last", () => {
  const addresses = new Addresses(["a", "b", "c"]);
  addresses.answered(1);
  const journey = new Journey(addresses, 1e6, 4, () => 0);
  const seen: string[] = [];
  for (let more = true; more; more = journey.after(REFUSED, 0) !== null) {
    const step = journey.next(0);
    seen.push(step.kind === "send" ? step.address : "");
  }
  assert.equal(seen.join(""), "bcabcab");
});

test("a stranger is passed over like a node that is away, but not waited for", () => {
  const addresses = new Addresses(["a", "b"]);
  const journey = new Journey(addresses, 1000, 2, () => 0.5);
  journey.next(0);
  assert.equal(journey.after({ kind: "stranger" }, 0), 0);
  assert.deepEqual(journey.next(0), { kind: "send", address: "b", timeoutMs: 500 });
  assert.equal(journey.after({ kind: "stranger" }, 0), null);
  assert.equal(addresses.current, 0);
});
