// The console's other views: the policy with its preview, activity, alerts, the audit log, the
// cluster.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Scene, look, totp, until } from "./harness/index.js";

const scene = Scene.forThisFile();

/** @typedef {import("./harness/index.js").Page} Page */

/**
 * Opens the console with the root key, at a view.
 * @param {Page} page
 * @param {string} view
 */
async function open(page, view) {
  await page.goto(`${scene.service.url}/console${view}`);
  await page.getByLabel("API key").fill(scene.service.key);
  await page.getByRole("button", { name: "Open the console" }).click();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

/**
 * A user with an authenticator app, who fails `wrong` times and then logs in.
 * @param {string} id
 * @param {number} wrong
 */
async function login(id, wrong) {
  const { secret } = await scene.service.done("POST", `users/${id}/mfa/totp`, { name: "Phone" });
  const verify = { code: totp(secret) };
  const factor = await scene.service.done("POST", `users/${id}/mfa/totp/verify`, verify);
  const context = { ipAddress: "198.51.100.9" };
  const asked = { userId: id, purpose: "LOGIN", context };
  const { challenge } = await scene.service.done("POST", "mfa/challenges", asked);
  const proof = { challengeId: challenge.id, factorId: factor.id, code: "000000" };
  for (let guess = 0; guess < wrong; guess += 1) {
    await scene.service.api("POST", "mfa/challenges/verify", proof);
  }
  if (wrong < 5) {
    const right = { ...proof, code: totp(secret, 1) };
    await scene.service.done("POST", "mfa/challenges/verify", right);
  }
}

test("a policy is tried before it is set, and says whom it would affect", async () => {
  await Promise.all(["p1", "p2", "p3"].map((id) => scene.service.done("PUT", `users/${id}`, {})));
  await login("p4", 0);
  await scene.window(async (page) => {
    await open(page, "#/policy");
    const review = page.getByRole("button", { name: "Review changes" });
    await review.waitFor();
    assert.equal(await review.isDisabled(), true);
    await page.getByRole("radio", { name: /^Required/ }).check();
    await page.getByLabel("Wrong codes before the first delay").fill("4");
    await page.getByText("2 changes not saved.").waitFor();
    await look(page, "console-policy");
    await review.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("3 users of 4").waitFor();
    await dialog.getByText("3 users could log in now").waitFor();
    const row = dialog.getByRole("row", { name: /Must enroll to get in/ });
    assert.match((await row.textContent()) ?? "", /03/);
    await look(page, "console-policy-review");
    // Tried is not set.
    assert.equal((await scene.service.done("GET", "mfa/policy")).requirement, "OPTIONAL");
    await dialog.getByRole("button", { name: "Cancel" }).click();

    await page.getByLabel("Grace period").fill("7");
    await review.click();
    await dialog.getByText("3 users of 4").waitFor();
    assert.equal(await dialog.getByText("could log in now").count(), 0);
    await dialog.getByRole("button", { name: "Set policy" }).click();
    await page.getByText("The policy is set.").waitFor();
    await page.getByText("Nothing changed.").waitFor();
  });
  const policy = await scene.service.done("GET", "mfa/policy");
  assert.equal(policy.requirement, "REQUIRED");
  assert.equal(policy.lockout.maxAttempts, 4);
  assert.deepEqual(policy.gracePeriod, { value: 7, unit: "DAYS" });
  // What was not touched is as it was.
  assert.equal(policy.lockout.hardLimit, 100);
  await scene.service.done("PATCH", "mfa/policy", {
    requirement: "OPTIONAL",
    lockout: { maxAttempts: 5 },
    gracePeriod: { value: 0 },
  });
});

test("rules for groups are added, changed and removed", async () => {
  await scene.window(async (page) => {
    await open(page, "#/policy");
    await page.getByRole("button", { name: "Add a group" }).click();
    await page.getByLabel("Group", { exact: true }).fill("admins");
    await page.getByLabel("Other factors count than for everybody else").check();
    const boxes = page.getByRole("group", { name: "What counts" }).last();
    for (const name of ["Text message", "Email"]) await boxes.getByLabel(name).uncheck();
    await set(page);
    const [rule] = (await scene.service.done("GET", "mfa/policy")).groups;
    const allowedFactors = ["TOTP", "WEBAUTHN"];
    assert.deepEqual(rule, { group: "admins", requirement: "REQUIRED", allowedFactors });
    await page.getByLabel("Group", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Remove" }).click();
    await set(page);
  });
  assert.deepEqual((await scene.service.done("GET", "mfa/policy")).groups, []);
});

/** @param {Page} page */
async function set(page) {
  await page.getByRole("button", { name: "Review changes" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Set policy" }).click();
  await page.getByText("Nothing changed.").waitFor();
}

test("what is wrong with a policy is told at its field", async () => {
  await scene.window(async (page) => {
    await open(page, "#/policy");
    await page.getByLabel("Listed networks").fill("198.51.100.0/24\nnot a network");
    await page.getByLabel("Wrong codes until only an administrator unlocks").fill("2000");
    await page.getByRole("button", { name: "Review changes" }).click();
    await page.getByText("It must be a network such as").waitFor();
    await page.getByText("It must be from 1 to 1000.").waitFor();
    const networks = page.getByLabel("Listed networks");
    assert.equal(await networks.getAttribute("aria-invalid"), "true");
    await page.getByRole("button", { name: "Undo all" }).click();
    await page.getByText("Nothing changed.").waitFor();
    await page.getByText("It must be").waitFor({ state: "detached" });
  });
});

test("a policy that somebody else changed meanwhile is not overwritten", async () => {
  await scene.window(async (page) => {
    await open(page, "#/policy");
    await page.getByLabel("Recovery codes in a set").fill("8");
    await scene.service.done("PATCH", "mfa/policy", { recoveryCodesCount: 12 });
    await page.getByRole("button", { name: "Review changes" }).click();
    await page.getByText("Somebody else has changed the policy meanwhile.").waitFor();
    await page.getByRole("button", { name: "Load it anew" }).click();
    await until("the new one", async () => {
      const value = await page.getByLabel("Recovery codes in a set").inputValue();
      return value === "12" ? true : undefined;
    });
  });
});

test("activity counts what happens as it happens, for each window", async () => {
  const before = await scene.service.done("GET", "statistics");
  await login("busy1", 2);
  await login("busy2", 0);
  await scene.window(async (page) => {
    await open(page, "#/activity");
    const verified = before.total.verifications + 2;
    const refused = before.total.failures + 2;
    const label = `Proofs per minute: ${verified} verified, ${refused} refused`;
    await page.getByRole("img", { name: label }).waitFor();
    // What happens while somebody looks is shown without a reload.
    await login("busy3", 1);
    const later = `Proofs per minute: ${verified + 1} verified, ${refused + 1} refused`;
    await page.getByRole("img", { name: later }).waitFor();
    await page.getByText("As a table").click();
    await page.getByRole("columnheader", { name: "Verified" }).waitFor();
    await look(page, "console-activity");
    await page.getByRole("link", { name: "Last day" }).click();
    await page.getByRole("img", { name: /^Proofs per 15 minutes: / }).waitFor();
    await look(page, "console-activity-day");
  });
});

test("a node that does not answer leaves what was shown, and it is said since when", async () => {
  await scene.window(async (page) => {
    await page.clock.install();
    await open(page, "#/cluster");
    await page.getByText("16 of 16").waitFor();
    let down = true;
    await page.route("**/v1/cluster", (route) =>
      down
        ? route.fulfill({ status: 503, contentType: "application/json", body: "{}" })
        : route.continue(),
    );
    await page.clock.runFor(10_000);
    await page.getByText(/^No answer since /).waitFor();
    assert.equal(await page.getByText("16 of 16").count(), 1);
    down = false;
    await page.clock.runFor(10_000);
    await page.getByText(/^No answer since /).waitFor({ state: "detached" });
  }).catch((error) => {
    // The browser tells of the answers that were none.
    if (!String(error).includes("status of 503")) throw error;
  });
});

test("alerts are told with the user whom they concern", async () => {
  // Somebody who keeps guessing is told of at the tenth wrong code.
  await scene.service.done("PATCH", "mfa/policy", {
    lockout: { maxAttempts: 20, baseDelaySeconds: 1 },
  });
  await scene.service.done("POST", "users/hunted/mfa/totp", {}).then(async ({ secret }) => {
    const code = totp(secret);
    const factor = await scene.service.done("POST", "users/hunted/mfa/totp/verify", { code });
    for (let guess = 0; guess < 10; guess += 1) {
      const asked = { userId: "hunted", purpose: "LOGIN", context: { ipAddress: "192.0.2.1" } };
      const { challenge } = await scene.service.done("POST", "mfa/challenges", asked);
      const proof = { challengeId: challenge.id, factorId: factor.id, code: "000000" };
      await scene.service.api("POST", "mfa/challenges/verify", proof);
    }
  });
  await scene.window(async (page) => {
    await open(page, "#/alerts");
    const row = page.getByRole("listitem").filter({ hasText: "Many wrong codes for one user" });
    await row.waitFor();
    await look(page, "console-alerts");
    await row.getByRole("link", { name: "hunted" }).click();
    await page.getByRole("heading", { name: "hunted" }).waitFor();
  });
});

test("the audit log is read by user and by kind, a page at a time", async () => {
  await login("audited", 1);
  await scene.window(async (page) => {
    await open(page, "#/audit");
    const rows = page.getByRole("list", { name: "Events" }).getByRole("listitem");
    await page.getByRole("button", { name: "Show more" }).click();
    await until("the next page", async () => ((await rows.count()) > 25 ? true : undefined));
    await page.getByLabel("User id").fill("audited");
    await page.getByLabel("What").selectOption({ label: "Logins" });
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("Login verified").waitFor();
    await page.getByText("Login challenged").waitFor();
    await page.getByText("Proof refused").waitFor();
    await until("three rows", async () => ((await rows.count()) === 3 ? true : undefined));
    await look(page, "console-audit");
    await page.getByLabel("User id").fill("nobody-at-all");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("Nothing of this kind has happened.").waitFor();
  });
});

test("the cluster shows nodes, shards and their leaders", async () => {
  await scene.window(async (page) => {
    await open(page, "#/cluster");
    await page.getByText("1 of 1").waitFor();
    await page.getByText("16 of 16").waitFor();
    await page.getByRole("row", { name: /UP/ }).waitFor();
    await page.getByText("Shard 15").waitFor();
    await look(page, "console-cluster");
  });
});

test("the console is used with the keyboard alone", async () => {
  await scene.service.done("PUT", "users/keyboard", {});
  await scene.window(async (page) => {
    await page.goto(`${scene.service.url}/console`);
    await page.keyboard.type(scene.service.key);
    await page.keyboard.press("Enter");
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    const focus = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    await page.getByLabel("User id or email address").focus();
    await page.keyboard.type("keyboard");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "keyboard" }).waitFor();
    // A new view is read out from its heading on.
    assert.equal(await focus(), "Users");
    await page.getByRole("link", { name: "keyboard" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "keyboard" }).waitFor();
    assert.equal(await focus(), "keyboard");
    const reset = page.getByRole("button", { name: "Reset second factors" });
    await reset.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await focus(), "Reset second factors");
  });
});
