// A security key in software, with the browser before it: it does the two ceremonies of a page, and
// gives what a browser gives.

import assert from "node:assert/strict";
import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { CreationOptions, RequestOptions } from "@countersign/client";

const ES256 = -7;
/** Flags of the authenticator's data (W3C WebAuthn Level 3, section 6.1). */
const USER_PRESENT = 1;
const USER_VERIFIED = 4;
const ATTESTED = 64;

interface Credential {
  id: Buffer;
  userHandle: Buffer;
  privateKey: KeyObject;
}

/** A device that keeps passkeys and verifies the person, used on one page. */
export class Authenticator {
  readonly #origin: string;
  readonly #credentials: Credential[] = [];

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** As `navigator.credentials.create()`. */
  create({ publicKey }: { publicKey: CreationOptions }): PublicKeyCredentialLike {
    assert.ok(publicKey.pubKeyCredParams.some(({ alg }) => alg === ES256), "ES256 is not wished");
    const excluded = publicKey.excludeCredentials.some(({ id }) => this.#find(id));
    assert.ok(!excluded, "it is registered already");
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const credential = {
      id: randomBytes(32),
      userHandle: Buffer.from(publicKey.user.id),
      privateKey: pair.privateKey,
    };
    this.#credentials.push(credential);
    const { x, y } = pair.publicKey.export({ format: "jwk" });
    // COSE (RFC 9053 section 7.1.1): an EC2 key for ES256 on P-256.
    const publicKeyBytes = cbor([
      [1, 2],
      [3, ES256],
      [-1, 1],
      [-2, Buffer.from(x ?? "", "base64url")],
      [-3, Buffer.from(y ?? "", "base64url")],
    ]);
    const idLength = Buffer.alloc(2);
    idLength.writeUInt16BE(credential.id.length);
    const head = this.#head(publicKey.rp.id, USER_PRESENT | USER_VERIFIED | ATTESTED);
    const aaguid = Buffer.alloc(16, 8);
    const data = Buffer.concat([head, aaguid, idLength, credential.id, publicKeyBytes]);
    const attestation = cbor([
      ["fmt", "none"],
      ["attStmt", []],
      ["authData", data],
    ]);
    return new PublicKeyCredentialLike(credential.id, {
      clientDataJSON: this.#clientData("webauthn.create", publicKey.challenge),
      attestationObject: attestation,
      getTransports: () => ["internal"],
    });
  }

  /** As `navigator.credentials.get()`. */
  get({ publicKey }: { publicKey: RequestOptions }): PublicKeyCredentialLike {
    const credential = publicKey.allowCredentials.map(({ id }) => this.#find(id)).find(Boolean);
    assert.ok(credential, "it has none of these credentials");
    const clientData = this.#clientData("webauthn.get", publicKey.challenge);
    const data = this.#head(publicKey.rpId, USER_PRESENT | USER_VERIFIED);
    const signed = Buffer.concat([data, sha256(clientData)]);
    return new PublicKeyCredentialLike(credential.id, {
      clientDataJSON: clientData,
      authenticatorData: data,
      signature: sign("sha256", signed, credential.privateKey),
      userHandle: credential.userHandle,
    });
  }

  #find(id: Uint8Array): Credential | undefined {
    return this.#credentials.find((each) => each.id.equals(id));
  }

  #head(rpId: string, flags: number): Buffer {
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), Buffer.alloc(4)]);
  }

  #clientData(type: string, challenge: Uint8Array): Buffer {
    const bytes = Buffer.from(challenge).toString("base64url");
    return Buffer.from(
      JSON.stringify({ type, challenge: bytes, origin: this.#origin, crossOrigin: false }),
    );
  }
}

/** What a browser gives: its members are its prototype's, and its bytes are in buffers. */
export class PublicKeyCredentialLike {
  readonly #id: Buffer;
  readonly #response: object;

  constructor(id: Buffer, response: Record<string, Buffer | (() => string[])>) {
    this.#id = id;
    this.#response = Object.create(
      Object.fromEntries(
        Object.entries(response).map(([name, value]) => [
          name,
          typeof value === "function" ? value : buffer(value),
        ]),
      ),
    ) as object;
  }

  get id(): string {
    return this.#id.toString("base64url");
  }

  get rawId(): ArrayBuffer {
    return buffer(this.#id);
  }

  get type(): string {
    return "public-key";
  }

  get authenticatorAttachment(): string {
    return "platform";
  }

  get response(): object {
    return this.#response;
  }

  getClientExtensionResults(): object {
    return {};
  }
}

/** The bytes alone, without what else may lie in a Buffer's memory. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

type Cbor = number | string | Buffer | [Cbor, Cbor][];

/** As much of CBOR (RFC 8949 section 3.1) as is written here; a map is a list of its pairs. */
function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value < 0 ? item(1, -1 - value) : item(0, value);
  if (typeof value === "string") return Buffer.concat([item(3, value.length), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([item(2, value.length), value]);
  return Buffer.concat([item(5, value.length), ...value.flat().map(cbor)]);
}

function item(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.from([type | argument]);
  if (argument < 256) return Buffer.from([type | 24, argument]);
  return Buffer.from([type | 25, argument >> 8, argument & 255]);
}
