//! The Raft network over simulated TCP: one connection a client of a group, made anew after any
//! failure, for a stream that lost a segment never recovers.

use std::future::Future;
use std::io;
use std::time::Duration;

use countersign_core::ids::ShardId;
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, OptionalSend};
use tokio::time::timeout;
use turmoil::net::TcpStream;

use crate::raft::{Snapshot, TypeConfig, Vote};
use crate::wire::{self, Answer, PORT, Request};

/// Makes the connections of one group.
#[derive(Clone, Copy)]
pub(crate) struct Peers {
    /// Which shard's group.
    pub(crate) shard: ShardId,
}

/// A connection to one node.
pub(crate) struct Connection {
    shard: ShardId,
    target: u64,
    stream: Option<TcpStream>,
}

impl Connection {
    /// A connection that is made with the first call.
    pub(crate) const fn new(shard: ShardId, target: u64) -> Self {
        Self { shard, target, stream: None }
    }

    /// Asks and waits for the answer. After an error it is unknown whether the other side acted.
    pub(crate) async fn call(&mut self, request: &Request, within: Duration) -> io::Result<Answer> {
        let kept = self.stream.take();
        let target = self.target;
        let called = timeout(within, async move {
            let mut stream = match kept {
                Some(stream) => stream,
                None => TcpStream::connect((wire::host(target), PORT)).await?,
            };
            wire::send(&mut stream, request).await?;
            let answer = wire::receive(&mut stream).await?;
            io::Result::Ok((stream, answer))
        });
        let (stream, answer) =
            called.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.stream = Some(stream);
        Ok(answer)
    }

    async fn raft(
        &mut self,
        request: Request,
        within: Duration,
    ) -> Result<Answer, Unreachable<TypeConfig>> {
        match self.call(&request, within).await {
            Ok(Answer::Failed(reason)) => Err(Unreachable::new(&io::Error::other(reason))),
            Ok(answer) => Ok(answer),
            Err(error) => Err(Unreachable::new(&error)),
        }
    }
}

fn odd() -> Unreachable<TypeConfig> {
    Unreachable::new(&io::Error::other("an answer to another question"))
}

impl RaftNetworkFactory<TypeConfig> for Peers {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, _node: &BasicNode) -> Connection {
        Connection::new(self.shard, target)
    }
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = Vec<u8>;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.raft(Request::Append(self.shard, request), option.soft_ttl()).await? {
            Answer::Append(answer) => Ok(answer),
            _ => Err(odd().into()),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.raft(Request::Vote(self.shard, request), option.soft_ttl()).await? {
            Answer::Vote(answer) => Ok(answer),
            _ => Err(odd().into()),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.raft(Request::PreVote(self.shard, request), option.soft_ttl()).await? {
            Answer::Vote(answer) => Ok(answer),
            _ => Err(odd().into()),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        _cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let request = Request::Snapshot(self.shard, vote, snapshot.meta, snapshot.snapshot);
        match self.raft(request, option.soft_ttl()).await? {
            Answer::Snapshot(answer) => Ok(answer),
            _ => Err(odd().into()),
        }
    }
}
