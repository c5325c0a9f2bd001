// An authenticator app, from the QR code to the first code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidCodeError } from "@countersign/client";
import QRCode from "qrcode";
import { totp, wrongCode } from "../support/people.js";
import { client, newUser } from "./client.js";

test("a person enrolls an authenticator app", async () => {
  const userId = newUser();

  const enrollment = await client.auth.mfa.enrollTotp(userId);
  const qrCode = await QRCode.toDataURL(enrollment.qrCodeUri);
  assert.match(qrCode, /^data:image\/png;base64,/);
  assert.match(enrollment.secret, /^[A-Z2-7]{32,}$/);

  const wrong = { code: wrongCode(enrollment.secret) };
  await assert.rejects(client.auth.mfa.verifyTotp(userId, wrong), InvalidCodeError);

  const code = totp(enrollment.secret);
  const factor = await client.auth.mfa.verifyTotp(userId, { code });
  assert.equal(factor.type, "TOTP");

  const recoveryCodes = await client.auth.mfa.generateRecoveryCodes(userId);
  assert.equal(recoveryCodes.length, 10);
  const status = await client.auth.mfa.getStatus(userId);
  assert.equal(status.enabled, true);
  assert.equal(status.factorCount, 1);
  assert.equal(status.recoveryCodesRemaining, 10);
});
