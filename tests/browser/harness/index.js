// A node and a browser for the tests of a file, and for each test a person with a window.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { launch, open } from "./browser.js";
import { Service } from "./service.js";

export { Authenticator } from "./authenticator.js";
export { accessible, look } from "./look.js";
export { until } from "./service.js";
export { shop } from "./shop.js";
export { App, totp } from "./totp.js";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./browser.js").Look} Look */

/** What the tests of a file share. */
export class Scene {
  /** @type {Service | undefined} */
  #service;
  /** @type {import("playwright-core").Browser | undefined} */
  #browser;

  /**
   * Starts a node and a browser before the tests of this file, and ends them after.
   * @param {(scene: Scene) => Promise<void>} [prepare] what else must be there
   * @param {() => Promise<Record<string, string>>} [settings] of the node
   */
  static forThisFile(prepare, settings) {
    const scene = new Scene();
    before(async () => {
      const starting = Service.start(await settings?.());
      [scene.#service, scene.#browser] = await Promise.all([starting, launch()]);
      await prepare?.(scene);
    });
    after(async () => {
      await Promise.all([scene.#browser?.close(), scene.#service?.stop()]);
    });
    return scene;
  }

  /** The node. */
  get service() {
    if (!this.#service) throw new Error("the node is not running");
    return this.#service;
  }

  /**
   * Lets a person use a window of their own. Whatever went wrong within it fails the test: an
   * error of a script, a file that is missing, something that the page's policy forbade.
   * @param {(page: Page) => Promise<void>} use
   * @param {Look} [how] the window is
   */
  async window(use, how) {
    if (!this.#browser) throw new Error("the browser is not running");
    const { page, context, complaints } = await open(this.#browser, how);
    try {
      await use(page);
      assert.deepEqual(complaints, [], "the page complained");
    } finally {
      await context.close();
    }
  }
}
