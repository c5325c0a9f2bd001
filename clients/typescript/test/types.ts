// What the compiler has to let through, and what it has to refuse. Compiled, and never run: an error
// that is expected and does not come is one.

import {
  Countersign,
  type ChallengeAnswer,
  type Factor,
  type FactorType,
  InvalidCodeError,
  type Page,
  ProblemError,
  type TokenClaims,
  TokenError,
  type Tokens,
  type User,
  type VerifyChallenge,
} from "@countersign/client";

declare const client: Countersign;
declare const maybe: string | undefined;

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => undefined;

export async function logins(): Promise<void> {
  const result = await client.auth.mfa.createChallenge("ann");
  same<typeof result, ChallengeAnswer>(true);
  if (result.mfaRequired) {
    result.challenge.factors.map(({ id }) => id);
    same<typeof result.tokens, null>(true);
  } else {
    same<typeof result.tokens, Tokens>(true);
    // @ts-expect-error there is no challenge
    result.challenge.factors;
  }
  // @ts-expect-error there may be no challenge
  (await client.auth.mfa.createChallenge("ann")).challenge.factors;
  await client.auth.mfa.createChallenge("ann", { purpose: "STEP_UP", context: { deviceToken: maybe } });
  // @ts-expect-error there is no such purpose
  await client.auth.mfa.createChallenge("ann", { purpose: "LOGOUT" });
  // @ts-expect-error a misspelt option
  await client.auth.mfa.createChallenge("ann", { context: { ip: "203.0.113.7" } });
  // @ts-expect-error whose login?
  await client.auth.mfa.createChallenge();
}

export async function proofs(): Promise<void> {
  const { mfa } = client.auth;
  const verified = await mfa.verify({ challengeId: "c", factorId: "f", code: "1", rememberDevice: true });
  // @ts-expect-error the code may have been wrong
  verified.tokens;
  if (verified) same<typeof verified.tokens, Tokens>(true);
  await mfa.verify({ challengeId: "c", recoveryCode: "r", deviceName: maybe });
  await mfa.verify({ challengeId: "c", assertion: "{}" });
  await mfa.verify({ challengeId: "c", factorId: "f", assertion: "{}" });
  // @ts-expect-error no proof
  await mfa.verify({ challengeId: "c", factorId: "f" });
  // @ts-expect-error a code of which factor?
  await mfa.verify({ challengeId: "c", code: "1" });
  // @ts-expect-error of which challenge?
  await mfa.verify({ factorId: "f", code: "1" });
  // @ts-expect-error two proofs
  await mfa.verify({ challengeId: "c", factorId: "f", code: "1", recoveryCode: "r" });
  // @ts-expect-error a code is a text: a number loses its zeros
  await mfa.verify({ challengeId: "c", factorId: "f", code: 123456 });
  // @ts-expect-error it may be undefined
  const proof: VerifyChallenge = { challengeId: "c", factorId: "f", code: maybe };
  void proof;
}

export async function factors(): Promise<void> {
  const { mfa } = client.auth;
  const list = await mfa.listFactors("ann");
  same<typeof list, Factor[]>(true);
  const [first] = list;
  if (first) same<typeof first.type, "TOTP" | "SMS" | "EMAIL" | "WEBAUTHN" | (string & {})>(true);
  // A newer service may know more types; what is asked with is one of those that are known here.
  void (first?.type === "PUSH");
  const known: FactorType = "TOTP";
  await client.auth.mfa.updatePolicy({ allowedFactors: [known] });
  // @ts-expect-error there is no such type
  await client.auth.mfa.updatePolicy({ allowedFactors: ["PHONE"] });
  // @ts-expect-error nor in the rule of a group
  await client.auth.mfa.updatePolicy({ groups: [{ group: "admins", requirement: "ALWAYS" }] });
  const codes = await mfa.generateRecoveryCodes("ann");
  same<typeof codes, string[]>(true);
  await mfa.enrollTotp("ann", { name: maybe });
  // @ts-expect-error there is no such hash
  await mfa.enrollTotp("ann", { algorithm: "MD5" });
  // @ts-expect-error a number to send to is needed
  await mfa.enrollSms("ann", {});
  // @ts-expect-error a code is needed
  await mfa.verifyTotp("ann", {});
  // @ts-expect-error a credential is needed
  await mfa.verifyWebAuthn("ann", { name: "Key" });
  // @ts-expect-error which factor?
  await mfa.removeFactor("ann");
}

export async function administration(): Promise<void> {
  await client.auth.mfa.updatePolicy({ webauthn: { userVerification: "required" } });
  // @ts-expect-error there is no such requirement
  await client.auth.mfa.updatePolicy({ requirement: "SOMETIMES" });
  // @ts-expect-error there is no such unit
  await client.auth.mfa.updatePolicy({ gracePeriod: { value: 7, unit: "WEEKS" } });
  await client.apiKeys.create({ name: "login", scopes: ["mfa"] });
  // @ts-expect-error there is no such scope
  await client.apiKeys.create({ name: "login", scopes: ["everything"] });
  const page = await client.auth.users.list({ limit: 10 });
  same<typeof page, Page<User>>(true);
  for await (const user of client.auth.users.list()) same<typeof user, User>(true);
  // @ts-expect-error a list is no array
  client.auth.users.list().map(String);
  await client.auth.users.get("ann", { timeout: 1000, signal: AbortSignal.timeout(5), idempotencyKey: maybe });
  // @ts-expect-error a misspelt option
  await client.auth.users.get("ann", { timeOut: 1000 });
}

export async function tokens(): Promise<void> {
  const claims = await client.auth.verifyToken("token", { acr: "aal2", maxAge: 300 });
  same<typeof claims, TokenClaims>(true);
  // @ts-expect-error nobody demands the lower level
  await client.auth.verifyToken("token", { acr: "aal1" });
}

export function construction(): void {
  new Countersign();
  new Countersign({ baseUrl: ["http://a"], apiKey: maybe, fetch: (url, init) => fetch(url, init) });
  // @ts-expect-error a misspelt option
  new Countersign({ baseURL: "http://a" });
  // @ts-expect-error time and chance are the tests' own
  new Countersign({}, {});
}

export function failures(error: unknown): void {
  if (error instanceof InvalidCodeError) same<typeof error.attemptsRemaining, number | null>(true);
  if (error instanceof ProblemError) same<typeof error.code, string>(true);
  if (error instanceof TokenError && error.reason === "expired") return;
  // @ts-expect-error there is no such reason
  if (error instanceof TokenError && error.reason === "bored") return;
}
