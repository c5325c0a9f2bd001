//! The bytes between nodes: bincode through [`countersign_core::codec`], with a limit a kind. A
//! field is never removed or reordered here: two neighbouring versions run side by side.

use countersign_core::codec::{self, CodecError};
use countersign_storage::{DiskHistory, NodeId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::identity::PeerKey;

/// The most bytes of a message on the control connection, and of an answer: 1 MiB.
pub(crate) const CONTROL_BYTES: usize = 1 << 20;
/// The most bytes of one append with its entries: 8 MiB.
pub(crate) const APPEND_BYTES: usize = 8 << 20;
/// The most bytes of a request to join: 16 KiB. It comes from somebody unknown.
pub(crate) const JOIN_BYTES: usize = 16 << 10;

/// Where everything is asked.
pub(crate) mod path {
    /// The first words of a node on a connection.
    pub(crate) const HELLO: &str = "/v1/hello";
    /// Questions between nodes.
    pub(crate) const CALL: &str = "/v1/call";
    /// To learn whether who listens there knows the cluster secret, before anything is said to it.
    pub(crate) const JOIN_PROOF: &str = "/v1/join/proof";
    /// To become a node of the cluster.
    pub(crate) const JOIN: &str = "/v1/join";
    /// What all of a shard's Raft paths begin with: `/v1/raft/<shard>/<kind>`.
    pub(crate) const RAFT: &str = "/v1/raft/";
}

/// Turns a value into bytes.
///
/// # Errors
/// If it is larger than the codec allows.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    codec::encode(value)
}

/// Turns bytes into a value.
///
/// # Errors
/// If they are not exactly one value of this type.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    codec::decode(bytes)
}

/// A node asks to belong to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinRequest {
    /// Its name, as the operator chose it.
    pub(crate) name: String,
    /// Where its API will be, `host:port`.
    pub(crate) api_address: String,
    /// Where its peers will reach it, `host:port`.
    pub(crate) peer_address: String,
    /// Its release.
    pub(crate) version: String,
    /// Up to which feature level it understands events.
    pub(crate) feature_level: u16,
    /// A digest of its master key.
    pub(crate) key_check: Vec<u8>,
    /// Its public key: SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7), ECDSA P-256.
    pub(crate) public_key: Vec<u8>,
}

/// The first words on a connection: how far the disk has come. Answered by the same of the other
/// node, if that one knows no more of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The disk of whoever says this.
    pub(crate) disk: DiskHistory,
    /// The other node's disk as that one told of it, if it lacks what whoever says this remembers.
    pub(crate) refused: Option<DiskHistory>,
}

/// A node of the cluster: where it is and by which key it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Its number.
    pub(crate) id: NodeId,
    /// Where its peers reach it, `host:port`.
    pub(crate) peer_address: String,
    /// Its key.
    pub(crate) key: PeerKey,
}

/// A node belongs to the cluster now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinGrant {
    /// `clu_…`.
    pub(crate) cluster_id: String,
    /// Its number from now on.
    pub(crate) node_id: NodeId,
    /// How many shards there are.
    pub(crate) shards: u16,
    /// The cluster's certificate authority: its certificate in DER.
    pub(crate) authority: Vec<u8>,
    /// The node's own certificate in DER.
    pub(crate) certificate: Vec<u8>,
    /// All nodes.
    pub(crate) nodes: Vec<Member>,
}

/// Why a node may not belong to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub(crate) enum JoinRefusal {
    /// Another node has that name and belongs to the cluster.
    #[error(
        "node {id} is named {name} and belongs to the cluster: remove it first, or choose another \
         name"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// Whose it is.
        id: NodeId,
    },
    /// It could not read what the cluster sealed.
    #[error("the master key is not the one that this cluster was founded with")]
    OtherMasterKey,
    /// It would not understand what is in the log.
    #[error("version {version} is too old: the cluster uses feature level {needed} by now")]
    TooOld {
        /// The node's release.
        version: String,
        /// What the cluster uses.
        needed: u16,
    },
    /// That key belonged to a node that was taken out. Ids are never used again.
    #[error(
        "this was node {id}, which was removed from the cluster: it can come back as a new node \
         only, with an empty data directory"
    )]
    Removed {
        /// What it was.
        id: NodeId,
    },
    /// A name, an address or a key that cannot be.
    #[error("the request is not valid: {0}")]
    Invalid(String),
    /// Nobody could decide about it now.
    #[error("the cluster cannot take in a node now: {0}")]
    Unavailable(String),
}

impl JoinRefusal {
    /// Whether asking again, or another node, would be answered alike.
    pub(crate) const fn is_final(&self) -> bool {
        !matches!(self, Self::Unavailable(_))
    }
}
