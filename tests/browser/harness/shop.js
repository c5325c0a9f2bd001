// Harbour Books, the sample application, as its customers use it.

/** @typedef {import("playwright-core").Page} Page */

/** The password of everybody. */
const PASSWORD = "correct horse battery";

/**
 * The shop in a window.
 * @param {Page} page
 * @param {import("./index.js").Scene} scene
 */
export function shop(page, scene) {
  const { url } = scene.service;
  const main = page.getByRole("main");
  /** @param {string} email */
  const type = async (email) => {
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
  };
  return {
    /**
     * Makes an account, and is signed in with it.
     * @param {string} email
     */
    async signUp(email) {
      await page.goto(`${url}/sign-up`);
      await type(email);
      await page.getByRole("button", { name: "Create account" }).click();
      await this.signedIn();
    },

    /**
     * Gives address and password. What comes then depends on what the person has.
     * @param {string} email
     */
    async signIn(email) {
      await page.goto(`${url}/sign-in`);
      await type(email);
      await page.getByRole("button", { name: "Sign in" }).click();
    },

    async signOut() {
      await page.goto(`${url}/`);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Sign in" }).waitFor();
    },

    /** Waits until the person is in. */
    async signedIn() {
      await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    },

    /** What the token says the person was proved by. */
    async provedBy() {
      return main.locator("dd .badge").allTextContents();
    },

    /** What the token says of the level. */
    async level() {
      return main.locator("dt", { hasText: "Level" }).locator("xpath=..").locator("dd").textContent();
    },

    /** By which id the service knows the person. */
    async user() {
      const user = main.locator("dt", { hasText: "User" }).locator("xpath=..").locator("dd");
      return (await user.textContent())?.trim() ?? "";
    },

    /**
     * Whether this part of the tour is ticked.
     * @param {string} name
     */
    async ticked(name) {
      const step = page.locator(".step", { hasText: name });
      return (await step.getAttribute("class"))?.includes("done") ?? false;
    },
  };
}
