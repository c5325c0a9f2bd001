// What answers mean that only something between client and service gives, and what is sent for
// options that the cases leave alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Countersign, RateLimitError, ServerError } from "../src/index.js";
import { Hands, KEY, type Played, answer, clientWith } from "./support/stage.js";

async function failure(played: Played): Promise<Error> {
  const client = clientWith({ baseUrl: "http://node", maxRetries: 0, fetch: async () => answer(played) }, new Hands());
  return client.auth.mfa.getPolicy().then(() => assert.fail("it did not fail"), (error: unknown) => error as Error);
}

test("a proxy's own JSON is no problem of the service", async () => {
  const error = await failure({ status: 502, body: { detail: "upstream 10.0.0.7 refused", title: "Bad Gateway" } });
  assert.ok(error instanceof ServerError);
  assert.equal(error.message, "getPolicy: 502 http_502: what answered was not this service");
});

test("a time to wait that has passed is none", async () => {
  const past = await failure({ status: 429, headers: { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" } });
  assert.ok(past instanceof RateLimitError);
  assert.equal(past.retryAfter, 0);
  const nonsense = await failure({ status: 429, headers: { "retry-after": "soon" } });
  assert.ok(nonsense instanceof RateLimitError);
  assert.equal(nonsense.retryAfter, null);
});

test("a challenge is asked for with its purpose", async () => {
  const bodies: unknown[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    bodies.push(JSON.parse(String(init.body)));
    return answer({ body: {} });
  };
  const { mfa } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth;
  await mfa.createChallenge("ann", { purpose: "STEP_UP" });
  await mfa.createChallenge("ann");
  assert.deepEqual(bodies, [
    { userId: "ann", purpose: "STEP_UP" },
    { userId: "ann", purpose: "LOGIN" },
  ]);
});
