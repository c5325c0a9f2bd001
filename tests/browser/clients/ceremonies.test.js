// Security keys and passkeys by the TypeScript client: its server part gets the options and takes
// what the browser gave, its entry for browsers does the two ceremonies.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

import { Authenticator, Scene } from "../harness/index.js";
import { ROOT } from "../harness/service.js";

/** @typedef {import("playwright-core").Page} Page */

const CLIENT = path.join(ROOT, "clients/typescript/dist/esm");

/** A page, the built client's files, and the API on the page's own origin. */
const application = createServer((request, response) => {
  const url = request.url ?? "/";
  if (url.startsWith("/client/")) {
    const file = path.join(CLIENT, path.normalize(url.slice("/client".length)));
    response.setHeader("content-type", "text/javascript");
    readFile(file).then((text) => response.end(text), () => response.writeHead(404).end());
  } else if (url.startsWith("/v1/")) {
    void pass(request, response);
  } else {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>An application</title>");
  }
});

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function pass(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = /** @type {Record<string, string>} */ ({
    authorization: request.headers.authorization ?? "",
    "content-type": request.headers["content-type"] ?? "",
    "idempotency-key": request.headers["idempotency-key"] ?? "",
  });
  for (const name of Object.keys(headers)) if (!headers[name]) delete headers[name];
  const body = chunks.length === 0 ? null : Buffer.concat(chunks);
  const method = request.method ?? "GET";
  const answer = await fetch(scene.service.url + request.url, { method, headers, body });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
  response.end(await answer.text());
}

/** @type {any} */
let mfa;

const scene = Scene.forThisFile(async ({ service }) => {
  await /** @type {Promise<void>} */ (
    new Promise((resolve) => application.listen(0, "127.0.0.1", () => resolve()))
  );
  const { Countersign } = await import(pathToFileURL(path.join(CLIENT, "index.js")).href);
  const client = new Countersign({ baseUrl: service.url, apiKey: service.key });
  await client.settings.update({ rpId: "localhost", rpName: "Harbour", origins: [at("localhost")] });
  mfa = client.auth.mfa;
});

after(() => {
  application.close();
  application.closeAllConnections();
});

/** @param {string} host */
function at(host) {
  const address = application.address();
  if (!address || typeof address === "string") throw new Error("the application is not open");
  return `http://${host}:${address.port}`;
}

/**
 * What arrives in the page of what the server sends, and the other way round.
 * @param {unknown} value
 */
const sent = (value) => JSON.parse(JSON.stringify(value));

/**
 * A ceremony in the page: what it gave, or `{reason, message, cause}` of its failure.
 * @param {Page} page
 * @param {"register" | "authenticate"} which
 * @param {unknown} options
 * @param {{ abortAfter?: number }} [how]
 * @returns {Promise<any>}
 */
function ceremony(page, which, options, how = {}) {
  return page.evaluate(
    async ([which, options, how]) => {
      const module = "/client/browser.js";
      const helper = await import(module);
      const abort = new AbortController();
      if (how.abortAfter !== undefined) setTimeout(() => abort.abort(), how.abortAfter);
      try {
        return await helper[which](options, { signal: abort.signal });
      } catch (error) {
        if (!(error instanceof helper.CeremonyError)) throw error;
        const { name, reason, message, cause } = /** @type {any} */ (error);
        return { name, reason, message, cause: cause?.name };
      }
    },
    /** @type {const} */ ([which, sent(options), how]),
  );
}

/**
 * Registers; the factor.
 * @param {Page} page
 * @param {string} user
 */
async function enroll(page, user) {
  const options = await mfa.getWebAuthnRegistrationOptions(user);
  const credential = await ceremony(page, "register", options);
  assert.equal(credential.type, "public-key", JSON.stringify(credential));
  return await mfa.verifyWebAuthn(user, { credential: sent(credential), name: "Mine" });
}

test("one call registers a passkey, one shows it", async () => {
  await scene.window(async (page) => {
    await page.goto(at("localhost"));
    await Authenticator.plugIn(page, "internal");
    const factor = await enroll(page, "ann");
    assert.deepEqual([factor.type, factor.name], ["WEBAUTHN", "Mine"]);
    assert.deepEqual(factor.webauthn.transports, ["internal"]);

    const asked = await mfa.getWebAuthnAuthOptions("ann");
    const shown = await ceremony(page, "authenticate", asked);
    const proof = await mfa.verifyWebAuthnAssertion("ann", { assertion: sent(shown) });
    assert.deepEqual([proof.verified, proof.factorId], [true, factor.id]);

    const { challenge } = await mfa.createChallenge("ann");
    const options = await mfa.getChallengeWebAuthnOptions(challenge.id);
    const assertion = await ceremony(page, "authenticate", options);
    const verified = await mfa.verify({
      challengeId: challenge.id,
      factorId: factor.id,
      assertion: JSON.stringify(assertion),
    });
    assert.ok(verified.tokens.accessToken);
    const again = await mfa.verify({ challengeId: challenge.id, factorId: factor.id, assertion });
    assert.equal(again, null, "an assertion is good once");
  });
});

test("a key on USB is touched", async () => {
  await scene.window(async (page) => {
    await page.goto(at("localhost"));
    await Authenticator.plugIn(page, "usb");
    const factor = await enroll(page, "bob");
    assert.deepEqual(factor.webauthn.transports, ["usb"]);
    const { challenge } = await mfa.createChallenge("bob");
    const options = await mfa.getChallengeWebAuthnOptions(challenge.id);
    const assertion = await ceremony(page, "authenticate", options);
    assert.ok(await mfa.verify({ challengeId: challenge.id, factorId: factor.id, assertion }));
  });
});

test("what the calls return goes to navigator.credentials as it is", async () => {
  await scene.window(async (page) => {
    await page.goto(at("localhost"));
    await Authenticator.plugIn(page, "internal");
    const { factor, verified } = await page.evaluate(async (apiKey) => {
      const module = "/client/index.js";
      const { Countersign } = await import(module);
      const client = new Countersign({
        baseUrl: location.origin,
        apiKey,
        dangerouslyAllowBrowser: true,
      });
      const { mfa } = client.auth;
      const creation = await mfa.getWebAuthnRegistrationOptions("carol");
      const credential = await navigator.credentials.create({ publicKey: creation });
      const factor = await mfa.verifyWebAuthn("carol", { credential, name: "Laptop" });
      const { challenge } = await mfa.createChallenge("carol");
      const request = await mfa.getChallengeWebAuthnOptions(challenge.id);
      const assertion = await navigator.credentials.get({ publicKey: request });
      const verified = await mfa.verify({ challengeId: challenge.id, assertion });
      return { factor, verified };
    }, scene.service.key);
    assert.equal(factor.name, "Laptop");
    assert.equal(verified.factorId, factor.id);
  });
});

test("a page is told why a ceremony came to nothing", async () => {
  await scene.window(async (page) => {
    await page.goto(at("localhost"));
    const device = await Authenticator.plugIn(page, "internal");
    await enroll(page, "dora");

    const second = await ceremony(page, "register", await mfa.getWebAuthnRegistrationOptions("dora"));
    assert.deepEqual([second.name, second.reason], ["CeremonyError", "already_registered"]);
    assert.equal(second.cause, "InvalidStateError");

    const wish = { userVerification: "required" };
    await device.knowsUser(false);
    const refused = await ceremony(page, "authenticate", await mfa.getWebAuthnAuthOptions("dora", wish));
    assert.deepEqual([refused.reason, refused.cause], ["cancelled", "NotAllowedError"]);

    await device.knowsUser(true);
    await device.touched(false);
    const options = await mfa.getWebAuthnAuthOptions("dora");
    const ended = await ceremony(page, "authenticate", options, { abortAfter: 100 });
    assert.equal(ended.reason, "aborted");

    await page.goto(at("127.0.0.1"));
    const elsewhere = await ceremony(page, "authenticate", options);
    assert.deepEqual([elsewhere.reason, elsewhere.cause], ["wrong_origin", "SecurityError"]);
  });
});

test("a browser that knows no WebAuthn is told apart", async () => {
  await scene.window(async (page) => {
    await page.addInitScript(() => {
      Object.defineProperty(window, "PublicKeyCredential", { value: undefined });
    });
    await page.goto(at("localhost"));
    const module = "/client/browser.js";
    const supported = await page.evaluate(async (module) => {
      const helper = await import(module);
      return [helper.isSupported(), await helper.isAutofillSupported()];
    }, module);
    assert.deepEqual(supported, [false, false]);
    const options = await mfa.getWebAuthnRegistrationOptions("erik");
    assert.equal((await ceremony(page, "register", options)).reason, "not_supported");
  });
});

test("a key that holds nothing of this user's is told apart from a wrong one", async () => {
  await scene.window(async (page) => {
    await page.goto(at("localhost"));
    const device = await Authenticator.plugIn(page, "internal");
    await enroll(page, "fay");
    await device.clear();
    const { challenge } = await mfa.createChallenge("fay");
    const options = await mfa.getChallengeWebAuthnOptions(challenge.id);
    const found = await ceremony(page, "authenticate", options, { abortAfter: 3_000 });
    assert.match(found.reason, /^(cancelled|aborted)$/);
  });
});
