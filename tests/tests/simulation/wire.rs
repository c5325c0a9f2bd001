//! What nodes and clients say to each other: one frame a question, one frame an answer, in the
//! house's codec behind a length.

use std::io;

use countersign_actors::gateway::{Caller, GatewayError, Question, Target};
use countersign_core::codec;
use countersign_core::ids::ShardId;
use countersign_core::reply::Reply;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::TcpStream;

use crate::raft::{SnapshotMeta, TypeConfig, Vote};

/// Where every node listens.
pub(crate) const PORT: u16 = 7000;

/// A node's name in the simulated network.
pub(crate) fn host(node: u64) -> String {
    format!("node-{node}")
}

/// A question.
#[derive(Serialize, Deserialize)]
pub(crate) enum Request {
    /// Raft's AppendEntries.
    Append(ShardId, AppendEntriesRequest<TypeConfig>),
    /// Raft's RequestVote.
    Vote(ShardId, VoteRequest<TypeConfig>),
    /// Whether a vote would be granted.
    PreVote(ShardId, VoteRequest<TypeConfig>),
    /// Raft's InstallSnapshot.
    Snapshot(ShardId, Vote, SnapshotMeta, Vec<u8>),
    /// What a client asks about a user.
    Ask(Ask),
}

/// A client's question on its way to the leader.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Who asks.
    pub(crate) caller: Caller,
    /// About whom.
    pub(crate) target: Target,
    /// What.
    pub(crate) question: Question,
    /// How long the asker waits.
    pub(crate) within_ms: u64,
    /// Whether a node passed it on already; nobody does so twice.
    pub(crate) forwarded: bool,
}

/// An answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// To AppendEntries.
    Append(AppendEntriesResponse<TypeConfig>),
    /// To RequestVote and its forerunner.
    Vote(VoteResponse<TypeConfig>),
    /// To InstallSnapshot.
    Snapshot(SnapshotResponse<TypeConfig>),
    /// To a client.
    Reply(Result<Reply, GatewayError>),
    /// This node does not lead the shard and did nothing.
    NotLeading,
    /// The node could not.
    Failed(String),
}

/// Sends one frame.
pub(crate) async fn send<T: Serialize>(stream: &mut TcpStream, value: &T) -> io::Result<()> {
    let bytes = codec::encode(value).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await
}

/// Receives one frame.
pub(crate) async fn receive<T: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<T> {
    let length = stream.read_u32().await?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut bytes).await?;
    codec::decode(&bytes).map_err(io::Error::other)
}
