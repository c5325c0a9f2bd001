//! Snapshots: a shard's whole state as one file, written and read as a stream.
//!
//! A snapshot is built from a view of the database that later writes do not change, goes to a
//! temporary name, and gets its own name once it is on disk; so a file that has its name is whole.
//! Installing one is done over from the start if a crash interrupts it. At no time is the state
//! held in memory. Sealed values stay sealed.

mod build;
mod files;
mod format;
mod install;

pub(crate) use self::build::Builder;
pub use self::build::SnapshotBuilder;
pub use self::files::{IncomingSnapshot, SnapshotFile};
pub(crate) use self::files::{clear_leftovers, current, folder};
pub(crate) use self::install::{finish_interrupted, install};

/// Builds that run at once over all shards, unless Raft insists: they compete with log writes for
/// the disk.
pub(crate) const BUILDS_AT_ONCE: usize = 2;
