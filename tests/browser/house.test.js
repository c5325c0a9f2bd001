// The pages' files as a browser gets them, and the frame that all pages have.

import assert from "node:assert/strict";
import { test } from "node:test";

import { look, Scene } from "./harness/index.js";

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

test("a code that would have been sent appears in the inbox as soon as it is", async () => {
  const { service } = scene;
  await scene.window(async (page) => {
    await page.goto(`${service.url}/dev/inbox`);
    await page.getByText("Nothing yet.").waitFor();
    await service.done("PUT", "users/ann", { email: "ann@example.com", emailVerified: true });
    await service.done("POST", "users/ann/mfa/email", {});
    await service.done("POST", "users/ann/mfa/sms", { phoneNumber: "+14155552671" });
    const ways = { email: "ann@example.com", sms: "+14155552671" };
    for (const [way, to] of Object.entries(ways)) {
      await service.done("POST", `users/ann/mfa/${way}/send`, {});
      const code = await service.code(to);
      const message = page.getByRole("article").filter({ hasText: to });
      assert.equal(await message.locator(".sent-code").textContent(), code);
    }
    await look(page, "inbox");
  });
});
