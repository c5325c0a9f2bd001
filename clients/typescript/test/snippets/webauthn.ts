// A passkey, from its registration to a login.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Authenticator } from "../support/authenticator.js";
import { client, newUser } from "./client.js";

test("a person registers a passkey, and signs in with it", async () => {
  const userId = newUser();
  const page = 'https://login.acme.example';
  await client.settings.update({ rpId: 'acme.example', rpName: 'Acme', origins: [page] });
  const navigator = { credentials: new Authenticator(page) };

  const options = await client.auth.mfa.getWebAuthnRegistrationOptions(userId);
  const credential = navigator.credentials.create({ publicKey: options });
  const factor = await client.auth.mfa.verifyWebAuthn(userId, { credential, name: 'Laptop' });
  assert.deepEqual([factor.type, factor.name], ["WEBAUTHN", "Laptop"]);

  const authOptions = await client.auth.mfa.getWebAuthnAuthOptions(userId);
  const shown = navigator.credentials.get({ publicKey: authOptions });
  const { userVerified } = await client.auth.mfa.verifyWebAuthnAssertion(userId, { assertion: shown });
  assert.equal(userVerified, true);

  const result = await client.auth.mfa.createChallenge(userId);
  assert.ok(result.mfaRequired);
  const challengeId = result.challenge.id;
  const challengeOptions = await client.auth.mfa.getChallengeWebAuthnOptions(challengeId);
  const assertion = navigator.credentials.get({ publicKey: challengeOptions });
  const verified = await client.auth.mfa.verify({ challengeId, assertion });
  assert.equal(verified?.factorId, factor.id);
});

test("what another passkey signed is wrong", async () => {
  const userId = newUser();
  const page = 'https://login.acme.example';
  const own = new Authenticator(page);
  const publicKey = await client.auth.mfa.getWebAuthnRegistrationOptions(userId);
  await client.auth.mfa.verifyWebAuthn(userId, { credential: own.create({ publicKey }) });

  const { challenge } = await client.auth.mfa.createChallenge(userId);
  assert.ok(challenge);
  const options = await client.auth.mfa.getChallengeWebAuthnOptions(challenge.id);
  const forged = new Authenticator("https://login.acme.example.evil.example");
  const registration = await client.auth.mfa.getWebAuthnRegistrationOptions(newUser());
  const { rawId } = forged.create({ publicKey: registration });
  const [allowed] = options.allowCredentials;
  assert.ok(allowed);
  const id = new Uint8Array(rawId) as typeof allowed.id;
  const assertion = forged.get({ publicKey: { ...options, allowCredentials: [{ ...allowed, id }] } });
  assert.equal(await client.auth.mfa.verify({ challengeId: challenge.id, assertion }), null);
});
