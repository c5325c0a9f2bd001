// A login, once the password is right.

import assert from "node:assert/strict";
import { test } from "node:test";
import { totp, wrongCode } from "../support/people.js";
import { client, newUser } from "./client.js";

test("a login asks for the second factor", async () => {
  const userId = newUser();
  const enrollment = await client.auth.mfa.enrollTotp(userId);
  await client.auth.mfa.verifyTotp(userId, { code: totp(enrollment.secret) });

  const result = await client.auth.mfa.createChallenge(userId, {
    context: { ipAddress: '203.0.113.7', userAgent: 'Mozilla/5.0' },
  });
  assert.ok(result.mfaRequired);
  const challenge = result.challenge;
  const factorId = result.challenge.factors[0]?.id ?? "";

  const mistyped = await client.auth.mfa.verify({
    challengeId: challenge.id,
    factorId,
    code: wrongCode(enrollment.secret),
  });
  assert.equal(mistyped, null);

  const code = totp(enrollment.secret, 1);
  const verified = await client.auth.mfa.verify({ challengeId: challenge.id, factorId, code });
  if (verified) {
    const { accessToken } = verified.tokens;
    const claims = await client.auth.verifyToken(accessToken, { acr: 'aal2' });
    assert.equal(claims.sub, userId);
  } else {
    assert.fail("the code was right");
  }
});

test("a login without a second factor asks for none", async () => {
  const userId = newUser();
  await client.auth.users.put(userId);

  const result = await client.auth.mfa.createChallenge(userId);
  assert.equal(result.mfaRequired, false);
  assert.equal(result.reason, "NOT_ENROLLED");
  const claims = await client.auth.verifyToken(result.tokens?.accessToken ?? "");
  assert.equal(claims.acr, "aal1");
});
