import type { CallOptions } from "../call.js";
import { type TokenClaims, type VerifyTokenOptions, TokenVerifier } from "../tokens.js";
import type { Transport } from "../transport.js";
import type { JwkSet, TokenFacts } from "../types.js";
import { Mfa } from "./mfa.js";
import { Portal } from "./portal.js";
import { Users } from "./users.js";

const KEYS = {
  operation: "getJwks",
  method: "GET",
  path: "/.well-known/jwks.json",
  authenticated: false,
} as const;

/** Everything about users and how they sign in. */
export class Auth {
  /** Second factors and logins. */
  readonly mfa: Mfa;
  /** Who your users are. */
  readonly users: Users;
  /** Hosted pages. */
  readonly portal: Portal;
  readonly #transport: Transport;
  readonly #verifier: TokenVerifier;

  /** @internal */
  constructor(transport: Transport) {
    this.mfa = new Mfa(transport);
    this.users = new Users(transport);
    this.portal = new Portal(transport);
    this.#transport = transport;
    const keys = () => transport.read<JwkSet>(KEYS);
    this.#verifier = new TokenVerifier({ keys, facts: () => this.describeTokens() }, transport.clock);
  }

  /**
   * What an access token says, if it is to be believed: checked here, against the service's
   * published keys, which are kept.
   *
   * @example
   * const { sub } = await client.auth.verifyToken(token, { acr: "aal2" });
   *
   * @throws TokenError if it is not; its `reason` tells why
   * @throws TypeError if an option cannot be used
   */
  async verifyToken(token: string, options?: VerifyTokenOptions): Promise<TokenClaims> {
    return this.#verifier.verify(token, options);
  }

  /** What your tenant's tokens say: issuer, audience, tenant. */
  async describeTokens(options?: CallOptions): Promise<TokenFacts> {
    const call = { operation: "describeTokens", method: "GET", path: "/v1/tokens" } as const;
    return this.#transport.send(call, options);
  }

  /** The keys that verify access tokens. */
  async getJwks(options?: CallOptions): Promise<JwkSet> {
    return this.#transport.send(KEYS, options);
  }
}
