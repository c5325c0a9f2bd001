// Options as browsers take them, and what browsers give.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Base64UrlBytes, Countersign } from "../src/index.js";
import { credentialJSON } from "../src/webauthn.js";
import { Authenticator } from "./support/authenticator.js";
import { KEY, answer } from "./support/stage.js";

const CREATION = {
  attestation: "none",
  authenticatorSelection: { residentKey: "preferred", requireResidentKey: false, userVerification: "preferred" },
  challenge: "AAECAwQFBgcICQoLDA0ODw",
  excludeCredentials: [{ id: "_-8", type: "public-key", transports: ["usb"] }],
  extensions: { credProps: true },
  hints: [],
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
  rp: { id: "acme.example", name: "Acme" },
  timeout: 300_000,
  user: { id: "AQI", name: "ann", displayName: "Ann" },
};

const REQUEST = {
  allowCredentials: [{ id: "_-8", type: "public-key", transports: ["internal"] }],
  challenge: "AAECAwQFBgcICQoLDA0ODw",
  hints: [],
  rpId: "acme.example",
  timeout: 300_000,
  userVerification: "preferred",
};

/** A client, and the bodies that it sent. */
function recorded(body: object): { client: Countersign; sent: unknown[] } {
  const sent: unknown[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)));
    return answer({ body });
  };
  return { client: new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch }), sent };
}

test("options for a registration have bytes, and are in JSON as they came", async () => {
  const options = await recorded(CREATION).client.auth.mfa.getWebAuthnRegistrationOptions("ann");
  for (const bytes of [options.challenge, options.user.id, options.excludeCredentials[0]?.id]) {
    assert.ok(bytes instanceof Base64UrlBytes);
  }
  assert.deepEqual([...options.user.id], [1, 2]);
  assert.deepEqual(JSON.parse(JSON.stringify(options)), CREATION);
});

test("options for an assertion have bytes, and are in JSON as they came", async () => {
  for (const call of ["getWebAuthnAuthOptions", "getChallengeWebAuthnOptions"] as const) {
    const options = await recorded(REQUEST).client.auth.mfa[call]("ann");
    for (const bytes of [options.challenge, options.allowCredentials[0]?.id]) {
      assert.ok(bytes instanceof Base64UrlBytes);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(options)), REQUEST);
  }
});

test("a browser takes them as they are", async () => {
  const { mfa } = recorded(CREATION).client.auth;
  const forCreate: PublicKeyCredentialCreationOptions = await mfa.getWebAuthnRegistrationOptions("ann");
  const forGet: PublicKeyCredentialRequestOptions = await recorded(REQUEST).client.auth.mfa.getWebAuthnAuthOptions("ann");
  assert.ok(forCreate.challenge && forGet.challenge);
});

test("what a browser gives is sent as JSON: the object, its JSON, and that as a text", async () => {
  const authenticator = new Authenticator("https://acme.example");
  const options = await recorded(CREATION).client.auth.mfa.getWebAuthnRegistrationOptions("ann");
  const credential = authenticator.create({ publicKey: options });
  const json = credentialJSON(credential);
  assert.deepEqual(Object.keys(json).sort(), [
    "authenticatorAttachment",
    "clientExtensionResults",
    "id",
    "rawId",
    "response",
    "type",
  ]);
  const response = json.response as unknown as Record<string, unknown>;
  assert.deepEqual(Object.keys(response).sort(), ["attestationObject", "clientDataJSON", "transports"]);
  assert.deepEqual(response["transports"], ["internal"]);
  assert.equal(json.rawId, json.id);
  const clientData = Buffer.from(String(response["clientDataJSON"]), "base64url").toString();
  assert.equal((JSON.parse(clientData) as { challenge: string }).challenge, CREATION.challenge);

  for (const given of [credential, json, JSON.stringify(json)] as const) {
    const { client, sent } = recorded({});
    await client.auth.mfa.verifyWebAuthn("ann", { credential: given as typeof credential, name: "Key" });
    assert.deepEqual(sent, [{ credential: json, name: "Key" }]);
  }

  const publicKey = await recorded({ ...REQUEST, allowCredentials: [{ id: json.id }] }).client.auth.mfa.getWebAuthnAuthOptions("ann");
  const assertion = authenticator.get({ publicKey });
  const shown = credentialJSON(assertion);
  const members = ["authenticatorData", "clientDataJSON", "signature", "userHandle"];
  assert.deepEqual(Object.keys(shown.response).sort(), members);
  for (const given of [assertion, shown, JSON.stringify(shown)] as const) {
    const { client, sent } = recorded({ tokens: {} });
    await client.auth.mfa.verify({ challengeId: "chl_1", assertion: given as typeof assertion, rememberDevice: true });
    await client.auth.mfa.verifyWebAuthnAssertion("ann", { assertion: given as typeof assertion });
    assert.deepEqual(sent, [{ challengeId: "chl_1", rememberDevice: true, assertion: shown }, { assertion: shown }]);
  }
});

test("what a browser leaves out is left out", () => {
  const bytes = Uint8Array.of(1, 2).buffer;
  const bare = { id: "AQI", rawId: bytes, type: "public-key", authenticatorAttachment: null };
  const response = { clientDataJSON: bytes, authenticatorData: bytes, signature: bytes, userHandle: null };
  assert.deepEqual(credentialJSON({ ...bare, response }), {
    id: "AQI",
    rawId: "AQI",
    type: "public-key",
    response: { clientDataJSON: "AQI", authenticatorData: "AQI", signature: "AQI" },
    clientExtensionResults: {},
  });
});

test("an object in a browser's place is made JSON, whatever holds its bytes", async () => {
  const bytes = Uint8Array.of(1, 2);
  const buffers = { clientDataJSON: bytes.buffer, authenticatorData: bytes, signature: new DataView(bytes.buffer) };
  const texts = { clientDataJSON: "AQI", authenticatorData: "AQI", signature: "AQI" };
  const whole = { id: "AQI", rawId: "AQI", type: "public-key", response: texts, clientExtensionResults: {} };
  const given = {
    "rawId as a text, buffers in response": { id: "AQI", rawId: "AQI", type: "public-key", response: buffers },
    "rawId as an array": { id: "AQI", rawId: [1, 2], type: "public-key", response: texts },
    "arrays in response": { id: "AQI", rawId: "AQI", response: { ...texts, signature: [1, 2] } },
    "an id of its own": { id: "7d9b0c2e-53d4", rawId: bytes, response: buffers },
    "nothing but toJSON": { toJSON: () => whole },
  };
  for (const [name, assertion] of Object.entries(given)) {
    const { client, sent } = recorded({ tokens: {} });
    await client.auth.mfa.verifyWebAuthnAssertion("ann", { assertion: assertion as never });
    assert.deepEqual(sent, [{ assertion: whole }], name);
  }
  // What is JSON already is the caller's, odd or not.
  for (const odd of [{}, { id: "x", response: { signature: "" } }, { ...whole, more: [1] }]) {
    const { client, sent } = recorded({ tokens: {} });
    await client.auth.mfa.verifyWebAuthnAssertion("ann", { assertion: odd as never });
    assert.deepEqual(sent, [{ assertion: odd }]);
  }
});

test("what is no credential is sent to nobody, and no part of it is shown", async () => {
  const { client, sent } = recorded({});
  const { mfa } = client.auth;
  const none = ["", "hunter2", "{", '{"id":"hunter2"', "null", '["hunter2"]', '"hunter2"', "42", null, undefined, 42, [], true];
  for (const wrong of none) {
    const credential = wrong as string;
    const calls = [
      () => mfa.verifyWebAuthn("ann", { credential }),
      () => mfa.verifyWebAuthnAssertion("ann", { assertion: credential }),
      // Without an assertion it is another proof.
      ...(wrong === undefined ? [] : [() => mfa.verify({ challengeId: "chl_1", assertion: credential })]),
    ];
    for (const call of calls) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof TypeError, inspect(error));
        assert.match(error.message, /^a credential is what the browser gave/);
        assert.ok(!inspect(error).includes("hunter2"), inspect(error));
        return true;
      });
    }
  }
  assert.deepEqual(sent, []);
});
