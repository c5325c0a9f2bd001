import { type CallOptions, path } from "../call.js";
import type { List } from "../pagination.js";
import type { Transport } from "../transport.js";
import type { ApiKey, CreateApiKey, CreatedApiKey } from "../types.js";
import { type PageWish, list } from "./list.js";

const SECRETS = new Set(["key"]);

/** Who may call. Needs the scope `keys`. */
export class ApiKeys {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Keys, the oldest first, without what is secret of them. */
  list(wishes: PageWish = {}, options?: CallOptions): List<ApiKey> {
    return list(this.#transport, "listApiKeys", "/v1/api-keys", { ...wishes }, options);
  }

  /** Makes a key. The answer has it, once. */
  async create(wish: CreateApiKey, options?: CallOptions): Promise<CreatedApiKey> {
    const call = { operation: "createApiKey", method: "POST", path: "/v1/api-keys" } as const;
    return this.#transport.send({ ...call, body: wish, secrets: SECRETS }, options);
  }

  /** Ends a key at once. */
  async revoke(keyId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/api-keys/${keyId}`;
    const call = { operation: "revokeApiKey", method: "DELETE", path: at } as const;
    return this.#transport.send({ ...call, answer: "nothing" }, options);
  }
}
