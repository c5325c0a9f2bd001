// What is demanded of users.

import assert from "node:assert/strict";
import { test } from "node:test";
import { client } from "./client.js";

test("MFA is optional", async () => {
  await client.auth.mfa.updatePolicy({
    requirement: 'OPTIONAL',
    allowedFactors: ['TOTP', 'WEBAUTHN'],
    recoveryCodesCount: 10,
    gracePeriod: { value: 7, unit: 'DAYS' },
    trustedDevices: { enabled: true, durationDays: 30 },
  });

  const policy = await client.auth.mfa.getPolicy();
  assert.equal(policy.requirement, "OPTIONAL");
  assert.deepEqual(policy.allowedFactors, ["TOTP", "WEBAUTHN"]);
  assert.deepEqual(policy.gracePeriod, { value: 7, unit: "DAYS" });
  await client.auth.mfa.updatePolicy({ allowedFactors: ['TOTP', 'SMS', 'EMAIL', 'WEBAUTHN'] });
});

test("MFA depends on the risk", async (t) => {
  t.after(() => client.auth.mfa.updatePolicy({ requirement: 'OPTIONAL' }));
  await client.auth.mfa.updatePolicy({
    requirement: 'RISK_BASED',
    triggers: { newDevice: true, newLocation: true, suspiciousIp: true, afterPasswordChange: true },
  });

  const policy = await client.auth.mfa.getPolicy();
  assert.equal(policy.requirement, "RISK_BASED");
  assert.equal(policy.triggers.afterPasswordChange, true);
});
