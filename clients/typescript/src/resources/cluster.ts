import { type CallOptions, path } from "../call.js";
import type { Transport } from "../transport.js";
import type { Cluster, ShardTimeSet, TransferredLeadership } from "../types.js";

/** Nodes and shards. Needs the scope `cluster`. */
export class ClusterResource {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** How the cluster is: its nodes, its shards, who leads them, who lags. */
  async get(options?: CallOptions): Promise<Cluster> {
    const call = { operation: "getCluster", method: "GET", path: "/v1/cluster" } as const;
    return this.#transport.send(call, options);
  }

  /** Removes a node; refused while those that stay could not decide without it. */
  async removeNode(nodeId: number | string, options?: CallOptions): Promise<void> {
    const at = path`/v1/cluster/nodes/${String(nodeId)}`;
    const call = { operation: "removeNode", method: "DELETE", path: at } as const;
    return this.#transport.send({ ...call, answer: "nothing" }, options);
  }

  /** Lets other nodes lead what this one leads. */
  async transferLeadership(
    nodeId: number | string,
    options?: CallOptions,
  ): Promise<TransferredLeadership> {
    const at = path`/v1/cluster/nodes/${String(nodeId)}/transfer-leadership`;
    const call = { operation: "transferLeadership", method: "POST", path: at } as const;
    return this.#transport.send(call, options);
  }

  /** Sets the time of a shard right that clocks which were ahead gave it; what is open in it for minutes ends. */
  async setShardTime(shardId: number | string, options?: CallOptions): Promise<ShardTimeSet> {
    const at = path`/v1/cluster/shards/${String(shardId)}/set-time`;
    const call = { operation: "setShardTime", method: "POST", path: at } as const;
    return this.#transport.send(call, options);
  }
}
