// Secrets are there to be used, and are not seen when something is printed.

import assert from "node:assert/strict";
import { Console } from "node:console";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { Countersign, ProblemError } from "../src/index.js";
import { KEY, answer } from "./support/stage.js";

const SECRET = "TOP-SECRET-TEXT";

/** A client whose every call is answered alike. */
const client = (body: object, status = 200) =>
  new Countersign({ baseUrl: "http://node", apiKey: KEY, maxRetries: 0, fetch: async () => answer({ body, status }) });

/** Everything that somebody may see who prints a value. */
function shown(value: unknown): string[] {
  let printed = "";
  const write = (chunk: Buffer, _: string, done: () => void): void => {
    printed += String(chunk);
    done();
  };
  const stream = new Writable({ write });
  const console = new Console({ stdout: stream, stderr: stream, colorMode: false });
  console.log(value);
  console.log({ deep: { in: [value] } });
  console.error("%o %O", value, value);
  console.dir(value, { depth: null, showHidden: true });
  return [printed, inspect(value, { depth: null, showHidden: true, getters: true })];
}

const tokens = { accessToken: SECRET, tokenType: "Bearer", expiresIn: 900 };
const deviceToken = SECRET;

const CALLS: Record<string, [body: object, call: (client: Countersign) => PromiseLike<unknown>]> = {
  "a TOTP enrollment": [
    { factorId: "fac_1", secret: SECRET, qrCodeUri: `otpauth://totp/a?secret=${SECRET}`, qrCodeSvg: `<svg>${SECRET}</svg>` },
    ({ auth }) => auth.mfa.enrollTotp("ann"),
  ],
  "recovery codes": [{ codes: [SECRET, SECRET] }, ({ auth }) => auth.mfa.generateRecoveryCodes("ann")],
  "new recovery codes": [{ codes: [SECRET] }, ({ auth }) => auth.mfa.regenerateRecoveryCodes("ann")],
  "a verification": [
    { tokens, deviceToken, factorId: "fac_1" },
    ({ auth }) => auth.mfa.verify({ challengeId: "chl_1", factorId: "fac_1", code: "123456" }),
  ],
  "a login without a factor": [{ mfaRequired: false, tokens }, ({ auth }) => auth.mfa.createChallenge("ann")],
  "a confirmed app": [{ id: "fac_1", tokens }, ({ auth }) => auth.mfa.verifyTotp("ann", { code: "123456" })],
  "a confirmed number": [{ id: "fac_1", tokens }, ({ auth }) => auth.mfa.verifySms("ann", { code: "123456" })],
  "a confirmed address": [{ id: "fac_1", tokens }, ({ auth }) => auth.mfa.verifyEmail("ann", { code: "123456" })],
  "a confirmed key": [{ id: "fac_1", tokens }, ({ auth }) => auth.mfa.verifyWebAuthn("ann", { credential: "{}" })],
  "an assertion": [
    { factorId: "fac_1", tokens },
    ({ auth }) => auth.mfa.verifyWebAuthnAssertion("ann", { assertion: "{}" }),
  ],
  "a link to a page": [
    { url: `https://node/p/${SECRET}`, expiresAt: "2026" },
    ({ auth }) => auth.portal.createSession({ userId: "ann", purpose: "MANAGE", returnUrl: "https://app" }),
  ],
  "what came of a page": [{ tokens, deviceToken }, ({ auth }) => auth.portal.fetchResult({ code: "1" })],
  "an API key": [{ id: "key_1", key: SECRET }, ({ apiKeys }) => apiKeys.create({ name: "a", scopes: ["mfa"] })],
  "a tenant": [{ id: "ten_1", key: SECRET }, ({ tenants }) => tenants.create({ name: "a" })],
  "a webhook": [
    { id: "whk_1", secret: SECRET },
    ({ webhooks }) => webhooks.create({ url: "https://app", events: ["mfa.*"] }),
  ],
  "a webhook's new secret": [{ id: "whk_1", secret: SECRET }, ({ webhooks }) => webhooks.rotateSecret("whk_1")],
};

describe("what is secret is not printed", () => {
  for (const [name, [body, call]] of Object.entries(CALLS)) {
    test(`of ${name}`, async () => {
      const result = await call(client(body));
      for (const text of shown(result)) assert.ok(!text.includes(SECRET), text);
      assert.match(inspect(result, { depth: null }), /\[redacted\]/);
      // Whoever uses it has it: by name, and as JSON.
      assert.ok(JSON.stringify(result).includes(SECRET));
    });
  }
});

test("what is not secret is printed as ever, and so is a secret that is not there", async () => {
  const result = await client({ id: "fac_1", name: "Phone", tokens: null }).auth.mfa.verifyTotp("ann", { code: "1" });
  assert.equal(inspect(result), "{ id: 'fac_1', name: 'Phone', tokens: null }");
  const untrusted = await client({ tokens, deviceToken: null }).auth.mfa.verify({
    challengeId: "chl_1",
    recoveryCode: "1",
  });
  assert.match(inspect(untrusted), /deviceToken: null/);
});

test("hiding adds nothing that a loop or a comparison would find", async () => {
  const result = await client({ factorId: "fac_1", secret: SECRET }).auth.mfa.enrollTotp("ann");
  assert.deepEqual(Object.keys(result), ["factorId", "secret"]);
  assert.deepEqual(result, { factorId: "fac_1", secret: SECRET });
  const codes = await client({ codes: [SECRET, "A"] }).auth.mfa.generateRecoveryCodes("ann");
  assert.deepEqual([...codes], [SECRET, "A"]);
  assert.deepEqual(codes.sort(), ["A", SECRET]);
  assert.equal(codes.join(), `A,${SECRET}`);
  assert.deepEqual(structuredClone(codes), ["A", SECRET]);
});

test("a client shows its addresses, and neither its key nor anything inside", () => {
  const one = client({});
  assert.equal(inspect(one), "Countersign { http://node }");
  for (const value of [one, one.auth, one.auth.mfa, one.webhooks]) {
    for (const text of [...shown(value), JSON.stringify(value)]) assert.ok(!text.includes(KEY), text);
  }
});

test("no error shows what was sent, whatever the platform puts into its own", async () => {
  const noisy = new Countersign({
    baseUrl: "http://node",
    apiKey: KEY,
    maxRetries: 0,
    fetch: async (_, init) => {
      throw new TypeError(`fetch failed: ${JSON.stringify(init)}`);
    },
  });
  const error = await noisy.auth.mfa
    .verify({ challengeId: "chl_1", factorId: "fac_1", code: SECRET })
    .then(() => assert.fail("it did not fail"), (error: unknown) => error as Error);
  for (const text of [error.message, String(error), JSON.stringify(error)]) {
    assert.ok(!text.includes(SECRET) && !text.includes(KEY), text);
  }
});

test("a problem shows what was said of it", async () => {
  const body = { code: "forbidden", detail: "the key lacks the scope policy", requestId: "req_1" };
  const error = await client(body, 403)
    .auth.mfa.getPolicy()
    .then(() => assert.fail("it did not fail"), (error: unknown) => error);
  assert.ok(error instanceof ProblemError);
  assert.match(inspect(error), /^PermissionDeniedError: getPolicy: 403 forbidden: .* \(request req_1\)/);
});
