//! What was refused at the door, and why: one counter, by reason.

use metrics::counter;

/// The counter's name.
pub(crate) const REFUSED: &str = "countersign_peer_refused_total";

/// Why something a peer sent, or a peer itself, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// More connections than this node holds.
    Busy,
    /// No TLS in time, or none that this cluster's authority vouches for.
    Handshake,
    /// The certificate names no node.
    Nameless,
    /// A node of another cluster.
    ForeignCluster,
    /// It says that it is this node.
    OwnId,
    /// A node that was taken out of the cluster.
    Removed,
    /// A number that is in no registry.
    UnknownNode,
    /// A node's number with another key than the registry has for it.
    OtherKey,
    /// A node whose disk lacks what this node remembers of it: an older copy.
    OlderDisk,
    /// Something else than the first words of a connection.
    NotGreeted,
    /// Raft's requests, before this node has asked the others whether its own disk is an older copy.
    NotChecked,
    /// A join without a proof that the joining node holds its private key.
    KeyNotProved,
    /// Asked without a certificate for something other than to join.
    Anonymous,
    /// No such thing to ask for.
    UnknownRoute,
    /// Not what it should be, by its bytes.
    Malformed,
    /// More bytes than this kind may have.
    Oversized,
    /// A vote, while this node must not give any.
    VotesPaused,
    /// A join whose proof of the cluster secret is wrong.
    WrongSecret,
    /// Entries, while there is no room for them.
    NoRoom,
    /// A second snapshot of a shard while one is being received.
    SnapshotUnderWay,
}

impl Refused {
    /// The label in the counter.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Handshake => "handshake",
            Self::Nameless => "nameless",
            Self::ForeignCluster => "foreign_cluster",
            Self::OwnId => "own_id",
            Self::Removed => "removed",
            Self::UnknownNode => "unknown_node",
            Self::OtherKey => "other_key",
            Self::OlderDisk => "older_disk",
            Self::NotGreeted => "not_greeted",
            Self::NotChecked => "not_checked",
            Self::KeyNotProved => "key_not_proved",
            Self::Anonymous => "anonymous",
            Self::UnknownRoute => "unknown_route",
            Self::Malformed => "malformed",
            Self::Oversized => "oversized",
            Self::VotesPaused => "votes_paused",
            Self::WrongSecret => "wrong_secret",
            Self::NoRoom => "no_room",
            Self::SnapshotUnderWay => "snapshot_under_way",
        }
    }

    /// Counts one.
    pub(crate) fn count(self) {
        counter!(REFUSED, "reason" => self.reason()).increment(1);
    }
}
