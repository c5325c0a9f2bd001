// Every case of clients/conformance that needs no service.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TokenError, WebhookSignatureError } from "../src/index.js";
import { type CaseCall, type ExpectedError, call, failsAs, files, json, knows, read } from "./support/cases.js";
import { fits } from "./support/match.js";
import { Hands, KEY, type Played, answer, clientWith, play } from "./support/stage.js";

interface ExpectedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  idempotent: boolean;
}

/** What was sent. */
function sent(url: string, init: RequestInit): ExpectedRequest {
  const { pathname, searchParams } = new URL(url);
  const headers = new Headers(init.headers);
  const isDocument = /^\/(healthz|readyz|metrics|openapi|docs|problems|\.well-known)/.test(pathname);
  assert.equal(headers.get("authorization"), isDocument ? null : `Bearer ${KEY}`);
  assert.match(headers.get("accept") ?? "", /json|\*\/\*/);
  assert.match(headers.get("user-agent") ?? "", /^countersign-/);
  return {
    method: init.method ?? "GET",
    path: pathname,
    query: Object.fromEntries(searchParams),
    body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    idempotent: headers.has("idempotency-key"),
  };
}

function many<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

async function rows(list: unknown): Promise<unknown[]> {
  const found = [];
  for await (const row of list as AsyncIterable<unknown>) found.push(row);
  return found;
}

type Expectation = { result: unknown } | { error: ExpectedError };

interface CallsCase extends CaseCall {
  operation: string;
  iterate?: true;
  request: ExpectedRequest | ExpectedRequest[];
  answer: Played | Played[];
}

function calls(name: string): void {
  for (const one of read<CallsCase & Expectation>(name).cases) {
    test(one.name, async () => {
      knows(one, "name", "operation", "call", "arguments", "iterate", "request", "answer", "result", "error");
      const answers = many(one.answer);
      const requests: ExpectedRequest[] = [];
      const fetch = async (url: string, init: RequestInit) => {
        requests.push(sent(url, init));
        const next = answers[requests.length - 1];
        assert.ok(next, "more was asked than the case answers");
        return answer(next);
      };
      const client = clientWith({ baseUrl: "http://node", fetch }, new Hands());
      const run = async () => {
        const result = call(client, one);
        return json(one.iterate ? await rows(result) : await result);
      };
      if ("error" in one) await failsAs(one.error, run);
      else fits(one.result, await run());
      assert.deepEqual(requests, many(one.request));
    });
  }
}

interface ErrorsCase extends CaseCall {
  answer: Played;
  error: ExpectedError;
  secrets?: string[];
}

function errors(name: string): void {
  for (const one of read<ErrorsCase>(name).cases) {
    test(one.name, async () => {
      knows(one, "name", "call", "arguments", "answer", "error", "secrets");
      const options = { baseUrl: "http://node", maxRetries: 0, fetch: async () => answer(one.answer) };
      const client = clientWith(options, new Hands());
      await failsAs(one.error, () => call(client, one), one.secrets);
    });
  }
}

interface Exchange {
  to: string;
  waited?: unknown;
  attemptTimeout?: unknown;
  key?: string | null;
  outcome: Played;
}

type Played_ = CaseCall & Expectation & { exchanges: Exchange[] };

interface RetriesCase extends CaseCall {
  client: { baseUrls: string[]; maxRetries?: number; timeout?: number };
  random?: number;
  now?: number;
  then?: Played_[];
}

function retries(name: string): void {
  for (const one of read<RetriesCase & Played_>(name).cases) {
    test(one.name, async () => {
      knows(one, "name", "client", "call", "arguments", "options", "exchanges", "result", "error", "random", "now", "then");
      const clock = new Hands(one.now, one.random);
      let exchanges: Exchange[] = [];
      let keys: (string | null)[] = [];
      const fetch = async (url: string, init: RequestInit) => {
        const expected = exchanges[keys.length];
        assert.ok(expected, "there was one attempt too many");
        knows(expected, "to", "waited", "attemptTimeout", "key", "outcome");
        assert.ok(url.startsWith(`${expected.to}/v1/`), `${url} is not at ${expected.to}`);
        if (expected.waited !== undefined) fits(expected.waited, clock.waited / 1000, "waited");
        if (expected.attemptTimeout !== undefined) {
          fits(expected.attemptTimeout, clock.allowed / 1000, "attemptTimeout");
        }
        const key = new Headers(init.headers).get("idempotency-key");
        if (expected.key !== undefined) assert.equal(key, expected.key);
        keys.push(key);
        clock.waited = 0;
        clock.exchanging = true;
        try {
          return await play(expected.outcome, clock, init.signal);
        } finally {
          clock.exchanging = false;
        }
      };
      const { baseUrls, maxRetries, timeout } = one.client;
      knows(one.client, "baseUrls", "maxRetries", "timeout");
      const milliseconds = timeout === undefined ? undefined : timeout * 1000;
      const client = clientWith({ baseUrl: baseUrls, maxRetries, timeout: milliseconds, fetch }, clock);
      const seen = new Set<string | null>();
      for (const step of [one, ...(one.then ?? [])]) {
        exchanges = step.exchanges;
        keys = [];
        clock.waited = 0;
        const run = async () => json(await call(client, step));
        if ("error" in step) await failsAs(step.error, run);
        else fits(step.result, await run());
        assert.equal(keys.length, exchanges.length, "there were too few attempts");
        assert.equal(new Set(keys).size, 1, "the key changed between attempts");
        const [key] = keys;
        assert.ok(key == null || !seen.has(key), "two calls had one key");
        seen.add(key ?? null);
      }
    });
  }
}

interface TokenStep {
  token: string;
  now: number;
  options?: object;
  claims?: object;
  reason?: string;
  fetches?: number;
}

interface TokensCase extends TokenStep {
  facts: object | null;
  jwks: (object | number)[];
  headers?: Record<string, string>;
  steps?: TokenStep[];
}

function tokens(name: string): void {
  for (const one of read<TokensCase>(name).cases) {
    test(one.name, async () => {
      knows(one, "name", "facts", "jwks", "headers", "token", "now", "options", "claims", "reason", "fetches", "steps");
      const clock = new Hands(one.now);
      let fetches = 0;
      const fetch = async (url: string) => {
        if (url.endsWith("/v1/tokens")) {
          return one.facts === null ? answer({ status: 500 }) : answer({ body: one.facts });
        }
        assert.ok(url.endsWith("/.well-known/jwks.json"), url);
        const published = one.jwks[fetches];
        assert.ok(published !== undefined, "the keys were fetched once too often");
        fetches += 1;
        if (typeof published === "number") return answer({ status: published });
        return answer({ body: published, headers: one.headers ?? {} });
      };
      const client = clientWith({ baseUrl: "http://node", maxRetries: 0, fetch }, clock);
      for (const step of [one, ...(one.steps ?? [])]) {
        clock.moveTo(step.now);
        const verified = client.auth.verifyToken(step.token, step.options);
        if (step.reason === undefined) fits(step.claims, await verified);
        else {
          await assert.rejects(verified, (error) => {
            assert.ok(error instanceof TokenError, String(error));
            assert.equal(error.reason, step.reason);
            assert.ok(step.token.length < 8 || !error.message.includes(step.token));
            return true;
          });
        }
        if (step.fetches !== undefined) assert.equal(fetches, step.fetches, "fetches");
      }
    });
  }
}

interface WebhooksCase {
  secrets: string[];
  headers: Record<string, string>;
  body: string;
  now: number;
  event?: object;
  reason?: string;
}

function webhooks(name: string): void {
  for (const one of read<WebhooksCase>(name).cases) {
    test(one.name, async () => {
      knows(one, "name", "secrets", "headers", "body", "now", "event", "reason");
      const client = clientWith({ baseUrl: "http://node" }, new Hands(one.now));
      const bytes = new TextEncoder().encode(one.body);
      for (const body of [one.body, bytes, Buffer.from(bytes)]) {
        for (const headers of [one.headers, new Headers(one.headers)]) {
          const verified = client.webhooks.verify(body, headers, one.secrets);
          if (one.reason === undefined) assert.deepEqual(await verified, one.event);
          else {
            await assert.rejects(verified, (error) => {
              assert.ok(error instanceof WebhookSignatureError, String(error));
              assert.equal(error.reason, one.reason);
              return true;
            });
          }
        }
      }
    });
  }
}

const KINDS: Record<string, (name: string) => void> = {
  "calls.json": calls,
  "errors.json": errors,
  "retries.json": retries,
  "tokens.json": tokens,
  "webhooks.json": webhooks,
};

for (const name of files()) {
  const { live, about } = read(name);
  if (live === true) continue;
  describe(`${name}: ${about}`, () => {
    const kind = KINDS[name];
    if (kind === undefined) test("is known to this suite", () => assert.fail(`${name} is not`));
    else kind(name);
  });
}
