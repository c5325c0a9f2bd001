// What a person enrolled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { totp } from "../support/people.js";
import { client, newUser } from "./client.js";

test("factors are listed, one is made the primary one, one is removed", async () => {
  const userId = newUser();
  for (const name of ["Phone", undefined]) {
    const { secret } = await client.auth.mfa.enrollTotp(userId, { name });
    await client.auth.mfa.verifyTotp(userId, { code: totp(secret) });
  }

  const lines: string[] = [];
  const factors = await client.auth.mfa.listFactors(userId);
  for (const factor of factors) {
    lines.push(`${factor.type}: ${factor.name || 'Unnamed'}`);
    assert.ok(Date.parse(factor.createdAt) <= Date.now() + 60_000);
    assert.ok(factor.lastUsedAt === null || Date.parse(factor.lastUsedAt) > 0);
  }
  assert.deepEqual(lines, ["TOTP: Phone", "TOTP: Unnamed"]);

  const [phone, other] = factors;
  assert.ok(phone && other);
  await client.auth.mfa.setPrimary(userId, other.id);
  await client.auth.mfa.removeFactor(userId, phone.id);
  const left = await client.auth.mfa.listFactors(userId);
  assert.deepEqual(left.map(({ id, primary }) => [id, primary]), [[other.id, true]]);
});
