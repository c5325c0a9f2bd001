// Every operation of the contract has a method, and every method an operation.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { clientWith, Hands } from "./support/stage.js";

const CLIENTS = new URL("../../", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, CLIENTS), "utf8")) as unknown;

/** What a client does besides calling operations. */
const OWN = ["auth.verifyToken", "webhooks.verify"];

/** The names of all operations. */
function operations(): string[] {
  const { paths } = read("openapi.json") as { paths: Record<string, Record<string, { operationId?: string }>> };
  return Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ operationId }) => operationId ?? []),
  );
}

/** The names of all methods of a client and of what it is made of. */
function methods(target: object, prefix = ""): string[] {
  const own = Object.entries(target).flatMap(([name, part]) => methods(part as object, `${prefix}${name}.`));
  const members = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(target) as object);
  const called = Object.entries(members).filter(([name, { value }]) => name !== "constructor" && typeof value === "function");
  return [...own, ...called.map(([name]) => prefix + name)];
}

describe("the surface", () => {
  const surface = read("surface.json") as Record<string, string>;
  const found = methods(clientWith({ baseUrl: "http://node" }, new Hands()));

  test("the contract's document was read, and the client was looked through", () => {
    assert.ok(operations().length >= 70 && found.length >= 70);
  });

  for (const operation of operations()) {
    test(`${operation} has a method`, () => {
      const name = surface[operation];
      assert.ok(name !== undefined, "surface.json does not name it");
      assert.ok(found.includes(name), `there is no ${name}`);
    });
  }

  test("no method is of no operation", () => {
    const known = new Set([...Object.values(surface), ...OWN]);
    assert.deepEqual(found.filter((name) => !known.has(name)), []);
  });

  test("no name is given to what is no operation, or twice", () => {
    const named = Object.keys(surface);
    assert.deepEqual(named.filter((name) => !operations().includes(name)), []);
    assert.equal(new Set(Object.values(surface)).size, named.length);
  });
});
