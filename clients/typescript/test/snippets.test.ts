// The snippets of the documentation, as they stand there, against `countersign dev`.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { Stand } from "./support/stand.js";

const FOLDER = new URL("snippets/", import.meta.url);

test("every snippet is among all", () => {
  const all = readFileSync(new URL("all.ts", FOLDER), "utf8");
  const snippets = readdirSync(FOLDER).filter((name) => !["all.ts", "client.ts"].includes(name));
  assert.ok(snippets.length >= 8);
  for (const name of snippets) assert.ok(all.includes(`"./${name.replace(/ts$/, "js")}"`), name);
});

const stand = await Stand.start("dev");
after(() => stand.stop());
Object.assign(process.env, stand.environment, { SNIPPETS_INBOX: "yes" });
await import("./snippets/all.js");
