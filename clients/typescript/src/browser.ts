/**
 * The two ceremonies of WebAuthn in a page: one call each, from the options that your server got to
 * the JSON that it sends back. Needs nothing but a browser.
 *
 * @packageDocumentation
 */

import { bytesOf, decodeBase64Url } from "./bytes.js";
import type {
  AuthenticationResponseJSON,
  CreationOptionsJSON,
  RegistrationResponseJSON,
  RequestOptionsJSON,
} from "./types.js";
import { type CreationOptions, type RequestOptions, browserCredentialJSON } from "./webauthn.js";

export type { AuthenticationResponseJSON, RegistrationResponseJSON };

/** Why a ceremony came to nothing. */
export type CeremonyErrorReason =
  /** This browser, or this page (no HTTPS), knows no WebAuthn. */
  | "not_supported"
  /** The person broke it off, or took too long: browsers do not tell which. */
  | "cancelled"
  /** The page ended it by its signal. */
  | "aborted"
  /** This authenticator is registered already. */
  | "already_registered"
  /** The page's origin does not fit the relying party of the options. */
  | "wrong_origin"
  /** No authenticator here can do what the options demand. */
  | "not_possible"
  /**
   * What answered, a password manager for instance, gave an object that proves nothing; the person
   * broke nothing off, and `cause` names what is missing. Another key may do.
   */
  | "invalid_credential"
  /** Anything else; `cause` tells. */
  | "failed";

/** A ceremony came to nothing. */
export class CeremonyError extends Error {
  /** The name of the class. */
  override name = "CeremonyError";
  /** Why. */
  readonly reason: CeremonyErrorReason;

  constructor(reason: CeremonyErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** How a ceremony is done. */
export interface CeremonyOptions {
  /** Ends it early. */
  signal?: AbortSignal | undefined;
}

/** How a passkey is asked for. */
export interface AuthenticateOptions extends CeremonyOptions {
  /**
   * Offers passkeys in the autofill of a field with `autocomplete="username webauthn"`, and waits
   * until the person takes one.
   */
  autofill?: boolean | undefined;
}

/** Whether this browser, on this page, knows WebAuthn. */
export function isSupported(): boolean {
  return typeof globalThis.PublicKeyCredential === "function" && "credentials" in navigator;
}

/** Whether this browser can offer passkeys in a field's autofill. */
export async function isAutofillSupported(): Promise<boolean> {
  if (!isSupported()) return false;
  const { isConditionalMediationAvailable } = PublicKeyCredential;
  if (typeof isConditionalMediationAvailable !== "function") return false;
  return isConditionalMediationAvailable.call(PublicKeyCredential);
}

/**
 * Registers a security key or passkey.
 *
 * @param options what `getWebAuthnRegistrationOptions` gave, as it came through JSON
 * @returns what `verifyWebAuthn` takes as `credential`
 *
 * @example
 * const options = await (await fetch("/passkeys/options", { method: "POST" })).json();
 * const credential = await register(options);
 * await fetch("/passkeys", { method: "POST", body: JSON.stringify(credential), headers });
 *
 * @throws CeremonyError if nothing came of it; its `reason` tells why
 */
export async function register(
  options: CreationOptionsJSON | CreationOptions,
  how: CeremonyOptions = {},
): Promise<RegistrationResponseJSON> {
  const publicKey = {
    ...options,
    challenge: binary(options.challenge),
    user: { ...options.user, id: binary(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  } as PublicKeyCredentialCreationOptions;
  const request: CredentialCreationOptions = { publicKey };
  if (how.signal) request.signal = how.signal;
  return ceremony(() => navigator.credentials.create(request), REGISTERED, how.signal);
}

/**
 * Shows a security key or passkey.
 *
 * @param options what `getChallengeWebAuthnOptions` or `getWebAuthnAuthOptions` gave, as it came
 * through JSON
 * @returns what `verify` and `verifyWebAuthnAssertion` take as `assertion`
 *
 * @throws CeremonyError if nothing came of it; its `reason` tells why
 */
export async function authenticate(
  options: RequestOptionsJSON | RequestOptions,
  how: AuthenticateOptions = {},
): Promise<AuthenticationResponseJSON> {
  const publicKey = {
    ...options,
    challenge: binary(options.challenge),
    allowCredentials: named(options.allowCredentials),
  } as PublicKeyCredentialRequestOptions;
  const request: CredentialRequestOptions = { publicKey };
  if (how.signal) request.signal = how.signal;
  if (how.autofill) {
    // A passkey that is offered is one that the authenticator itself knows.
    publicKey.allowCredentials = [];
    request.mediation = "conditional";
  }
  return ceremony(() => navigator.credentials.get(request), SHOWN, how.signal);
}

/** What a registration and an assertion are nothing without (W3C WebAuthn Level 3, section 5.2). */
const REGISTERED = ["clientDataJSON", "attestationObject"];
const SHOWN = ["clientDataJSON", "authenticatorData", "signature"];

async function ceremony<T extends RegistrationResponseJSON | AuthenticationResponseJSON>(
  begin: () => Promise<Credential | null>,
  needed: readonly string[],
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!isSupported()) {
    throw new CeremonyError("not_supported", "this browser or page knows no security keys");
  }
  let credential: Credential | null;
  try {
    credential = await begin();
  } catch (cause) {
    throw failure(cause, signal);
  }
  if (credential == null) throw new CeremonyError("failed", "the browser gave no credential");
  try {
    return browserCredentialJSON<T>(credential, needed);
  } catch (cause) {
    throw new CeremonyError("invalid_credential", "what the browser gave is no whole credential", { cause });
  }
}

/** What the errors of W3C WebAuthn Level 3, sections 5.1.3 and 5.1.4, mean to a page. */
function failure(cause: unknown, signal: AbortSignal | undefined): CeremonyError {
  if (signal?.aborted) return new CeremonyError("aborted", "the page ended it", { cause });
  const name = (cause as { name?: unknown } | null)?.name;
  switch (name) {
    case "NotAllowedError":
      return new CeremonyError("cancelled", "it was broken off, or took too long", { cause });
    case "InvalidStateError":
      return new CeremonyError("already_registered", "it is registered already", { cause });
    case "SecurityError":
      return new CeremonyError("wrong_origin", "this page may not use these keys", { cause });
    case "ConstraintError":
    case "NotSupportedError":
      return new CeremonyError("not_possible", "no key here can do what is asked", { cause });
    default:
      return new CeremonyError("failed", "the browser could not do it", { cause });
  }
}

/** Credentials that options name; a service of another make may leave out that there are none. */
function named(credentials: readonly { id: string | Uint8Array }[] | undefined): object[] {
  return (credentials ?? []).map((each) => ({ ...each, id: binary(each.id) }));
}

function binary(value: string | Uint8Array): Uint8Array {
  if (typeof value === "string") return decodeBase64Url(value);
  return bytesOf(value) ?? new Uint8Array();
}
