// A provider that says no: the person is told, and another way comes first.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { App, look, Scene, until } from "./harness/index.js";

/** @typedef {import("./harness/index.js").Page} Page */

/** A provider of text messages that refuses numbers for good, some time after it was asked. */
const provider = createServer((request, response) => {
  request.resume();
  setTimeout(() => response.writeHead(422).end(), 1_500);
});
after(() => provider.close());

const scene = Scene.forThisFile(undefined, async () => {
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => provider.listen(0, "127.0.0.1", () => resolve()));
  await opened;
  const address = provider.address();
  const port = address && typeof address === "object" ? address.port : 0;
  return {
    COUNTERSIGN_SMS_PROVIDER: "http",
    COUNTERSIGN_SMS_URL: `http://127.0.0.1:${port}/`,
    COUNTERSIGN_SMS_TOKEN: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  };
});


/**
 * @param {Page} page
 * @param {string} userId
 * @param {"ENROLL" | "CHALLENGE"} purpose
 * @returns {Promise<string>} the challenge
 */
async function send(page, userId, purpose) {
  /** @type {Record<string, string>} */
  const body = { userId, purpose, returnUrl: `${scene.service.url}/healthz` };
  if (purpose === "CHALLENGE") {
    const login = await scene.service.done("POST", "mfa/challenges", { userId });
    body.challengeId = login.challenge.id;
  }
  const { url } = await scene.service.done("POST", "portal/sessions", body);
  await page.goto(url);
  await page.getByRole("button", { name: "Continue" }).click();
  return body.challengeId ?? "";
}

/**
 * A user with a phone and an app.
 * @param {string} user
 * @param {string} phone
 */
async function person(user, phone) {
  const mfa = `users/${user}/mfa`;
  await scene.service.done("PUT", `users/${user}`, { email: `${user}@example.com` });
  await scene.service.done("POST", `${mfa}/sms`, { phoneNumber: phone });
  await scene.service.done("POST", `${mfa}/sms/send`, {});
  await scene.service.done("POST", `${mfa}/sms/verify`, { code: await scene.service.code(phone) });
  const app = new App((await scene.service.done("POST", `${mfa}/totp`, {})).secret);
  await scene.service.done("POST", `${mfa}/totp/verify`, { code: await app.code() });
  // Another code can be sent.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  return app;
}

test("a person who waits for a code that never arrives is told, at sign-in", async () => {
  await scene.service.done("PATCH", "mfa/policy", { sends: { cooldownSeconds: 3 } });
  for (const script of [true, false]) {
    const user = script ? "ann" : "cleo";
    const app = await person(user, script ? "+14155552671" : "+14155552673");
    await scene.window(
      async (page) => {
        const challenge = await send(page, user, "CHALLENGE");
        await page.getByRole("button", { name: "Send code" }).click();
        await page.getByRole("textbox").waitFor();
        const told = page.getByRole("alert").getByText("We couldn’t deliver a code to +•••••••7");
        if (script) {
          await told.waitFor();
          await look(page, "portal-undelivered");
        } else {
          // Whoever has no scripts sees it on the next page.
          await until("the provider's answer", async () => {
            const state = await scene.service.done("GET", `mfa/challenges/${challenge}`);
            return state.lastMessage.status === "FAILED" || undefined;
          });
          await page.reload();
          await told.waitFor();
        }
        const state = await scene.service.done("GET", `mfa/challenges/${challenge}`);
        const { status, reason, channel } = state.lastMessage;
        assert.deepEqual([status, reason, channel], ["FAILED", "http_422", "SMS"]);
        // Another way comes first, and works.
        await page.getByRole("link", { name: "Try another way" }).click();
        await page.getByRole("listitem").first().getByText("Authenticator app").click();
        await page.getByRole("textbox").fill(await app.code());
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.waitForURL(/countersign_result=pcd_/);
      },
      { script },
    );
  }
});

test("a person who enrolls a number that no code reaches is told", async () => {
  await scene.window(async (page) => {
    await scene.service.done("PUT", "users/bob", { email: "bob@example.com" });
    await send(page, "bob", "ENROLL");
    await page.getByRole("link", { name: /^Text message/ }).click();
    await page.getByLabel("Phone number").fill("+1 415 555 2672");
    await page.getByRole("button", { name: "Send code" }).click();
    await page.getByRole("alert").getByText("We couldn’t deliver a code to +•••••••72.").waitFor();
    await look(page, "portal-undelivered-enroll");
    const { pendingEnrollments } = await scene.service.done("GET", "users/bob/mfa/status");
    const [pending] = pendingEnrollments;
    assert.deepEqual([pending.type, pending.lastMessage.status], ["SMS", "FAILED"]);
    await page.getByRole("link", { name: "Use another number" }).click();
    await page.getByLabel("Phone number").waitFor();
  });
});

/**
 * What a page asked for, in seconds by its own clock after it was opened, once it waits for no answer;
 * nothing of a page that is being left.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<number[]>}
 */
async function answered(page) {
  const look = () => page.evaluate(() => /** @type {any} */ (window).fetched).catch(() => undefined);
  while ((await look())?.open > 0);
  // What comes after the answer has its turn before this is answered.
  return (await look())?.asked ?? [];
}

test("what becomes of a message is asked for as long as its code lives, ever more rarely", async () => {
  await person("dora", "+14155552674");
  await scene.window(async (page) => {
    await page.clock.install();
    await page.addInitScript(() => {
      const { fetch } = window;
      const begun = Date.now();
      const fetched = { open: 0, asked: /** @type {number[]} */ ([]) };
      Object.assign(window, { fetched });
      window.fetch = async (...request) => {
        fetched.open += 1;
        fetched.asked.push((Date.now() - begun) / 1_000);
        try {
          const answer = await fetch(...request);
          await answer.clone().text();
          return answer;
        } finally {
          fetched.open -= 1;
        }
      };
    });
    let seconds = 0;
    let times = 0;
    await page.route("**/message/*", (route) => {
      times += 1;
      const status = seconds < 300 ? "PENDING" : "EXPIRED";
      return route.fulfill({ status: times === 2 ? 503 : 200, json: { status } });
    });
    await send(page, "dora", "CHALLENGE");
    await page.getByRole("button", { name: "Send code" }).click();
    await page.locator("[data-watch]").waitFor({ state: "attached" });
    // Once it is too late the page is loaded again, and says how things stand.
    const told = page.getByRole("alert").getByText("We couldn’t deliver a code to +•••••••74");
    /** @type {number[]} */
    let asked = [];
    while (seconds < 600 && (await told.count()) === 0) {
      await page.clock.runFor(1_000);
      seconds += 1;
      // No time passes for the page while it waits for an answer.
      const now = await answered(page);
      if (now.length > asked.length) asked = now;
    }
    assert.equal(await told.count(), 1);
    // The page is left with the last answer.
    const pauses = asked.map((at, index) => at - (asked[index - 1] ?? 0));
    assert.ok(asked.length >= 8 && asked.length < 20, `asked at ${asked}`);
    assert.ok((asked.at(-1) ?? 0) + 120 >= 300, `asked at ${asked}`);
    assert.ok(Math.max(...pauses) <= 120.5, `pauses of ${pauses}`);
    assert.ok(seconds >= 300, `told after ${seconds} s`);
  });
});
