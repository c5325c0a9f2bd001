// Security keys and passkeys in a real browser, on the pages of an application of its own: its
// server asks the API for options, its page hands them to the browser as they are, and what the
// browser gives goes back as it is.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { Authenticator, Scene } from "./harness/index.js";

/** @typedef {import("playwright-core").Page} Page */

const scene = Scene.forThisFile();

/** An application whose pages are empty. Each has an origin of its own. */
class Application {
  constructor() {
    this.server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>An application</title>");
    });
  }

  /** Opens it. */
  async open() {
    await /** @type {Promise<void>} */ (
      new Promise((resolve) => this.server.listen(0, "127.0.0.1", () => resolve()))
    );
  }

  /** @param {string} host */
  at(host) {
    const address = this.server.address();
    if (!address || typeof address === "string") throw new Error("the application is not open");
    return `http://${host}:${address.port}`;
  }
}

const ours = new Application();
const theirs = new Application();

/** @type {Promise<void> | undefined} */
let prepared;

/** Opens both applications, and names one of them in the settings. */
async function prepare() {
  await Promise.all([ours.open(), theirs.open()]);
  const settings = { rpId: "localhost", rpName: "Harbour", origins: [ours.at("localhost")] };
  await scene.service.done("PATCH", "settings", settings);
}

/**
 * A window of a person's own, once all is prepared.
 * @param {(page: Page) => Promise<void>} use
 */
function browse(use) {
  return scene.window(async (page) => {
    prepared ??= prepare();
    await prepared;
    await use(page);
  });
}

after(() => {
  ours.server.close();
  theirs.server.close();
});

/**
 * `navigator.credentials.create()`: the credential as JSON, or the name of what went wrong.
 * @param {Page} page
 * @param {any} options
 * @returns {Promise<any>}
 */
function create(page, options) {
  return page.evaluate(async (options) => {
    const kind = /** @type {any} */ (PublicKeyCredential);
    const publicKey = kind.parseCreationOptionsFromJSON(options);
    try {
      return /** @type {any} */ (await navigator.credentials.create({ publicKey })).toJSON();
    } catch (error) {
      return { failed: /** @type {Error} */ (error).name };
    }
  }, options);
}

/**
 * `navigator.credentials.get()`: the assertion as JSON, or the name of what went wrong.
 * @param {Page} page
 * @param {any} options
 * @param {{ abortAfter?: number }} [how]
 * @returns {Promise<any>}
 */
function get(page, options, how = {}) {
  return page.evaluate(
    async ([options, how]) => {
      const kind = /** @type {any} */ (PublicKeyCredential);
      const publicKey = kind.parseRequestOptionsFromJSON(options);
      const abort = new AbortController();
      if (how.abortAfter !== undefined) setTimeout(() => abort.abort(), how.abortAfter);
      try {
        const found = await navigator.credentials.get({ publicKey, signal: abort.signal });
        return /** @type {any} */ (found).toJSON();
      } catch (error) {
        return { failed: /** @type {Error} */ (error).name };
      }
    },
    /** @type {const} */ ([options, how]),
  );
}

/**
 * Registers; the factor.
 * @param {Page} page
 * @param {string} user
 * @param {Record<string, string>} [wish]
 */
async function enroll(page, user, wish = {}) {
  const webauthn = `users/${user}/mfa/webauthn`;
  const options = await scene.service.done("POST", `${webauthn}/registration-options`, wish);
  const credential = await create(page, options);
  assert.equal(credential.failed, undefined);
  return await scene.service.done("POST", `${webauthn}/verify`, { credential, name: "Mine" });
}

/**
 * A challenge of a login and what the browser needs for it.
 * @param {string} user
 */
async function login(user) {
  const asked = await scene.service.done("POST", "mfa/challenges", { userId: user });
  assert.equal(asked.mfaRequired, true);
  const { id } = asked.challenge;
  const options = await scene.service.done("POST", `mfa/challenges/${id}/webauthn-options`, {});
  return { challengeId: id, options };
}

/** @param {string} token */
function claims(token) {
  return JSON.parse(Buffer.from(/** @type {string} */ (token.split(".")[1]), "base64url").toString());
}

test("a passkey of the device, that knows its user, registers and signs in", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const device = await Authenticator.plugIn(page, "internal");
    const wish = { userVerification: "required", residentKey: "required" };
    const factor = await enroll(page, "ann", wish);
    assert.equal(factor.type, "WEBAUTHN");
    assert.deepEqual(factor.webauthn.transports, ["internal"]);
    assert.equal(factor.webauthn.userVerified, true);
    assert.equal(factor.webauthn.residentKey, true);
    assert.equal(factor.webauthn.backedUp, false);
    assert.equal((await device.credentials()).length, 1);

    const { challengeId, options } = await login("ann");
    const assertion = await get(page, options);
    const body = { challengeId, factorId: factor.id, assertion };
    const verified = await scene.service.done("POST", "mfa/challenges/verify", body);
    const { acr, amr } = claims(verified.tokens.accessToken);
    assert.deepEqual([acr, amr], ["aal2", ["pwd", "hwk", "user", "mfa"]]);

    const again = await scene.service.api("POST", "mfa/challenges/verify", body);
    assert.equal(again.body.code, "invalid_assertion");
  });
});

test("a passkey that is kept in the cloud is told apart", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const cloud = { defaultBackupEligibility: true, defaultBackupState: true };
    await Authenticator.plugIn(page, "internal", cloud);
    const factor = await enroll(page, "cloud");
    assert.equal(factor.webauthn.backupEligible, true);
    assert.equal(factor.webauthn.backedUp, true);
    const { challengeId, options } = await login("cloud");
    const assertion = await get(page, options);
    const body = { challengeId, factorId: factor.id, assertion };
    const verified = await scene.service.done("POST", "mfa/challenges/verify", body);
    assert.deepEqual(claims(verified.tokens.accessToken).amr, ["pwd", "swk", "user", "mfa"]);
  });
});

test("a key on USB that knows nobody is a second factor, and alone it is one", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    await Authenticator.plugIn(page, "usb");
    const factor = await enroll(page, "bob", { residentKey: "discouraged" });
    assert.deepEqual(factor.webauthn.transports, ["usb"]);
    assert.equal(factor.webauthn.userVerified, false);
    assert.equal(factor.webauthn.residentKey, false);

    const webauthn = "users/bob/mfa/webauthn";
    const asked = await scene.service.done("POST", `${webauthn}/authentication-options`, {});
    const assertion = await get(page, asked);
    const shown = await scene.service.done("POST", `${webauthn}/verify-assertion`, { assertion });
    assert.equal(shown.userVerified, false);
    assert.deepEqual(claims(shown.tokens.accessToken).acr, "aal1");

    const { challengeId, options } = await login("bob");
    const body = { challengeId, factorId: factor.id, assertion: await get(page, options) };
    const verified = await scene.service.done("POST", "mfa/challenges/verify", body);
    assert.equal(claims(verified.tokens.accessToken).acr, "aal2");
  });
});

test("a discoverable passkey is found without being named, and tells its user", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    await Authenticator.plugIn(page, "internal");
    const factor = await enroll(page, "resident", { residentKey: "required" });
    const { challengeId, options } = await login("resident");
    const assertion = await get(page, { ...options, allowCredentials: [] });
    assert.ok(assertion.response.userHandle);
    // Which of a person's keys the browser took, only its answer says.
    const body = { challengeId, assertion };
    const verified = await scene.service.done("POST", "mfa/challenges/verify", body);
    assert.equal(verified.factorId, factor.id);
  });
});

test("a page of another origin cannot use what a person's key signs there", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const key = await Authenticator.plugIn(page, "usb");
    const factor = await enroll(page, "lured");
    // The same host, so the browser plays along; another port, so the origin is another.
    await page.goto(theirs.at("localhost"));
    const { challengeId, options } = await login("lured");
    const assertion = await get(page, options);
    assert.equal(assertion.failed, undefined);
    const body = { challengeId, factorId: factor.id, assertion };
    const refused = await scene.service.api("POST", "mfa/challenges/verify", body);
    assert.equal(refused.status, 422);
    assert.equal(refused.body.code, "invalid_assertion");
    assert.match(refused.body.detail, /origin/);
    // Another host: the browser itself refuses.
    await page.goto(theirs.at("127.0.0.1"));
    assert.equal((await get(page, options)).failed, "SecurityError");
    await key.unplug();
  });
});

test("a ceremony that is broken off costs nothing, and the next one works", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const key = await Authenticator.plugIn(page, "usb");
    const factor = await enroll(page, "hesitant");
    await key.touched(false);
    const first = await login("hesitant");
    assert.equal((await get(page, first.options, { abortAfter: 300 })).failed, "AbortError");
    await key.touched(true);
    const route = `mfa/challenges/${first.challengeId}/webauthn-options`;
    const options = await scene.service.done("POST", route, {});
    const assertion = await get(page, options);
    const body = { challengeId: first.challengeId, factorId: factor.id, assertion };
    await scene.service.done("POST", "mfa/challenges/verify", body);
    const status = await scene.service.done("GET", "users/hesitant/mfa/status");
    assert.equal(status.failedAttempts, 0);
  });
});

test("a key that was registered is not registered twice", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    await Authenticator.plugIn(page, "internal");
    await enroll(page, "twice");
    const route = "users/twice/mfa/webauthn/registration-options";
    const options = await scene.service.done("POST", route, {});
    assert.equal(options.excludeCredentials.length, 1);
    assert.equal((await create(page, options)).failed, "InvalidStateError");
  });
});

test("a factor that was removed lets nobody in, whatever the key still holds", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const device = await Authenticator.plugIn(page, "internal");
    const factor = await enroll(page, "removed");
    await enroll(page, "other");
    const { challengeId, options } = await login("removed");
    const assertion = await get(page, options);
    await scene.service.done("DELETE", `users/removed/mfa/factors/${factor.id}`);
    const body = { challengeId, factorId: factor.id, assertion };
    const refused = await scene.service.api("POST", "mfa/challenges/verify", body);
    assert.equal(refused.body.code, "invalid_assertion");
    const route = "users/removed/mfa/webauthn/authentication-options";
    assert.equal((await scene.service.api("POST", route, {})).body.code, "factor_not_found");
    assert.equal((await device.credentials()).length, 2);
  });
});

test("a copy of a key is refused and told of", async () => {
  await browse(async (page) => {
    await page.goto(ours.at("localhost"));
    const key = await Authenticator.plugIn(page, "usb");
    const factor = await enroll(page, "copied");
    for (let use = 0; use < 2; use += 1) {
      const { challengeId, options } = await login("copied");
      const body = { challengeId, factorId: factor.id, assertion: await get(page, options) };
      await scene.service.done("POST", "mfa/challenges/verify", body);
    }
    const [credential] = await key.credentials();
    assert.ok(credential && credential.signCount > 0);
    await key.count(credential.credentialId, 0);
    const { challengeId, options } = await login("copied");
    const body = { challengeId, factorId: factor.id, assertion: await get(page, options) };
    const refused = await scene.service.api("POST", "mfa/challenges/verify", body);
    assert.equal(refused.body.code, "invalid_assertion");
    assert.match(refused.body.detail, /counter/);
    const told = await scene.service.done("GET", "audit?type=mfa.alert.counter_lowered");
    assert.equal(told.data.length, 1);
    assert.equal(told.data[0].factorId, factor.id);
  });
});
