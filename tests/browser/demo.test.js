// The sample application at `/`, as a newcomer meets it after `make dev`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { look, Scene, shop } from "./harness/index.js";

const scene = Scene.forThisFile();

test("the node's address leads to the shop's door, by whatever name it is come to", async () => {
  await scene.window(async (page) => {
    await page.goto(`${scene.service.url.replace("localhost", "127.0.0.1")}/`);
    assert.equal(page.url(), `${scene.service.url}/sign-up`);
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    await look(page, "demo-sign-up");
  });
});

test("a wrong password and an unknown address are refused alike", async () => {
  await scene.window(async (page) => {
    await shop(page, scene).signUp("alike@example.com");
    await page.getByRole("button", { name: "Sign out" }).click();
    /** @type {(string | null)[]} */
    const said = [];
    for (const email of ["alike@example.com", "nobody@example.com"]) {
      await page.getByLabel("Email").fill(email);
      await page.getByLabel("Password").fill("not the password");
      await page.getByRole("button", { name: "Sign in" }).click();
      said.push(await page.locator(".error").textContent());
    }
    assert.equal(said[0], said[1]);
    await look(page, "demo-sign-in-wrong");
  });
});

test("whoever has no second factor is in by password, and the token says so", async () => {
  await scene.window(async (page) => {
    await shop(page, scene).signUp("newcomer@example.com");
    await page.getByText("So far a password is all that guards it").waitFor();
    assert.deepEqual(await shop(page, scene).provedBy(), ["Password"]);
    assert.equal(await shop(page, scene).level(), "aal1");
    await look(page, "demo-home-unprotected");
  });
});

test("the shop works without scripts", async () => {
  await scene.window(
    async (page) => {
      await shop(page, scene).signUp("scriptless@example.com");
      assert.equal(await shop(page, scene).level(), "aal1");
    },
    { script: false, size: "phone" },
  );
});

test("a form of another origin is not taken", async () => {
  const forged = await fetch(`${scene.service.url}/sign-in`, {
    method: "POST",
    headers: { origin: "http://evil.example", "content-type": "application/x-www-form-urlencoded" },
    body: "email=newcomer%40example.com&password=correct+horse",
  });
  assert.equal(forged.status, 403);
});

test("a way back that nobody here went out on signs nobody in", async () => {
  await scene.window(async (page) => {
    await shop(page, scene).signUp("lured@example.com");
    const answer = await page.goto(`${scene.service.url}/back?state=guessed&countersign_result=pcd_guessed`);
    assert.equal(answer?.status(), 403);
    await page.getByRole("heading", { name: "This way leads nowhere" }).waitFor();
    await look(page, "demo-lost");
  });
});
