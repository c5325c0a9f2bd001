//! Raft's side of the network: for each shard a factory, for each peer a link.
//!
//! Heartbeats, votes and transfers of leadership go over the control connection, one request each.
//! Entries go over the bulk connection, as one long stream a peer and shard, see [`super::append`].
//! Snapshots go over a connection of their own, see [`super::snapshot`].
//!
//! What cannot be delivered is `Unreachable`, so that openraft waits before it tries again; what
//! took too long is `Timeout`. Nothing that was not said by the peer is ever made up, least of all
//! a vote.

use std::future::Future;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_storage::{NodeAddress, NodeId, SnapshotFile, TypeConfig};
use futures::Stream;
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::{Backoff, RPCOption, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::{SnapshotOf, VoteOf};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::append;
use super::peers::Peers;
use super::snapshot;
use super::wire::{self, path};

/// How long openraft waits before it tries a peer again that was unreachable. Short: a peer that
/// comes back must hear from its leader before it thinks of an election, and an attempt that fails
/// costs next to nothing, since [`Peers`] fails fast.
const AGAIN: Duration = Duration::from_millis(100);

/// The kinds of requests, as they stand in a path.
pub(super) mod kind {
    /// One append, answered by one response.
    pub(in crate::network) const APPEND: &str = "append";
    /// Appends, answered one by one, for as long as the leader leads.
    pub(in crate::network) const STREAM: &str = "stream";
    /// To be elected.
    pub(in crate::network) const VOTE: &str = "vote";
    /// Whether one would be elected.
    pub(in crate::network) const PRE_VOTE: &str = "pre-vote";
    /// That leadership is handed over.
    pub(in crate::network) const TRANSFER: &str = "transfer";
    /// A shard's whole state.
    pub(in crate::network) const SNAPSHOT: &str = "snapshot";
}

/// Makes one shard's links to its peers. Needs to know nothing but how to reach them.
#[derive(Clone)]
pub(crate) struct PeerNetworks {
    peers: Peers,
    shard: ShardId,
}

impl PeerNetworks {
    /// For one shard's group.
    pub(crate) const fn new(peers: Peers, shard: ShardId) -> Self {
        Self { peers, shard }
    }
}

impl RaftNetworkFactory<TypeConfig> for PeerNetworks {
    type Network = PeerLink;

    // Where the node is, is looked up at each dial: the membership's address may be an old one.
    async fn new_client(&mut self, target: NodeId, _node: &NodeAddress) -> PeerLink {
        PeerLink { peers: self.peers.clone(), shard: self.shard, target }
    }
}

/// One shard's link to one peer.
#[derive(Clone)]
pub(crate) struct PeerLink {
    pub(super) peers: Peers,
    pub(super) shard: ShardId,
    pub(super) target: NodeId,
}

impl PeerLink {
    /// Where a kind of request is asked.
    pub(super) fn path(&self, kind: &str) -> String {
        format!("{}{}/{kind}", path::RAFT, self.shard.0)
    }

    pub(super) fn unreachable(&self, reason: impl std::fmt::Display) -> Unreachable<TypeConfig> {
        Unreachable::from_string(format!("shard {}, node {}: {reason}", self.shard, self.target))
    }

    pub(super) fn timeout(&self, action: RPCTypes, timeout: Duration) -> Timeout<TypeConfig> {
        Timeout { action, id: self.peers.own(), target: self.target, timeout }
    }

    /// One request over the control connection, within the soft TTL.
    pub(super) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        action: RPCTypes,
        kind: &str,
        request: &Q,
        option: &RPCOption,
    ) -> Result<A, RPCError<TypeConfig>> {
        let message = wire::encode(request).map_err(|error| self.unreachable(error))?;
        let (within, begun) = (option.soft_ttl(), Instant::now());
        let answer = self.peers.ask(self.target, &self.path(kind), message, within).await;
        match answer {
            Ok(bytes) => wire::decode(&bytes).map_err(|error| self.unreachable(error).into()),
            Err(_) if begun.elapsed() >= within => Err(self.timeout(action, within).into()),
            Err(error) => Err(self.unreachable(error).into()),
        }
    }
}

impl RaftNetworkV2<TypeConfig> for PeerLink {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask(RPCTypes::AppendEntries, kind::APPEND, &request, &option).await
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<
        's,
        Result<
            BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>>,
            RPCError<TypeConfig>,
        >,
    >
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
    {
        let answers: BoxStream<'s, _> = Box::pin(append::answers(self.clone(), input, option));
        Box::pin(std::future::ready(Ok(answers)))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask(RPCTypes::Vote, kind::VOTE, &request, &option).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask(RPCTypes::Vote, kind::PRE_VOTE, &request, &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<TypeConfig>,
        snapshot: SnapshotOf<TypeConfig, SnapshotFile>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        tokio::select! {
            sent = snapshot::send(self, vote, snapshot, &option) => sent,
            closed = cancel => Err(StreamingError::Closed(closed)),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask(RPCTypes::TransferLeader, kind::TRANSFER, &request, &option).await
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(AGAIN)))
    }
}
