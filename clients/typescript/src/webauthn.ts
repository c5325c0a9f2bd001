// Options and credentials of WebAuthn (W3C WebAuthn Level 3, sections 5.4 to 5.6), as browsers take
// and give them and as JSON carries them.

import { Base64UrlBytes, bytesOf, encodeBase64Url } from "./bytes.js";
import type {
  Attachment,
  Attestation,
  AuthenticationResponseJSON,
  AuthenticatorSelection,
  CreationOptionsJSON,
  RegistrationResponseJSON,
  RequestOptionsJSON,
  ResidentKey,
  UserVerification,
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
export interface AuthenticatorWish
  extends Omit<AuthenticatorSelection, "authenticatorAttachment" | "residentKey" | "userVerification"> {
  /** Where it is; any if left out. */
  authenticatorAttachment?: Attachment;
  /** Whether the credential can be found without its id. */
  residentKey: ResidentKey;
  /** Whether the person must be verified. */
  userVerification: UserVerification;
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
    "attestation" | "authenticatorSelection" | "challenge" | "excludeCredentials" | "pubKeyCredParams" | "user"
  > {
  /** Whether the authenticator tells its make. */
  attestation: Attestation;
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
export interface RequestOptions
  extends Omit<RequestOptionsJSON, "allowCredentials" | "challenge" | "userVerification"> {
  /** Whether the person must be verified. */
  userVerification: UserVerification;
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
    attestation: json.attestation as Attestation,
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
    userVerification: json.userVerification as UserVerification,
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

/** A member of what may be an imitation: its getters may throw, or belong to another kind of object. */
function member(from: unknown, name: string): unknown {
  try {
    return (from as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** What a method of what may be an imitation gives; undefined if there is none, or it throws. */
function called(from: unknown, name: string): unknown {
  try {
    return (from as Record<string, () => unknown>)[name]?.();
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Bytes in buffers, in arrays of numbers, or as a text already, as base64url; null if they are none. */
function base64UrlOf(value: unknown): string | null {
  const bytes = bytesOf(Array.isArray(value) ? Uint8Array.from(value as number[]) : value);
  if (bytes !== null) return bytes.length === 0 ? null : encodeBase64Url(bytes);
  if (!isText(value)) return null;
  const text = value.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return /^[\w-]+$/.test(text) ? text : null;
}

const BINARY = ["attestationObject", "authenticatorData", "clientDataJSON", "signature", "userHandle"];
const ATTACHMENTS: unknown[] = ["platform", "cross-platform"];

/** An object as JSON has it; an empty one for what is none, or cannot be JSON. */
function plain(value: unknown): object {
  try {
    const copy: unknown = JSON.parse(JSON.stringify(value));
    return isObject(copy) ? copy : {};
  } catch {
    return {};
  }
}

/**
 * What a browser gave, as JSON. Password managers answer with objects of their own: members are
 * missing, are texts or arrays in place of buffers, are in what `toJSON` gives alone, or throw when
 * read because the object only borrowed its prototype. So each is read alone, and what can be done
 * without is left out.
 *
 * @param needed members of `response` without which it proves nothing
 * @throws TypeError that names the member which is missing
 */
export function browserCredentialJSON<T extends RegistrationResponseJSON | AuthenticationResponseJSON>(
  credential: unknown,
  needed: readonly string[],
): T {
  const told = called(credential, "toJSON");
  // The bytes are what is signed for; an `id` beside them may be the manager's own.
  const ids = [member(credential, "rawId"), member(told, "rawId"), member(credential, "id"), member(told, "id")];
  const id = ids.map(base64UrlOf).find((text) => text !== null);
  if (id === undefined) throw new TypeError("the credential has neither `id` nor `rawId`");

  const [answered, toldAnswer] = [member(credential, "response"), member(told, "response")];
  const response: Record<string, unknown> = {};
  for (const name of BINARY) {
    const text = base64UrlOf(member(answered, name)) ?? base64UrlOf(member(toldAnswer, name));
    if (text !== null) response[name] = text;
    else if (needed.includes(name)) throw new TypeError(`the credential has no \`response.${name}\``);
  }
  const transports = called(answered, "getTransports") ?? member(toldAnswer, "transports");
  if (Array.isArray(transports)) response["transports"] = transports.filter(isText);
  const attachment = member(credential, "authenticatorAttachment") ?? member(told, "authenticatorAttachment");
  const type = member(credential, "type");
  const results = called(credential, "getClientExtensionResults") ?? member(told, "clientExtensionResults");
  const json = {
    id,
    rawId: id,
    type: isText(type) ? type : "public-key",
    response,
    ...(ATTACHMENTS.includes(attachment) ? { authenticatorAttachment: attachment } : {}),
    clientExtensionResults: plain(results),
  };
  return json as unknown as T;
}

/** Whether a member holds bytes, which JSON has no form for. */
const isBinary = (value: unknown) => bytesOf(value) !== null || Array.isArray(value);

/** Whether it is a browser's object, or one in its place, and not its JSON. */
function isGiven(credential: object): boolean {
  if (typeof member(credential, "toJSON") === "function" || isBinary(member(credential, "rawId"))) return true;
  const answered = member(credential, "response");
  return BINARY.some((name) => isBinary(member(answered, name)));
}

/**
 * A credential as JSON. A browser's own has its members on its prototype and its bytes in buffers, and
 * one in its place may have them in arrays; what is JSON already is taken as it is.
 *
 * @throws TypeError if it is no credential: without the text, which may prove who somebody is
 */
export function credentialJSON<T extends RegistrationResponseJSON | AuthenticationResponseJSON>(
  credential: T | BrowserCredential | string,
): T {
  if (typeof credential === "string") return parsed(credential) as T;
  if (!isObject(credential)) throw noCredential();
  return isGiven(credential) ? browserCredentialJSON<T>(credential, []) : (credential as T);
}
