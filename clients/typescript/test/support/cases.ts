// The cases of clients/conformance, and how they are done by this client.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { inspect } from "node:util";
import * as package_ from "../../src/index.js";
import { fits } from "./match.js";

const FOLDER = new URL("../../../conformance/", import.meta.url);

export interface ExpectedError {
  type: string;
  is?: string[];
  [member: string]: unknown;
}

/** A call as cases describe it. */
export interface CaseCall {
  call: string;
  arguments: unknown[];
  options?: { idempotencyKey?: string; timeout?: number };
}

/** The names of all files of cases. */
export function files(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
}

/** A file of cases. */
export function read<C>(name: string): { about: string; live?: boolean; cases: (C & { name: string })[] } {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
}

/** Fails for a member that the suite does not know: it would not be judged. */
export function knows(what: object, ...names: string[]): void {
  const unknown = Object.keys(what).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, [], `the suite does not know ${unknown.join(", ")}`);
}

/** Calls a method by its name in the contract. */
export function call(client: package_.Countersign, { call, arguments: given, options }: CaseCall): unknown {
  const names = call.split(".");
  const method = names.pop() ?? "";
  let target: Record<string, unknown> = client as unknown as Record<string, unknown>;
  for (const name of names) target = target[name] as Record<string, unknown>;
  const found = target[method];
  assert.equal(typeof found, "function", `there is no method ${call}`);
  const args = [...given];
  if (options !== undefined) {
    const { timeout, ...rest } = options;
    args.push(timeout === undefined ? rest : { ...rest, timeout: timeout * 1000 });
  }
  return (found as (...args: unknown[]) => unknown).apply(target, args);
}

/** What a result is in JSON. */
export function json(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

/** Fails unless `run` fails as expected. */
export async function failsAs(expected: ExpectedError, run: () => unknown, secrets: string[] = []): Promise<void> {
  const error = await Promise.resolve()
    .then(run)
    .then(
      (value) => assert.fail(`it did not fail: ${JSON.stringify(value)}`),
      (error: unknown) => error,
    );
  const { type, is, ...members } = expected;
  const names = package_ as unknown as Record<string, new () => Error>;
  assert.ok(error instanceof Error);
  assert.equal(error.name, type, `${error.name}: ${error.message}`);
  for (const name of [type, ...(is ?? [])]) {
    const kind = names[name];
    assert.ok(kind !== undefined && error instanceof kind, `${type} is no ${name}`);
  }
  for (const [name, member] of Object.entries(members)) {
    fits(member, (error as unknown as Record<string, unknown>)[name], `error.${name}`);
  }
  const shown = [error.message, String(error), error.stack ?? "", inspect(error), JSON.stringify(error)];
  for (const secret of secrets) {
    for (const text of shown) assert.ok(!text.includes(secret), `${secret} is shown: ${text}`);
  }
}
