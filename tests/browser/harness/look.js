// What a person sees, kept as pictures in target/browser/, and whether everybody can use it: axe
// finds nothing serious, and nothing is wider than a phone.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import axe from "axe-core";

import { SIZES } from "./browser.js";
import { ROOT } from "./service.js";

/** @typedef {import("playwright-core").Page} Page */

const PICTURES = path.join(ROOT, "target/browser");
const SCHEMES = /** @type {const} */ (["light", "dark"]);

/**
 * Looks at a page at both sizes and in both schemes: a picture of each, and axe's judgement.
 * @param {Page} page
 * @param {string} name of the pictures
 */
export async function look(page, name) {
  await mkdir(PICTURES, { recursive: true });
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const file = path.join(PICTURES, `${name}-${size}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: "disabled" });
      await accessible(page, `${name}, ${size}, ${colorScheme}`);
    }
  }
  await fits(page, name);
  if (before) await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
}

/**
 * axe finds nothing serious or critical.
 * @param {Page} page
 * @param {string} name
 */
export async function accessible(page, name) {
  // Through the DevTools protocol, which no policy of the page concerns.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const run = /** @type {any} */ (window).axe.run;
    const { violations } = await run(document, { resultTypes: ["violations"] });
    return violations.map((/** @type {any} */ one) => ({
      impact: one.impact,
      rule: one.id,
      help: one.help,
      nodes: one.nodes.map((/** @type {any} */ node) => `${node.html} ${node.failureSummary}`),
    }));
  });
  const bad = found.filter((/** @type {any} */ one) => /serious|critical/.test(one.impact));
  assert.deepEqual(bad, [], `${name} is not accessible`);
}

/**
 * On the narrowest phones nothing is cut off, and what is touched is large enough to be.
 * @param {Page} page
 * @param {string} name
 */
export async function fits(page, name) {
  await page.setViewportSize({ width: 360, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} pixels wider than a phone`);
  const small = await page.evaluate(() => {
    const all = document.querySelectorAll("button, .button, input:not([type=hidden]), select");
    return Array.from(all)
      .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden"))
      // A box is touched through its label.
      .map((one) => one.closest("label") ?? one)
      .filter((one) => one.getBoundingClientRect().height < 43.5)
      .map((one) => one.outerHTML);
  });
  assert.deepEqual(small, [], `${name} has what a finger cannot hit`);
}
