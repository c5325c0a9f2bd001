// Uses both entries, as a project would whose compiler also checks the declarations of packages.

import { type CallOptions, Countersign, type Factor, InvalidCodeError, type Verification } from "@countersign/client";
import { type CeremonyErrorReason, authenticate, register } from "@countersign/client/browser";

export const client = new Countersign({ baseUrl: "http://node", apiKey: "csk_test" });

export async function login(userId: string, code: string, options?: CallOptions): Promise<Verification | null> {
  const result = await client.auth.mfa.createChallenge(userId, {}, options);
  if (!result.mfaRequired) return null;
  const factorId = result.challenge.factors[0]?.id ?? "";
  return client.auth.mfa.verify({ challengeId: result.challenge.id, factorId, code });
}

export async function names(userId: string): Promise<string[]> {
  const factors: Factor[] = await client.auth.mfa.listFactors(userId);
  return factors.map((factor) => factor.name ?? factor.type);
}

/** In a page that has a client all the same, as an extension's may: a browser takes options as they are. */
export async function ceremonies(userId: string, challengeId: string): Promise<void> {
  const { mfa } = client.auth;
  const creation = await mfa.getWebAuthnRegistrationOptions(userId);
  await navigator.credentials.create({ publicKey: creation });
  const request = await mfa.getChallengeWebAuthnOptions(challengeId);
  await navigator.credentials.get({ publicKey: request });
}

export const isWrong = (error: unknown): boolean => error instanceof InvalidCodeError;
export const reason: CeremonyErrorReason = "cancelled";
export { authenticate, register };
