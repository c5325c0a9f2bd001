// Options and credentials of WebAuthn (W3C WebAuthn Level 3, sections 5.4 to 5.6), as browsers take
// and give them and as JSON carries them.

import { Base64UrlBytes, bytesOf, encodeBase64Url } from "./bytes.js";
import type {
  Attachment,
  AuthenticationResponseJSON,
  AuthenticatorSelection,
  CreationOptionsJSON,
  RegistrationResponseJSON,
  RequestOptionsJSON,
} from "./types.js";

/** A credential that options name, its id as bytes that become base64url in JSON. */
export interface CredentialDescriptor {
  /** The only kind there is. */
  type: "public-key";
  /** The credential's id. */
  id: Base64UrlBytes;
  /** How its authenticator can be reached. */
  transports?: ("ble" | "hybrid" | "internal" | "nfc" | "usb")[];
}

/** A user, as authenticators know one. */
export interface UserEntity {
  /** A handle that says nothing of the person. */
  id: Base64UrlBytes;
  /** What the person calls the account. */
  name: string;
  /** The person's name. */
  displayName: string;
}

/** What an authenticator must be like, as browsers take it: what is left out is not undefined. */
export interface AuthenticatorWish extends Omit<AuthenticatorSelection, "authenticatorAttachment"> {
  /** Where it is; any if left out. */
  authenticatorAttachment?: Attachment;
}

/** A kind of key. */
export interface KeyKind {
  /** The only kind of credential there is. */
  type: "public-key";
  /** A COSE algorithm, as -7 for ES256. */
  alg: number;
}

/**
 * What `navigator.credentials.create({ publicKey })` takes. Its binary members become base64url in
 * JSON, which is what `PublicKeyCredential.parseCreationOptionsFromJSON` takes.
 */
export interface CreationOptions
  extends Omit<
    CreationOptionsJSON,
    "authenticatorSelection" | "challenge" | "excludeCredentials" | "pubKeyCredParams" | "user"
  > {
  /** What the authenticator signs. */
  challenge: Base64UrlBytes;
  /** What the authenticator must be like. */
  authenticatorSelection: AuthenticatorWish;
  /** Whose the credential will be. */
  user: UserEntity;
  /** Which keys are good, the best first. */
  pubKeyCredParams: KeyKind[];
  /** Credentials whose authenticators must not register again. */
  excludeCredentials: CredentialDescriptor[];
}

/** What `navigator.credentials.get({ publicKey })` takes; in JSON as {@link CreationOptions}. */
export interface RequestOptions extends Omit<RequestOptionsJSON, "challenge" | "allowCredentials"> {
  /** What the authenticator signs. */
  challenge: Base64UrlBytes;
  /** The user's credentials: no other is accepted. */
  allowCredentials: CredentialDescriptor[];
}

/** What a browser gave: a `PublicKeyCredential` of an attestation or an assertion. */
export interface BrowserCredential {
  /** The credential's id, base64url. */
  readonly id: string;
  /** The same as bytes. */
  readonly rawId: ArrayBufferLike | ArrayBufferView;
  /** `public-key`. */
  readonly type: string;
  /** What the authenticator answered. */
  readonly response: object;
}

/** A registration as the browser gave it, or its JSON, as an object or a text. */
export type RegistrationCredential = RegistrationResponseJSON | BrowserCredential | string;

/** An assertion as the browser gave it, or its JSON, as an object or a text. */
export type AssertionCredential = AuthenticationResponseJSON | BrowserCredential | string;

type Descriptors = CreationOptionsJSON["excludeCredentials"];

function descriptors(named: Descriptors): CredentialDescriptor[] {
  return named.map((each) => ({
    ...each,
    type: "public-key",
    id: Base64UrlBytes.parse(each.id),
    transports: each.transports as NonNullable<CredentialDescriptor["transports"]>,
  }));
}

/** Options with their binary members as bytes. */
export function creationOptions(json: CreationOptionsJSON): CreationOptions {
  return {
    ...json,
    authenticatorSelection: json.authenticatorSelection as AuthenticatorWish,
    challenge: Base64UrlBytes.parse(json.challenge),
    user: { ...json.user, id: Base64UrlBytes.parse(json.user.id) },
    pubKeyCredParams: json.pubKeyCredParams as CreationOptions["pubKeyCredParams"],
    excludeCredentials: descriptors(json.excludeCredentials),
  };
}

/** Options with their binary members as bytes. */
export function requestOptions(json: RequestOptionsJSON): RequestOptions {
  return {
    ...json,
    challenge: Base64UrlBytes.parse(json.challenge),
    allowCredentials: descriptors(json.allowCredentials),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const noCredential = () =>
  new TypeError("a credential is what the browser gave, its JSON as an object, or that as a text");

function parsed(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the platform says has a part of the text in it.
    throw noCredential();
  }
  if (!isObject(value)) throw noCredential();
  return value;
}

const BINARY = ["attestationObject", "authenticatorData", "clientDataJSON", "signature", "userHandle"];

/**
 * A credential as JSON. A browser's own has its members on its prototype and its bytes in buffers,
 * so its members are named here; what is JSON already is taken as it is.
 *
 * @throws TypeError if it is no credential: without the text, which may prove who somebody is
 */
export function credentialJSON<T extends RegistrationResponseJSON | AuthenticationResponseJSON>(
  credential: T | BrowserCredential | string,
): T {
  if (typeof credential === "string") return parsed(credential) as T;
  if (!isObject(credential)) throw noCredential();
  const rawId = bytesOf(credential.rawId);
  if (rawId === null) return credential as T;
  const from = credential as BrowserCredential & {
    authenticatorAttachment?: string | null;
    getClientExtensionResults?: () => object;
    response: Record<string, unknown> & { getTransports?: () => string[] };
  };
  const response: Record<string, unknown> = {};
  for (const name of BINARY) {
    const bytes = bytesOf(from.response[name]);
    if (bytes !== null) response[name] = encodeBase64Url(bytes);
  }
  const transports = from.response.getTransports?.();
  if (transports !== undefined) response["transports"] = transports;
  const attachment = from.authenticatorAttachment;
  const json = {
    id: from.id,
    rawId: encodeBase64Url(rawId),
    type: from.type,
    response,
    ...(attachment == null ? {} : { authenticatorAttachment: attachment }),
    clientExtensionResults: from.getClientExtensionResults?.() ?? {},
  };
  return json as unknown as T;
}
