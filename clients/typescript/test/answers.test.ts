// What answers mean that only something between client and service gives, and what is sent for
// options that the cases leave alone.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectionError, Countersign, CountersignError, type ProblemError, RateLimitError, ServerError } from "../src/index.js";
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

const STRANGERS: Record<string, Played> = {
  "a page": { status: 200, headers: { "content-type": "text/html" }, body: "<h1>Welcome</h1>" },
  "JSON that is no object": { status: 200, body: [1] },
  "nothing": { status: 204 },
  "a redirect": { status: 302, headers: { location: "https://elsewhere.example/" } },
  "a page that says there is nothing": { status: 404, body: "<h1>Not found</h1>" },
  "a page that fails": { status: 500, body: "<h1>Oops</h1>" },
  "JSON that is no problem": { status: 403, body: { message: "forbidden" } },
  "a body without end": { status: 200, body: `"${"a".repeat(17 * 2 ** 20)}"` },
};

describe("an address that is not this service's is passed over like one that cannot be reached", () => {
  for (const [name, played] of Object.entries(STRANGERS)) {
    /** Two addresses, of which those in `strange` answer thus; what was sent where. */
    const two = (strange: string[]) => {
      const sent: { to: string; key: string | null }[] = [];
      const fetch = async (url: string, init: RequestInit) => {
        const to = new URL(url).host;
        sent.push({ to, key: new Headers(init.headers).get("idempotency-key") });
        return answer(strange.includes(to) ? played : { body: { enabled: true } });
      };
      const clock = new Hands();
      return { sent, clock, mfa: clientWith({ baseUrl: ["http://n1", "http://n2"], fetch }, clock).auth.mfa };
    };

    test(`${name}: the next is asked at once, under the same key, and stayed with`, async () => {
      const { sent, clock, mfa } = two(["n1"]);
      await mfa.enrollTotp("ann");
      assert.deepEqual(sent.map(({ to }) => to), ["n1", "n2"]);
      assert.ok(sent[0]?.key);
      assert.equal(sent[0]?.key, sent[1]?.key);
      await mfa.getStatus("ann");
      assert.equal(sent.at(-1)?.to, "n2");
      assert.equal(sent.length, 3);
      assert.equal(clock.waited, 0);
    });

    test(`${name}: when all answer so, it ends without waiting`, async () => {
      const { sent, clock, mfa } = two(["n1", "n2"]);
      const failed = await mfa.getStatus("ann").then(() => assert.fail("it did not fail"), (error: unknown) => error);
      assert.ok(failed instanceof CountersignError);
      // The status that a failure has may tell whoever set the addresses up what is wrong.
      if ((played.status ?? 0) < 400) assert.ok(failed instanceof ConnectionError);
      else assert.equal((failed as ProblemError).code, `http_${played.status}`);
      assert.match(failed.message, /was not this service/);
      assert.deepEqual(sent.map(({ to }) => to), ["n1", "n2"]);
      assert.equal(clock.waited, 0);
    });
  }
});

test("a page is no success of a call that tells nothing", async () => {
  const unlock = (body: unknown) => {
    const fetch = async () => answer({ status: 200, body });
    return clientWith({ baseUrl: "http://node", fetch }, new Hands()).auth.mfa.unlock("ann");
  };
  await assert.rejects(unlock("<h1>Welcome</h1>"), { name: "ConnectionError", message: /was not this service/ });
  assert.equal(await unlock(undefined), undefined);
  assert.equal(await unlock({ unlocked: true }), undefined);
});

test("a time to wait is whole seconds or a date of HTTP, and anything else is none", async () => {
  // The clock says Mon, 24 Nov 2025 16:00:00 GMT.
  const waits: Record<string, number | null> = {
    "0": 0,
    "7": 7,
    " 7 ": 7,
    "Mon, 24 Nov 2025 16:00:09 GMT": 9,
    "Monday, 24-Nov-25 16:00:09 GMT": 9,
    "Mon Nov 24 16:00:09 2025": 9,
    "Mon Dec  1 16:00:00 2025": 7 * 86_400,
    "Sunday, 06-Nov-94 08:49:37 GMT": 0,
    "0.5": null,
    "1.0": null,
    "-1": null,
    "+1": null,
    "1e1": null,
    "1, 2": null,
    "2026": 2026,
    "2026-01-01": null,
    "Nov 24 2025": null,
    "Mon, 24 Nov 2025 16:00:09": null,
    "Mon, 24 Nov 2025 16:00:09 +0200": null,
    "Mon, 24 Nix 2025 16:00:09 GMT": null,
    "Mon, 24 Nov 2025 25:00:09 GMT": null,
  };
  for (const [told, seconds] of Object.entries(waits)) {
    const error = await failure({ status: 429, headers: { "retry-after": told } });
    assert.ok(error instanceof RateLimitError);
    assert.equal(error.retryAfter, seconds, told);
  }
});
