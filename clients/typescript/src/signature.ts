// Whether a webhook came from the service: Standard Webhooks, symmetric signatures (`v1`).

import { WebhookSignatureError } from "./errors.js";
import type { WebhookEvent } from "./types.js";

/** Headers as frameworks give them. */
export type HeadersLike =
  | {
      /** The value of a header, whatever the case of its name. */
      get(name: string): string | null | undefined;
    }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

const TOLERANCE_SECONDS = 5 * 60;

/**
 * The event of a delivery.
 *
 * @throws WebhookSignatureError if it is not to be believed
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: HeadersLike,
  secrets: readonly string[],
  nowMs: number,
): Promise<WebhookEvent> {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw new TypeError("a webhook is verified over its raw body, before it is parsed");
  }
  const keys = secrets.map(secretBytes);
  if (keys.length === 0) throw new TypeError("a webhook's secret is needed");
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");

  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookSignatureError("malformed", "webhook-timestamp is no time");
  }
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new WebhookSignatureError("timestamp", "it was signed too long ago, or in the future");
  }
  const text = new TextEncoder();
  const bytes = typeof body === "string" ? text.encode(body) : body;
  const before = text.encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(before.length + bytes.length);
  signed.set(before);
  signed.set(bytes, before.length);

  const given = signatures
    .split(" ")
    .filter((each) => each.startsWith("v1,"))
    .map((each) => base64(each.slice(3)));
  if (!(await isSigned(keys, signed, given))) {
    throw new WebhookSignatureError("signature", "no signature is right");
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    return JSON.parse(decoder.decode(bytes)) as WebhookEvent;
  } catch {
    throw new WebhookSignatureError("malformed", "its body is no JSON");
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Whether any of the keys made any of the signatures; `subtle.verify` compares in constant time. */
async function isSigned(keys: Bytes[], signed: Bytes, given: (Bytes | null)[]): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
    for (const signature of given) {
      if (signature !== null && (await crypto.subtle.verify(algorithm, key, signature, signed))) {
        return true;
      }
    }
  }
  return false;
}

function header(headers: HeadersLike, name: string): string {
  const { get } = headers as { get?: unknown };
  const found =
    typeof get === "function"
      ? (headers as { get(name: string): string | null | undefined }).get(name)
      : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  const value: unknown = Array.isArray(found) ? found[0] : found;
  if (typeof value === "string" && value !== "") return value;
  throw new WebhookSignatureError("missing_header", `there is no ${name}`);
}

function secretBytes(secret: string): Bytes {
  const bytes = secret.startsWith("whsec_") ? base64(secret.slice(6)) : null;
  if (bytes === null || bytes.length === 0) {
    throw new TypeError("a webhook's secret is whsec_ and base64");
  }
  return bytes;
}

/** The bytes of base64 (RFC 4648 section 4); null if it is none. */
function base64(text: string): Bytes | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
