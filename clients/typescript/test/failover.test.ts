// Three real nodes, of which one dies at the worst moment: nobody who uses the client notices.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { Countersign, type Fetch } from "../src/index.js";
import { totp, wrongCode } from "./support/people.js";
import { Stand } from "./support/stand.js";

let stand: Stand;
const dead = new Set<number>();
before(async () => {
  stand = await Stand.start("cluster");
});
beforeEach(async () => {
  for (const index of dead) await stand.restart(index);
  dead.clear();
});
after(() => stand?.stop());

function kill(index: number): void {
  dead.add(index);
  stand.kill(index);
}

/** The nodes' addresses, beginning with one of them. */
const from = (index: number): string[] => [...stand.urls.slice(index), ...stand.urls.slice(0, index)];

const clientAt = (index: number, fetch?: Fetch) => new Countersign({ baseUrl: from(index), apiKey: stand.key, fetch });

/** Someone with an authenticator app, in the middle of a login. */
async function person(client: Countersign) {
  const userId = `user_${randomUUID()}`;
  const { secret } = await client.auth.mfa.enrollTotp(userId);
  await client.auth.mfa.verifyTotp(userId, { code: totp(secret) });
  const { challenge } = await client.auth.mfa.createChallenge(userId);
  assert.ok(challenge);
  const factorId = challenge.factors[0]?.id ?? "";
  return { userId, secret, proof: { challengeId: challenge.id, factorId } };
}

/** A fetch that lets a node answer what ends in `path`, and kills it before the answer arrives. */
function fatal(index: number, path: string): { fetch: Fetch; answered: string[]; keys: Set<string | null> } {
  const answered: string[] = [];
  const keys = new Set<string | null>();
  const fetch_: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!new URL(url).pathname.endsWith(path)) return response;
    keys.add(new Headers(init.headers).get("idempotency-key"));
    if (!url.startsWith(stand.urls[index] ?? "-")) return response;
    answered.push(await response.text());
    assert.ok(response.status < 500, `the node did not answer: ${answered.join()}`);
    kill(index);
    throw new TypeError("fetch failed", { cause: Object.assign(new Error("read"), { code: "ECONNRESET" }) });
  };
  return { fetch: fetch_, answered, keys };
}

for (const index of [0, 1, 2]) {
  describe(`node ${index + 1} dies with its answer under way`, () => {
    test("a right code gives one verification, as if nothing had been", async () => {
      const { fetch, answered, keys } = fatal(index, "/challenges/verify");
      const client = clientAt(index, fetch);
      const { userId, secret, proof } = await person(client);
      const verified = await client.auth.mfa.verify({ ...proof, code: totp(secret, 1), rememberDevice: true });
      assert.ok(verified, "the code was right");
      assert.deepEqual([answered.length, keys.size], [1, 1]);
      assert.deepEqual(JSON.parse(JSON.stringify(verified)), JSON.parse(answered[0] ?? ""));
      const { sub } = await client.auth.verifyToken(verified.tokens.accessToken, { acr: "aal2" });
      assert.equal(sub, userId);
      assert.equal((await client.auth.mfa.listDevices(userId)).length, 1);
    });

    test("a wrong code gives null, and costs one attempt", async () => {
      const { fetch, answered } = fatal(index, "/challenges/verify");
      const client = clientAt(index, fetch);
      const { userId, secret, proof } = await person(client);
      const before = await client.auth.mfa.getChallenge(proof.challengeId);
      assert.equal(await client.auth.mfa.verify({ ...proof, code: wrongCode(secret) }), null);
      assert.equal(answered.length, 1);
      const challenge = await client.auth.mfa.getChallenge(proof.challengeId);
      assert.equal(challenge.attemptsRemaining, before.attemptsRemaining - 1);
      assert.equal((await client.auth.mfa.getStatus(userId)).failedAttempts, 1);
      assert.ok(await client.auth.mfa.verify({ ...proof, code: totp(secret, 1) }), "the login goes on");
    });
  });
}

test("an enrollment whose answer was lost is the same enrollment", async () => {
  const { fetch, answered } = fatal(0, "/mfa/totp");
  const client = clientAt(0, fetch);
  const userId = `user_${randomUUID()}`;
  const enrollment = await client.auth.mfa.enrollTotp(userId);
  assert.equal(answered.length, 1);
  assert.equal(enrollment.secret, (JSON.parse(answered[0] ?? "") as { secret: string }).secret);
  const factor = await client.auth.mfa.verifyTotp(userId, { code: totp(enrollment.secret) });
  assert.equal(factor.id, enrollment.factorId);
});

test("a node is killed while many log in over all nodes, and everybody is answered rightly", async () => {
  const clients = [0, 1, 2].map((index) => clientAt(index));
  const people = await Promise.all(
    Array.from({ length: 36 }, async (_, number) => {
      const client = clients[number % 3] ?? clientAt(0);
      return { ...(await person(client)), client, isRight: number % 2 === 0 };
    }),
  );
  let answers = 0;
  const victim = await leader(clientAt(0));
  await Promise.all(
    people.map(async ({ client, userId, secret, proof, isRight }, number) => {
      // Most are under way when the first is answered, and with it the node dies; some come after.
      if (number >= 24) await new Promise((resolve) => setTimeout(resolve, number * 10));
      const code = isRight ? totp(secret, 1) : wrongCode(secret);
      const verified = await client.auth.mfa.verify({ ...proof, code });
      answers += 1;
      if (answers === 1) kill(victim);
      assert.equal(verified?.userId, isRight ? userId : undefined);
    }),
  );
  assert.equal(answers, people.length);
  for (const { userId, isRight } of people) {
    const { failedAttempts } = await clientAt((victim + 1) % 3).auth.mfa.getStatus(userId);
    assert.equal(failedAttempts, isRight ? 0 : 1, userId);
  }
});

test("no call fails while a node is killed and comes back", async () => {
  const clients = [0, 1, 2].map((index) => clientAt(index));
  const victim = await leader(clientAt(0));
  let isOver = false;
  let calls = 0;
  const work = clients.map(async ({ auth }) => {
    const userId = `user_${randomUUID()}`;
    for (let round = 0; !isOver; round += 1) {
      await auth.users.put(userId, { displayName: `round ${round}` });
      assert.equal((await auth.users.get(userId)).displayName, `round ${round}`);
      calls += 2;
    }
  });
  const happens = async () => {
    try {
      await until(() => calls > 30);
      kill(victim);
      const then = calls;
      await until(() => calls > then + 60);
      await stand.restart(victim);
      dead.delete(victim);
      const back = calls;
      await until(() => calls > back + 60);
    } finally {
      isOver = true;
    }
  };
  await Promise.all([happens(), ...work.map((each) => each.finally(() => (isOver = true)))]);

  async function until(so: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 60_000; !so(); ) {
      assert.ok(!isOver && Date.now() < deadline, `after ${calls} calls it went no further`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

/** The index of the node that leads most. */
async function leader(client: Countersign): Promise<number> {
  const { nodes, shards } = await client.cluster.get();
  const led = (id: number) => shards.filter((shard) => shard.leader === id).length;
  const [most] = nodes.toSorted((one, other) => led(other.id) - led(one.id));
  assert.ok(most);
  return stand.indexOf(most.name);
}
