// The way to the pages and back, as applications and mail programs lead it: with an application of
// another origin that leads on to a third one, with and without scripts, in two tabs at once.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { App, Authenticator, look, Scene, until } from "./harness/index.js";

/** @typedef {import("./harness/index.js").Page} Page */

/** An application that leads on from `/back` to wherever it was told: another origin, an app. */
class Application {
  /** Where the browser was when it came back, the newest last. @type {URL[]} */
  arrivals = [];
  /** Where it leads on to. */
  onwards = "";

  constructor() {
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://application");
      response.setHeader("content-type", "text/html");
      if (url.pathname !== "/back") {
        response.end("<!doctype html><title>The application</title><h1>Here</h1>");
        return;
      }
      this.arrivals.push(url);
      response.writeHead(302, { location: this.onwards });
      response.end();
    });
  }

  /** @param {string} host */
  at(host) {
    const address = this.server.address();
    if (!address || typeof address === "string") throw new Error("the application is not open");
    return `http://${host}:${address.port}`;
  }

  /** Opens it. */
  async open() {
    /** @type {Promise<void>} */
    const opened = new Promise((resolve) => this.server.listen(0, "127.0.0.1", () => resolve()));
    await opened;
  }
}

const application = new Application();

const scene = Scene.forThisFile(async (scene) => {
  await application.open();
  const origins = [scene.service.url, application.at("localhost")];
  await scene.service.done("PATCH", "settings", { origins });
  // As from `acme.example` to `www.acme.example`.
  application.onwards = `${application.at("127.0.0.1")}/landed`;
});

after(() => application.server.close());

let people = 0;

/** A user who has an app. */
async function person() {
  people += 1;
  const id = `leaver-${people}`;
  const email = `${id}@example.com`;
  await scene.service.done("PUT", `users/${id}`, { email, emailVerified: true });
  const begun = await scene.service.done("POST", `users/${id}/mfa/totp`, {});
  const app = new App(begun.secret);
  await scene.service.done("POST", `users/${id}/mfa/totp/verify`, { code: await app.code() });
  return { id, app };
}

/**
 * A link for a user, back to the application.
 * @param {string} userId
 * @param {"ENROLL" | "CHALLENGE" | "MANAGE"} purpose
 */
async function link(userId, purpose) {
  /** @type {Record<string, string>} */
  const body = { userId, purpose, returnUrl: `${application.at("localhost")}/back?state=7` };
  if (purpose === "CHALLENGE") {
    const login = await scene.service.done("POST", "mfa/challenges", { userId });
    body.challengeId = login.challenge.id;
  }
  return (await scene.service.done("POST", "portal/sessions", body)).url;
}

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/**
 * Opens a link as from a mail program.
 * @param {Page} page
 * @param {string} url
 */
async function open(page, url) {
  await page.goto(url);
  await press(page, "Continue");
  await page.waitForURL(/\/portal\/pts_\w+/);
}

/**
 * @param {Page} page
 * @param {string} code
 */
async function confirm(page, code) {
  await page.getByRole("textbox", { name: /code/i }).fill(code);
  await press(page, "Confirm");
}

/**
 * The person is where the application led on to, and the result can be fetched.
 * @param {Page} page
 */
async function landed(page) {
  await page.waitForURL(application.onwards);
  const arrival = application.arrivals.pop();
  assert.equal(arrival?.searchParams.get("state"), "7");
  const code = arrival?.searchParams.get("countersign_result");
  return scene.service.done("POST", "portal/results", { code });
}

for (const script of [true, false]) {
  const how = script ? "with" : "without";

  test(`a person comes back to an application that leads on, ${how} scripts`, async () => {
    await scene.window(
      async (page) => {
        const { id, app } = await person();
        // Answered.
        await open(page, await link(id, "CHALLENGE"));
        await confirm(page, await app.code());
        assert.equal((await landed(page)).status, "COMPLETED");
        // Given up.
        await open(page, await link(id, "CHALLENGE"));
        await press(page, "Cancel");
        assert.equal((await landed(page)).status, "CANCELLED");
        // Ended by wrong codes.
        await open(page, await link(id, "CHALLENGE"));
        for (let guess = 0; guess < 5; guess += 1) await confirm(page, String(100_000 + guess));
        await page.getByText("For your safety this sign-in has ended.").waitFor();
        await press(page, "Back");
        assert.equal((await landed(page)).status, "CANCELLED");
        // Looked after.
        await open(page, await link(id, "MANAGE"));
        await press(page, "Done");
        assert.equal((await landed(page)).status, "COMPLETED");
      },
      { script },
    );
  });

  test(`a person enrolls for an application that leads on, ${how} scripts`, async () => {
    await scene.window(
      async (page) => {
        const id = `newcomer-${how}`;
        await scene.service.done("PUT", `users/${id}`, { email: `${id}@example.com` });
        for (const last of ["Not now", "Continue"]) {
          await open(page, await link(id, "ENROLL"));
          await page.getByRole("button", { name: /^Authenticator app/ }).click();
          await page.getByText("Can’t scan it?").click();
          const app = new App((await page.locator(".secret").textContent()) ?? "");
          await confirm(page, await app.code());
          if (last === "Continue") {
            await press(page, "Get recovery codes");
            await page.getByLabel("I have saved these codes").check();
          }
          await press(page, last);
          assert.equal((await landed(page)).status, "COMPLETED");
          await scene.service.done("POST", `users/${id}/mfa/reset`, { reason: "next" });
        }
      },
      { script },
    );
  });
}

test("a person who answers with a key comes back to an application that leads on", async () => {
  await scene.window(async (page) => {
    const id = "key-holder";
    await scene.service.done("PUT", `users/${id}`, { email: `${id}@example.com` });
    await Authenticator.plugIn(page, "internal");
    await open(page, await link(id, "ENROLL"));
    await page.getByRole("link", { name: /^Passkey or security key/ }).click();
    await press(page, "Continue");
    await page.getByText("You’re all set").waitFor();
    await press(page, "Not now");
    assert.equal((await landed(page)).status, "COMPLETED");
    await open(page, await link(id, "CHALLENGE"));
    await press(page, "Use passkey or security key");
    assert.equal((await landed(page)).status, "COMPLETED");
  });
});

test("a person comes back to an application that leads on to an app", async () => {
  const before = application.onwards;
  application.onwards = "com.acme.app:/cb";
  try {
    const { id, app } = await person();
    await scene.window(async (page) => {
      await open(page, await link(id, "CHALLENGE"));
      /** @type {string[]} */
      const said = [];
      page.on("console", (message) => said.push(message.text()));
      await confirm(page, await app.code());
      // No app is there to take it; the page that led there has a link for one more try.
      await page.getByText("Taking you back").waitFor();
      await page.getByRole("link", { name: "Back to localhost" }).waitFor();
      await look(page, "portal-leaving");
      assert.ok(application.arrivals.length > 0, "the application was reached");
      assert.deepEqual(said.filter((text) => /Content Security Policy/.test(text)), []);
    });
  } finally {
    application.onwards = before;
  }
});

/**
 * Leads to a link from a page of this origin.
 * @param {Page} page
 * @param {string} origin
 * @param {string} url
 * @param {string} [policy] what the page says of itself where it leads
 */
async function lead(page, origin, url, policy = "") {
  await page.goto(`${origin}/`);
  await page.evaluate(
    ([url, policy]) => {
      const link = document.createElement("a");
      link.href = url ?? "";
      link.textContent = "Security";
      if (policy) link.referrerPolicy = policy;
      document.body.append(link);
    },
    [url, policy],
  );
  await page.getByRole("link", { name: "Security" }).click();
}

test("an application's link opens by itself, one from a mail program by a button", async () => {
  const { id } = await person();
  const [mailed, linked] = [await link(id, "MANAGE"), await link(id, "MANAGE")];
  await scene.window(async (page) => {
    await page.goto(mailed);
    await page.getByText("Almost there").waitFor();
    await look(page, "portal-open");
    // A scanner that runs scripts was there first: nothing is used up.
    await page.goto("about:blank");
    await open(page, mailed);
    await page.getByRole("heading", { name: "Security settings" }).waitFor();
  });
  await scene.window(async (page) => {
    await lead(page, application.at("localhost"), linked);
    await page.getByRole("heading", { name: "Security settings" }).waitFor();
    // Back leads to the application, and not in a circle.
    await page.goBack();
    await page.getByRole("heading", { name: "Here" }).waitFor();
  });
});

test("a link to which a stranger's page leads is opened by nobody but the person", async () => {
  const { id } = await person();
  // The same application under a name that the settings do not have, and a page that hides its own.
  for (const [host, policy] of /** @type {const} */ ([
    ["127.0.0.1", ""],
    ["localhost", "no-referrer"],
  ])) {
    await scene.window(async (page) => {
      await lead(page, application.at(host), await link(id, "MANAGE"), policy);
      await page.getByText("Almost there").waitFor();
      await page.waitForLoadState("networkidle");
      assert.match(page.url(), /\/portal\/open\//, "nothing is open");
      assert.deepEqual(await page.context().cookies(), []);
      await press(page, "Continue");
      await page.getByRole("heading", { name: "Security settings" }).waitFor();
    });
  }
});

test("whoever presses the button while a link opens by itself loses nothing", async () => {
  const { id } = await person();
  await scene.window(async (page) => {
    let sent = 0;
    let goOn = () => {};
    /** @type {Promise<void>} */
    const pressed = new Promise((resolve) => {
      goOn = resolve;
    });
    await page.route("**/portal/open/**", async (route) => {
      if (route.request().method() === "POST") {
        sent += 1;
        await pressed;
      }
      await route.continue();
    });
    await lead(page, application.at("localhost"), await link(id, "MANAGE"));
    await until("the link is being opened", async () => sent > 0 || undefined);
    const button = page.getByRole("button", { name: "Continue" });
    for (let press = 0; press < 3; press += 1) {
      await button.evaluate((/** @type {HTMLButtonElement} */ one) => one.click());
    }
    goOn();
    await page.getByRole("heading", { name: "Security settings" }).waitFor();
    assert.equal(sent, 1);
  });
});

test("a link whose opening was heard but not answered is opened all the same", async () => {
  const { id } = await person();
  await scene.window(async (page) => {
    let sent = 0;
    await page.route("**/portal/open/**", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      sent += 1;
      if (sent > 1) return route.continue();
      const answer = await route.fetch({ maxRedirects: 0 });
      assert.equal(answer.status(), 303);
      // Lost on its way, with the cookie that it brought: what comes is nothing of ours. (A connection
      // that breaks would do as well, but browsers complain of those.)
      await page.context().clearCookies();
      return route.fulfill({ status: 200, body: "" });
    });
    await lead(page, application.at("localhost"), await link(id, "MANAGE"));
    await page.getByRole("heading", { name: "Security settings" }).waitFor();
    assert.equal(sent, 2);
  });
});

test("two sessions in two tabs of one browser do not disturb each other", async () => {
  const [ann, bob] = [await person(), await person()];
  await scene.window(async (first) => {
    const second = await first.context().newPage();
    await open(first, await link(ann.id, "CHALLENGE"));
    await open(second, await link(bob.id, "CHALLENGE"));
    await confirm(first, await ann.app.code());
    const anns = await landed(first);
    await confirm(second, await bob.app.code());
    const bobs = await landed(second);
    assert.deepEqual([anns.userId, bobs.userId], [ann.id, bob.id]);
    assert.deepEqual([anns.status, bobs.status], ["COMPLETED", "COMPLETED"]);
  });
});

test("a browser that keeps no cookies is told so", async () => {
  const { id } = await person();
  await scene.window(async (page) => {
    await open(page, await link(id, "MANAGE"));
    await page.context().clearCookies();
    await press(page, "Done");
    await page.getByText("this browser keeps no cookies").waitFor();
    await look(page, "portal-nothing-open");
  });
});
