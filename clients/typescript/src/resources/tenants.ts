import { type CallOptions, path } from "../call.js";
import type { List } from "../pagination.js";
import type { Transport } from "../transport.js";
import type { CreateTenant, CreatedTenant, Tenant } from "../types.js";
import { type PageWish, list } from "./list.js";

const SECRETS = new Set(["key"]);

/** Organisations that never see each other. Needs the root key. */
export class Tenants {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Tenants, the oldest first. */
  list(wishes: PageWish = {}, options?: CallOptions): List<Tenant> {
    return list(this.#transport, "listTenants", "/v1/tenants", { ...wishes }, options);
  }

  /** Makes a tenant. The answer has its first API key, once. */
  async create(wish: CreateTenant, options?: CallOptions): Promise<CreatedTenant> {
    const call = { operation: "createTenant", method: "POST", path: "/v1/tenants" } as const;
    return this.#transport.send({ ...call, body: wish, secrets: SECRETS }, options);
  }

  /** Erases a tenant with all its users. */
  async delete(tenantId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/tenants/${tenantId}`;
    const call = { operation: "deleteTenant", method: "DELETE", path: at } as const;
    return this.#transport.send({ ...call, answer: "nothing" }, options);
  }
}
