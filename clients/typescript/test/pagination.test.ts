// Lists: awaited, the first page; iterated, every row; and nothing is asked that nobody wants.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Countersign, List, NotFoundError, Page } from "../src/index.js";
import { KEY, answer } from "./support/stage.js";

/** A client of a service with users u0, u1, …, and the queries that it was asked. */
function service(count: number): { client: Countersign; asked: string[] } {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    const { search, searchParams } = new URL(url);
    asked.push(search);
    const from = Number(searchParams.get("cursor") ?? 0);
    const to = Math.min(count, from + Number(searchParams.get("limit") ?? 50));
    const data = Array.from({ length: to - from }, (_, index) => ({ id: `u${from + index}` }));
    return answer({ body: { data, nextCursor: to < count ? String(to) : null } });
  };
  return { client: new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }), asked };
}

test("a list that nobody awaits asks nothing", async () => {
  const { client, asked } = service(3);
  client.auth.users.list();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, []);
});

test("awaited it is its first page, asked for once", async () => {
  const { client, asked } = service(5);
  const list = client.auth.users.list({ limit: 2 });
  assert.ok(list instanceof List);
  const [page, again] = [await list, await list];
  assert.ok(page instanceof Page);
  assert.equal(page, again);
  assert.deepEqual([page.data.map(({ id }) => id), page.nextCursor, page.hasNextPage()], [["u0", "u1"], "2", true]);
  assert.deepEqual(asked, ["?limit=2"]);
});

test("pages lead on to the last", async () => {
  const { client } = service(5);
  const sizes: number[] = [];
  for (let page: Page<unknown> | null = await client.auth.users.list({ limit: 2 }); page; page = await page.nextPage()) {
    sizes.push(page.data.length);
  }
  assert.deepEqual(sizes, [2, 2, 1]);
});

test("iterated it is every row, with the same wishes on every page", async () => {
  const { client, asked } = service(5);
  const ids: string[] = [];
  for await (const { id } of client.auth.users.list({ limit: 2, query: "u" })) ids.push(id);
  assert.deepEqual(ids, ["u0", "u1", "u2", "u3", "u4"]);
  assert.deepEqual(asked, ["?limit=2&query=u", "?limit=2&query=u&cursor=2", "?limit=2&query=u&cursor=4"]);
});

test("whoever stops asks no more", async () => {
  const { client, asked } = service(500);
  for await (const { id } of client.auth.users.list({ limit: 2 })) if (id === "u2") break;
  assert.equal(asked.length, 2);
});

test("it begins where it is told to", async () => {
  const { client } = service(5);
  const ids: string[] = [];
  for await (const { id } of client.auth.users.list({ cursor: "3" })) ids.push(id);
  assert.deepEqual(ids, ["u3", "u4"]);
});

test("factors and devices come as arrays, whole", async () => {
  const { client, asked } = service(450);
  const factors = await client.auth.mfa.listFactors("ann");
  assert.ok(Array.isArray(factors));
  assert.equal(factors.length, 450);
  assert.equal((await client.auth.mfa.listDevices("ann")).length, 450);
  assert.deepEqual(asked.slice(0, 3), ["?limit=200", "?limit=200&cursor=200", "?limit=200&cursor=400"]);
});

test("a failure comes to whoever awaits, catches or iterates", async () => {
  const fetch = async () => answer({ status: 404, body: { code: "not_found", detail: "no" } });
  const { users } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }).auth;
  await assert.rejects(async () => void (await users.list()), NotFoundError);
  assert.ok((await users.list().catch((error: unknown) => error)) instanceof NotFoundError);
  let ended = false;
  await assert.rejects(
    users.list().finally(() => {
      ended = true;
    }),
    NotFoundError,
  );
  assert.ok(ended);
  await assert.rejects(async () => {
    for await (const _ of users.list());
  }, NotFoundError);
});

describe("a service that leads in a circle is left", () => {
  const stuck = (nextCursor: unknown, most: number) => {
    let asked = 0;
    const fetch = async () => {
      asked += 1;
      assert.ok(asked <= most, "it asks for ever");
      return answer({ body: { data: [{ id: "u0" }], nextCursor } });
    };
    const client = new Countersign({ baseUrl: "http://node", apiKey: KEY, maxRetries: 0, fetch });
    return { client, asked: () => asked };
  };
  const twice = { name: "ConnectionError", message: /the service gave the same cursor twice$/ };

  test("where every row is iterated", async () => {
    const { client, asked } = stuck("c", 2);
    await assert.rejects(async () => {
      for await (const _ of client.auth.users.list());
    }, twice);
    assert.equal(asked(), 2);
  });

  test("where it begins with the cursor", async () => {
    const { client } = stuck("c", 1);
    await assert.rejects(async () => void (await client.auth.users.list({ cursor: "c" })), twice);
  });

  test("where all factors and devices are listed", async () => {
    for (const method of ["listFactors", "listDevices"] as const) {
      const { client, asked } = stuck("c", 2);
      await assert.rejects(client.auth.mfa[method]("ann"), twice);
      assert.equal(asked(), 2);
    }
  });

  test("no cursor at all is the end", async () => {
    const { client } = stuck(undefined, 1);
    let rows = 0;
    for await (const _ of client.auth.users.list()) rows += 1;
    assert.equal(rows, 1);
  });
});

test("what holds no rows is no page of this service: the next address is asked", async () => {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    const { host } = new URL(url);
    asked.push(host);
    return answer({ body: host === "n2" ? { data: [], nextCursor: null } : { enabled: true } });
  };
  const at = (...baseUrl: string[]) => new Countersign({ baseUrl, apiKey: KEY, fetch }).auth;
  assert.deepEqual(await at("http://n1", "http://n2").mfa.listFactors("ann"), []);
  assert.deepEqual(asked, ["n1", "n2"]);
  const strange = { name: "ConnectionError", message: /: what answered was not this service/ };
  await assert.rejects(at("http://n1").mfa.listDevices("ann"), strange);
  await assert.rejects(async () => void (await at("http://n1", "http://n3").users.list()), strange);
});
