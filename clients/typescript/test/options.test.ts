// What a client is made of, and what it refuses to be made of.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { inspect } from "node:util";
import { Countersign, type CountersignOptions } from "../src/index.js";
import { KEY, answer } from "./support/stage.js";

const NAMES = ["COUNTERSIGN_URL", "COUNTERSIGN_API_KEY"] as const;
const kept = NAMES.map((name) => process.env[name]);
beforeEach(() => NAMES.forEach((name) => delete process.env[name]));
afterEach(() => {
  NAMES.forEach((name, index) => {
    const value = kept[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  });
});

/** Where a client's calls go, and with which key. */
async function goes(options?: CountersignOptions): Promise<{ url: string; key: string | null }> {
  let seen = { url: "", key: null as string | null };
  const fetch = async (url: string, init: RequestInit) => {
    seen = { url, key: new Headers(init.headers).get("authorization") };
    return answer({ body: {} });
  };
  await new Countersign({ ...options, fetch }).auth.mfa.getPolicy();
  return seen;
}

test("addresses and key come from the environment, unless given", async () => {
  process.env["COUNTERSIGN_URL"] = " http://a:1/ , http://b:2";
  process.env["COUNTERSIGN_API_KEY"] = `${KEY}\n`;
  assert.deepEqual(await goes(), { url: "http://a:1/v1/mfa/policy", key: `Bearer ${KEY}` });
  assert.equal(inspect(new Countersign()), "Countersign { http://a:1, http://b:2 }");
  const given = { baseUrl: "http://c", apiKey: "csk_other" };
  assert.deepEqual(await goes(given), { url: "http://c/v1/mfa/policy", key: "Bearer csk_other" });
});

test("JSON is asked for where there is some", async () => {
  const accepted: (string | null)[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    accepted.push(new Headers(init.headers).get("accept"));
    return answer({ body: {} });
  };
  const client = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch });
  await client.auth.mfa.getPolicy();
  await client.service.metrics();
  assert.deepEqual(accepted, ["application/json", "*/*"]);
});

test("no answer is kept by a framework, and no redirect followed", async () => {
  let seen: RequestInit | undefined;
  const fetch = async (_: string, init: RequestInit) => {
    seen = init;
    return answer({ body: {} });
  };
  await new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth.mfa.getPolicy();
  assert.deepEqual([seen?.cache, seen?.redirect], ["no-store", "manual"]);
});

describe("what cannot be used is refused at once, by a message that names it", () => {
  const wrong: Record<string, [CountersignOptions, RegExp]> = {
    "no address": [{ apiKey: KEY }, /baseUrl.*COUNTERSIGN_URL/],
    "no addresses": [{ apiKey: KEY, baseUrl: [] }, /baseUrl/],
    "an empty address": [{ apiKey: KEY, baseUrl: " , " }, /baseUrl/],
    "no address at all": [{ apiKey: KEY, baseUrl: "node" }, /"node" is no http or https address/],
    "another scheme": [{ apiKey: KEY, baseUrl: "ftp://node" }, /ftp:\/\/node/],
    "one of several": [{ apiKey: KEY, baseUrl: ["http://a", "b"] }, /"b"/],
    "a query": [{ apiKey: KEY, baseUrl: "http://node?a=b" }, /http/],
    "a fragment": [{ apiKey: KEY, baseUrl: "http://node#a" }, /http/],
    "no key": [{ baseUrl: "http://node" }, /apiKey.*COUNTERSIGN_API_KEY/],
    "an empty key": [{ baseUrl: "http://node", apiKey: " " }, /apiKey/],
    "no time": [{ baseUrl: "http://node", apiKey: KEY, timeout: 0 }, /timeout/],
    "time that is no number": [{ baseUrl: "http://node", apiKey: KEY, timeout: NaN }, /timeout/],
    "half a retry": [{ baseUrl: "http://node", apiKey: KEY, maxRetries: 0.5 }, /maxRetries/],
    "fewer than no retries": [{ baseUrl: "http://node", apiKey: KEY, maxRetries: -1 }, /maxRetries/],
  };
  for (const [name, [options, message]] of Object.entries(wrong)) {
    test(name, () => {
      assert.throws(() => new Countersign(options), (error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test("a key that is none, or a password in an address, without showing either", () => {
    const secret = "hunter2-hunter2";
    for (const options of [
      { baseUrl: "http://node", apiKey: secret },
      { baseUrl: "http://node", apiKey: `csk_${secret} ${secret}` },
      { baseUrl: "http://node", apiKey: `csk_${secret}\r\nx: y` },
      { baseUrl: "http://node", apiKey: `csk_${secret}ä` },
      { baseUrl: `http://ann:${secret}@node`, apiKey: KEY },
      { baseUrl: `http://${secret}@node`, apiKey: KEY },
    ]) {
      assert.throws(() => new Countersign(options), (error) => {
        assert.ok(error instanceof TypeError);
        assert.ok(!error.message.includes(secret), error.message);
        return true;
      });
    }
  });
});

describe("what cannot be used in a call is sent to nobody", () => {
  let sent = 0;
  const fetch = async () => {
    sent += 1;
    return answer({ body: {} });
  };
  const { mfa } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth;
  const wrong: Record<string, () => Promise<unknown>> = {
    "an empty id": () => mfa.getStatus(""),
    "an id that means another place": () => mfa.getStatus(".."),
    "no id": () => mfa.getStatus(undefined as unknown as string),
    "an id that is no text": () => mfa.getStatus(42 as unknown as string),
    "no time": () => mfa.getStatus("ann", { timeout: 0 }),
    "time that is no number": () => mfa.getStatus("ann", { timeout: NaN }),
    "an empty idempotency key": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "" }),
    "an idempotency key that no header can hold": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "a\nb" }),
    "an idempotency key beyond ASCII": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "ä" }),
    "an idempotency key that begins with a space": () => mfa.enrollTotp("ann", {}, { idempotencyKey: " a" }),
    "an idempotency key that ends with a space": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "a " }),
    "an idempotency key that is a space": () => mfa.enrollTotp("ann", {}, { idempotencyKey: " " }),
    "an idempotency key that ends with a line": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "a\n" }),
    "an idempotency key that is no text": () => mfa.enrollTotp("ann", {}, { idempotencyKey: 7 as unknown as string }),
    "an idempotency key that is too long": () => mfa.enrollTotp("ann", {}, { idempotencyKey: "a".repeat(256) }),
  };
  for (const [name, call] of Object.entries(wrong)) {
    test(name, async () => {
      // Rejected, not thrown: whoever catches failures catches these.
      await assert.rejects(call(), TypeError);
      assert.equal(sent, 0);
    });
  }
});

test("an idempotency key is sent as it is", async () => {
  const keys: (string | null)[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    keys.push(new Headers(init.headers).get("idempotency-key"));
    return answer({ body: {} });
  };
  const { mfa } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth;
  const given = ["a", "ab", "a b", "~".repeat(255)];
  for (const idempotencyKey of given) await mfa.enrollTotp("ann", {}, { idempotencyKey });
  assert.deepEqual(keys, given);
});

describe("in a browser", () => {
  test("a client is not made, because everybody could read its key", (t) => {
    const node = Object.getOwnPropertyDescriptor(process.versions, "node") ?? {};
    const page = globalThis as { window?: unknown; document?: unknown };
    t.after(() => {
      Object.defineProperty(process, "versions", { value: { ...process.versions, node: node.value as string } });
      delete page.window;
      delete page.document;
    });
    page.window = {};
    page.document = {};
    // A test's make-believe page is none.
    assert.ok(new Countersign({ baseUrl: "http://node", apiKey: KEY }));
    Object.defineProperty(process, "versions", { value: {}, configurable: true });
    assert.throws(() => new Countersign({ baseUrl: "http://node", apiKey: KEY }), /client\/browser/);
    assert.ok(new Countersign({ baseUrl: "http://node", apiKey: KEY, dangerouslyAllowBrowser: true }));
  });
});
