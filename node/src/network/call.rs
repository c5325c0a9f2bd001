//! What nodes ask each other beside Raft's own traffic.

use std::time::Duration;

use countersign_actors::gateway::{Caller, GatewayError, Question, Target};
use countersign_core::ids::{DeliveryId, KeyId, ShardId, TenantId, WebhookId};
use countersign_core::reply::Reply;
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_core::time::Timestamp;
use countersign_storage::{DiskMark, NodeId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::refused::Refused;
use super::wire::{JoinGrant, JoinRefusal, JoinRequest, Member};

/// A question to another node. `within_ms` is what is left of the asker's deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Call {
    /// About a user whose shard the other node leads.
    Ask {
        /// Who asks.
        caller: Caller,
        /// About whom.
        target: Target,
        /// What.
        question: Question,
        /// How long it may take.
        within_ms: u64,
    },
    /// To change a tenant.
    ChangeTenant {
        /// Who asks.
        caller: Caller,
        /// Which.
        tenant: TenantId,
        /// What.
        command: TenantCommand,
        /// How long it may take.
        within_ms: u64,
    },
    /// To change what the cluster consists of.
    ChangeCluster {
        /// What.
        change: ClusterChange,
        /// How long it may take.
        within_ms: u64,
    },
    /// Up to where a read must wait, for shards that the other node leads.
    ReadIndex {
        /// Which.
        shards: Vec<ShardId>,
    },
    /// To say when an entry has been applied there.
    WaitApplied {
        /// Of which shard.
        shard: ShardId,
        /// Which entry.
        index: u64,
        /// How long it may take.
        within_ms: u64,
    },
    /// To hand over every shard that the other node leads.
    HandOver {
        /// How long it may take.
        within_ms: u64,
    },
    /// Whether it is there.
    Ping,
    /// To set the time of a shard right that the other node leads.
    SetTime {
        /// Which.
        shard: ShardId,
        /// The API key that asks.
        by: Option<KeyId>,
        /// How long it may take.
        within_ms: u64,
    },
    /// To try a webhook's delivery anew whose event is in a shard that the other node leads.
    Redeliver {
        /// Whose.
        tenant: TenantId,
        /// To which endpoint.
        webhook: WebhookId,
        /// Which; it names the shard.
        delivery: DeliveryId,
        /// How long it may take.
        within_ms: u64,
    },
    /// Which nodes there are, for one that met a node that it does not know.
    Members,
    /// To remember how far the asker's disk has come.
    RememberDisk(DiskMark),
}

/// A change of the cluster itself, decided by the leader of shard 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ClusterChange {
    /// To take in a node that proved the cluster's secret to whoever sends this.
    Admit(Box<JoinRequest>),
    /// What a node says of itself.
    Announce(Announcement),
    /// To take out a node.
    Remove {
        /// Which.
        id: NodeId,
    },
}

/// A node's addresses and release, said by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// Which.
    pub(crate) id: NodeId,
    /// Where its API is.
    pub(crate) api_address: String,
    /// Where its peers reach it.
    pub(crate) peer_address: String,
    /// Its release.
    pub(crate) version: String,
    /// Up to which feature level it understands events.
    pub(crate) feature_level: u16,
}

/// How a change of the cluster went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Changed {
    /// The node is in.
    Admitted(Box<JoinGrant>),
    /// What the node said of itself is known.
    Announced,
    /// The node is out.
    Removed,
    /// The node may not come in.
    NotAdmitted(JoinRefusal),
    /// There is no such node.
    Unknown,
    /// It would do harm, and why.
    Refused(String),
}

/// The answer to a [`Call`], in the same order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// To [`Call::Ask`].
    Reply(Result<Reply, GatewayError>),
    /// To [`Call::ChangeTenant`].
    Tenant(Result<TenantReply, GatewayError>),
    /// To [`Call::ChangeCluster`].
    Changed(Result<Changed, GatewayError>),
    /// To [`Call::ReadIndex`]: `None` for a shard that is not led there.
    Indexes(Vec<(ShardId, Option<u64>)>),
    /// To [`Call::WaitApplied`]: whether it was applied in time.
    Applied(bool),
    /// To [`Call::HandOver`].
    HandedOver {
        /// How many shards another node leads now.
        moved: u32,
        /// How many stayed.
        kept: u32,
    },
    /// To [`Call::Ping`].
    Pong {
        /// The release there.
        version: String,
        /// Whether it leads nothing for a while, having been asked to hand over.
        resting: bool,
        /// What its wall clock shows.
        wall: Timestamp,
        /// The time that it has agreed to with a majority, if it has.
        agreed: Option<Timestamp>,
    },
    /// To [`Call::SetTime`]: by how many milliseconds it was set back.
    TimeSet(Result<i64, GatewayError>),
    /// To [`Call::Redeliver`]: whether there is such a delivery.
    Redelivered(Result<bool, GatewayError>),
    /// To [`Call::RememberDisk`].
    Remembered,
    /// To [`Call::Members`].
    Members(Vec<Member>),
}

/// Why a call has no answer. Each holds which node and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CallError {
    /// Certainly not received.
    #[error("not reached: {0}")]
    NotSent(String),
    /// Perhaps received, perhaps done.
    #[error("no answer: {0}")]
    Unknown(String),
    /// Received, and refused before anything was done.
    #[error("refused: {0}")]
    Refused(String),
}

impl CallError {
    /// Whether the other node refused this one for ever, and why.
    pub(super) fn final_refusal(&self) -> Option<Refused> {
        let Self::Refused(words) = self else { return None };
        let said = |refused: &Refused| words.ends_with(&format!(" {}", refused.reason()));
        [Refused::Removed, Refused::OlderDisk].into_iter().find(said)
    }
}

impl Call {
    /// What is left of the asker's deadline, in milliseconds; a minute for calls that carry none.
    pub(crate) const fn within_ms(&self) -> u64 {
        match self {
            Self::Ask { within_ms, .. }
            | Self::ChangeTenant { within_ms, .. }
            | Self::ChangeCluster { within_ms, .. }
            | Self::WaitApplied { within_ms, .. }
            | Self::HandOver { within_ms }
            | Self::SetTime { within_ms, .. }
            | Self::Redeliver { within_ms, .. } => *within_ms,
            Self::ReadIndex { .. } | Self::Ping | Self::Members | Self::RememberDisk(_) => 60_000,
        }
    }

    /// The same with so much time left.
    pub(crate) fn within(mut self, left: Duration) -> Self {
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        match &mut self {
            Self::Ask { within_ms, .. }
            | Self::ChangeTenant { within_ms, .. }
            | Self::ChangeCluster { within_ms, .. }
            | Self::WaitApplied { within_ms, .. }
            | Self::HandOver { within_ms }
            | Self::SetTime { within_ms, .. }
            | Self::Redeliver { within_ms, .. } => *within_ms = left,
            Self::ReadIndex { .. } | Self::Ping | Self::Members | Self::RememberDisk(_) => {}
        }
        self
    }
}
