// The newcomer's journey: from `make dev` and with nothing but a browser, a person enrolls an
// authenticator app, a passkey and a phone, keeps recovery codes, signs out and in with each, is
// locked, is unlocked through the console, and is remembered.

import assert from "node:assert/strict";
import { test } from "node:test";

import { App, Authenticator, look, Scene, shop } from "./harness/index.js";

const scene = Scene.forThisFile();

/** @typedef {import("./harness/index.js").Page} Page */

const EMAIL = "newcomer@example.com";
const PHONE = "+14155552671";

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
const press = (page, name) => page.getByRole("button", { name }).click();

/**
 * Types a code and confirms it.
 * @param {Page} page
 * @param {string} code
 */
async function confirm(page, code) {
  await page.getByRole("textbox").fill(code);
  await press(page, "Confirm");
}

/**
 * Chooses another way to answer.
 * @param {Page} page
 * @param {RegExp} way
 */
async function another(page, way) {
  await page.getByRole("link", { name: "Try another way" }).click();
  await page.getByRole("link", { name: way }).click();
}

/** Unlocks the newcomer, as an administrator does. */
async function unlockInTheConsole() {
  await scene.window(async (page) => {
    await page.goto(`${scene.service.url}/console`);
    await page.getByLabel("API key").fill(scene.service.key);
    await press(page, "Open the console");
    await page.getByLabel("User id or email address").fill(EMAIL);
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "Users" }).getByRole("link").click();
    const alert = page.getByRole("alert").filter({ hasText: "Locked" });
    await alert.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
    await page.getByText("Unlocked: codes are read again.").waitFor();
  });
}

/**
 * Sets up the app, and keeps recovery codes.
 * @param {Page} page
 */
async function setUp(page) {
  await press(page, "Set up two-step sign-in");
  await page.getByRole("heading", { name: "Add a second step" }).waitFor();
  await look(page, "journey-1-choose");
  await press(page, /^Authenticator app/);
  await page.getByText("Can’t scan it?").click();
  const app = new App((await page.locator(".secret").textContent()) ?? "");
  await look(page, "journey-2-app");
  await confirm(page, await app.code());
  await press(page, "Get recovery codes");
  const codes = await page.locator(".codes li").allTextContents();
  assert.equal(codes.length, 10);
  await look(page, "journey-3-codes");
  await page.getByLabel("I have saved these codes").check();
  await press(page, "Continue");
  await page.getByText("Your account is protected.").waitFor();
  return { app, codes };
}

/**
 * Adds a passkey and a phone in the settings, after one more proof.
 * @param {Page} page
 * @param {App} app
 */
async function addMore(page, app) {
  await press(page, "Open");
  await page.getByRole("link", { name: "Add a method" }).click();
  await confirm(page, await app.code());
  await page.getByRole("link", { name: /^Passkey or security key/ }).click();
  await page.getByLabel("Name (optional)").fill("Laptop");
  await press(page, "Continue");
  await page.getByText("Your new sign-in method is ready.").waitFor();

  await page.getByRole("link", { name: "Add a method" }).click();
  await page.getByRole("link", { name: /^Text message/ }).click();
  await page.getByLabel("Phone number").fill(PHONE);
  await press(page, "Send code");
  await confirm(page, await scene.service.code(PHONE));
  await page.getByText("Your new sign-in method is ready.").waitFor();
  await look(page, "journey-4-settings");
  await press(page, "Done");
  await page.getByText("Back from your security settings.").waitFor();
}

/**
 * Guesses until no more guesses are read.
 * @param {Page} page
 */
async function guess(page) {
  const over = page.getByText("Too many wrong codes");
  const wrong = page.getByText("That code isn’t right.");
  for (let guesses = 0; guesses < 5; guesses += 1) {
    await confirm(page, String(100_000 + guesses));
    await wrong.or(over).first().waitFor();
    if ((await over.count()) > 0) break;
  }
  await over.first().waitFor();
}

test("a newcomer walks through every factor", async () => {
  await scene.window(async (page) => {
    const books = shop(page, scene);
    await Authenticator.plugIn(page, "internal");
    await books.signUp(EMAIL);
    const { app, codes } = await setUp(page);
    await look(page, "demo-home-protected");
    await addMore(page, app);
    for (const step of ["authenticator app", "passkey", "your phone", "recovery codes"]) {
      assert.ok(await books.ticked(step), step);
    }

    // Out, and in with each.
    await books.signOut();
    await books.signIn(EMAIL);
    await page.getByRole("heading", { name: "Confirm it’s you" }).waitFor();
    await look(page, "journey-5-challenge");
    await confirm(page, await app.code());
    await books.signedIn();
    assert.equal(await books.level(), "aal2");
    assert.deepEqual(await books.provedBy(), ["Password", "Code of an app", "Two factors"]);

    await books.signOut();
    await books.signIn(EMAIL);
    await another(page, /^Laptop/);
    await press(page, "Use passkey or security key");
    await books.signedIn();
    assert.ok((await books.provedBy()).includes("Person verified"));

    await books.signOut();
    await books.signIn(EMAIL);
    await another(page, /^Recovery code/);
    await confirm(page, codes[0] ?? "");
    await books.signedIn();
    assert.ok((await books.provedBy()).includes("Recovery code"));
    assert.ok(await books.ticked("in with each"));

    // Locked by wrong codes: the next right one is not even read.
    await books.signOut();
    await books.signIn(EMAIL);
    await guess(page);
    await books.signIn(EMAIL);
    await page.getByRole("alert").filter({ hasText: "Too many wrong codes" }).waitFor();
    await look(page, "journey-6-locked");
    await unlockInTheConsole();

    // Remembered: the next time the password is enough, and the token says so.
    await books.signIn(EMAIL);
    await another(page, /^Recovery code/);
    await page.getByLabel(/^Don’t ask again in this browser/).check();
    await confirm(page, codes[1] ?? "");
    await books.signedIn();
    await books.signOut();
    await books.signIn(EMAIL);
    await books.signedIn();
    assert.equal(await books.level(), "aal1");
    for (const step of ["Be remembered", "Be locked, and unlocked"]) {
      assert.ok(await books.ticked(step), step);
    }
    await look(page, "demo-home-toured");

    // What costs much asks again, remembered or not.
    await press(page, "Order");
    await another(page, /^Laptop/);
    await press(page, "Use passkey or security key");
    await page.getByText("Ordered. You proved once more that it is you").waitFor();
    assert.equal(await books.level(), "aal2");
  });
});

test("whoever leaves the hosted pages half way is signed in as little as before", async () => {
  await scene.window(async (page) => {
    const books = shop(page, scene);
    await books.signUp("halfway@example.com");
    await press(page, "Set up two-step sign-in");
    await press(page, "Cancel");
    await page.getByText("You left before the end. Nothing was changed.").waitFor();

    await setUp(page);
    await books.signOut();
    await books.signIn("halfway@example.com");
    await press(page, "Cancel");
    await page.getByText("so you are not signed in").waitFor();
    await page.goto(`${scene.service.url}/`);
    assert.equal(page.url(), `${scene.service.url}/sign-up`);
  });
});
