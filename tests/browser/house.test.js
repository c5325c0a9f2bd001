// The pages' files as a browser gets them, and the frame that all pages have.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Scene } from "./harness/index.js";

const scene = Scene.forThisFile();

test("the node answers at the address that it greets with", async () => {
  assert.match(scene.service.url, /^http:\/\/localhost:\d+$/);
  const answer = await fetch(`${scene.service.url}/healthz`);
  assert.equal(answer.status, 200);
});

test("a browser that has the stylesheet asks whether it is still the same", async () => {
  const first = await fetch(`${scene.service.url}/assets/style.css`);
  assert.equal(first.status, 200);
  const tag = first.headers.get("etag") ?? "";
  const second = await fetch(`${scene.service.url}/assets/style.css`, {
    headers: { "if-none-match": tag },
  });
  assert.equal(second.status, 304);
});
