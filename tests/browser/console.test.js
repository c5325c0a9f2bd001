// The console: who gets in, and what is found and done there about a user.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Scene, look, totp, until } from "./harness/index.js";

const scene = Scene.forThisFile();

/** @typedef {import("./harness/index.js").Page} Page */

/**
 * Opens the console with the root key, at a view.
 * @param {Page} page
 * @param {string} [view]
 * @param {string} [key]
 */
async function open(page, view = "#/users", key = scene.service.key) {
  await page.goto(`${scene.service.url}/console${view}`);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Open the console" }).click();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

/**
 * A user with an authenticator app.
 * @param {string} id
 * @param {object} [profile]
 */
async function enrolled(id, profile = {}) {
  await scene.service.done("PUT", `users/${id}`, profile);
  const { secret } = await scene.service.done("POST", `users/${id}/mfa/totp`, { name: "Phone" });
  const code = totp(secret);
  const factor = await scene.service.done("POST", `users/${id}/mfa/totp/verify`, { code });
  return { secret, factor: factor.id };
}

/**
 * @param {string} id
 * @returns {Promise<string>} the challenge's id
 */
async function challenged(id) {
  const body = { userId: id, purpose: "LOGIN", context: { ipAddress: "203.0.113.7" } };
  const { challenge } = await scene.service.done("POST", "mfa/challenges", body);
  return challenge.id;
}

/**
 * Guesses wrongly until codes are refused.
 * @param {string} id
 * @param {string} factorId
 */
async function lock(id, factorId) {
  for (;;) {
    const challengeId = await challenged(id);
    const guess = { challengeId, factorId, code: "000000" };
    const { status } = await scene.service.api("POST", "mfa/challenges/verify", guess);
    if (status === 429) return;
  }
}

/**
 * Waits until nothing is kept in the tab.
 * @param {Page} page
 */
function emptied(page) {
  return page.waitForFunction(() => sessionStorage.length === 0);
}

test("a key opens the console, and nothing of it is left when the person signs out", async () => {
  await scene.window(async (page) => {
    await open(page);
    await page.reload();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    // It is in no address, no cookie, and nowhere that outlives the tab.
    assert.ok(!page.url().includes("csk_"));
    assert.deepEqual(await page.context().cookies(), []);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await emptied(page);
    await page.goBack();
    assert.match(page.url(), /#\/users$/);
    await page.getByLabel("API key").waitFor();
  });
});

test("a key that is unknown, or lacks the scope, is told so", async () => {
  const { key } = await scene.service.done("POST", "api-keys", { name: "robot", scopes: ["mfa"] });
  await scene.window(async (page) => {
    await page.goto(`${scene.service.url}/console`);
    const input = page.getByLabel("API key");
    const enter = page.getByRole("button", { name: "Open the console" });
    for (const [text, told] of [
      ["hello", "begins with csk_"],
      ["csk_nobody-has-this-key-00000000000000000", "unknown here"],
      [key, "lacks the scope admin"],
    ]) {
      await input.fill(text ?? "");
      await enter.click();
      await page.getByText(told ?? "").waitFor();
    }
    await emptied(page);
    await look(page, "console-sign-in");
  });
});

test("a key that ends while the console is open ends the console", async () => {
  const scopes = ["mfa", "admin", "policy", "audit"];
  const made = await scene.service.done("POST", "api-keys", { name: "short", scopes });
  await scene.window(async (page) => {
    await open(page, "#/users", made.key);
    await page.getByRole("link", { name: "Cluster" }).click();
    await page.getByText("needs an API key with the scope `cluster`").waitFor();
    await scene.service.done("DELETE", `api-keys/${made.id}`);
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByText("The key is not valid any more.").waitFor();
  });
});

test("the console forgets the key after half an hour in which nobody touched it", async () => {
  await scene.window(async (page) => {
    await page.clock.install();
    await open(page);
    await page.clock.fastForward("29:00");
    await page.getByRole("heading", { name: "Users" }).click();
    await page.clock.fastForward("29:00");
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.clock.fastForward("02:00");
    await page.getByText("nobody touched the page for half an hour").waitFor();
    await emptied(page);
  });
});

test("half an hour is over by the clock, whether the computer slept or the tab was closed", async () => {
  await scene.window(async (page) => {
    await page.clock.install();
    await open(page);
    // Timers stand still while a computer sleeps.
    await page.clock.setSystemTime(Date.now() + 31 * 60_000);
    await page.keyboard.press("Tab");
    await page.getByText("nobody touched the page for half an hour").waitFor();
    await emptied(page);
  });
  await scene.window(async (page) => {
    await open(page);
    // Browsers bring a closed tab back with all that it held.
    await page.evaluate((late) => {
      const at = Number(sessionStorage.getItem("countersign.console.touched"));
      sessionStorage.setItem("countersign.console.touched", String(at - late));
    }, 31 * 60_000);
    await page.reload();
    await page.getByText("nobody touched the page for half an hour").waitFor();
    await emptied(page);
  });
});

test("what asks for a confirmation ends with the sign-in", async () => {
  await enrolled("unattended");
  await scene.window(async (page) => {
    await page.clock.install();
    await open(page, "#/user/unattended");
    await page.getByRole("button", { name: "Reset second factors" }).click();
    await page.getByRole("dialog").waitFor();
    await page.clock.fastForward("31:00");
    await page.getByText("nobody touched the page for half an hour").waitFor();
    await page.locator("dialog").waitFor({ state: "detached" });
  });
});

test("a user is found by the beginning of the id or of the address, a page at a time", async () => {
  const many = Array.from({ length: 30 }, (_, number) => `findme_${number}`);
  await Promise.all(many.map((id) => scene.service.done("PUT", `users/${id}`, {})));
  await scene.service.done("PUT", "users/found", {
    email: "Needle@example.com",
    displayName: "Nora Needle",
    groups: ["admins", "staff"],
  });
  await scene.window(async (page) => {
    await open(page);
    const box = page.getByLabel("User id or email address");
    await box.fill("findme_2");
    await page.keyboard.press("Enter");
    // The very id first, then those that begin so.
    const rows = page.getByRole("list", { name: "Users" }).getByRole("link");
    await page.getByRole("link", { name: "findme_2", exact: true }).waitFor();
    await until("eleven", async () => ((await rows.count()) === 11 ? true : undefined));
    assert.equal(await rows.first().locator("b").textContent(), "findme_2");

    await box.fill("findme_");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByRole("button", { name: "Show more" }).click();
    await until("all of them", async () => ((await rows.count()) === 30 ? true : undefined));
    await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });

    await box.fill("needle@");
    await page.keyboard.press("Enter");
    const found = page.getByRole("link", { name: /Nora Needle/ });
    await found.waitFor();
    assert.match(page.url(), /q=needle%40/);
    await look(page, "console-users");
    await found.click();
    await page.getByRole("heading", { name: "found", exact: true }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: /Nora Needle/ }).waitFor();

    await box.fill("nobody-at-all");
    await page.keyboard.press("Enter");
    await page.getByText("Nobody’s id begins with “nobody-at-all”.").waitFor();
  });
});

test("what a user is called is shown as text, whatever it is", async () => {
  const name = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  await scene.service.done("PUT", "users/marked", { displayName: name, groups: ["<b>bold</b>"] });
  await scene.window(async (page) => {
    page.on("dialog", () => assert.fail("a name was run"));
    await open(page, "#/users?q=marked");
    await page.getByText(name).waitFor();
    await page.getByRole("link", { name: /marked/ }).click();
    await page.getByText(name).waitFor();
    await page.getByText("<b>bold</b>").waitFor();
    await page.goto(`${scene.service.url}/console#/user/%3Cimg%20src%3Dx%3E`);
    await page.getByRole("heading", { name: "<img src=x>" }).waitFor();
    assert.equal(await page.locator("#view img").count(), 0);
  });
});

test("a locked user is unlocked, and the next code is read", async () => {
  const { secret, factor } = await enrolled("locked", { displayName: "Lou Locked" });
  await lock("locked", factor);
  await scene.window(async (page) => {
    await open(page, "#/user/locked");
    const alert = page.getByRole("alert").filter({ hasText: "Locked" });
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? "", /5 wrong codes in a row/);
    await look(page, "console-user-locked");
    await alert.getByRole("button", { name: "Unlock" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Codes are read again at once").waitFor();
    // Nothing is done before it is confirmed.
    await page.keyboard.press("Escape");
    const before = await scene.service.done("GET", "users/locked/mfa/status");
    assert.notEqual(before.lockedUntil, null);
    await alert.getByRole("button", { name: "Unlock" }).click();
    await dialog.getByRole("button", { name: "Unlock" }).click();
    await page.getByText("Unlocked: codes are read again.").waitFor();
    await alert.waitFor({ state: "detached" });
    await page.getByText("User unlocked").waitFor();
  });
  const proof = { challengeId: await challenged("locked"), factorId: factor, code: totp(secret, 1) };
  const { verified } = await scene.service.done("POST", "mfa/challenges/verify", proof);
  assert.equal(verified, true);
});

test("a factor is removed and a device forgotten once that is confirmed", async () => {
  const { secret, factor } = await enrolled("owner");
  const proof = {
    challengeId: await challenged("owner"),
    factorId: factor,
    code: totp(secret, 1),
    rememberDevice: true,
    deviceName: "Laptop",
  };
  await scene.service.done("POST", "mfa/challenges/verify", proof);
  await scene.window(async (page) => {
    await open(page, "#/user/owner");
    await page.getByRole("button", { name: "Forget Laptop" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Forget device" }).click();
    await page.getByText("“Laptop” is not trusted any more.").waitFor();
    await page.getByText("None remembered.").waitFor();

    await page.getByRole("button", { name: "Remove Phone" }).click();
    await dialog.getByText("It is the last factor.").waitFor();
    await look(page, "console-user-confirm");
    // Enter alone does not do what takes something away.
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    assert.equal((await scene.service.done("GET", "users/owner/mfa/factors")).data.length, 1);
    await page.getByRole("button", { name: "Remove Phone" }).click();
    await dialog.getByRole("button", { name: "Remove factor" }).click();
    await page.getByText("“Phone” was removed.").waitFor();
  });
  assert.equal((await scene.service.done("GET", "users/owner/mfa/factors")).data.length, 0);
  assert.equal((await scene.service.done("GET", "users/owner/mfa/devices")).data.length, 0);
});

test("a reset asks for a reason, which the audit trail tells", async () => {
  await enrolled("lost", { email: "lost@example.com", emailVerified: true, groups: ["staff"] });
  await scene.service.done("POST", "users/lost/mfa/recovery-codes", {});
  await scene.window(async (page) => {
    await open(page, "#/user/lost");
    await page.getByText("10 of 10 left").waitFor();
    await look(page, "console-user");
    await page.getByRole("button", { name: "Reset second factors" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason, for the audit log").fill("phone lost, checked by support");
    await dialog.getByRole("button", { name: "Reset", exact: true }).click();
    await page.getByText("Reset: nothing is enrolled any more.").waitFor();
    await page.getByText("None enrolled.").waitFor();
    await page.getByText(/phone lost, checked by support/).waitFor();
  });
});

test("what the API refuses is told within the dialog, and nothing is lost", async () => {
  await enrolled("refused");
  await scene.window(async (page) => {
    await open(page, "#/user/refused");
    await page.route("**/mfa/reset", (route) =>
      route.fulfill({
        status: 422,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "validation_failed", detail: "The reason is too odd." }),
      }),
    );
    await page.getByRole("button", { name: "Reset second factors" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason, for the audit log").fill("odd");
    await dialog.getByRole("button", { name: "Reset", exact: true }).click();
    await dialog.getByText("The reason is too odd.").waitFor();
    assert.equal(await dialog.getByLabel("Reason, for the audit log").inputValue(), "odd");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Remove Phone" }).waitFor();
  });
});

test("a write without an answer is asked again under the same idempotency key", async () => {
  await enrolled("twice");
  await scene.window(async (page) => {
    await open(page, "#/user/twice");
    /** @type {(string | undefined)[]} */
    const keys = [];
    await page.route("**/mfa/factors/*", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      // It is done, and the answer is lost on its way.
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.getByRole("button", { name: "Remove Phone" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove factor" }).click();
    await page.getByText("“Phone” was removed.").waitFor();
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    assert.ok(keys[0]);
  }).catch((error) => {
    // The browser tells of the answer that was lost.
    if (!String(error).includes("ERR_FAILED")) throw error;
  });
});

test("somebody who was never seen is told so", async () => {
  await scene.window(async (page) => {
    await open(page, "#/user/never-seen");
    await page.getByText("There is no user of this id.").waitFor();
  });
});

test("without scripts the page says what it needs, and asks for no key", async () => {
  await scene.window(
    async (page) => {
      await page.goto(`${scene.service.url}/console`);
      const told = page.locator("noscript p");
      await told.waitFor();
      assert.match((await told.textContent()) ?? "", /a page of scripts/);
      assert.equal(await page.locator("input").count(), 0);
    },
    { script: false },
  );
});
