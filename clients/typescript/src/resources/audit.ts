import type { CallOptions } from "../call.js";
import type { List } from "../pagination.js";
import type { Transport } from "../transport.js";
import type { AuditCheckpoint, AuditEvent } from "../types.js";
import { type PageWish, list } from "./list.js";

/** Which events. */
export interface AuditFilter {
  /** Of this user. */
  userId?: string | undefined;
  /** Of this kind, as `mfa.user.locked`, or of these, as `mfa.alert.*`. */
  type?: string | undefined;
  /** Not before this time, RFC 3339. */
  since?: string | undefined;
  /** Before this time, RFC 3339. */
  until?: string | undefined;
}

/** Why every decision was taken. Needs the scope `audit`. */
export class Audit {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Events, the newest first. */
  list(wishes: AuditFilter & PageWish = {}, options?: CallOptions): List<AuditEvent> {
    return list(this.#transport, "listAuditEvents", "/v1/audit", { ...wishes }, options);
  }

  /** Signed heads of the hash chains. */
  listCheckpoints(wishes: PageWish = {}, options?: CallOptions): List<AuditCheckpoint> {
    const at = "/v1/audit/checkpoints";
    return list(this.#transport, "listAuditCheckpoints", at, { ...wishes }, options);
  }
}
