// When the phone is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { totp } from "../support/people.js";
import { client, newUser } from "./client.js";

test("recovery codes stand in, and an administrator helps", async () => {
  const userId = newUser();
  const { secret } = await client.auth.mfa.enrollTotp(userId);
  await client.auth.mfa.verifyTotp(userId, { code: totp(secret) });

  const codes = await client.auth.mfa.generateRecoveryCodes(userId);
  const [first = "", second = ""] = codes;
  const { remaining } = await client.auth.mfa.useRecoveryCode(userId, { code: first });
  assert.equal(remaining, codes.length - 1);

  const { challenge } = await client.auth.mfa.createChallenge(userId);
  assert.ok(challenge);
  const verified = await client.auth.mfa.verify({ challengeId: challenge.id, recoveryCode: second });
  assert.ok(verified);

  const fresh = await client.auth.mfa.regenerateRecoveryCodes(userId);
  assert.equal(new Set([...codes, ...fresh]).size, codes.length + fresh.length);

  await client.auth.mfa.resetFactors(userId, { reason: "lost everything" });
  const status = await client.auth.mfa.getStatus(userId);
  assert.deepEqual([status.enabled, status.recoveryCodesRemaining], [false, 0]);
});
