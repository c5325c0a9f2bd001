//! What may be stored, and in which shape.
//!
//! A kind of row keeps its first shape for as long as it can. When it cannot, it gets the next
//! version, under which it is written from then on, and says here how each earlier shape is read:
//! rows, log entries and snapshots of an earlier release stay readable for ever. Golden bytes in
//! `tests/store/golden` guard every shape that ever was. Nothing is stored that is not listed here or
//! in the files beside.

mod tenant;
mod user;

use countersign_core::codec::{self, CodecError};
use countersign_core::ids::UserId;
use countersign_core::outbox::OutboxRow;
use countersign_core::proposal::{AnswerKey, KeptAnswer};
use countersign_core::sending::TrafficCounts;
use countersign_core::system::{DataKey, SigningKey, SystemState};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::activity::Activity;
use crate::audit::Chained;
use crate::disk_history::{DiskHistory, DiskMarks};
use crate::records::{
    Annex, AuditRecord, Chain, ChainPoint, Identity, Installing, ShardHead, SystemRow,
};
use crate::state_hash::StateHash;
use crate::types::{Entry, LogId, StoredMembership, Vote};

/// A kind of row, with all the shapes that it has had.
pub trait Stored: Serialize + DeserializeOwned {
    /// The newest shape: the first byte of a row that is written in it.
    const VERSION: u8 = codec::VERSION;

    /// Reads a row that was written in an earlier shape, `version`.
    ///
    /// # Errors
    /// If the bytes are not in that shape, or there never was one.
    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        let _ = bytes;
        Err(CodecError::Version(version))
    }

    /// The row's bytes.
    ///
    /// # Errors
    /// If it is larger than [`codec::LIMIT`].
    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode_as(Self::VERSION, self)
    }

    /// Reads a row in any of its shapes.
    ///
    /// # Errors
    /// If the bytes are not exactly one row of this kind.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.first() {
            Some(version) if *version < Self::VERSION => Self::from_past(*version, bytes),
            _ => codec::decode_as(Self::VERSION, bytes),
        }
    }
}

impl Stored for Activity {}
impl Stored for AuditRecord {}
impl Stored for Chain {}
impl Stored for ChainPoint {}
impl Stored for Chained {}
impl Stored for Delivery {}
impl Stored for DiskHistory {}
impl Stored for DiskMarks {}
impl Stored for Entry {}
impl Stored for Identity {}
impl Stored for Installing {}
impl Stored for KeptAnswer {}
impl Stored for LogId {}
impl Stored for Option<LogId> {}
impl Stored for OutboxRow {}
impl Stored for TrafficCounts {}
impl Stored for Vote {}
/// The number of an applied batch, or a place in an audit chain.
impl Stored for u64 {}

impl Stored for SystemRow {
    const VERSION: u8 = 2;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        #[derive(Deserialize)]
        struct Row {
            version: u64,
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            cluster_id: String,
            shards: u16,
            founded_at: Timestamp,
            data_keys: Vec<DataKey>,
            signing_keys: Vec<SigningKey>,
        }
        // The second shape added the nodes and the authority.
        let row: Row = codec::decode_as(version, bytes)?;
        let State { cluster_id, shards, founded_at, data_keys, signing_keys } = row.state;
        let state = SystemState {
            cluster_id,
            shards,
            founded_at,
            data_keys,
            signing_keys,
            ..SystemState::default()
        };
        Ok(Self { version: row.version, state })
    }
}

impl Stored for ShardHead {
    const VERSION: u8 = 2;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        #[derive(Deserialize)]
        struct Head {
            last_applied: Option<LogId>,
            membership: StoredMembership,
            last_now: Timestamp,
            state_hash: StateHash,
            audit: ChainPoint,
            users: u64,
            answers_forgotten: (Timestamp, AnswerKey),
        }
        // The second shape added the clock by which age is measured.
        let head: Head = codec::decode_as(version, bytes)?;
        Ok(Self {
            last_applied: head.last_applied,
            membership: head.membership,
            last_now: head.last_now,
            state_hash: head.state_hash,
            audit: head.audit,
            users: head.users,
            answers_forgotten: head.answers_forgotten,
            age_clock: Timestamp::EPOCH,
            ahead_ms: 0,
            time_set_at: 0,
        })
    }
}

impl Stored for Annex {
    const VERSION: u8 = 2;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        #[derive(Deserialize)]
        struct Past {
            salt: [u8; 16],
            user: Option<UserId>,
            ip_address: Option<std::net::IpAddr>,
        }
        // The second shape added the reason.
        let Past { salt, user, ip_address } = codec::decode_as(version, bytes)?;
        Ok(Self { salt, user, ip_address, reason: None })
    }
}
