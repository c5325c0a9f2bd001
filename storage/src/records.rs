//! What the rows of the database hold. Every type here is stored as [`Stored`] says and guarded by
//! golden bytes in `tests/store/golden`: a field is never added, removed or reordered without a new
//! version there.

use std::net::IpAddr;

use countersign_core::ids::{ShardId, TenantId, UserId};
use countersign_core::proposal::AnswerKey;
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::state_hash::StateHash;
use crate::stored::Stored;
use crate::types::{LogId, StoredMembership};

/// Who this node is. Written once, before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub node_id: u64,
    /// Its cluster, `clu_…`.
    pub cluster_id: String,
    /// Its name.
    pub name: String,
    /// How many shards the cluster has.
    pub shards: u16,
    /// A digest of the master key, to refuse another one at start.
    pub key_check: Vec<u8>,
}

/// What a shard's state machine knows of itself: one row, rewritten by every batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardHead {
    /// The last entry applied.
    pub last_applied: Option<LogId>,
    /// The membership in force.
    pub membership: StoredMembership,
    /// The latest time applied. Goes back only if an operator sets it right.
    pub last_now: Timestamp,
    /// The sum over all rows of the shard's state.
    pub state_hash: StateHash,
    /// The last audit row: its place in the order in which the shard wrote them, whosever they are.
    pub audit: ChainPoint,
    /// How many users the shard has.
    pub users: u64,
    /// The expiry and key of the answer that was removed last: the search for expired ones begins
    /// there.
    pub answers_forgotten: (Timestamp, AnswerKey),
    /// The time by which rows grow old: follows the leaders' clocks in small steps only, see
    /// [`countersign_core::proposal::LogCommand::Retain`]. The epoch before the first step.
    pub age_clock: Timestamp,
    /// How far the shard's time was ahead of its leader's clock with the last change, in
    /// milliseconds.
    pub ahead_ms: i64,
    /// The index of the entry that last set the shard's time back; 0 if none did.
    pub time_set_at: u64,
}

/// What a shard has applied of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedTime {
    /// The latest time.
    pub last: Timestamp,
    /// How far that was ahead of its leader's clock, in milliseconds.
    pub ahead_ms: i64,
    /// The index of the entry that last set the time back; 0 if none did.
    pub set_at: u64,
}

/// A tenant's audit chain in a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The last row that was removed since its time was over; the default if none was.
    pub start: ChainPoint,
    /// The last row.
    pub head: ChainPoint,
    /// The place of the last row that is earlier than the one before it, since the shard's time was set
    /// back in between; 0 if there is none.
    pub set_back: u64,
}

/// A place in an audit chain and the chain's hash there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPoint {
    /// The row's place, from 1; 0 before the first.
    pub sequence: u64,
    /// The hash after that row; zeros before the first.
    pub hash: [u8; 32],
    /// The row's time.
    pub at: Timestamp,
}

/// A user's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserRow {
    /// The log index of the last change.
    pub version: u64,
    /// The user.
    pub state: UserState,
}

/// A tenant's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRow {
    /// The log index of the last change.
    pub version: u64,
    /// The tenant.
    pub state: TenantState,
}

/// The cluster's own row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRow {
    /// The log index of the last change.
    pub version: u64,
    /// The cluster's state.
    pub state: SystemState,
}

/// An audit row as it is stored: the bytes that were chained, and the chain's hash after them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// SHA-256 over the hash before and `chained`.
    pub hash: [u8; 32],
    /// The encoded [`crate::audit::Chained`].
    pub chained: Vec<u8>,
}

/// What is personal in an audit row. The chain holds only its digest, so it can be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annex {
    /// Keeps the digest from being guessed once the annex is gone.
    pub salt: [u8; 16],
    /// Whose row it is.
    pub user: Option<UserId>,
    /// The person's address.
    pub ip_address: Option<IpAddr>,
    /// Why, where somebody wrote it in words of their own.
    pub reason: Option<String>,
}

/// Stands while a snapshot is being installed; installing starts over if it is found at open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installing {
    /// The snapshot's file name in the shard's folder.
    pub file: String,
}

/// Encodes a row.
pub(crate) fn encode<T: Stored>(what: &'static str, value: &T) -> Result<Vec<u8>, StorageError> {
    value.to_bytes().map_err(|source| StorageError::Encode { what, source })
}

/// Decodes a row.
pub(crate) fn decode<T: Stored>(
    what: &'static str,
    shard: ShardId,
    bytes: &[u8],
) -> Result<T, StorageError> {
    T::from_bytes(bytes).map_err(|source| StorageError::Row { what, shard, source })
}

/// Names a tenant inside a key: its length, then its text, so that no tenant's rows lie between
/// another's.
pub(crate) fn tenant_prefix(tenant: &TenantId) -> Vec<u8> {
    let text = tenant.as_str().as_bytes();
    let mut key = Vec::with_capacity(text.len() + 1);
    // A tenant id has at most 40 characters.
    key.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    key.extend_from_slice(text);
    key
}
