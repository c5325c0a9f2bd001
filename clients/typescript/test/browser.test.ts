// The entry for pages, in a browser that is make-believe. A real one does the ceremonies in the tests
// of the examples.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { CeremonyError, authenticate, isAutofillSupported, isSupported, register } from "../src/browser.js";
import type { CreationOptionsJSON, RequestOptionsJSON } from "../src/index.js";
import { creationOptions, requestOptions } from "../src/webauthn.js";
import { Authenticator } from "./support/authenticator.js";

const CREATION: CreationOptionsJSON = {
  attestation: "none",
  authenticatorSelection: {
    residentKey: "preferred",
    requireResidentKey: false,
    userVerification: "preferred",
  },
  challenge: "AAECAwQFBgcICQoLDA0ODw",
  excludeCredentials: [{ id: "_-8", type: "public-key", transports: ["usb"] }],
  extensions: { credProps: true },
  hints: [],
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
  rp: { id: "acme.example", name: "Acme" },
  timeout: 300_000,
  user: { id: "AQI", name: "ann", displayName: "Ann" },
};

const REQUEST: RequestOptionsJSON = {
  allowCredentials: [{ id: "_-8", type: "public-key", transports: ["internal"] }],
  challenge: "AAECAwQFBgcICQoLDA0ODw",
  hints: [],
  rpId: "acme.example",
  timeout: 300_000,
  userVerification: "preferred",
};

const NAMES = ["navigator", "PublicKeyCredential"] as const;
const kept = NAMES.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
afterEach(() => {
  NAMES.forEach((name, index) => {
    const descriptor = kept[index];
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  });
});

interface Credentials {
  create?: (request: CredentialCreationOptions) => unknown;
  get?: (request: CredentialRequestOptions) => unknown;
}

/** Makes this process a page of a browser that does ceremonies thus. */
function browser(credentials: Credentials, statics: object = {}): void {
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  define("navigator", { credentials });
  define("PublicKeyCredential", Object.assign(class {}, statics));
}

const bytes = (source: unknown) => [...new Uint8Array(source as Uint8Array)];

test("both ceremonies go from JSON to JSON", async () => {
  const authenticator = new Authenticator("https://acme.example");
  browser({
    create: ({ publicKey }) => {
      assert.ok(publicKey);
      assert.deepEqual(bytes(publicKey.challenge), [...Array(16).keys()]);
      assert.deepEqual(bytes(publicKey.user.id), [1, 2]);
      assert.deepEqual(bytes(publicKey.excludeCredentials?.[0]?.id), [255, 239]);
      return Promise.resolve(authenticator.create({ publicKey: creationOptions(CREATION) }));
    },
    get: ({ publicKey, mediation }) => {
      assert.ok(publicKey);
      assert.equal(mediation, undefined);
      const allowCredentials = (publicKey.allowCredentials ?? []).map((each) => ({ ...each, id: each.id as never }));
      return Promise.resolve(authenticator.get({ publicKey: { ...requestOptions(REQUEST), allowCredentials } as never }));
    },
  });
  const registered = await register(CREATION);
  assert.equal(registered.type, "public-key");
  assert.deepEqual(JSON.parse(JSON.stringify(registered)), registered);
  const allowCredentials = [{ id: registered.id, type: "public-key", transports: [] }];
  const shown = await authenticate({ ...REQUEST, allowCredentials });
  assert.equal(shown.id, registered.id);
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), shown);
});

test("options with bytes will do as well", async () => {
  let seen: CredentialCreationOptions | undefined;
  browser({
    create: (request) => {
      seen = request;
      return Promise.resolve(new Authenticator("https://acme.example").create({ publicKey: creationOptions(CREATION) }));
    },
  });
  const { signal } = new AbortController();
  await register(creationOptions(CREATION), { signal });
  assert.deepEqual(bytes(seen?.publicKey?.user.id), [1, 2]);
  assert.equal(seen?.signal, signal);
});

test("in autofill no credential is named, and the wait is the page's to end", async () => {
  let seen: CredentialRequestOptions | undefined;
  browser({
    get: (request) => {
      seen = request;
      return Promise.reject(new DOMException("", "AbortError"));
    },
  });
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(authenticate(REQUEST, { autofill: true, signal: controller.signal }), { reason: "aborted" });
  assert.equal(seen?.mediation, "conditional");
  assert.deepEqual(seen?.publicKey?.allowCredentials, []);
  assert.equal(seen?.signal, controller.signal);
});

const REASONS = {
  NotAllowedError: "cancelled",
  InvalidStateError: "already_registered",
  SecurityError: "wrong_origin",
  ConstraintError: "not_possible",
  NotSupportedError: "not_possible",
  UnknownError: "failed",
};
for (const [name, reason] of Object.entries(REASONS)) {
  test(`${name} of a browser is ${reason}`, async () => {
    const cause = new DOMException("", name);
    browser({ create: () => Promise.reject(cause), get: () => Promise.reject(cause) });
    for (const ceremony of [register(CREATION), authenticate(REQUEST)]) {
      await assert.rejects(ceremony, (error) => {
        assert.ok(error instanceof CeremonyError);
        assert.deepEqual([error.name, error.reason, error.cause], ["CeremonyError", reason, cause]);
        assert.notEqual(error.message, "");
        return true;
      });
    }
  });
}

test("a browser that gives nothing, or throws what is no error, has failed", async () => {
  browser({ create: () => Promise.resolve(null), get: () => Promise.reject(undefined) });
  await assert.rejects(register(CREATION), { reason: "failed" });
  await assert.rejects(authenticate(REQUEST), { reason: "failed" });
});

test("where there is no WebAuthn, that is said", async () => {
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  assert.equal(isSupported(), false);
  assert.equal(await isAutofillSupported(), false);
  await assert.rejects(register(CREATION), { reason: "not_supported" });
  await assert.rejects(authenticate(REQUEST), { reason: "not_supported" });
});

test("whether passkeys can be offered in a field is the browser's to say", async () => {
  browser({});
  assert.equal(isSupported(), true);
  assert.equal(await isAutofillSupported(), false);
  for (const can of [true, false]) {
    browser({}, { isConditionalMediationAvailable: () => Promise.resolve(can) });
    assert.equal(await isAutofillSupported(), can);
  }
});

test("options that are no base64url are refused before the browser is asked", async () => {
  browser({ create: () => assert.fail("it was asked"), get: () => assert.fail("it was asked") });
  await assert.rejects(register({ ...CREATION, challenge: "A" }), SyntaxError);
  await assert.rejects(authenticate({ ...REQUEST, challenge: "A+" }), SyntaxError);
});

test("options that name no credential may leave the list out", async () => {
  const authenticator = new Authenticator("https://acme.example");
  let exclude: unknown;
  let allow: unknown;
  browser({
    create: ({ publicKey }) => {
      exclude = publicKey?.excludeCredentials;
      return Promise.resolve(authenticator.create({ publicKey: creationOptions(CREATION) }));
    },
    get: ({ publicKey }) => {
      allow = publicKey?.allowCredentials;
      return Promise.reject(new DOMException("", "NotAllowedError"));
    },
  });
  const { excludeCredentials: _, ...creation } = CREATION;
  await register(creation as CreationOptionsJSON);
  assert.deepEqual(exclude, []);
  const { allowCredentials: __, ...request } = REQUEST;
  await assert.rejects(authenticate(request as RequestOptionsJSON), { reason: "cancelled" });
  assert.deepEqual(allow, []);
});
