// Every case of clients/conformance that needs a node, against `countersign dev`.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Countersign } from "../src/index.js";
import { type CaseCall, type ExpectedError, call, failsAs, files, json, knows, read } from "./support/cases.js";
import { fits } from "./support/match.js";
import { Inbox, totp, wrongCode } from "./support/people.js";
import { Stand } from "./support/stand.js";

let stand: Stand;
let client: Countersign;
before(async () => {
  stand = await Stand.start("dev");
  client = new Countersign({ baseUrl: stand.url, apiKey: stand.key });
});
after(() => stand?.stop());

interface Step extends CaseCall {
  apiKey?: unknown;
  save?: string;
  expect?: unknown;
  error?: ExpectedError;
}

/** What a case has come to know. */
class Memory {
  readonly #saved: Record<string, unknown> = {};
  readonly #fresh = new Map<string, string>();
  readonly #inbox = new Inbox(stand.url);

  save(name: string, value: unknown): void {
    this.#saved[name] = value;
  }

  /** Arguments with everything filled in that is known only now. */
  async fill(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((each) => this.fill(each)));
    if (typeof value !== "object" || value === null) return value;
    const [first] = Object.keys(value);
    if (first?.startsWith("$")) return this.#known(first, value as Record<string, unknown>);
    const members = Object.entries(value).map(async ([name, member]) => [name, await this.fill(member)]);
    return Object.fromEntries(await Promise.all(members));
  }

  async #known(kind: string, value: Record<string, unknown>): Promise<unknown> {
    const text = String(value[kind]);
    switch (kind) {
      case "$fresh": {
        knows(value, "$fresh");
        const made = this.#fresh.get(text) ?? `${text}-${randomUUID()}`;
        this.#fresh.set(text, made);
        return made;
      }
      case "$saved":
        knows(value, "$saved");
        return this.#part(text);
      case "$totp":
        knows(value, "$totp", "step");
        return totp(String(this.#part(text)), Number(value["step"] ?? 0));
      case "$wrong":
        knows(value, "$wrong");
        return wrongCode(String(this.#part(text)));
      case "$inbox":
        knows(value, "$inbox");
        return this.#inbox.code(text);
      default:
        return assert.fail(`the suite does not know ${kind}`);
    }
  }

  #part(where: string): unknown {
    let found: unknown = this.#saved;
    for (const name of where.split(".")) found = (found as Record<string, unknown> | undefined)?.[name];
    assert.ok(found !== undefined, `nothing was saved as ${where}`);
    return found;
  }
}

for (const name of files()) {
  const { live, about, cases } = read<{ steps: Step[] }>(name);
  if (live !== true) continue;
  describe(`${name}: ${about}`, () => {
    for (const one of cases) {
      test(one.name, async () => {
        knows(one, "name", "steps");
        const memory = new Memory();
        for (const step of one.steps) {
          knows(step, "call", "arguments", "options", "apiKey", "save", "expect", "error");
          const apiKey = String((await memory.fill(step.apiKey)) ?? stand.key);
          const caller = apiKey === stand.key ? client : new Countersign({ baseUrl: stand.url, apiKey });
          const filled = { ...step, arguments: (await memory.fill(step.arguments)) as unknown[] };
          const run = async () => json(await call(caller, filled));
          if (step.error !== undefined) {
            await failsAs(step.error, run);
            continue;
          }
          const result = await run();
          if (step.expect !== undefined) fits(step.expect, result, step.call);
          if (step.save !== undefined) memory.save(step.save, result);
        }
      });
    }
  });
}
