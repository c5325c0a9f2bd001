// Bytes as JSON carries them: base64url without padding (RFC 4648 section 5).

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Bytes that become base64url in JSON, as WebAuthn's JSON forms have it. */
export class Base64UrlBytes extends Uint8Array<ArrayBuffer> {
  /** What parts and copies of these bytes are. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** The bytes of a base64url text. */
  static parse(text: string): Base64UrlBytes {
    return new Base64UrlBytes(decodeBase64Url(text).buffer);
  }

  /** The base64url text. */
  toJSON(): string {
    return encodeBase64Url(this);
  }
}

/** Bytes as base64url. */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let digit = 0; digit <= left; digit += 1) {
      text += ALPHABET.charAt((group >> (18 - 6 * digit)) & 63);
    }
  }
  return text;
}

/**
 * The bytes of a base64url text.
 *
 * @throws SyntaxError if it is none
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let group = 0;
  let bits = 0;
  let at = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new SyntaxError("not base64url");
    group = (group << 6) | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (group >> bits) & 255;
      at += 1;
      group &= (1 << bits) - 1;
    }
  }
  // No digit may be left over, and no bit may be set that belongs to no byte.
  if (bits === 6 || group !== 0) throw new SyntaxError("not base64url");
  return bytes;
}

/** The bytes of what holds bytes; null if it holds none. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const isBuffer = Object.prototype.toString.call(value) === "[object ArrayBuffer]";
  return isBuffer ? new Uint8Array(value as ArrayBuffer) : null;
}
