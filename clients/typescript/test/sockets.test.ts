// What a network does to requests, over real sockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { ConnectionError, Countersign, type CountersignOptions, ServerError, TimeoutError } from "../src/index.js";
import { nobody, serve } from "./support/server.js";
import { KEY } from "./support/stage.js";

const client = (baseUrl: string | string[], more: CountersignOptions = {}) =>
  new Countersign({ baseUrl, apiKey: KEY, ...more });

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

test("a node that is silent leaves time to the next", async (t) => {
  const silent = await serve(t, () => undefined);
  const good = await serve(t, (_, response) => json(response, { enabled: true }));
  const started = Date.now();
  const status = await client([silent.url, good.url], { timeout: 3_000 }).auth.mfa.getStatus("ann");
  assert.equal(status.enabled, true);
  assert.ok(Date.now() - started >= 1_400, "it did not wait for the first");
});

test("when time is up the connection is let go, and the error says for how long it lasted", async (t) => {
  let closed: Promise<unknown> = Promise.reject(new Error("nobody came"));
  closed.catch(() => undefined);
  const silent = await serve(t, (_, response) => {
    closed = once(response, "close");
  });
  await assert.rejects(
    client(silent.url, { timeout: 1_500, maxRetries: 0 }).auth.mfa.getStatus("ann"),
    (error) => {
      assert.ok(error instanceof TimeoutError);
      assert.equal(error.message, "getMfaStatus: no answer within 1500 ms");
      return true;
    },
  );
  await closed;
});

test("a call's own timeout goes before the client's", async (t) => {
  const silent = await serve(t, () => undefined);
  const started = Date.now();
  await assert.rejects(client(silent.url).auth.mfa.getStatus("ann", { timeout: 100 }), TimeoutError);
  assert.ok(Date.now() - started < 5_000);
});

test("a timeout beyond any timer's is long, not none", async (t) => {
  const slow = await serve(t, (_, response) => void setTimeout(() => json(response, { enabled: true }), 100));
  for (const timeout of [Infinity, 2 ** 40]) {
    assert.ok((await client(slow.url, { timeout, maxRetries: 0 }).auth.mfa.getStatus("ann")).enabled);
  }
});

test("an answer that ends in the middle is none, and the next node is asked", async (t) => {
  const broken = await serve(t, (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write('{"enabled": false', () => response.destroy());
  });
  const good = await serve(t, (_, response) => json(response, { enabled: true }));
  const status = await client([broken.url, good.url], { maxRetries: 0 }).auth.mfa.getStatus("ann");
  assert.equal(status.enabled, true);
  assert.equal(broken.count(), 1);
  await assert.rejects(client(broken.url, { maxRetries: 0 }).auth.mfa.getStatus("ann"), ConnectionError);
});

test("a body that never ends is overdue like an answer that never comes", async (t) => {
  const dripping = await serve(t, (_, response) => void response.writeHead(200).write("{"));
  await assert.rejects(
    client(dripping.url, { timeout: 150, maxRetries: 0 }).auth.mfa.getStatus("ann"),
    TimeoutError,
  );
});

test("a body without end is not kept in memory", async (t) => {
  let stopped: Promise<unknown> = Promise.resolve();
  const endless = await serve(t, (_, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(2 ** 20, " ");
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", pour);
    stopped = once(response, "close");
    pour();
  });
  await assert.rejects(client(endless.url).auth.mfa.getStatus("ann"), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /^getMfaStatus: 200: .* longer than 16777216 bytes$/);
    return true;
  });
  await stopped;
  assert.equal(endless.count(), 1, "it was asked again");
});

test("what is no JSON is not this service's", async (t) => {
  const stranger = await serve(t, (_, response) => void response.end("<h1>It works!</h1>"));
  await assert.rejects(client(stranger.url).auth.mfa.getStatus("ann"), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /what answered was not this service/);
    return true;
  });
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect (${status}) is not followed, so the key goes nowhere else`, async (t) => {
    const thief = await serve(t, (_, response) => json(response, {}));
    const node = await serve(t, (_, response) => void response.writeHead(status, { location: thief.url }).end());
    const { mfa } = client(node.url).auth;
    for (const call of [mfa.getStatus("ann"), mfa.enrollTotp("ann")]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.match(error.message, /it redirects/);
        return true;
      });
    }
    assert.equal(thief.count(), 0);
  });
}

test("where nobody listens, the error names the operation, the address and why", async () => {
  const url = await nobody();
  await assert.rejects(client(url, { maxRetries: 1 }).auth.mfa.getStatus("ann"), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.message, `getMfaStatus: ${url} cannot be reached (ECONNREFUSED)`);
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

test("a node that goes away between two calls is passed over, and the others are stayed with", async (t) => {
  const gone = await nobody();
  const good = await serve(t, (_, response) => json(response, { enabled: true }));
  const seen: string[] = [];
  const watched = client([gone, good.url], {
    fetch: (url, init) => {
      seen.push(new URL(url).origin);
      return fetch(url, init);
    },
  });
  for (let call = 0; call < 3; call += 1) await watched.auth.mfa.getStatus("ann");
  assert.deepEqual(seen, [gone, good.url, good.url, good.url]);
});

test("a node that answers is stayed with, even if it answers badly", async (t) => {
  const gone = await nobody();
  const bad = await serve(t, (_, response) => {
    const problem = { status: 500, code: "internal", detail: "It failed." };
    response.writeHead(500, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
  });
  const seen: string[] = [];
  const watched = client([gone, bad.url], {
    fetch: (url, init) => {
      seen.push(new URL(url).origin);
      return fetch(url, init);
    },
  });
  for (let call = 0; call < 2; call += 1) await assert.rejects(watched.auth.mfa.getStatus("ann"), ServerError);
  assert.deepEqual(seen, [gone, bad.url, bad.url]);
});

test("a text comes whole, however its bytes are cut", async () => {
  const name = "Zoë 🦊 ".repeat(50);
  const crumbs = (text: Buffer) =>
    new ReadableStream({
      start(controller) {
        for (const byte of text) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
  const answering = (text: Buffer) => client("http://node", { fetch: async () => new Response(crumbs(text)) });
  const whole = answering(Buffer.from(JSON.stringify({ displayName: name })));
  assert.equal((await whole.auth.users.get("ann")).displayName, name);
  const half = answering(Buffer.from("🦊").subarray(0, 2));
  assert.equal(await half.service.metrics(), "\ufffd");
});

test("a fetch with streams of another kind will do", async () => {
  const fetch = async () => {
    const answer = new Response('{"enabled": true}');
    return { status: 200, headers: answer.headers, body: {}, text: () => answer.text() } as unknown as Response;
  };
  assert.equal((await client("http://node", { fetch }).auth.mfa.getStatus("ann")).enabled, true);
});

test("a path before the service's own is kept", async (t) => {
  const paths: (string | undefined)[] = [];
  const node = await serve(t, ({ url }, response) => {
    paths.push(url);
    json(response, { data: [] });
  });
  await client(`${node.url}/mfa/`).auth.mfa.getStatus("a/b@c");
  await client(`${node.url}/mfa/`).auth.users.list({ query: "a&b=c" });
  assert.deepEqual(paths, ["/mfa/v1/users/a%2Fb%40c/mfa/status", "/mfa/v1/users?query=a%26b%3Dc"]);
});
