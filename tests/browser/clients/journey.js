// What the example applications do, in whichever language they are written.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { App, look, Scene } from "../harness/index.js";
import { Application } from "./application.js";

/** @typedef {import("playwright-core").Page} Page */

const USER = "user_ann";
const PASSWORD = "correct horse battery staple";

/**
 * The tests of an example.
 * @param {string} name for the pictures
 * @param {import("./application.js").Example} example
 */
export function journey(name, example) {
  const application = new Application();
  const scene = Scene.forThisFile((scene) => application.start(scene, example));
  after(() => application.stop());

  /** A page of the application, used by its one customer. */
  const ann = (/** @type {Page} */ page) => ({
    async signIn(email = "ann@example.com", password = PASSWORD) {
      await page.goto(`${application.url}/sign-in`);
      await page.getByLabel("Email").fill(email);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Sign in" }).click();
    },
    async signOut() {
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    },
    async isIn() {
      await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    },
    async isAsked() {
      await page.getByRole("heading", { name: "One more step" }).waitFor();
    },
    /** @param {string} text */
    async isTold(text) {
      await page.getByRole("alert").filter({ hasText: text }).waitFor();
    },
    /** @param {string} code */
    async answer(code, field = "Code from your app") {
      await page.getByLabel(field).fill(code);
      await page.getByRole("button", { name: "Continue" }).click();
    },
    /**
     * @param {boolean} [looking] at each page on the way
     * @returns {Promise<{ app: App, codes: string[] }>} what the person has from now on
     */
    async setUp(looking = false) {
      await page.getByRole("heading", { name: "Set up an authenticator app" }).waitFor();
      const app = new App((await page.locator("p code").textContent()) ?? "");
      if (looking) await look(page, `${name}-authenticator-app`);
      await this.confirm("000000");
      await this.isTold("That code is not right.");
      assert.equal(await this.force(""), 422);
      await this.isTold("That code is not right.");
      await this.confirm(await app.code());
      await page.getByRole("heading", { name: "Keep these codes" }).waitFor();
      const codes = await page.locator("li code").allTextContents();
      assert.equal(codes.length, 10);
      if (looking) await look(page, `${name}-recovery-codes`);
      await page.getByRole("link", { name: "Done" }).click();
      await this.isIn();
      return { app, codes };
    },
    /**
     * Sends what the page's form would not let through; the status of the answer.
     * @param {string} code
     */
    async force(code) {
      const answer = page.waitForResponse((one) => one.request().method() === "POST");
      await page.getByLabel("Code from your app").evaluate((field, code) => {
        const input = /** @type {HTMLInputElement} */ (field);
        input.removeAttribute("maxlength");
        input.value = code;
        input.form?.submit();
      }, code);
      return (await answer).status();
    },
    /** @param {string} code */
    async confirm(code) {
      await page.getByLabel("Code from your app").fill(code);
      await page.getByRole("button", { name: "Confirm" }).click();
    },
  });

  /** As if Ann had never had a second factor. */
  const anew = async (requirement = "OPTIONAL") => {
    await scene.service.done("PUT", `users/${USER}`, { email: "ann@example.com" });
    await scene.service.done("POST", `users/${USER}/mfa/reset`, {});
    await scene.service.done("POST", `users/${USER}/mfa/unlock`, {});
    await scene.service.done("PATCH", "mfa/policy", { requirement });
  };

  test("a wrong password and an unknown address are refused alike", async () => {
    await scene.window(async (page) => {
      await ann(page).signIn("ann@example.com", "guessed");
      await ann(page).isTold("Wrong email or password.");
      await look(page, `${name}-sign-in`);
      await ann(page).signIn("nobody@example.com");
      await ann(page).isTold("Wrong email or password.");
    });
  });

  test("nobody gets past the sign-in by knowing addresses", async () => {
    await scene.window(async (page) => {
      for (const where of ["/", "/second-factor", "/authenticator-app"]) {
        await page.goto(application.url + where);
        assert.equal(page.url(), `${application.url}/sign-in`, where);
      }
    });
  });

  test("an app is set up, asked for, and a browser is remembered", async () => {
    await anew();
    await scene.window(async (page) => {
      await ann(page).signIn();
      await ann(page).isIn();
      await page.getByRole("link", { name: "Set up an authenticator app" }).click();
      const { app } = await ann(page).setUp(true);
      await page.getByText("TOTP: Unnamed").waitFor();
      await look(page, `${name}-home`);

      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).isAsked();
      await page.goto(`${application.url}/`);
      assert.equal(page.url(), `${application.url}/sign-in`, "a password alone is not enough");
      await page.goto(`${application.url}/authenticator-app`);
      assert.equal(page.url(), `${application.url}/sign-in`, "nor to set up another app");
      await page.goto(`${application.url}/second-factor`);
      await ann(page).answer("000000");
      await ann(page).isTold("That code is not right.");
      await look(page, `${name}-second-factor`);
      assert.equal(await ann(page).force("1".repeat(65)), 422);
      await ann(page).isTold("That code is not right.");
      await page.getByLabel("Remember this browser").check();
      await ann(page).answer(await app.code());
      await ann(page).isIn();

      const [device] = (await page.context().cookies()).filter((one) => one.name === "mfa_device");
      assert.ok(device?.httpOnly && device.secure, "scripts and plain HTTP do not see it");
      const days = (device.expires - Date.now() / 1000) / 86_400;
      assert.ok(days > 29.9 && days < 30.1, `it is kept for ${days} days`);

      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).isIn();

      // The administrator ends it.
      await scene.service.done("DELETE", `users/${USER}/mfa/devices`);
      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).isAsked();
    });
  });

  test("a recovery code stands in once", async () => {
    await anew();
    await scene.window(async (page) => {
      await ann(page).signIn();
      await page.getByRole("link", { name: "Set up an authenticator app" }).click();
      const { codes } = await ann(page).setUp();
      const [code = ""] = codes;
      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).answer(code, "Or a recovery code");
      await ann(page).isIn();
      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).answer(code, "Or a recovery code");
      await ann(page).isTold("That code is not right.");
    });
  });

  test("a session that somebody knew before the second factor is worth nothing after it", async () => {
    await anew();
    await scene.window(async (page) => {
      await ann(page).signIn();
      await page.getByRole("link", { name: "Set up an authenticator app" }).click();
      const { codes } = await ann(page).setUp();
      await ann(page).signOut();
      await ann(page).signIn();
      await ann(page).isAsked();
      const known = await page.context().cookies();
      await ann(page).answer(codes[0] ?? "", "Or a recovery code");
      await ann(page).isIn();
      await scene.window(async (other) => {
        await other.context().addCookies(known);
        await other.goto(`${application.url}/`);
        assert.equal(other.url(), `${application.url}/sign-in`);
      });
    });
  });

  test("guessing is stopped, and the right code too then", async () => {
    await anew();
    await scene.window(async (page) => {
      await ann(page).signIn();
      await page.getByRole("link", { name: "Set up an authenticator app" }).click();
      const { app } = await ann(page).setUp();
      await ann(page).signOut();
      await ann(page).signIn();
      for (let tries = 0; tries < 5; tries += 1) {
        await ann(page).isAsked();
        await ann(page).answer("000000");
        await page.getByRole("alert").waitFor();
      }
      await ann(page).answer(await app.code());
      await ann(page).isTold("Too many tries. Try again in ");
      await page.goto(`${application.url}/`);
      assert.equal(page.url(), `${application.url}/sign-in`);
    });
  });

  test("where a second factor is demanded it is set up before anybody is in", async () => {
    await anew("REQUIRED");
    await scene.window(async (page) => {
      await ann(page).signIn();
      await page.getByRole("heading", { name: "Set up an authenticator app" }).waitFor();
      await page.goto(`${application.url}/`);
      assert.equal(page.url(), `${application.url}/sign-in`);
      await page.goto(`${application.url}/authenticator-app`);
      await ann(page).setUp();
    });
    await anew();
  });

  test("without the service nobody is in", async () => {
    await anew();
    await scene.window(async (page) => {
      await scene.service.stop();
      await ann(page).signIn();
      await ann(page).isTold("Signing in is not possible at the moment.");
      await page.goto(`${application.url}/`);
      assert.equal(page.url(), `${application.url}/sign-in`);
    });
  });
}
