import { type CallOptions, path } from "../call.js";
import { InvalidCodeError } from "../errors.js";
import type { CreateChallenge, VerifyChallenge, VerifyWebAuthn } from "../proofs.js";
import { redactAll } from "../redact.js";
import type { Transport } from "../transport.js";
import type {
  AssertionWish,
  Challenge,
  ChallengeAnswer,
  CodeSent,
  ConfirmedFactor,
  CreationOptionsJSON,
  EnrollEmail,
  EnrollSms,
  EnrollTotp,
  Factor,
  ImportTotp,
  MessageEnrollment,
  MfaStatus,
  Policy,
  PolicyPreview,
  RecoveryCodesStatus,
  RecoveryCodeUsed,
  RegistrationWish,
  RequestOptionsJSON,
  TotpEnrollment,
  TrustedDevice,
  UpdatePolicy,
  Verification,
  VerifiedAssertion,
  VerifySentCode,
  VerifyTotp,
} from "../types.js";
import {
  type AssertionCredential,
  type CreationOptions,
  type RequestOptions,
  creationOptions,
  credentialJSON,
  requestOptions,
} from "../webauthn.js";
import { rows } from "./list.js";

const ENROLLED = new Set(["secret", "qrCodeUri", "qrCodeSvg"]);
const GRANTED = new Set(["accessToken", "deviceToken"]);

/** The most rows that a page has; no user has as many factors. */
const ALL = 200;

/** Second factors: what is demanded, what users enroll, and logins. */
export class Mfa {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  // ---- policy --------------------------------------------------------------------------------

  /** What your tenant demands of its users. Needs the scope `policy`. */
  async getPolicy(options?: CallOptions): Promise<Policy> {
    const call = { operation: "getPolicy", method: "GET", path: "/v1/mfa/policy" } as const;
    return this.#transport.send(call, options);
  }

  /**
   * Changes the policy; what is left out stays. Needs the scope `policy`.
   *
   * @example
   * await client.auth.mfa.updatePolicy({
   *   requirement: "REQUIRED",
   *   gracePeriod: { value: 7, unit: "DAYS" },
   * });
   */
  async updatePolicy(changes: UpdatePolicy, options?: CallOptions): Promise<Policy> {
    const at = { operation: "updatePolicy", method: "PATCH", path: "/v1/mfa/policy" } as const;
    return this.#transport.send({ ...at, body: changes }, options);
  }

  /** Whom a change of the policy would affect; changes nothing. Needs the scope `admin`. */
  async previewPolicy(changes: UpdatePolicy, options?: CallOptions): Promise<PolicyPreview> {
    return this.#post("previewPolicy", "/v1/mfa/policy/preview", changes, options);
  }

  // ---- authenticator apps --------------------------------------------------------------------

  /**
   * Begins to enroll an authenticator app. Show `qrCodeUri` as a QR code, or `qrCodeSvg` as it is,
   * and `secret` to those who type it; then confirm with `verifyTotp`.
   */
  async enrollTotp(
    userId: string,
    wishes: EnrollTotp = {},
    options?: CallOptions,
  ): Promise<TotpEnrollment> {
    const at = path`/v1/users/${userId}/mfa/totp`;
    return this.#post("enrollTotp", at, wishes, options, ENROLLED);
  }

  /**
   * Confirms an authenticator app with the code that it shows.
   *
   * @throws InvalidCodeError if the code is wrong
   */
  async verifyTotp(userId: string, proof: VerifyTotp, options?: CallOptions): Promise<ConfirmedFactor> {
    const at = path`/v1/users/${userId}/mfa/totp/verify`;
    return this.#post("verifyTotp", at, proof, options, GRANTED);
  }

  /** Takes over an authenticator app that another service enrolled. */
  async importTotp(userId: string, app: ImportTotp, options?: CallOptions): Promise<Factor> {
    return this.#post("importTotp", path`/v1/users/${userId}/mfa/totp/import`, app, options);
  }

  // ---- codes by SMS and email ----------------------------------------------------------------

  /** Begins to enroll a telephone number (E.164); `sendSmsCode` sends a code to it. */
  async enrollSms(userId: string, phone: EnrollSms, options?: CallOptions): Promise<MessageEnrollment> {
    return this.#post("enrollSms", path`/v1/users/${userId}/mfa/sms`, phone, options);
  }

  /** Sends a code to the number that is being enrolled. */
  async sendSmsCode(userId: string, options?: CallOptions): Promise<CodeSent> {
    return this.#post("sendSmsCode", path`/v1/users/${userId}/mfa/sms/send`, {}, options);
  }

  /**
   * Confirms the number with the code that was sent.
   *
   * @throws InvalidCodeError if the code is wrong
   */
  async verifySms(
    userId: string,
    proof: VerifySentCode,
    options?: CallOptions,
  ): Promise<ConfirmedFactor> {
    const at = path`/v1/users/${userId}/mfa/sms/verify`;
    return this.#post("verifySms", at, proof, options, GRANTED);
  }

  /** Begins to enroll the user's verified email address; `sendEmailCode` sends a code to it. */
  async enrollEmail(
    userId: string,
    wishes: EnrollEmail = {},
    options?: CallOptions,
  ): Promise<MessageEnrollment> {
    return this.#post("enrollEmail", path`/v1/users/${userId}/mfa/email`, wishes, options);
  }

  /** Sends a code to the address that is being enrolled. */
  async sendEmailCode(userId: string, options?: CallOptions): Promise<CodeSent> {
    return this.#post("sendEmailCode", path`/v1/users/${userId}/mfa/email/send`, {}, options);
  }

  /**
   * Confirms the address with the code that was sent.
   *
   * @throws InvalidCodeError if the code is wrong
   */
  async verifyEmail(
    userId: string,
    proof: VerifySentCode,
    options?: CallOptions,
  ): Promise<ConfirmedFactor> {
    const at = path`/v1/users/${userId}/mfa/email/verify`;
    return this.#post("verifyEmail", at, proof, options, GRANTED);
  }

  // ---- security keys and passkeys ------------------------------------------------------------

  /**
   * Options for `navigator.credentials.create({ publicKey: options })`. Sent to a browser as JSON,
   * they are what `register` of `@countersign/client/browser` takes.
   */
  async getWebAuthnRegistrationOptions(
    userId: string,
    wishes: RegistrationWish = {},
    options?: CallOptions,
  ): Promise<CreationOptions> {
    const at = path`/v1/users/${userId}/mfa/webauthn/registration-options`;
    const operation = "getWebAuthnRegistrationOptions";
    return creationOptions(await this.#post<CreationOptionsJSON>(operation, at, wishes, options));
  }

  /**
   * Confirms a security key or passkey with what the browser gave.
   *
   * @throws InvalidCodeError if it proves nothing
   */
  async verifyWebAuthn(
    userId: string,
    proof: VerifyWebAuthn,
    options?: CallOptions,
  ): Promise<ConfirmedFactor> {
    const at = path`/v1/users/${userId}/mfa/webauthn/verify`;
    const body = { ...proof, credential: credentialJSON(proof.credential) };
    return this.#post("verifyWebAuthn", at, body, options, GRANTED);
  }

  /** Options for `navigator.credentials.get({ publicKey: options })`, outside a login. */
  async getWebAuthnAuthOptions(
    userId: string,
    wishes: AssertionWish = {},
    options?: CallOptions,
  ): Promise<RequestOptions> {
    const at = path`/v1/users/${userId}/mfa/webauthn/authentication-options`;
    const operation = "getWebAuthnAuthOptions";
    return requestOptions(await this.#post<RequestOptionsJSON>(operation, at, wishes, options));
  }

  /**
   * Checks an assertion outside a login.
   *
   * @throws InvalidCodeError if it proves nothing
   */
  async verifyWebAuthnAssertion(
    userId: string,
    proof: { assertion: AssertionCredential },
    options?: CallOptions,
  ): Promise<VerifiedAssertion> {
    const at = path`/v1/users/${userId}/mfa/webauthn/verify-assertion`;
    const body = { assertion: credentialJSON(proof.assertion) };
    return this.#post("verifyWebAuthnAssertion", at, body, options, GRANTED);
  }

  // ---- factors -------------------------------------------------------------------------------

  /** What a user enrolled, the primary factor first. */
  async listFactors(userId: string, options?: CallOptions): Promise<Factor[]> {
    return this.#all("listFactors", path`/v1/users/${userId}/mfa/factors`, options);
  }

  /** Renames a factor; `null` takes its name away. */
  async updateFactor(
    userId: string,
    factorId: string,
    changes: { name: string | null },
    options?: CallOptions,
  ): Promise<Factor> {
    const at = path`/v1/users/${userId}/mfa/factors/${factorId}`;
    const call = { operation: "updateFactor", method: "PATCH", path: at, body: changes } as const;
    return this.#transport.send(call, options);
  }

  /** Removes a factor; another becomes primary if this one was. */
  async removeFactor(userId: string, factorId: string, options?: CallOptions): Promise<void> {
    return this.#delete("deleteFactor", path`/v1/users/${userId}/mfa/factors/${factorId}`, options);
  }

  /** Makes a factor the one that is asked for first. */
  async setPrimary(userId: string, factorId: string, options?: CallOptions): Promise<Factor> {
    const at = path`/v1/users/${userId}/mfa/factors/${factorId}/primary`;
    return this.#post("makeFactorPrimary", at, undefined, options);
  }

  // ---- recovery codes ------------------------------------------------------------------------

  /** How many recovery codes a user has left. The codes themselves are shown once, when made. */
  async getRecoveryCodes(userId: string, options?: CallOptions): Promise<RecoveryCodesStatus> {
    const at = path`/v1/users/${userId}/mfa/recovery-codes`;
    return this.#transport.send({ operation: "getRecoveryCodes", method: "GET", path: at }, options);
  }

  /**
   * Makes recovery codes for a user who has none.
   *
   * @throws ConflictError `recovery_codes_exist` while unused ones remain
   */
  async generateRecoveryCodes(userId: string, options?: CallOptions): Promise<string[]> {
    return this.#codes("createRecoveryCodes", path`/v1/users/${userId}/mfa/recovery-codes`, options);
  }

  /** Makes new recovery codes; the old ones stop working. */
  async regenerateRecoveryCodes(userId: string, options?: CallOptions): Promise<string[]> {
    const at = path`/v1/users/${userId}/mfa/recovery-codes/regenerate`;
    return this.#codes("regenerateRecoveryCodes", at, options);
  }

  /**
   * Spends a recovery code outside a login.
   *
   * @throws InvalidCodeError if it is none of the user's, or was used
   */
  async useRecoveryCode(
    userId: string,
    proof: { code: string },
    options?: CallOptions,
  ): Promise<RecoveryCodeUsed> {
    const at = path`/v1/users/${userId}/mfa/recovery-codes/use`;
    return this.#post("useRecoveryCode", at, proof, options);
  }

  // ---- trusted devices -----------------------------------------------------------------------

  /** The browsers in which a user is remembered. */
  async listDevices(userId: string, options?: CallOptions): Promise<TrustedDevice[]> {
    return this.#all("listTrustedDevices", path`/v1/users/${userId}/mfa/devices`, options);
  }

  /** Forgets a browser. */
  async revokeDevice(userId: string, deviceId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/users/${userId}/mfa/devices/${deviceId}`;
    return this.#delete("revokeTrustedDevice", at, options);
  }

  /** Forgets all of a user's browsers. */
  async revokeDevices(userId: string, options?: CallOptions): Promise<void> {
    return this.#delete("revokeTrustedDevices", path`/v1/users/${userId}/mfa/devices`, options);
  }

  // ---- situation -----------------------------------------------------------------------------

  /** A user's situation: what is enrolled, what is left, whether codes are locked. */
  async getStatus(userId: string, options?: CallOptions): Promise<MfaStatus> {
    const at = path`/v1/users/${userId}/mfa/status`;
    return this.#transport.send({ operation: "getMfaStatus", method: "GET", path: at }, options);
  }

  /** Takes everything away that a user enrolled, at once. Needs the scope `admin`. */
  async resetFactors(
    userId: string,
    why: { reason?: string | undefined } = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.#nothing("resetMfa", path`/v1/users/${userId}/mfa/reset`, why, options);
  }

  /** Lets codes be read again after too many wrong ones. Needs the scope `admin`. */
  async unlock(userId: string, options?: CallOptions): Promise<void> {
    return this.#nothing("unlockMfa", path`/v1/users/${userId}/mfa/unlock`, undefined, options);
  }

  // ---- login ---------------------------------------------------------------------------------

  /**
   * Asks, once the password is right, whether the login needs a second factor.
   *
   * @example
   * const result = await client.auth.mfa.createChallenge(userId, {
   *   purpose: "LOGIN",
   *   context: { ipAddress: req.ip, userAgent: req.get("user-agent") },
   * });
   * if (!result.mfaRequired) return signIn(result.tokens);
   */
  async createChallenge(
    userId: string,
    login: CreateChallenge = {},
    options?: CallOptions,
  ): Promise<ChallengeAnswer> {
    const body = { userId, purpose: login.purpose ?? "LOGIN", context: login.context };
    return this.#post("createChallenge", "/v1/mfa/challenges", body, options, GRANTED);
  }

  /** A challenge as it stands. */
  async getChallenge(challengeId: string, options?: CallOptions): Promise<Challenge> {
    const at = path`/v1/mfa/challenges/${challengeId}`;
    return this.#transport.send({ operation: "getChallenge", method: "GET", path: at }, options);
  }

  /** Sends a code of an SMS or email factor. */
  async sendChallengeCode(
    challengeId: string,
    to: { factorId: string },
    options?: CallOptions,
  ): Promise<CodeSent> {
    const at = path`/v1/mfa/challenges/${challengeId}/send`;
    return this.#post("sendChallengeCode", at, to, options);
  }

  /** Options for `navigator.credentials.get({ publicKey: options })`, to answer a challenge. */
  async getChallengeWebAuthnOptions(
    challengeId: string,
    wishes: AssertionWish = {},
    options?: CallOptions,
  ): Promise<RequestOptions> {
    const at = path`/v1/mfa/challenges/${challengeId}/webauthn-options`;
    const operation = "getChallengeWebAuthnOptions";
    return requestOptions(await this.#post<RequestOptionsJSON>(operation, at, wishes, options));
  }

  /**
   * Answers a challenge: the verification, or `null` when the proof was wrong. A code that is empty
   * or longer than 64 characters is none: it is refused as a value, not as a proof.
   *
   * @example
   * const verified = await client.auth.mfa.verify({ challengeId, factorId, code });
   * if (verified) signIn(verified.tokens);
   *
   * @throws RateLimitError after too many wrong codes, ExpiredError once the challenge has ended,
   * InvalidRequestError if the code is empty or longer than 64 characters
   */
  async verify(proof: VerifyChallenge, options?: CallOptions): Promise<Verification | null> {
    const { assertion, ...rest } = proof;
    const body = assertion === undefined ? rest : { ...rest, assertion: credentialJSON(assertion) };
    const at = "/v1/mfa/challenges/verify";
    try {
      return await this.#post<Verification>("verifyChallenge", at, body, options, GRANTED);
    } catch (error) {
      if (error instanceof InvalidCodeError) return null;
      throw error;
    }
  }

  // ---- how it is sent ------------------------------------------------------------------------

  async #post<T>(
    operation: string,
    at: string,
    body: unknown,
    options: CallOptions | undefined,
    secrets?: ReadonlySet<string>,
  ): Promise<T> {
    const call = { operation, method: "POST", path: at, body } as const;
    return this.#transport.send(secrets === undefined ? call : { ...call, secrets }, options);
  }

  async #nothing(
    operation: string,
    at: string,
    body: unknown,
    options: CallOptions | undefined,
  ): Promise<void> {
    const call = { operation, method: "POST", path: at, body, answer: "nothing" } as const;
    return this.#transport.send(call, options);
  }

  async #delete(operation: string, at: string, options: CallOptions | undefined): Promise<void> {
    const call = { operation, method: "DELETE", path: at, answer: "nothing" } as const;
    return this.#transport.send(call, options);
  }

  async #codes(operation: string, at: string, options: CallOptions | undefined): Promise<string[]> {
    const { codes } = await this.#post<{ codes: string[] }>(operation, at, undefined, options);
    return redactAll(codes);
  }

  async #all<T>(operation: string, at: string, options: CallOptions | undefined): Promise<T[]> {
    const all: T[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: ALL, cursor };
      const call = { operation, method: "GET", path: at, query } as const;
      const page = await rows<T>(this.#transport, call, options);
      all.push(...page.data);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }
}
