# Made from _async/resources/cluster.py by scripts/generate.py: not to be edited.
"""Nodes and shards."""

from __future__ import annotations

from ... import types
from ..._call import Call, nothing, path
from ..transport import Transport


class Cluster:
    """Nodes and shards. Needs the scope `cluster`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, *, timeout: float | None = None) -> types.Cluster:
        """How the cluster is: its nodes, its shards, who leads them, who lags."""
        call = Call("getCluster", "GET", "/v1/cluster", types.Cluster.from_json)
        return self._transport.send(call, timeout=timeout)

    def remove_node(
        self,
        node_id: int | str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Removes a node; refused while those that stay could not decide without it."""
        at = path("/v1/cluster/nodes/{}", str(node_id))
        call = Call("removeNode", "DELETE", at, nothing, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def transfer_leadership(
        self,
        node_id: int | str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> types.TransferredLeadership:
        """Lets other nodes lead what this one leads."""
        at = path("/v1/cluster/nodes/{}/transfer-leadership", str(node_id))
        call = Call("transferLeadership", "POST", at, types.TransferredLeadership.from_json)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def set_shard_time(
        self,
        shard_id: int | str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> types.ShardTimeSet:
        """Sets the time of a shard right that clocks which were ahead gave it.

        What is open in the shard for minutes (challenges, sent codes, enrollments) ends.
        """
        at = path("/v1/cluster/shards/{}/set-time", str(shard_id))
        call = Call("setShardTime", "POST", at, types.ShardTimeSet.from_json)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)
