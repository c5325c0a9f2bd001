// What logins and proofs are made of: what callers give, where the contract's own shapes would let
// through what the service refuses, or know nothing of a browser's objects.

import type { ChallengePurpose, LoginContext } from "./types.js";
import type { AssertionCredential, RegistrationCredential } from "./webauthn.js";

/** What answers a challenge, whatever the proof. */
export interface ChallengeProof {
  /** The challenge. */
  challengeId: string;
  /** Whether to trust this browser from now on; the result then has a `deviceToken`. */
  rememberDevice?: boolean | undefined;
  /** A name for the browser, to be recognised in a list. */
  deviceName?: string | undefined;
}

/** A code of a factor: an authenticator app's, or one that was sent. */
export interface CodeProof extends ChallengeProof {
  /** The factor whose code this is. */
  factorId: string;
  /** The code, as the person typed it: spaces and dashes do no harm. */
  code: string;
  /** One proof at a time. */
  assertion?: undefined;
  /** One proof at a time. */
  recoveryCode?: undefined;
}

/** What a security key or passkey signed. */
export interface AssertionProof extends ChallengeProof {
  /** The factor, if only one may answer; the assertion says itself which key it is of. */
  factorId?: string | undefined;
  /** What the browser gave for the options of `getChallengeWebAuthnOptions`. */
  assertion: AssertionCredential;
  /** One proof at a time. */
  code?: undefined;
  /** One proof at a time. */
  recoveryCode?: undefined;
}

/** A recovery code, in place of any factor. */
export interface RecoveryCodeProof extends ChallengeProof {
  /** The recovery code, as the person typed it. */
  recoveryCode: string;
  /** A recovery code is of no factor. */
  factorId?: undefined;
  /** One proof at a time. */
  code?: undefined;
  /** One proof at a time. */
  assertion?: undefined;
}

/** What answers a challenge: a code, an assertion, or a recovery code. */
export type VerifyChallenge = CodeProof | AssertionProof | RecoveryCodeProof;

/** What a login tells of itself. */
export interface CreateChallenge {
  /** `LOGIN` unless given; `STEP_UP` asks whatever the browser. */
  purpose?: ChallengePurpose | undefined;
  /** Where the login comes from. */
  context?: LoginContext | undefined;
}

/** A registration, to be confirmed. */
export interface VerifyWebAuthn {
  /** What the browser gave for the options, or its JSON. */
  credential: RegistrationCredential;
  /** A name for the factor. */
  name?: string | undefined;
  /** A challenge that asked for an enrollment. */
  challengeId?: string | undefined;
}
