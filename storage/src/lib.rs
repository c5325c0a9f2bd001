//! The replicated log, the state machine and snapshots of many Raft groups on one RocksDB, and
//! sealing.
//!
//! One [`Store`] a node. For each shard it hands out a [`ShardLog`] and a [`ShardMachine`] to
//! openraft, and [`Rows`] to whoever reads what was applied. [`Directory`] has tenants and keys in
//! memory. [`KeyRing`] is the vault.
//!
//! What it promises: an append or a vote is reported once it is on disk, never before; an apply
//! is answered once it is written, and survives whatever the log before it survives; a crash
//! leaves a prefix of what was written; damage is an error, never an empty start.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod activity;
mod apply;
pub mod audit;
mod continuity;
mod database;
mod directory;
mod disk_history;
mod error;
mod format_mark;
mod keyring;
mod keys;
mod lock;
mod log;
mod machine;
mod options;
mod pressure;
mod private_dir;
mod recent;
pub mod records;
mod rows;
mod sabotage;
mod snapshot;
mod state_hash;
mod statistics;
mod store;
mod stored;
mod types;
mod writer;

pub use self::activity::Activity;
pub use self::directory::{Directory, KeyGrant};
pub use self::disk_history::{DiskHistory, DiskMark, DiskMarks, DiskRun};
pub use self::error::StorageError;
pub use self::keyring::{KeyError, KeyRing, MasterKey};
pub use self::log::ShardLog;
pub use self::machine::ShardMachine;
pub use self::options::{OnSyncFailure, StoreOptions};
pub use self::pressure::COUNTED_MAX;
pub use self::records::{AppliedTime, Chain, ChainPoint, Identity, ShardHead};
pub use self::rows::Rows;
pub use self::snapshot::{IncomingSnapshot, SnapshotBuilder, SnapshotFile};
pub use self::state_hash::StateHash;
pub use self::statistics::Statistics;
pub use self::store::Store;
pub use self::stored::Stored;
pub use self::types::{
    Entry, LogId, NodeAddress, NodeId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig, Vote,
};
