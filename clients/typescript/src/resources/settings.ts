import type { CallOptions } from "../call.js";
import type { Transport } from "../transport.js";
import type { Settings, UpdateSettings } from "../types.js";

/** Names that apps and browsers show, origins, tokens, words, alerts. Needs the scope `policy`. */
export class SettingsResource {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The settings. */
  async get(options?: CallOptions): Promise<Settings> {
    const call = { operation: "getSettings", method: "GET", path: "/v1/settings" } as const;
    return this.#transport.send(call, options);
  }

  /** Changes settings; what is left out stays. */
  async update(changes: UpdateSettings, options?: CallOptions): Promise<Settings> {
    const call = { operation: "updateSettings", method: "PATCH", path: "/v1/settings" } as const;
    return this.#transport.send({ ...call, body: changes }, options);
  }
}
