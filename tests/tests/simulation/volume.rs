//! One shard's part of a disk: vote, log, rows and snapshot, and the writes that change them.

use std::collections::BTreeMap;

use countersign_core::codec;
use countersign_core::proposal::Applied;

use crate::machine::Machine;
use crate::raft::{Entry, LogId, SnapshotMeta, Vote};
use crate::sabotage::Sabotage;

/// What is stored of a shard.
#[derive(Clone, Default)]
pub(crate) struct Volume {
    /// The vote given last.
    pub(crate) vote: Option<Vote>,
    /// The last entry known to be committed.
    pub(crate) committed: Option<LogId>,
    /// The last entry that was removed behind a snapshot.
    pub(crate) purged: Option<LogId>,
    /// The log.
    pub(crate) log: BTreeMap<u64, Entry>,
    /// The rows.
    pub(crate) machine: Machine,
    /// The newest snapshot.
    pub(crate) snapshot: Option<(SnapshotMeta, Vec<u8>)>,
}

/// A write, replayed on what is durable once it is synced.
pub(crate) enum Write {
    /// A vote is given.
    Vote(Vote),
    /// More is known to be committed.
    Committed(Option<LogId>),
    /// Entries are appended.
    Append(Vec<Entry>),
    /// The log ends before this index.
    Truncate(u64),
    /// The log begins behind this entry.
    Purge(LogId),
    /// An entry changes rows.
    Apply(Entry),
    /// A snapshot was made.
    Snapshot(SnapshotMeta, Vec<u8>),
    /// A leader's snapshot takes the place of the rows.
    Install(SnapshotMeta, Vec<u8>),
}

impl Volume {
    /// Does a write; the answer, if it applied an entry.
    pub(crate) fn write(&mut self, write: &Write, sabotage: Sabotage) -> Option<Applied> {
        match write {
            Write::Vote(vote) => self.vote = Some(*vote),
            Write::Committed(committed) => self.committed = *committed,
            Write::Append(entries) => {
                let entries = entries.iter().map(|entry| (entry.log_id.index, entry.clone()));
                self.log.extend(entries);
            }
            Write::Truncate(first) => drop(self.log.split_off(first)),
            Write::Purge(log_id) => {
                self.purged = Some(*log_id);
                self.log = self.log.split_off(&(log_id.index + 1));
            }
            Write::Apply(entry) => return Some(self.machine.apply(entry, sabotage)),
            Write::Snapshot(meta, bytes) => self.snapshot = Some((meta.clone(), bytes.clone())),
            Write::Install(meta, bytes) => {
                self.machine = codec::decode(bytes).unwrap();
                self.snapshot = Some((meta.clone(), bytes.clone()));
            }
        }
        None
    }

    /// The last entry, also if it was removed behind a snapshot.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.log.last_key_value().map(|(_, entry)| entry.log_id).or(self.purged)
    }
}
