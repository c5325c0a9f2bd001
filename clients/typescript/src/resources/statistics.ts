import type { CallOptions } from "../call.js";
import type { Transport } from "../transport.js";
import type { Statistics, StatisticsWindow } from "../types.js";

/** What happened lately, counted over all users. Needs the scope `admin`. */
export class StatisticsResource {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Counts of the last hour by the minute, or of the last day by the quarter of an hour. */
  async get(
    wishes: { window?: StatisticsWindow | undefined } = {},
    options?: CallOptions,
  ): Promise<Statistics> {
    const call = { operation: "getStatistics", method: "GET", path: "/v1/statistics" } as const;
    return this.#transport.send({ ...call, query: wishes }, options);
  }
}
