// An AbortSignal ends a call at once, wherever the call is.

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { test } from "node:test";
import { Countersign } from "../src/index.js";
import { serve } from "./support/server.js";
import { KEY } from "./support/stage.js";

const WHY = new Error("the person left");

const client = (baseUrl: string, maxRetries = 2) => new Countersign({ baseUrl, apiKey: KEY, maxRetries });

/** Fails unless a call ends with the signal's own reason, and long before its deadline. */
async function endsEarly(call: PromiseLike<unknown>): Promise<void> {
  const started = Date.now();
  await assert.rejects(Promise.resolve(call), (error) => error === WHY);
  assert.ok(Date.now() - started < 6_000, "it lasted");
}

test("one that was given before sends nothing", async (t) => {
  const node = await serve(t, (_, response) => void response.end("{}"));
  await endsEarly(client(node.url).auth.mfa.getStatus("ann", { signal: AbortSignal.abort(WHY) }));
  assert.equal(node.count(), 0);
});

test("one during a request lets the connection go", async (t) => {
  const controller = new AbortController();
  let closed: Promise<unknown> = Promise.resolve();
  const node = await serve(t, (_, response) => {
    closed = once(response, "close");
    controller.abort(WHY);
  });
  await endsEarly(client(node.url).auth.mfa.getStatus("ann", { signal: controller.signal }));
  await closed;
  assert.equal(node.count(), 1);
});

test("one during the last attempt is no broken connection", async (t) => {
  const controller = new AbortController();
  const node = await serve(t, () => controller.abort(WHY));
  await endsEarly(client(node.url, 0).auth.mfa.getStatus("ann", { signal: controller.signal }));
});

test("one during a request whose fetch does not look ends the call all the same", async () => {
  const controller = new AbortController();
  const deaf = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch: () => new Promise(() => undefined) });
  setImmediate(() => controller.abort(WHY));
  await endsEarly(deaf.auth.mfa.getStatus("ann", { signal: controller.signal }));
});

test("one while a body comes ends the call", async (t) => {
  const controller = new AbortController();
  const node = await serve(t, (_, response) => {
    response.writeHead(200).write("{", () => controller.abort(WHY));
  });
  await endsEarly(client(node.url).auth.mfa.getStatus("ann", { signal: controller.signal }));
});

test("one during a wait between attempts ends the wait", async (t) => {
  const controller = new AbortController();
  const node = await serve(t, (_, response) => {
    response.writeHead(503, { "retry-after": "8" }).end();
    setTimeout(() => controller.abort(WHY), 50);
  });
  await endsEarly(client(node.url).auth.mfa.getStatus("ann", { signal: controller.signal }));
  assert.equal(node.count(), 1);
});

test("one that comes at any moment between an answer and a wait ends the call", async () => {
  for (let moment = 0; moment < 30; moment += 1) {
    const controller = new AbortController();
    const after = (left: number): void => {
      if (left === 0) controller.abort(WHY);
      else queueMicrotask(() => after(left - 1));
    };
    const fetch = async () => {
      after(moment);
      return new Response(null, { status: 503, headers: { "retry-after": "8" } });
    };
    const { mfa } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth;
    await endsEarly(mfa.getStatus("ann", { signal: controller.signal }));
  }
});

test("the reason of AbortSignal.timeout is what the call is rejected with", async (t) => {
  const node = await serve(t, () => undefined);
  const signal = AbortSignal.timeout(50);
  await assert.rejects(client(node.url).auth.mfa.getStatus("ann", { signal }), (error) => error === signal.reason);
});

test("one that outlives its calls is not clung to", async (t) => {
  let count = 0;
  const node = await serve(t, (_, response) => {
    count += 1;
    response.writeHead(count % 2 === 1 ? 503 : 200, { "retry-after": "0" }).end("{}");
  });
  const { signal } = new AbortController();
  for (let call = 0; call < 5; call += 1) await client(node.url).auth.mfa.getStatus("ann", { signal });
  assert.equal(count, 10);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("one ends the iteration of a list", async (t) => {
  const controller = new AbortController();
  const node = await serve(t, (_, response) => {
    response.end(JSON.stringify({ data: [{ id: "ann" }], nextCursor: "more" }));
  });
  const iterate = async () => {
    for await (const _ of client(node.url).auth.users.list({}, { signal: controller.signal })) controller.abort(WHY);
  };
  await endsEarly(iterate());
  assert.equal(node.count(), 1);
});

test("one ends the waiting for keys of whoever gave it, and of nobody else", async (t) => {
  const controller = new AbortController();
  let release = (): void => undefined;
  const node = await serve(t, (_, response) => {
    release = () => void response.end('{"keys": []}');
    controller.abort(WHY);
  });
  const { auth } = client(node.url);
  const header = Buffer.from('{"alg":"ES256","kid":"k1"}').toString("base64url");
  const token = `${header}.e30.AAAA`;
  const patient = auth.verifyToken(token);
  patient.catch(() => undefined);
  await endsEarly(auth.verifyToken(token, { signal: controller.signal }));
  release();
  await assert.rejects(patient, { reason: "unknown_key" });
  assert.equal(node.count(), 1);
});
