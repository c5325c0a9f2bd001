// What a caller can get wrong about webhooks. What is believed is in clients/conformance.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import type { HeadersLike } from "../src/index.js";
import { Hands, clientWith } from "./support/stage.js";

const NOW = 1_764_000_000;
const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const BODY = '{"type":"mfa.user.locked","timestamp":"2025-11-24T16:00:00.000Z","data":{}}';

const { webhooks } = clientWith({ baseUrl: "http://node" }, new Hands(NOW));

function signed(body = BODY): Record<string, string> {
  const key = Buffer.from(SECRET.slice(6), "base64");
  const mac = createHmac("sha256", key).update(`msg_1.${NOW}.${body}`).digest("base64");
  return { "webhook-id": "msg_1", "webhook-timestamp": String(NOW), "webhook-signature": `v1,${mac}` };
}

test("one secret will do as well as a list", async () => {
  assert.equal((await webhooks.verify(BODY, signed(), SECRET)).type, "mfa.user.locked");
  assert.equal((await webhooks.verify(BODY, signed(), [SECRET])).type, "mfa.user.locked");
});

test("headers are taken as frameworks give them", async () => {
  const headers = signed();
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  const many = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const request = { get: (name: string) => headers[name] };
  const kinds: HeadersLike[] = [headers, upper, many, new Headers(headers), new Map(Object.entries(headers)), request];
  for (const kind of kinds) assert.ok(await webhooks.verify(BODY, kind, SECRET));
});

test("a body that was parsed already is refused, because its bytes are gone", async () => {
  for (const body of [JSON.parse(BODY), undefined, null, 42]) {
    await assert.rejects(webhooks.verify(body as string, signed(), SECRET), /raw body/);
  }
});

test("a secret that is none is the caller's mistake, and is not shown", async () => {
  for (const secret of [[], "", "whsec_", "whsec_!", SECRET.slice(6), [SECRET, "hunter2"]]) {
    await assert.rejects(webhooks.verify(BODY, signed(), secret), (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.ok(!/hunter2|YSBz/.test(error.message), error.message);
      return true;
    });
  }
});
