//! What openraft is told about this system: ids, addresses, and what the log carries.

use std::fmt;

use countersign_core::proposal::{Applied, LogCommand};
use openraft::type_config::alias;
use serde::{Deserialize, Serialize};

/// A node's number in the cluster. Never used again: a wiped disk is a new node.
pub type NodeId = u64;

/// Where a node is, as the membership entries in the log carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAddress {
    /// Its name, as the operator chose it.
    pub name: String,
    /// Where its API listens, `host:port`.
    pub api_address: String,
    /// Where its peers reach it, `host:port`.
    pub peer_address: String,
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.peer_address)
    }
}

openraft::declare_raft_types!(
    /// The types of every Raft group: a log of [`LogCommand`]s, answered by [`Applied`].
    pub TypeConfig:
        D = LogCommand,
        R = Applied,
        NodeId = NodeId,
        Node = NodeAddress,
);

/// Term, leader and index of an entry.
pub type LogId = alias::LogIdOf<TypeConfig>;
/// A vote, granted or asked for.
pub type Vote = alias::VoteOf<TypeConfig>;
/// An entry of the log.
pub type Entry = alias::EntryOf<TypeConfig>;
/// The membership in force and the entry that set it.
pub type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
/// A snapshot and its file.
pub type Snapshot = alias::SnapshotOf<TypeConfig, crate::snapshot::SnapshotFile>;
