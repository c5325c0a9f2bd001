// "Remember this browser", in an Express application.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import { totp } from "../support/people.js";
import { client, newUser } from "./client.js";

test("a browser that is remembered is not asked again", async () => {
  const userId = newUser();
  const { secret } = await client.auth.mfa.enrollTotp(userId);
  await client.auth.mfa.verifyTotp(userId, { code: totp(secret) });

  const app = express();
  app.use(express.json());

  app.post('/sign-in', async (req, res) => {
    const deviceToken = /mfa_device=([^;]+)/.exec(req.get('cookie') ?? '')?.[1];
    const result = await client.auth.mfa.createChallenge(userId, { context: { deviceToken } });
    res.json({ mfaRequired: result.mfaRequired, reason: result.reason, challenge: result.challenge });
  });

  app.post('/second-factor', async (req, res) => {
    const { challengeId, factorId, code } = req.body;
    const verified = await client.auth.mfa.verify({
      challengeId,
      factorId,
      code,
      rememberDevice: true,
    });
    if (!verified) return res.sendStatus(401);
    res.cookie('mfa_device', verified.deviceToken, {
      maxAge: 30 * 24 * 60 * 60 * 1000,
      httpOnly: true,
      secure: true,
    });
    return res.sendStatus(204);
  });

  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (path: string, body: object, cookie = "") =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json", cookie },
      body: JSON.stringify(body),
    });
  try {
    const first = await (await post("/sign-in", {})).json();
    assert.equal(first.mfaRequired, true);
    const proof = {
      challengeId: first.challenge.id,
      factorId: first.challenge.factors[0].id,
      code: totp(secret, 1),
    };
    const answered = await post("/second-factor", proof);
    const [cookie = ""] = answered.headers.getSetCookie();
    assert.match(cookie, /^mfa_device=dvt_.+; Max-Age=2592000; .*HttpOnly; Secure/);

    const again = await (await post("/sign-in", {}, cookie.split(";")[0])).json();
    assert.deepEqual([again.mfaRequired, again.reason], [false, "TRUSTED_DEVICE"]);
    assert.equal((await client.auth.mfa.listDevices(userId)).length, 1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
