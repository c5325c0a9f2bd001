// Codes by SMS and email.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../support/people.js";
import { client, hasInbox, newPhone, newUser } from "./client.js";

// Three nodes have nothing that sends, and so there is nothing to try.
const testMessages = hasInbox ? test : () => undefined;
const inbox = new Inbox(process.env["COUNTERSIGN_URL"] ?? "");

testMessages("a person enrolls a phone, and signs in with a code that is sent", async () => {
  const userId = newUser();
  const phoneNumber = newPhone();

  await client.auth.mfa.enrollSms(userId, { phoneNumber });
  await client.auth.mfa.sendSmsCode(userId);
  const factor = await client.auth.mfa.verifySms(userId, { code: await inbox.code(phoneNumber) });
  assert.equal(factor.type, "SMS");

  await client.auth.users.put(userId, { email: `${userId}@example.com`, emailVerified: true });
  await client.auth.mfa.enrollEmail(userId);
  await client.auth.mfa.sendEmailCode(userId);
  const code = await inbox.code(`${userId}@example.com`);
  const address = await client.auth.mfa.verifyEmail(userId, { code });
  assert.equal(address.type, "EMAIL");

  const { challenge } = await client.auth.mfa.createChallenge(userId);
  assert.ok(challenge);
  await client.auth.mfa.sendChallengeCode(challenge.id, { factorId: address.id });
  const verified = await client.auth.mfa.verify({
    challengeId: challenge.id,
    factorId: address.id,
    code: await inbox.code(`${userId}@example.com`),
  });
  assert.ok(verified);
});
