//! The cluster, and how a node is.

use countersign_actors::gateway::{HandOver, Health, NodeHealth, ShardHealth};
use serde::Serialize;
use utoipa::ToSchema;

/// The cluster, as the node that answers sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    /// Its id.
    #[schema(example = "clu_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    cluster_id: String,
    /// The answering node's version.
    #[schema(example = "0.1.0")]
    version: String,
    /// The nodes.
    nodes: Vec<ClusterNode>,
    /// The shards.
    shards: Vec<ClusterShard>,
}

/// A node.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterNode {
    /// Its number, never used again.
    #[schema(example = 1)]
    id: u64,
    /// Its name.
    #[schema(example = "n1")]
    name: String,
    /// Where its API listens.
    #[schema(example = "127.0.0.1:8081")]
    api_address: String,
    /// Where its peers reach it.
    #[schema(example = "127.0.0.1:7081")]
    peer_address: String,
    /// `UP`, or what else is known of it.
    #[schema(example = "UP")]
    state: String,
    /// How far its clock is ahead of the answering node's, in milliseconds; behind if negative, null
    /// if it did not answer lately.
    #[schema(example = 3)]
    clock_offset_ms: Option<i64>,
}

/// A shard: one Raft group.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterShard {
    /// Which.
    #[schema(example = 0)]
    id: u16,
    /// The leading node; null while there is none.
    #[schema(example = 1)]
    leader: Option<u64>,
    /// The term.
    #[schema(example = 1)]
    term: u64,
    /// The last log index that the answering node applied.
    #[schema(example = 1042)]
    last_applied: u64,
    /// The last log index that the answering node knows to be committed.
    #[schema(example = 1042)]
    committed: u64,
    /// How many entries each other node's log lacks, as the leader knows: empty unless the
    /// answering node leads.
    followers: Vec<ClusterFollower>,
    /// Voting nodes.
    #[schema(example = json!([1, 2, 3]))]
    voters: Vec<u64>,
    /// Nodes that only listen.
    #[schema(example = json!([]))]
    learners: Vec<u64>,
    /// How far the time of the shard is ahead of real time, in milliseconds. It never goes back, so it
    /// is ahead once it was given by a clock that was.
    #[schema(example = 0)]
    time_ahead_ms: i64,
}

/// How far a node's log is behind its leader's.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct ClusterFollower {
    /// The node.
    #[schema(example = 2)]
    node: u64,
    /// How many committed entries its log lacks.
    #[schema(example = 0)]
    behind: u64,
}

impl From<Health> for Cluster {
    fn from(health: Health) -> Self {
        Self {
            cluster_id: health.cluster_id,
            version: health.version,
            nodes: health.nodes.into_iter().map(Into::into).collect(),
            shards: health.shards.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<NodeHealth> for ClusterNode {
    fn from(node: NodeHealth) -> Self {
        let NodeHealth { id, name, api_address, peer_address, state, clock_ahead_ms } = node;
        Self { id, name, api_address, peer_address, state, clock_offset_ms: clock_ahead_ms }
    }
}

impl From<ShardHealth> for ClusterShard {
    fn from(shard: ShardHealth) -> Self {
        let ShardHealth { id, leader, term, last_applied, committed, ahead_ms, .. } = shard;
        let follower = |(node, has): (u64, u64)| ClusterFollower {
            node,
            behind: committed.saturating_sub(has),
        };
        let followers = shard.followers.into_iter().map(follower).collect();
        let (voters, learners) = (shard.voters, shard.learners);
        Self {
            id: id.0,
            leader,
            term,
            last_applied,
            committed,
            followers,
            voters,
            learners,
            time_ahead_ms: ahead_ms,
        }
    }
}

/// What became of the shards that a node led.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct TransferredLeadership {
    /// How many shards another node leads now.
    #[schema(example = 5)]
    moved: u32,
    /// How many the node leads still, since no other could take them over.
    #[schema(example = 0)]
    kept: u32,
}

impl From<HandOver> for TransferredLeadership {
    fn from(HandOver { moved, kept }: HandOver) -> Self {
        Self { moved, kept }
    }
}

/// What became of a shard's time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShardTimeSet {
    /// By how many milliseconds it was set back; 0 if it was right.
    #[schema(example = 21_600_000)]
    pub(crate) set_back_ms: i64,
}

/// That a node is well.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct NodeStatus {
    /// `UP` for the process, `READY` for its service.
    #[schema(example = "READY")]
    pub(crate) status: &'static str,
}

/// What a node lacks before it can serve; empty if it can.
pub(crate) fn missing(health: &Health) -> Vec<String> {
    let mut missing = Vec::new();
    if health.stopping {
        missing.push("the node is shutting down".to_owned());
    }
    if health.cluster_id.is_empty() || health.shards.is_empty() {
        missing.push("the cluster is not founded yet".to_owned());
    }
    if !health.current {
        missing.push("this node has lost touch with the cluster".to_owned());
    }
    missing.extend(health.clock.clone());
    // A short election is no reason to send everybody elsewhere: there it is the same.
    for shard in &health.leaderless {
        missing.push(format!("shard {shard} has no leader"));
    }
    for shard in &health.shards {
        if !shard.caught_up {
            missing.push(format!("shard {} has not caught up", shard.id));
        }
    }
    missing
}
