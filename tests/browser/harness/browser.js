// Debian's Chromium without a head, and windows of it that tell when a page misbehaves.

import { chromium } from "playwright-core";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContext} BrowserContext */

/**
 * What a window is like.
 * @typedef {object} Look
 * @property {"phone" | "desktop"} [size]
 * @property {"light" | "dark"} [scheme]
 * @property {boolean} [script] whether scripts run
 */

export const SIZES = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
};

/** How long a page may take to show what is waited for. */
const PATIENCE_MS = 20_000;

/** Chromium. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
}

/**
 * A person's own window: cookies of its own, and a list of what went wrong in it.
 * @param {import("playwright-core").Browser} browser
 * @param {Look} [look]
 * @returns {Promise<{ page: Page, context: BrowserContext, complaints: string[] }>}
 */
export async function open(browser, look = {}) {
  const size = look.size ?? "desktop";
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: look.scheme ?? "light",
    hasTouch: size === "phone",
    isMobile: size === "phone",
    javaScriptEnabled: look.script ?? true,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/London",
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // What the policy forbade, what could not be loaded, what a script complained about. That an
    // answer was a refusal is what many tests are about.
    if (message.type() !== "error") return;
    if (/the server responded with a status of (4\d\d|503)/.test(message.text())) return;
    complaints.push(message.text());
  });
  return { page, context, complaints };
}
