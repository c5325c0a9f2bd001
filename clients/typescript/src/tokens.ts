// Verifies access tokens without asking the service: ES256 JWTs (RFC 7519, RFC 7515, RFC 7518
// section 3.4) against its published keys.

import { decodeBase64Url } from "./bytes.js";
import type { Clock } from "./clock.js";
import { TimeoutError, TokenError } from "./errors.js";
import type { Jwk, JwkSet, TokenFacts } from "./types.js";

/** What an access token says. */
export interface TokenClaims {
  /** The service that made it. */
  iss: string;
  /** For whom it was made. */
  aud: string;
  /** The user. */
  sub: string;
  /** When it was made, in seconds since 1970. */
  iat: number;
  /** When it ends, in seconds since 1970. */
  exp: number;
  /** Its own id. */
  jti: string;
  /** When the user proved who they are, in seconds since 1970. */
  auth_time: number;
  /** `aal2` if a second factor was proven, else `aal1`. */
  acr: "aal1" | "aal2";
  /** How (RFC 8176): `pwd`, `otp`, `sms`, `hwk`, `swk`, `user`, `mfa`; our own: `email`, `recovery`. */
  amr: string[];
  /** The tenant whose user it is. */
  tenant: string;
}

/** What a token has to say besides being genuine. */
export interface VerifyTokenOptions {
  /** The `iss` to demand in place of what the service tells. */
  issuer?: string | undefined;
  /** The `aud` to demand in place of what the service tells. */
  audience?: string | undefined;
  /** The `tenant` to demand in place of what the service tells. */
  tenant?: string | undefined;
  /** Demands that a second factor was proven. */
  acr?: "aal2" | undefined;
  /** How many seconds ago the user may have proven who they are at most. */
  maxAge?: number | undefined;
  /** Ends the waiting for keys and facts early; it is then rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * For how long keys and facts may be waited for, in milliseconds, if they have to be fetched; the
   * client's `timeout` for each unless given, and at most. When time is up, those that are known and
   * still serve are used.
   */
  timeout?: number | undefined;
}

/** Where keys and facts come from. */
export interface TokenSource {
  keys(): Promise<{ value: JwkSet; headers: Headers }>;
  facts(): Promise<TokenFacts>;
}

const LEEWAY_SECONDS = 30;
const KEYS_LIVE_MS = 5 * 60_000;
const FACTS_LIVE_MS = 60 * 60_000;
/** For how long known keys and facts serve while no new ones can be had. */
const SERVE_MS = 24 * 60 * 60_000;
/**
 * Neither whoever sends tokens with invented key ids nor a service that is away makes a client that
 * knows keys and facts ask more often than this.
 */
const REFETCH_MS = 30_000;
/** No token of this service comes near. */
const LONGEST_TOKEN = 8_192;

/** Keys by id; null for one that is broken. */
type Keys = Map<string, Promise<CryptoKey | null>>;

/** A value that was fetched, and how long it is good. */
interface Kept<T> {
  value: T;
  at: number;
  until: number;
}

/** Until when somebody waits. */
interface Patience {
  signal: AbortSignal | undefined;
  deadline: number;
}

/** Verifies tokens of one tenant. */
export class TokenVerifier {
  readonly #source: TokenSource;
  readonly #clock: Clock;
  #keys: Kept<Keys> | undefined;
  #facts: Kept<TokenFacts> | undefined;
  #fetchingKeys: Promise<Keys> | undefined;
  #fetchingFacts: Promise<TokenFacts> | undefined;
  #keysAsked = -Infinity;
  #factsAsked = -Infinity;

  constructor(source: TokenSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * What a token says, if it is to be believed.
   *
   * @throws TokenError if it is not; its `reason` tells why
   * @throws TypeError if an option cannot be used
   */
  async verify(token: string, options: VerifyTokenOptions = {}): Promise<TokenClaims> {
    usable(options);
    const patience = { signal: options.signal, deadline: this.#clock.now() + (options.timeout ?? Infinity) };
    const { header, claims, signed, signature } = parse(token);
    if (header["alg"] !== "ES256") throw new TokenError("algorithm", "it is not signed with ES256");
    const kid = header["kid"];
    if (typeof kid !== "string") throw new TokenError("malformed", "it names no key");
    // Extensions that must be understood and are not (RFC 7515 section 4.1.11).
    if ("crit" in header) throw new TokenError("malformed", "it has critical extensions");
    const key = await this.#key(kid, patience);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    if (!(await crypto.subtle.verify(algorithm, key, signature, signed))) {
      throw new TokenError("signature", "its signature is wrong");
    }
    await this.#judge(claims, options, patience);
    return claims as unknown as TokenClaims;
  }

  async #judge(
    claims: Members,
    options: VerifyTokenOptions,
    patience: Patience,
  ): Promise<void> {
    const now = this.#clock.wall() / 1000;
    const seconds = (name: string): number => {
      const value = claims[name];
      if (typeof value === "number" && Number.isFinite(value)) return value;
      throw new TokenError("malformed", `it has no ${name}`);
    };
    if (now >= seconds("exp") + LEEWAY_SECONDS) throw new TokenError("expired", "it has expired");
    const begins = Math.max(seconds("iat"), "nbf" in claims ? seconds("nbf") : 0);
    if (begins > now + LEEWAY_SECONDS) {
      throw new TokenError("not_yet_valid", "it was made in the future");
    }
    const { issuer, audience, tenant } = options;
    const isTold = issuer !== undefined && audience !== undefined && tenant !== undefined;
    const facts = isTold ? null : await this.#wait(this.#factsNow(), this.#facts, patience);
    // What is compared with is a text that is not empty: what a token leaves out is like none.
    if (claims["iss"] !== (issuer ?? facts?.issuer)) {
      throw new TokenError("issuer", "another service made it");
    }
    if (claims["aud"] !== (audience ?? facts?.audience)) {
      throw new TokenError("audience", "it was made for another audience");
    }
    if (claims["tenant"] !== (tenant ?? facts?.tenantId)) {
      throw new TokenError("tenant", "it is another tenant's");
    }
    if (options.acr !== undefined && claims["acr"] !== options.acr) {
      throw new TokenError("acr", `it does not say ${options.acr}`);
    }
    if (options.maxAge !== undefined && now > seconds("auth_time") + options.maxAge + LEEWAY_SECONDS) {
      throw new TokenError("too_old", "the user proved who they are too long ago");
    }
    if (!isText(claims["sub"])) throw new TokenError("malformed", "it has no sub");
  }

  async #key(kid: string, patience: Patience): Promise<CryptoKey> {
    const isFresh = this.#keys !== undefined && this.#clock.now() < this.#keys.until;
    const known = isFresh ? this.#keys?.value.get(kid) : undefined;
    const key = await (known ?? (await this.#wait(this.#keysNow(), this.#keys, patience)).get(kid));
    if (key == null) throw new TokenError("unknown_key", "no published key signed it");
    return key;
  }

  /** What is fetched; what is known if that takes too long. Others, who wait too, go on waiting. */
  #wait<T>(fetched: Promise<T>, known: Kept<T> | undefined, patience: Patience): Promise<T> {
    const { signal, deadline } = patience;
    if (signal === undefined && deadline === Infinity) return fetched;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort, { once: true });
      const late = () => {
        if (known !== undefined && this.#clock.now() < known.at + SERVE_MS) return resolve(known.value);
        const cause = new TimeoutError("verifyToken: no answer in time");
        reject(new TokenError("keys_unavailable", "keys and facts cannot be had in time", { cause }));
      };
      const left = Math.max(0, deadline - this.#clock.now());
      const cancel = left === Infinity ? () => undefined : this.#clock.after(left, late);
      fetched.then(resolve, reject).finally(() => {
        cancel();
        signal?.removeEventListener("abort", abort);
      });
    });
  }

  /** Whoever needs keys while they are fetched waits for the same ones. */
  #keysNow(): Promise<Keys> {
    const known = this.#keys;
    const now = this.#clock.now();
    if (known !== undefined && isServing(known, this.#keysAsked, now)) {
      return Promise.resolve(known.value);
    }
    this.#fetchingKeys ??= this.#fetchKeys().finally(() => {
      this.#fetchingKeys = undefined;
    });
    return this.#fetchingKeys;
  }

  async #fetchKeys(): Promise<Keys> {
    const known = this.#keys;
    try {
      const { value, headers } = await this.#source.keys();
      const at = this.#clock.now();
      const keys = imported(value);
      this.#keys = { value: keys, at, until: at + lifetime(headers) };
      return keys;
    } catch (cause) {
      if (known !== undefined && this.#clock.now() < known.at + SERVE_MS) return known.value;
      throw new TokenError("keys_unavailable", "the service's keys cannot be had", { cause });
    } finally {
      this.#keysAsked = this.#clock.now();
    }
  }

  #factsNow(): Promise<TokenFacts> {
    const known = this.#facts;
    const now = this.#clock.now();
    if (known !== undefined && (now < known.until || isServing(known, this.#factsAsked, now))) {
      return Promise.resolve(known.value);
    }
    this.#fetchingFacts ??= this.#fetchFacts().finally(() => {
      this.#fetchingFacts = undefined;
    });
    return this.#fetchingFacts;
  }

  async #fetchFacts(): Promise<TokenFacts> {
    const known = this.#facts;
    try {
      const value = complete(await this.#source.facts());
      const at = this.#clock.now();
      this.#facts = { value, at, until: at + FACTS_LIVE_MS };
      return value;
    } catch (cause) {
      if (known !== undefined && this.#clock.now() < known.at + SERVE_MS) return known.value;
      throw new TokenError("keys_unavailable", "what tokens must say cannot be had", { cause });
    } finally {
      this.#factsAsked = this.#clock.now();
    }
  }
}

/** Whether what is known serves without asking again: it was asked for a moment ago. */
function isServing(known: Kept<unknown>, asked: number, now: number): boolean {
  return now < asked + REFETCH_MS && now < known.at + SERVE_MS;
}

/** Fails for an option that would demand nothing, whatever the token says. */
function usable(options: VerifyTokenOptions): void {
  for (const name of ["issuer", "audience", "tenant", "acr"] as const) {
    if (options[name] !== undefined && !isText(options[name])) {
      throw new TypeError(`${name} must be a text that is not empty`);
    }
  }
  const { maxAge, timeout } = options;
  if (maxAge !== undefined && !(Number.isFinite(maxAge) && maxAge >= 0)) {
    throw new TypeError("maxAge must be a number of seconds from 0");
  }
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0)) {
    throw new TypeError("timeout must be more than 0");
  }
}

/** Facts with nothing missing: a token without a tenant is not that of a service that names none. */
function complete(facts: TokenFacts): TokenFacts {
  const { issuer, audience, tenantId } = facts;
  if (isText(issuer) && isText(audience) && isText(tenantId)) return facts;
  throw new TypeError("the service does not tell issuer, audience and tenant");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

type Members = Record<string, unknown>;

interface Parsed {
  header: Members;
  claims: Members;
  signed: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

function parse(token: string): Parsed {
  const malformed = () => new TokenError("malformed", "it is no signed JWT");
  if (typeof token !== "string" || token.length > LONGEST_TOKEN) throw malformed();
  const parts = token.split(".");
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || signature === undefined) throw malformed();
  try {
    return {
      header: object(header),
      claims: object(payload),
      signed: new TextEncoder().encode(`${header}.${payload}`),
      signature: decodeBase64Url(signature),
    };
  } catch {
    throw malformed();
  }
}

function object(part: string): Members {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64Url(part));
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError();
  return value as Members;
}

/** The keys that can be used here, by id; others are as if they were not there. */
function imported(set: JwkSet): Keys {
  const usable = (set.keys as Partial<Jwk>[]).filter(
    ({ kty, crv, kid, x, y }) => kty === "EC" && crv === "P-256" && kid && x && y,
  );
  return new Map(
    usable.map(({ kid, x, y }) => {
      const jwk = { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" };
      const algorithm = { name: "ECDSA", namedCurve: "P-256" };
      const key = crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
      return [kid ?? "", key.catch(() => null)];
    }),
  );
}

/** For how long keys are good, as `Cache-Control` says (RFC 9111 section 5.2.2.1). */
function lifetime(headers: Headers): number {
  const seconds = /(?:^|[\s,])max-age=(\d+)/.exec(headers.get("cache-control") ?? "")?.[1];
  return seconds === undefined ? KEYS_LIVE_MS : Number(seconds) * 1000;
}
