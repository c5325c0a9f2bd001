import { type CallOptions, path } from "../call.js";
import type { Transport } from "../transport.js";
import type { IssuerMetadata, NodeStatus } from "../types.js";

/** The service itself: its health, its metrics, its documentation. Needs no key. */
export class Service {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether a node is up. */
  async health(options?: CallOptions): Promise<NodeStatus> {
    return this.#open("getHealth", "/healthz", "json", options);
  }

  /**
   * Whether a node can serve.
   *
   * @throws UnavailableError if none can
   */
  async readiness(options?: CallOptions): Promise<NodeStatus> {
    return this.#open("getReadiness", "/readyz", "json", options);
  }

  /** A node's metrics, in Prometheus' text format. */
  async metrics(options?: CallOptions): Promise<string> {
    return this.#open("getMetrics", "/metrics", "text", options);
  }

  /** The OpenAPI document. */
  async openapi(options?: CallOptions): Promise<Record<string, unknown>> {
    return this.#open("getOpenApi", "/openapi.json", "json", options);
  }

  /** What is true of the issuer of access tokens, as OpenID Connect clients look for it. */
  async openIdConfiguration(options?: CallOptions): Promise<IssuerMetadata> {
    const at = "/.well-known/openid-configuration";
    return this.#open("getOpenIdConfiguration", at, "json", options);
  }

  /** The same, where OAuth clients look for it (RFC 8414). */
  async authorizationServerMetadata(options?: CallOptions): Promise<IssuerMetadata> {
    const at = "/.well-known/oauth-authorization-server";
    return this.#open("getAuthorizationServerMetadata", at, "json", options);
  }

  /** The page, as HTML, to browse it. */
  async docs(options?: CallOptions): Promise<string> {
    return this.#open("browseDocs", "/docs", "text", options);
  }

  /** The page, as HTML, that explains every problem's code. */
  async listProblems(options?: CallOptions): Promise<string> {
    return this.#open("listProblems", "/problems", "text", options);
  }

  /** The page, as HTML, that explains a problem's code, as `invalid_code`. */
  async getProblem(code: string, options?: CallOptions): Promise<string> {
    const at = path`/problems/${code.replaceAll("_", "-")}`;
    return this.#open("getProblem", at, "text", options);
  }

  async #open<T>(
    operation: string,
    at: string,
    answer: "json" | "text",
    options: CallOptions | undefined,
  ): Promise<T> {
    const call = { operation, method: "GET", path: at, answer, authenticated: false } as const;
    return this.#transport.send(call, options);
  }
}
