// A login from beginning to end, for every runtime: uses nothing but the package and the platform.

import { Countersign, InvalidCodeError, TokenError, WebhookSignatureError } from "@countersign/client";
import { CeremonyError, isSupported } from "@countersign/client/browser";
import { totp, wrongCode } from "./people.js";

function demand(what, that) {
  if (!that) throw new Error(`it is not so: ${what}`);
}

/** What a promise is rejected with. */
const failure = (promise) => promise.then(() => null, (error) => error);

// Where the service is, and the key, are in the environment.
const client = new Countersign();
const { mfa } = client.auth;
const userId = `user_${crypto.randomUUID()}`;

const enrollment = await mfa.enrollTotp(userId);
const wrong = await failure(mfa.verifyTotp(userId, { code: wrongCode(enrollment.secret) }));
demand("a wrong code is one", wrong instanceof InvalidCodeError && wrong.attemptsRemaining >= 0);
await mfa.verifyTotp(userId, { code: totp(enrollment.secret) });

const { challenge } = await mfa.createChallenge(userId);
const [{ id: factorId }] = challenge.factors;
const proof = { challengeId: challenge.id, factorId };
demand("a wrong code is null", (await mfa.verify({ ...proof, code: wrongCode(enrollment.secret) })) === null);
const verified = await mfa.verify({ ...proof, code: totp(enrollment.secret, 1) });
demand("a right code is not", verified?.userId === userId);

const claims = await client.auth.verifyToken(verified.tokens.accessToken, { acr: "aal2" });
demand("the token is the user's", claims.sub === userId);
const forged = await failure(client.auth.verifyToken(`${verified.tokens.accessToken.slice(0, -8)}AAAAAAAA`));
demand("another signature is refused", forged instanceof TokenError && forged.reason === "signature");

const options = await mfa.getWebAuthnRegistrationOptions(userId);
demand("bytes are bytes", options.challenge instanceof Uint8Array);
demand("and text in JSON", typeof JSON.parse(JSON.stringify(options)).challenge === "string");

const unsigned = await failure(client.webhooks.verify("{}", new Headers(), "whsec_AAAA"));
demand("a webhook needs a signature", unsigned instanceof WebhookSignatureError);

const ids = [];
for await (const user of client.auth.users.list({ query: userId })) ids.push(user.id);
demand("the user is listed", ids.join() === userId);

const aborted = await failure(mfa.getStatus(userId, { signal: AbortSignal.abort("enough") }));
demand("a call can be ended", aborted === "enough");

demand("this is no browser", !isSupported() && CeremonyError.prototype instanceof Error);

// What is printed is looked at by whoever started this.
console.log(enrollment, [verified], client);
console.log("secret:", enrollment.secret.length, "done");
