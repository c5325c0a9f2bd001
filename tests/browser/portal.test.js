// The hosted pages in a real browser: enrolling, answering a challenge, looking after factors, with
// every kind of factor, with and without scripts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { App, Authenticator, look, Scene } from "./harness/index.js";

/** @typedef {import("./harness/index.js").Page} Page */

const scene = Scene.forThisFile();
const PHONE = "+14155552671";

let people = 0;
/** The session that a browser was sent to last. */
let session = "";

/** A user that nobody else has, with a verified address. */
async function person() {
  people += 1;
  const id = `person-${people}`;
  const email = `${id}@example.com`;
  await scene.service.done("PUT", `users/${id}`, { email, emailVerified: true });
  return { id, email };
}

/**
 * Sends a browser to the pages, as an application does.
 * @param {Page} page
 * @param {string} userId
 * @param {"ENROLL" | "CHALLENGE" | "MANAGE"} purpose
 */
async function send(page, userId, purpose) {
  /** @type {Record<string, string>} */
  const body = { userId, purpose, returnUrl: `${scene.service.url}/healthz?state=7` };
  if (purpose === "CHALLENGE") {
    const context = { userAgent: await page.evaluate(() => navigator.userAgent) };
    const login = await scene.service.done("POST", "mfa/challenges", { userId, context });
    body.challengeId = login.challenge.id;
  }
  const link = await scene.service.done("POST", "portal/sessions", body);
  await page.goto(link.url);
  // As from a mail program: nothing opens before the button is pressed.
  await press(page, "Continue");
  await page.waitForURL(/\/portal\/pts_\w+$/);
  session = page.url().split("/").at(-1) ?? "";
  return link.url;
}

/**
 * What the application gets once the browser is back.
 * @param {Page} page
 */
async function back(page) {
  await page.waitForURL(/\/healthz\?state=7&countersign_result=pcd_/);
  const code = new URL(page.url()).searchParams.get("countersign_result");
  const names = (await page.context().cookies()).map((cookie) => cookie.name);
  assert.ok(!names.some((name) => name.endsWith(session)), "the browser holds nothing any more");
  return scene.service.done("POST", "portal/results", { code });
}

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
const press = (page, name) => page.getByRole("button", { name }).click();

/**
 * @param {Page} page
 * @param {string | RegExp} name
 */
const follow = (page, name) => page.getByRole("link", { name }).click();

/**
 * @param {Page} page
 * @param {string} code
 */
async function confirm(page, code) {
  await page.getByRole("textbox", { name: /code/i }).fill(code);
  await press(page, "Confirm");
}

/**
 * Enrolls an app over the API, for tests that are about something else.
 * @param {string} user
 */
async function withApp(user) {
  const begun = await scene.service.done("POST", `users/${user}/mfa/totp`, { name: "Phone" });
  const app = new App(begun.secret);
  await scene.service.done("POST", `users/${user}/mfa/totp/verify`, { code: await app.code() });
  return app;
}

/**
 * A code in the digits of another script.
 * @param {string} code
 * @param {string} zero the script's
 */
const written = (code, zero) =>
  code.replace(/\d/g, (digit) => String.fromCodePoint((zero.codePointAt(0) ?? 0) + Number(digit)));

/**
 * A code that is none of these seconds' right ones, but for one in a hundred thousand times.
 * @param {number} guess
 */
const wrong = (guess) => String(100_000 + guess);

test("a person sets up an app, keeps recovery codes and comes back", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    await send(page, id, "ENROLL");
    await look(page, "portal-choose");
    await press(page, /^Authenticator app/);
    await page.getByText("Can’t scan it?").click();
    const app = new App((await page.locator(".secret").textContent()) ?? "");
    await look(page, "portal-app");
    // Loaded again it is the same secret, and a wrong code does not change it either.
    await page.reload();
    await confirm(page, wrong(0));
    await page.getByText(/You have 4 more tries/).waitFor();
    await look(page, "portal-app-wrong");
    await page.getByText("Can’t scan it?").click();
    assert.equal(await page.locator(".secret").textContent(), app.secret);
    await confirm(page, await app.code());
    await look(page, "portal-enrolled");
    await press(page, "Get recovery codes");
    await look(page, "portal-codes");

    const shown = await page.locator(".codes li").allTextContents();
    assert.equal(shown.length, 10);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await press(page, "Copy");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(copied.split("\n"), shown);
    const saving = page.waitForEvent("download");
    await press(page, "Download");
    const file = await (await saving).path();
    assert.ok((await readFile(file, "utf8")).includes(shown.join("\n")));

    // Not without saying that they are kept.
    await press(page, "Continue");
    assert.match(new URL(page.url()).pathname, /^\/portal\/pts_\w+\/recovery-codes$/);
    await page.getByLabel("I have saved these codes").check();
    await press(page, "Continue");
    const result = await back(page);
    assert.equal(result.status, "COMPLETED");
    assert.equal(result.tokens, null);
  });
});

test("a person answers a challenge with an app and is remembered", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const app = await withApp(id);
    await send(page, id, "CHALLENGE");
    await page.getByText("authenticator app on “Phone”").waitFor();
    await look(page, "portal-challenge");
    await page.getByLabel(/^Don’t ask again/).check();
    const code = await app.code();
    // However it is pasted.
    await page.getByRole("textbox").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    assert.equal(await page.getByRole("textbox").inputValue(), code);
    await press(page, "Confirm");
    const result = await back(page);
    assert.equal(result.status, "COMPLETED");
    assert.ok(result.tokens.accessToken);
    assert.ok(result.deviceToken);
    const context = { deviceToken: result.deviceToken };
    const next = await scene.service.done("POST", "mfa/challenges", { userId: id, context });
    assert.equal(next.reason, "TRUSTED_DEVICE");
  });
});

test("a person whose codes are locked is told until when, and another way works", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    await Authenticator.plugIn(page, "internal");
    await send(page, id, "ENROLL");
    await follow(page, /^Passkey or security key/);
    await press(page, "Continue");
    await page.getByText("You’re all set").waitFor();
    await press(page, "Not now");
    await back(page);
    await withApp(id);

    await send(page, id, "CHALLENGE");
    await follow(page, "Try another way");
    await look(page, "portal-ways");
    await follow(page, /^Phone/);
    for (const left of ["4 more tries", "3 more tries", "2 more tries", "one more try"]) {
      await confirm(page, wrong(people));
      await page.getByText(left).waitFor();
    }
    await look(page, "portal-wrong");
    await confirm(page, wrong(people));
    await page.getByText("For your safety this sign-in has ended.").waitFor();
    await look(page, "portal-failed");
    await press(page, "Back");
    assert.equal((await back(page)).status, "CANCELLED");

    await send(page, id, "CHALLENGE");
    await follow(page, "Try another way");
    await follow(page, /^Phone/);
    const until = page.getByRole("alert").locator("time");
    assert.match((await until.textContent()) ?? "", /^\d{1,2}:\d\d/);
    await look(page, "portal-locked");
    await follow(page, "Try another way");
    await follow(page, /^Passkey or security key/);
    await press(page, "Use passkey or security key");
    const result = await back(page);
    assert.equal(result.status, "COMPLETED");
  });
});

test("a person registers a key, changes their mind, and signs in with it", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const key = await Authenticator.plugIn(page, "internal");
    // Else a key that does not know its user is as good.
    const rule = (/** @type {string} */ userVerification) =>
      scene.service.done("PATCH", "mfa/policy", { webauthn: { userVerification } });
    await rule("required");
    await send(page, id, "ENROLL");
    await follow(page, /^Passkey or security key/);
    await look(page, "portal-key");
    await page.getByLabel("Name (optional)").fill("Blue key");
    await press(page, "Continue");
    await page.getByText("You’re all set").waitFor();
    await press(page, "Not now");
    const enrolled = await back(page);
    assert.ok(enrolled.factorId);

    await send(page, id, "CHALLENGE");
    await page.getByText("“Blue key”").waitFor();
    await look(page, "portal-use-key");
    // A wrong finger: the browser tells no more than that nothing came of it.
    await key.knowsUser(false);
    await press(page, "Use passkey or security key");
    await page.getByText("Nothing was chosen, or it took too long.").waitFor();
    await look(page, "portal-key-cancelled");
    await key.knowsUser(true);
    await press(page, "Use passkey or security key");
    const signedIn = await back(page);
    assert.equal(signedIn.factorId, enrolled.factorId);
    assert.ok(signedIn.tokens.accessToken);

    // A copy of the key has answered meanwhile: what is offered is another way.
    const app = await withApp(id);
    await send(page, id, "CHALLENGE");
    const [credential] = await key.credentials();
    await key.count(credential?.credentialId ?? "", 0);
    await press(page, "Use passkey or security key");
    await page.getByText("This key may have been copied, so it isn’t accepted.").waitFor();
    await look(page, "portal-key-copied");
    const first = page.locator(".card .button").first();
    assert.equal(await first.textContent(), "Try another way");
    await first.click();
    await follow(page, /^Phone/);
    await confirm(page, await app.code());
    assert.equal((await back(page)).status, "COMPLETED");
    await rule("preferred");
  });
});

test("a person signs in with a passkey, and any of theirs will do", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const authenticator = await Authenticator.plugIn(page, "internal");
    await send(page, id, "ENROLL");
    await follow(page, /^Passkey or security key/);
    await press(page, "Continue");
    await page.getByText("You’re all set").waitFor();
    // The same one once more is recognised by the browser.
    await send(page, id, "MANAGE");
    await follow(page, "Add a method");
    await press(page, "Use passkey or security key");
    await follow(page, /^Passkey or security key/);
    await press(page, "Continue");
    await page.getByText("was added already").waitFor();
    // Another one is taken, and either signs in.
    await authenticator.unplug();
    const second = await Authenticator.plugIn(page, "usb");
    await press(page, "Continue");
    await page.getByText("Your new sign-in method is ready.").waitFor();
    await press(page, "Done");
    await back(page);

    await send(page, id, "CHALLENGE");
    await press(page, "Use passkey or security key");
    const result = await back(page);
    assert.equal(result.status, "COMPLETED");
    assert.equal((await second.credentials()).length, 1);
  });
});

test("a person adds a phone, waits for another code, and signs in with one", async () => {
  await scene.window(
    async (page) => {
      const { id } = await person();
      await scene.service.done("PATCH", "mfa/policy", { sends: { cooldownSeconds: 3 } });
      await send(page, id, "ENROLL");
      await follow(page, /^Text message/);
      await look(page, "portal-number");
      await page.getByLabel("Phone number").fill("555 2671");
      await press(page, "Send code");
      await page.getByText("with its country code, such as").waitFor();
      await page.getByLabel("Phone number").fill("+1 (415) 555-2671");
      await press(page, "Send code");
      await page.getByText("Check your phone").waitFor();
      const again = page.getByRole("button", { name: /^Send a new code/ });
      assert.match((await again.textContent()) ?? "", /Send a new code in 0:0\d/);
      assert.ok(await again.isDisabled());
      await look(page, "portal-sent");
      const [first] = await scene.service.messages(PHONE);
      await page.getByRole("button", { name: "Send a new code", exact: true }).click();
      await confirm(page, await scene.service.code(PHONE, first?.id));
      await page.getByText("You’re all set").waitFor();
      await press(page, "Not now");
      await back(page);

      await send(page, id, "CHALLENGE");
      await page.getByText("We’ll send a 6-digit code").waitFor();
      await look(page, "portal-send");
      const [before] = await scene.service.messages(PHONE);
      await press(page, "Send code");
      await confirm(page, await scene.service.code(PHONE, before?.id));
      assert.equal((await back(page)).status, "COMPLETED");
    },
    { size: "phone" },
  );
});

test("a code is read as people type and paste it, and nothing is typed into it", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const app = await withApp(id);
    await send(page, id, "CHALLENGE");
    const field = page.getByRole("textbox");
    // Pasted with what messages and password managers put around it.
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.evaluate(() => navigator.clipboard.writeText("\u2066 1\u00a02–3\u200b4 5\u22126\u2069\ufeff"));
    await field.press("Control+v");
    assert.equal(await field.inputValue(), "123456");
    // A space that slips in between does not send the cursor to the end.
    await field.evaluate((/** @type {HTMLInputElement} */ one) => one.setSelectionRange(3, 3));
    await page.keyboard.type(" 9");
    assert.equal(await field.inputValue(), "1239456");
    // Digits of other scripts stay: the service knows them.
    for (const digits of ["١٢٣٤٥٦", "۱۲۳۴۵۶", "१२३४५६", "１２３４５６"]) {
      await field.fill(digits);
      assert.equal(await field.inputValue(), digits);
    }
    // While an input method is at work nothing is changed under it.
    await field.fill("");
    const session = await page.context().newCDPSession(page);
    const composed = { selectionStart: 3, selectionEnd: 3 };
    await session.send("Input.imeSetComposition", { text: "１ ２", ...composed });
    assert.equal(await field.inputValue(), "１ ２");
    await session.send("Input.insertText", { text: "１２ ３" });
    assert.equal(await field.inputValue(), "１２３");
    await field.fill(written(await app.code(), "０"));
    await press(page, "Confirm");
    assert.equal((await back(page)).status, "COMPLETED");
  });
});

/**
 * Puts something in the place of what the browser answers, as a password manager's extension does.
 * @param {Page} page
 * @param {"imitation" | "bytes" | "json" | "broken" | "nothing" | "cancelled" | "unwritable"} what
 */
async function impersonate(page, what) {
  await page.evaluate((what) => {
    /** @param {ArrayBuffer} buffer */
    const text = (buffer) =>
      btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_");
    /**
     * @param {any} real
     * @returns {any}
     */
    const imitation = (real) => {
      if (what === "cancelled") {
        throw Object.assign(new Error("no"), { name: "NotAllowedError" });
      }
      if (what === "nothing") return null;
      if (what === "unwritable") {
        JSON.stringify = () => {
          throw new TypeError("a member throws");
        };
      }
      if (what === "broken") return { id: "x", response: {}, toJSON: 7, getClientExtensionResults: 7 };
      /** @type {Record<string, any>} */
      const response = {};
      const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature"];
      for (const name of names) {
        const value = real.response[name];
        if (!(value instanceof ArrayBuffer)) continue;
        response[name] = what === "imitation" ? value : new Uint8Array(value);
        if (what === "json") response[name] = text(value);
      }
      if (what === "json") return { toJSON: () => ({ rawId: text(real.rawId), response }) };
      // No class, no methods, or methods that fail.
      response.getTransports = () => {
        throw new Error("not here");
      };
      const rawId = what === "bytes" ? Array.from(new Uint8Array(real.rawId)) : real.rawId;
      const imitated = { id: real.id, rawId, response, toJSON: () => ({}), authenticatorAttachment: null };
      if (what !== "bytes") return imitated;
      // What JSON has no form for.
      return { ...imitated, getClientExtensionResults: () => ({ credProps: { rk: "yes" }, prf: 1n }) };
    };
    for (const name of /** @type {const} */ (["create", "get"])) {
      const own = CredentialsContainer.prototype[name];
      navigator.credentials[name] = async (/** @type {any} */ options) =>
        imitation(await own.call(navigator.credentials, options));
    }
  }, what);
}

test("a password manager's imitation of a credential is read as far as it goes", async () => {
  await scene.window(async (page) => {
    await Authenticator.plugIn(page, "internal");
    for (const what of /** @type {const} */ (["imitation", "bytes", "json"])) {
      const { id } = await person();
      await send(page, id, "ENROLL");
      await follow(page, /^Passkey or security key/);
      await impersonate(page, what);
      await press(page, "Continue");
      await page.getByText("You’re all set").waitFor();
      await press(page, "Not now");
      await back(page);
      await send(page, id, "CHALLENGE");
      await impersonate(page, what);
      await press(page, "Use passkey or security key");
      assert.equal((await back(page)).status, "COMPLETED", what);
    }
  });
});

test("a ceremony that is cancelled and a broken answer are told apart", async () => {
  await scene.window(async (page) => {
    await Authenticator.plugIn(page, "internal");
    const { id } = await person();
    await send(page, id, "ENROLL");
    await follow(page, /^Passkey or security key/);
    for (const [what, words] of /** @type {const} */ ([
      ["broken", "gave an answer that can’t be used"],
      ["nothing", "Nothing was chosen, or it took too long."],
      ["cancelled", "Nothing was chosen, or it took too long."],
      ["unwritable", "That didn’t work."],
    ])) {
      await page.reload();
      await impersonate(page, what);
      await press(page, "Continue");
      await page.getByRole("alert").getByText(words).waitFor();
      assert.equal(await page.locator("button.busy").count(), 0, what);
      if (what === "broken") await look(page, "portal-key-broken");
    }
  });
});

test("what changes while somebody waits for a code is said once, and not every second", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    await scene.service.done("PATCH", "mfa/policy", { sends: { cooldownSeconds: 3 } });
    // Before the page's own scripts: every text that a live region comes to hold.
    await page.addInitScript(() => {
      const said = /** @type {string[]} */ ([]);
      Object.assign(window, { said });
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const element = target instanceof Element ? target : target.parentElement;
          const live = element?.closest("[role=status], [role=alert], [aria-live]");
          if (live) said.push(live.textContent ?? "");
        }
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    await send(page, id, "ENROLL");
    await press(page, /^Email/);
    // What it is called stays the same while the seconds go.
    const again = page.getByRole("button", { name: "Send a new code", exact: true });
    await page.locator("button[disabled]", { hasText: "Send a new code" }).waitFor();
    assert.match((await again.textContent()) ?? "", /in 0:0[1-3]$/);
    await page.locator("button:not([disabled])", { hasText: "Send a new code" }).waitFor();
    const said = () => page.evaluate(() => /** @type {any} */ (window).said.filter(Boolean));
    assert.deepEqual(await said(), ["A code is on its way.", "You can have a new code sent now."]);
    assert.equal(new URL(page.url()).search, "");
    // Whoever loads the page again is told of no new code.
    await page.reload();
    await again.waitFor();
    await page.waitForTimeout(1_000);
    assert.deepEqual(await said(), []);
  });
});

test("a person looks after methods, codes and browsers", async () => {
  await scene.window(async (page) => {
    const { id, email } = await person();
    const app = await withApp(id);
    await Authenticator.plugIn(page, "internal");
    // Remembered in this browser, once.
    await send(page, id, "CHALLENGE");
    await page.getByLabel(/^Don’t ask again/).check();
    await confirm(page, await app.code());
    await back(page);

    await send(page, id, "MANAGE");
    await page.getByText("p•••@example.com").waitFor();
    assert.equal(await page.getByText(email).count(), 0);
    await follow(page, /^Phone/);
    await page.getByText("First, confirm it’s you").waitFor();
    await look(page, "portal-verify");
    await confirm(page, await app.code());
    await page.getByRole("heading", { name: "Phone" }).waitFor();
    await look(page, "portal-factor");
    await page.getByLabel("Name").fill("Old phone");
    await press(page, "Save name");
    await page.getByText("The name was saved.").waitFor();

    await follow(page, "Add a method");
    await follow(page, /^Passkey or security key/);
    await page.getByLabel("Name (optional)").fill("Laptop");
    await press(page, "Continue");
    await page.getByText("Your new sign-in method is ready.").waitFor();
    await follow(page, /^Laptop/);
    await press(page, "Ask for this first");
    await page.getByText("We’ll ask for this one first.").waitFor();
    await follow(page, "Get codes");
    await look(page, "portal-offer");
    await press(page, "Show my new codes");
    await page.getByLabel("I have saved these codes").check();
    await press(page, "Continue");
    await page.getByText("10 of 10 left").waitFor();
    await look(page, "portal-manage");

    await follow(page, "Review");
    await page.locator("b", { hasText: "Chrome · Linux" }).waitFor();
    await look(page, "portal-devices");
    await press(page, /^Forget/);
    await page.getByText("We’ll ask for a second step there again.").waitFor();
    await follow(page, /^Old phone/);
    await press(page, "Remove");
    await page.getByText("The sign-in method was removed.").waitFor();
    await press(page, "Done");
    await back(page);
    const { data } = await scene.service.done("GET", `users/${id}/mfa/factors`);
    assert.deepEqual(
      data.map((/** @type {any} */ one) => [one.name, one.primary]),
      [["Laptop", true]],
    );
  });
});

test("whoever has no scripts enrolls, signs in and looks after things all the same", async () => {
  await scene.window(
    async (page) => {
      const { id, email } = await person();
      await send(page, id, "ENROLL");
      await press(page, /^Authenticator app/);
      await page.getByText("Can’t scan it?").click();
      const app = new App((await page.locator(".secret").textContent()) ?? "");
      await confirm(page, await app.code());
      await press(page, "Get recovery codes");
      assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0);
      const [recovery] = await page.locator(".codes li").allTextContents();
      await page.getByLabel("I have saved these codes").check();
      await press(page, "Continue");
      await back(page);

      await send(page, id, "CHALLENGE");
      await follow(page, "Try another way");
      await follow(page, /^Recovery code/);
      await confirm(page, recovery?.toLowerCase().replaceAll("-", " ") ?? "");
      assert.equal((await back(page)).status, "COMPLETED");

      await send(page, id, "MANAGE");
      await follow(page, "Add a method");
      await confirm(page, `\u2066${written(await app.code(), "٠")}\u2069`);
      await press(page, /^Email/);
      await page.getByText(/have a new code sent from \d\d:\d\d UTC/).waitFor();
      await confirm(page, await scene.service.code(email));
      await page.getByText("Your new sign-in method is ready.").waitFor();
      await press(page, "Done");
      await back(page);
    },
    { script: false },
  );
});

test("a key needs a script, and the page says so", async () => {
  await scene.window(
    async (page) => {
      const { id } = await person();
      await send(page, id, "ENROLL");
      await follow(page, /^Passkey or security key/);
      // A browser whose scripts are off for a test alone shows no noscript: its text is looked for.
      assert.ok((await page.content()).includes("This step needs JavaScript"));
    },
    { script: false },
  );
});

test("a link works once, and other browsers are told so", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const url = await send(page, id, "MANAGE");
    await page.goto(url);
    await page.getByRole("heading", { name: "Security settings" }).waitFor();
    await scene.window(async (other) => {
      await other.goto(url);
      await other.getByText("This link was opened before").waitFor();
      await look(other, "portal-used");
    });
    await page.goto(`${scene.service.url}/portal/open/none`);
    await page.getByText("This link doesn’t work").waitFor();
  });
});

test("whoever is sent a form twice, or goes back and forth, has one answer", async () => {
  await scene.window(async (page) => {
    const { id } = await person();
    const app = await withApp(id);
    await send(page, id, "CHALLENGE");
    await confirm(page, wrong(1));
    await page.getByText("4 more tries").waitFor();
    // The same form, sent again by loading its answer again.
    await page.reload();
    await page.getByText("4 more tries").waitFor();
    const status = await scene.service.done("GET", `users/${id}/mfa/status`);
    assert.equal(status.failedAttempts, 1);
    await confirm(page, await app.code());
    await back(page);
    await page.goto(`${scene.service.url}/portal`);
    await page.getByText("Nothing is open here").waitFor();
    await look(page, "portal-nothing-open");
  });
});
