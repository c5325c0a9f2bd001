// Keys and facts are fetched as seldom as possible.

import assert from "node:assert/strict";
import { type KeyPairKeyObjectResult, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { platform } from "../src/clock.js";
import { Countersign, TimeoutError, TokenError, type VerifyTokenOptions } from "../src/index.js";
import { Hands, KEY, answer, clientWith } from "./support/stage.js";

const NOW = 1_764_000_000;
const FACTS = { issuer: "https://mfa.acme.example", audience: "acme", tenantId: "ten_1" };

/** A service that signs tokens. */
class Service {
  readonly #pairs = new Map<string, KeyPairKeyObjectResult>();
  readonly asked: string[] = [];
  /** What publishing keys ends with, in place of the keys. */
  status = 200;
  /** What is published besides. */
  others: object[] = [];
  /** What tells facts ends with likewise. */
  factsStatus = 200;
  /** What it tells. */
  facts: object = FACTS;
  /** Answers to each path wait for this. */
  readonly gates: Record<string, Promise<void>> = {};

  token(kid: string, claims: object = {}): string {
    const pair = this.#pairs.get(kid) ?? generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#pairs.set(kid, pair);
    const told = { iss: FACTS.issuer, aud: FACTS.audience, tenant: FACTS.tenantId, sub: "ann", iat: NOW, exp: NOW + 900 };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "ES256", kid })}.${part({ ...told, auth_time: NOW, acr: "aal2", ...claims })}`;
    const signature = sign("sha256", Buffer.from(signed), { key: pair.privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    this.asked.push(pathname);
    await this.gates[pathname];
    if (pathname === "/v1/tokens") return answer({ body: this.facts, status: this.factsStatus });
    assert.equal(new Headers(init.headers).get("authorization"), null, "keys are everybody's");
    if (this.status !== 200) return answer({ status: this.status });
    const keys = [...this.#pairs].map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: "jwk" }), kid }));
    return answer({ body: { keys: [...this.others, ...keys] }, headers: { "cache-control": "public, max-age=300" } });
  };
}

const client = (service: Service, clock = new Hands(NOW)) =>
  clientWith({ baseUrl: "http://node", maxRetries: 0, fetch: service.fetch }, clock);

test("many tokens at once fetch keys once, and facts once", async () => {
  const service = new Service();
  const release: Record<string, () => void> = {};
  const paths = ["/.well-known/jwks.json", "/v1/tokens"];
  for (const path of paths) service.gates[path] = new Promise((resolve) => (release[path] = resolve));
  // Time is the platform's here: an answer that is late takes some.
  const { auth } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch: service.fetch });
  const now = Math.floor(Date.now() / 1000);
  const token = service.token("k1", { iat: now, exp: now + 900 });
  const all = Promise.all(Array.from({ length: 50 }, () => auth.verifyToken(token)));
  for (const path of paths) {
    // Everybody is to wait, who would ask.
    await new Promise((resolve) => setTimeout(resolve, 200));
    release[path]?.();
  }
  assert.equal((await all).length, 50);
  assert.deepEqual(service.asked.sort(), ["/.well-known/jwks.json", "/v1/tokens"]);
});

test("invented key ids fetch keys once in a while, and keep nobody from being verified", async () => {
  const service = new Service();
  const clock = new Hands(NOW);
  const { auth } = client(service, clock);
  const good = service.token("k1");
  await auth.verifyToken(good);
  const keysAsked = () => service.asked.filter((path) => path.endsWith("jwks.json")).length;
  const forger = new Service();
  for (let guess = 0; guess < 100; guess += 1) {
    await assert.rejects(auth.verifyToken(forger.token(`guess-${guess}`)), { reason: "unknown_key" });
  }
  assert.equal(keysAsked(), 1);
  clock.moveTo(NOW + 31);
  await assert.rejects(auth.verifyToken(forger.token("one-more")), { reason: "unknown_key" });
  assert.equal(keysAsked(), 2);
  await auth.verifyToken(good);
  assert.equal(keysAsked(), 2);
});

test("keys that cannot be had fail nobody who has good ones, and are asked for again later", async () => {
  const service = new Service();
  const clock = new Hands(NOW);
  const { auth } = client(service, clock);
  service.status = 503;
  await assert.rejects(auth.verifyToken(service.token("k1")), { reason: "keys_unavailable" });
  service.status = 200;
  await auth.verifyToken(service.token("k1"));
  service.status = 503;
  clock.moveTo(NOW + 400);
  await auth.verifyToken(service.token("k1"));
  clock.moveTo(NOW + 25 * 3600);
  const later = service.token("k1", { iat: NOW + 25 * 3600, exp: NOW + 26 * 3600 });
  await assert.rejects(auth.verifyToken(later), { reason: "keys_unavailable" });
});

test("facts are asked for again after an hour, and serve for a day while they cannot be had", async () => {
  const service = new Service();
  const clock = new Hands(NOW);
  const { auth } = client(service, clock);
  const factsAsked = () => service.asked.filter((path) => path === "/v1/tokens").length;
  const at = (seconds: number) => {
    clock.moveTo(NOW + seconds);
    return auth.verifyToken(service.token("k1", { iat: NOW + seconds, exp: NOW + seconds + 900 }));
  };
  await at(0);
  await at(3599);
  assert.equal(factsAsked(), 1);
  await at(3601);
  assert.equal(factsAsked(), 2);
  service.factsStatus = 503;
  await at(20_000);
  assert.equal(factsAsked(), 3);
  await assert.rejects(at(3601 + 86_400), { reason: "keys_unavailable" });
});

test("clocks may differ by half a minute, also where an age is demanded", async () => {
  const service = new Service();
  const { auth } = client(service);
  await auth.verifyToken(service.token("k1", { auth_time: NOW - 329 }), { maxAge: 300 });
  const tooOld = auth.verifyToken(service.token("k1", { auth_time: NOW - 331 }), { maxAge: 300 });
  await assert.rejects(tooOld, { reason: "too_old" });
});

test("a signal that was given before ends the waiting for keys before it begins", async () => {
  const service = new Service();
  service.gates["/.well-known/jwks.json"] = new Promise(() => undefined);
  const hasty = { timeout: 100, maxRetries: 0 };
  const { auth } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch: service.fetch, ...hasty });
  const verified = auth.verifyToken(service.token("k1"), { signal: AbortSignal.abort("enough") });
  await assert.rejects(verified, (reason) => reason === "enough");
});

test("a token that is too long, or not UTF-8, is malformed however well it is signed", async () => {
  const service = new Service();
  const { auth } = client(service);
  await assert.rejects(auth.verifyToken(service.token("k1", { long: "a".repeat(8192) })), { reason: "malformed" });
  const header = Buffer.from('{"alg":"ES256","kid":"k\xff"}', "latin1").toString("base64url");
  await assert.rejects(auth.verifyToken(`${header}.e30.AAAA`), { reason: "malformed" });
});

test("a published key that is broken, or of another kind, fails whoever names it, and nobody else", async () => {
  const service = new Service();
  const off = Buffer.alloc(32, 1).toString("base64url");
  service.others = [
    { kid: "broken", kty: "EC", crv: "P-256", x: off, y: off },
    { kid: "short", kty: "EC", crv: "P-256", x: "AA", y: "AA" },
    { kid: "rsa", kty: "RSA", n: "AQAB", e: "AQAB" },
    { kty: "EC", crv: "P-256", x: off, y: off },
    {},
  ];
  const { auth } = client(service);
  await auth.verifyToken(service.token("k1"));
  const forger = new Service();
  for (const kid of ["broken", "short", "rsa"]) {
    await assert.rejects(auth.verifyToken(forger.token(kid)), { name: "TokenError", reason: "unknown_key" });
  }
});

test("a signature of another shape is no signature", async () => {
  const service = new Service();
  const { auth } = client(service);
  const token = service.token("k1");
  const [header = "", claims = "", signature = ""] = token.split(".");
  for (const wrong of ["", "AAAA", `${signature}AAAA`, Buffer.alloc(64).toString("base64url")]) {
    await assert.rejects(auth.verifyToken(`${header}.${claims}.${wrong}`), { reason: "signature" });
  }
});

test("what is no token at all is malformed, and nobody is asked", async () => {
  const service = new Service();
  const { auth } = client(service);
  const none = ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.A A", undefined, null, 42, {}, `${"a".repeat(9000)}.b.c`];
  for (const wrong of none) {
    await assert.rejects(auth.verifyToken(wrong as string), { reason: "malformed" });
  }
  assert.deepEqual(service.asked, []);
});

test("an option that would demand nothing is refused by its name, and nobody is asked", async () => {
  const service = new Service();
  const { auth } = client(service);
  const token = service.token("k1", { auth_time: 0 });
  const wrong = {
    timeout: [NaN, 0, -1, "60", null],
    maxAge: [NaN, Infinity, -1, "60", null, true],
    acr: ["", null, 2, ["aal2"]],
    issuer: ["", null, 42],
    audience: ["", null, ["acme"]],
    tenant: ["", null, {}],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const verified = auth.verifyToken(token, { [name]: value } as VerifyTokenOptions);
      await assert.rejects(verified, { name: "TypeError", message: new RegExp(`^${name} must be`) });
    }
  }
  assert.deepEqual(service.asked, []);
});

test("an age of nothing is an age", async () => {
  const service = new Service();
  const { auth } = client(service);
  await auth.verifyToken(service.token("k1", { auth_time: NOW - 29 }), { maxAge: 0 });
  await assert.rejects(auth.verifyToken(service.token("k1", { auth_time: NOW - 31 }), { maxAge: 0 }), { reason: "too_old" });
});

test("facts that lack one are no facts: a token that lacks the same is not believed", async () => {
  const members = { issuer: "iss", audience: "aud", tenantId: "tenant" };
  for (const [fact, claim] of Object.entries(members)) {
    for (const value of [undefined, null, "", 7]) {
      const service = new Service();
      service.facts = { ...FACTS, [fact]: value };
      const { auth } = client(service);
      const verified = auth.verifyToken(service.token("k1", { [claim]: value }));
      await assert.rejects(verified, { name: "TokenError", reason: "keys_unavailable" });
    }
  }
});

test("facts that lack one do not take the place of good ones", async () => {
  const service = new Service();
  const clock = new Hands(NOW);
  const { auth } = client(service, clock);
  await auth.verifyToken(service.token("k1"));
  service.facts = { issuer: FACTS.issuer };
  clock.moveTo(NOW + 3601);
  const later = { iat: NOW + 3601, exp: NOW + 4000 };
  await auth.verifyToken(service.token("k1", later));
  await assert.rejects(auth.verifyToken(service.token("k1", { ...later, tenant: undefined })), { reason: "tenant" });
});

test("a token that says nothing where something is demanded is not believed", async () => {
  const service = new Service();
  const { auth } = client(service);
  const reasons = { iss: "issuer", aud: "audience", tenant: "tenant", sub: "malformed" };
  for (const [claim, reason] of Object.entries(reasons)) {
    for (const value of [undefined, null, "", 7, [FACTS.audience]]) {
      await assert.rejects(auth.verifyToken(service.token("k1", { [claim]: value })), { reason });
    }
  }
});

test("a service that is away is asked for facts once in a while, and nobody who has some waits for it", async () => {
  const service = new Service();
  const clock = new Hands(NOW);
  const { auth } = client(service, clock);
  const factsAsked = () => service.asked.filter((path) => path === "/v1/tokens").length;
  const at = async (seconds: number) => {
    clock.moveTo(NOW + seconds);
    await auth.verifyToken(service.token("k1", { iat: NOW + seconds, exp: NOW + seconds + 900 }));
    return factsAsked();
  };
  assert.equal(await at(0), 1);
  service.factsStatus = 503;
  assert.equal(await at(3601), 2);
  assert.equal(await at(3602), 2);
  assert.equal(await at(3630), 2);
  assert.equal(await at(3632), 3);
  service.factsStatus = 200;
  assert.equal(await at(3663), 4);
  assert.equal(await at(7000), 4);
});

test("whoever has no facts asks again at once", async () => {
  const service = new Service();
  const { auth } = client(service);
  service.factsStatus = 503;
  await assert.rejects(auth.verifyToken(service.token("k1")), { reason: "keys_unavailable" });
  service.factsStatus = 200;
  await auth.verifyToken(service.token("k1"));
});

test("a timeout ends the waiting for keys and facts, of whoever gave it alone", async () => {
  for (const path of ["/.well-known/jwks.json", "/v1/tokens"]) {
    const service = new Service();
    let release = () => undefined as void;
    service.gates[path] = new Promise((resolve) => (release = resolve));
    const { auth } = new Countersign({ baseUrl: "http://node", apiKey: KEY, fetch: service.fetch });
    const now = Math.floor(Date.now() / 1000);
    const token = service.token("k1", { iat: now, exp: now + 900 });
    const patient = auth.verifyToken(token);
    await assert.rejects(auth.verifyToken(token, { timeout: 50 }), (error) => {
      assert.ok(error instanceof TokenError);
      assert.equal(error.reason, "keys_unavailable");
      assert.ok(error.cause instanceof TimeoutError);
      return true;
    });
    release();
    assert.equal((await patient).sub, "ann");
    assert.equal(service.asked.length, 2);
  }
});

test("when time is up, keys and facts that still serve are used", async () => {
  const service = new Service();
  let skipped = 0;
  const clock = { ...platform, now: () => platform.now() + skipped, wall: () => NOW * 1000 };
  const { auth } = clientWith({ baseUrl: "http://node", timeout: 20_000, fetch: service.fetch }, clock);
  const token = service.token("k1");
  await auth.verifyToken(token);
  let release = () => undefined as void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  service.gates["/.well-known/jwks.json"] = service.gates["/v1/tokens"] = gate;
  skipped = 3_700_000;
  const begun = performance.now();
  await auth.verifyToken(token, { timeout: 100 });
  assert.ok(performance.now() - begun < 10_000, "it waited as long as the client may");
  assert.equal(service.asked.length, 4);
  release();
});
