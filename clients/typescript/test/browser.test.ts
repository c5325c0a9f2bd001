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

const ID = [1, 2, 3];
const clientData = new TextEncoder().encode("{}");

/** An object that borrowed a prototype whose getters refuse it, as extensions make them. */
function imitation(members: object): object {
  const refuse = { get: () => { throw new TypeError("Illegal invocation"); } };
  const names = ["id", "rawId", "type", "response", "authenticatorAttachment", "getClientExtensionResults"];
  const prototype = Object.create(null, Object.fromEntries(names.map((name) => [name, refuse])));
  return Object.create(prototype, Object.getOwnPropertyDescriptors(members));
}

const WHOLE = {
  clientDataJSON: clientData.buffer,
  attestationObject: Uint8Array.from(ID),
  authenticatorData: Uint8Array.from(ID),
  signature: Uint8Array.from(ID),
};
const IMITATIONS: Record<string, object> = {
  "getters that refuse": imitation({ rawId: Uint8Array.from(ID).buffer, response: WHOLE }),
  "no rawId": { id: "AQID", response: WHOLE },
  "no id": { rawId: Uint8Array.from(ID), type: "public-key", response: WHOLE },
  "an id in plain base64": { id: "AQID==", rawId: Uint8Array.from(ID), response: WHOLE },
  "texts for buffers": {
    id: "AQID",
    rawId: "AQID",
    response: { clientDataJSON: "e30", attestationObject: "AQID", authenticatorData: "AQID", signature: "AQID" },
  },
  "arrays for buffers": {
    id: "AQID",
    rawId: ID,
    response: { clientDataJSON: [...clientData], attestationObject: ID, authenticatorData: ID, signature: ID },
  },
  "all of it in its JSON": {
    toJSON: () => ({
      rawId: "AQID",
      response: { clientDataJSON: "e30", attestationObject: "AQID", authenticatorData: "AQID", signature: "AQID" },
    }),
  },
  "getters that refuse, but its JSON": imitation({ toJSON: () => ({ id: "AQID", rawId: "AQID", response: WHOLE }) }),
  "an id of the manager's own": {
    id: "7d9b0c2e-53d4-4a06-9e7b-0a4f1f6f2f11",
    rawId: Uint8Array.from(ID),
    response: WHOLE,
  },
  "results that are no object": {
    id: "AQID",
    rawId: Uint8Array.from(ID),
    response: WHOLE,
    getClientExtensionResults: () => ["credProps"],
    toJSON: () => ({}),
  },
  "results that cannot be JSON": {
    id: "AQID",
    rawId: Uint8Array.from(ID),
    response: WHOLE,
    getClientExtensionResults: () => ({ prf: 1n }),
  },
  "a JSON form that throws": { id: "AQID", rawId: ID, response: WHOLE, toJSON: () => assert.fail("no") },
  "methods that throw": {
    id: "AQID",
    rawId: Uint8Array.from(ID),
    response: { ...WHOLE, getTransports: () => assert.fail("no") },
    getClientExtensionResults: () => assert.fail("no"),
  },
  "methods that give nothing": {
    id: "AQID",
    rawId: Uint8Array.from(ID),
    response: { ...WHOLE, userHandle: new ArrayBuffer(0), getTransports: () => null },
    getClientExtensionResults: () => undefined,
    authenticatorAttachment: "desktop",
  },
};
for (const [name, credential] of Object.entries(IMITATIONS)) {
  test(`a password manager's imitation will do: ${name}`, async () => {
    browser({ create: () => Promise.resolve(credential), get: () => Promise.resolve(credential) });
    const common = { id: "AQID", rawId: "AQID", type: "public-key", clientExtensionResults: {} };
    const { response: registered, ...rest } = await register(CREATION);
    assert.deepEqual(rest, common);
    assert.deepEqual([registered.clientDataJSON, registered.attestationObject], ["e30", "AQID"]);
    assert.equal("transports" in registered, false);
    const { response: shown, ...others } = await authenticate(REQUEST);
    assert.deepEqual(others, common);
    assert.deepEqual([shown.clientDataJSON, shown.authenticatorData, shown.signature], ["e30", "AQID", "AQID"]);
    assert.equal("userHandle" in shown, false);
  });
}

test("a broken object is told apart from a ceremony that was broken off", async () => {
  const { signature: _, ...unsigned } = WHOLE;
  const broken: Record<string, object> = {
    "neither `id` nor `rawId`": { response: WHOLE },
    "no `response.": imitation({ id: "AQID", rawId: Uint8Array.from(ID) }),
    "no `response.signature`": { id: "AQID", rawId: Uint8Array.from(ID), response: unsigned },
    "no `response.authenticatorData`": {
      id: "AQID",
      rawId: Uint8Array.from(ID),
      response: { ...WHOLE, authenticatorData: { 0: 1 } },
    },
  };
  for (const [missing, credential] of Object.entries(broken)) {
    browser({ get: () => Promise.resolve(credential) });
    await assert.rejects(authenticate(REQUEST), (error) => {
      assert.ok(error instanceof CeremonyError && error.cause instanceof TypeError);
      assert.equal(error.reason, "invalid_credential");
      assert.ok(error.cause.message.includes(missing), error.cause.message);
      return true;
    });
  }
  browser({ get: () => Promise.reject(new DOMException("", "NotAllowedError")) });
  await assert.rejects(authenticate(REQUEST), { reason: "cancelled" });
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
