import type { CallOptions } from "../call.js";
import type { Transport } from "../transport.js";
import type { CreatePortalSession, PortalResult, PortalSession } from "../types.js";

const LINK = new Set(["url"]);
const GRANTED = new Set(["accessToken", "deviceToken"]);

/** Hosted pages: the service itself asks the user, and tells what came of it. */
export class Portal {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A link, good once and for ten minutes, to which you send the user's browser. */
  async createSession(wish: CreatePortalSession, options?: CallOptions): Promise<PortalSession> {
    const path = "/v1/portal/sessions";
    const call = { method: "POST", path, body: wish, secrets: LINK } as const;
    return this.#transport.send({ ...call, operation: "createPortalSession" }, options);
  }

  /** What came of it: `code` is what the browser brought back in `countersign_result`, and good once. */
  async fetchResult(from: { code: string }, options?: CallOptions): Promise<PortalResult> {
    const path = "/v1/portal/results";
    const call = { method: "POST", path, body: from, secrets: GRANTED } as const;
    return this.#transport.send({ ...call, operation: "fetchPortalResult" }, options);
  }
}
