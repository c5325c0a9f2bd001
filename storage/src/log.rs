//! A shard's Raft log: openraft's view of the `log` family and of the votes in `meta`.
//!
//! Ordering duties: a write is made before its report is queued, so the sync that the report
//! waits for covers it; every write of a shard is awaited by openraft before the next begins, so
//! the write-ahead log has them in Raft's order.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, PoisonError};

use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};

use crate::database::Family;
use crate::error::StorageError;
use crate::keys;
use crate::records;
use crate::store::{Shard, Store};
use crate::stored::Stored;
use crate::types::{Entry, LogId, TypeConfig, Vote};
use crate::writer::Waiting;

/// Entries that one read of a replication stream returns at most.
const READ_ENTRIES_MAX: usize = 256;
/// Bytes of entries after which such a read stops.
const READ_BYTES_MAX: usize = 1 << 20;

/// The log of one shard, and a reader of it; clones read and write the same log.
#[derive(Clone)]
pub struct ShardLog {
    store: Arc<Store>,
    shard: Arc<Shard>,
}

impl ShardLog {
    pub(crate) const fn new(store: Arc<Store>, shard: Arc<Shard>) -> Self {
        Self { store, shard }
    }

    fn meta<T: Stored>(&self, what: &'static str, kind: u8) -> Result<Option<T>, StorageError> {
        let row = self.store.database.get(Family::Meta, &keys::single(self.shard.id, kind))?;
        row.map(|bytes| records::decode(what, self.shard.id, &bytes)).transpose()
    }

    fn put_meta<T: Stored>(
        &self,
        what: &'static str,
        kind: u8,
        value: &T,
    ) -> Result<(), StorageError> {
        let mut batch = self.store.database.batch();
        let key = keys::single(self.shard.id, kind);
        batch.put(Family::Meta, &key, &records::encode(what, value)?)?;
        batch.write()
    }

    fn last(&self) -> Result<Option<LogId>, StorageError> {
        let (from, to) = keys::shard_range(self.shard.id);
        let Some(row) = self.store.database.walk_back(Family::Log, &from, &to)?.next() else {
            return Ok(None);
        };
        let (_, bytes) = row.map_err(StorageError::database("read the log's end"))?;
        let entry: Entry = records::decode("log entry", self.shard.id, &bytes)?;
        Ok(Some(entry.log_id))
    }

    /// The entries from `first` to before `end`, up to `entries_max` and about `bytes_max`. They
    /// may begin later or end earlier than asked, but have no hole.
    fn read(
        &self,
        first: u64,
        end: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        if first >= end {
            return Ok(Vec::new());
        }
        if let Some(entries) = self.shard.recent.read(first, end, entries_max, bytes_max) {
            return Ok(entries);
        }
        let (from, to) = (keys::log(self.shard.id, first), keys::log(self.shard.id, end));
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes_read = 0;
        for row in self.store.database.walk(Family::Log, &from, &to)? {
            let (key, bytes) = row.map_err(StorageError::database("read the log"))?;
            let entry: Entry = records::decode("log entry", self.shard.id, &bytes)?;
            if let Some(last) = entries.last() {
                let expected = last.log_id.index + 1;
                if keys::log_index(&key) != Some(expected) {
                    return Err(StorageError::Hole { shard: self.shard.id, index: expected });
                }
            }
            entries.push(entry);
            bytes_read += bytes.len();
            if entries.len() >= entries_max || bytes_read >= bytes_max {
                break;
            }
        }
        Ok(entries)
    }

    fn write_entries(&self, entries: impl IntoIterator<Item = Entry>) -> Result<(), StorageError> {
        let mut batch = self.store.database.batch();
        self.shard.put_commit_mark(&mut batch)?;
        let mut written = Vec::new();
        for entry in entries {
            let bytes = records::encode("log entry", &entry)?;
            batch.put(Family::Log, &keys::log(self.shard.id, entry.log_id.index), &bytes)?;
            written.push((entry, bytes.len()));
        }
        self.store.counters.appended(written.len() as u64, batch.bytes() as u64);
        if let Err(error) = batch.write() {
            // Nobody knows how much of it is there.
            self.shard.recent.clear();
            return Err(error);
        }
        self.shard.recent.extend(written);
        Ok(())
    }

    fn truncate(&self, first: u64) -> Result<(), StorageError> {
        self.shard.recent.truncate(first);
        let mut batch = self.store.database.batch();
        let end = keys::shard_range(self.shard.id).1;
        batch.delete_range(Family::Log, &keys::log(self.shard.id, first), &end)?;
        batch.write()
    }

    fn purge_through(&self, log_id: &LogId) -> Result<(), StorageError> {
        self.shard.recent.purge(log_id.index);
        let mut batch = self.store.database.batch();
        let from = keys::shard_range(self.shard.id).0;
        let end = match log_id.index.checked_add(1) {
            Some(next) => keys::log(self.shard.id, next),
            None => keys::shard_range(self.shard.id).1,
        };
        let key = keys::single(self.shard.id, keys::meta::PURGED);
        batch.put(Family::Meta, &key, &records::encode("purge mark", log_id)?)?;
        batch.delete_range(Family::Log, &from, &end)?;
        batch.write()
    }
}

impl RaftLogReader<TypeConfig> for ShardLog {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, io::Error> {
        let first = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        Ok(self.read(first, end, usize::MAX, usize::MAX)?)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, io::Error> {
        Ok(self.read(start, end, READ_ENTRIES_MAX, READ_BYTES_MAX)?)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.meta("vote", keys::meta::VOTE)?)
    }
}

impl RaftLogStorage<TypeConfig> for ShardLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let last_purged_log_id: Option<LogId> = self.meta("purge mark", keys::meta::PURGED)?;
        let last_log_id = self.last()?.or(last_purged_log_id);
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        // Raft section 5.2: a vote that a crash forgets could be given twice.
        fail::fail_point!("storage::forget_vote", |_| Ok(()));
        self.put_meta("vote", keys::meta::VOTE, vote)?;
        Ok(self.store.writer.synced().await?)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        // Openraft says so before each apply, and waits. But the mark only spares a restarted node
        // the wait for its leader, so it is written along with the next append, for nothing.
        *self.shard.committed.lock().unwrap_or_else(PoisonError::into_inner) = Some(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        let waiting = *self.shard.committed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(committed) = waiting {
            return Ok(committed);
        }
        Ok(self.meta::<Option<LogId>>("commit mark", keys::meta::COMMITTED)?.flatten())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: IOFlushed<TypeConfig>,
    ) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.write_entries(entries)?;
        Ok(self.store.writer.report(Waiting::Append(callback))?)
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        Ok(self.truncate(last_log_id.map_or(0, |log_id| log_id.index.saturating_add(1)))?)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        Ok(self.purge_through(&log_id)?)
    }
}
