//! The entries appended last, in memory.
//!
//! Openraft reads an entry back right after it was appended: once to apply it, and once for each
//! peer that it goes to. These reads find it here, and need neither a seek nor decoding. What is
//! here is exactly the log's end: whatever changes the log changes this first, and a read that
//! begins before it goes to the database as a whole.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::types::Entry;

/// Entries kept of one shard at most.
const ENTRIES_MAX: usize = 256;
/// Encoded bytes of entries kept of one shard at most.
const BYTES_MAX: usize = 256 << 10;

/// The end of one shard's log.
#[derive(Default)]
pub(crate) struct Recent {
    end: Mutex<End>,
}

/// Entries without a gap, and how long each is when encoded.
#[derive(Default)]
struct End {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
}

impl Recent {
    /// Takes in entries that were written behind all others.
    pub(crate) fn extend(&self, written: Vec<(Entry, usize)>) {
        let mut end = self.lock();
        for (entry, bytes) in written {
            let follows = end.entries.back().is_none_or(|(last, _)| {
                last.log_id.index.checked_add(1) == Some(entry.log_id.index)
            });
            if !follows {
                end.clear();
            }
            end.bytes += bytes;
            end.entries.push_back((entry, bytes));
            while end.entries.len() > ENTRIES_MAX || end.bytes > BYTES_MAX {
                end.drop_first();
            }
        }
    }

    /// Forgets the entries from `first` on.
    pub(crate) fn truncate(&self, first: u64) {
        let mut end = self.lock();
        while end.entries.back().is_some_and(|(entry, _)| entry.log_id.index >= first) {
            if let Some((_, bytes)) = end.entries.pop_back() {
                end.bytes -= bytes;
            }
        }
    }

    /// Forgets the entries through `last`.
    pub(crate) fn purge(&self, last: u64) {
        let mut end = self.lock();
        while end.entries.front().is_some_and(|(entry, _)| entry.log_id.index <= last) {
            end.drop_first();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The entries from `first` to before `before`, up to `entries_max` and about `bytes_max`;
    /// `None` if the database must be asked.
    pub(crate) fn read(
        &self,
        first: u64,
        before: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Option<Vec<Entry>> {
        let end = self.lock();
        let front = end.entries.front()?.0.log_id.index;
        let skipped = usize::try_from(first.checked_sub(front)?).ok()?;
        let mut bytes_read = 0;
        let wanted =
            end.entries.iter().skip(skipped).take(entries_max).take_while(|(entry, size)| {
                let more = entry.log_id.index < before && bytes_read < bytes_max;
                bytes_read += size;
                more
            });
        Some(wanted.map(|(entry, _)| entry.clone()).collect())
    }

    fn lock(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    fn drop_first(&mut self) {
        if let Some((_, bytes)) = self.entries.pop_front() {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use openraft::EntryPayload;
    use openraft::type_config::alias::CommittedLeaderIdOf;
    use openraft::vote::RaftLeaderId;

    use super::*;
    use crate::types::{LogId, TypeConfig};

    fn entries(range: std::ops::Range<u64>, bytes: usize) -> Vec<(Entry, usize)> {
        let leader = CommittedLeaderIdOf::<TypeConfig>::new(1, 1);
        let entry =
            |index| Entry { log_id: LogId::new(leader, index), payload: EntryPayload::Blank };
        range.map(|index| (entry(index), bytes)).collect()
    }

    fn read(recent: &Recent, first: u64, before: u64) -> Option<Vec<u64>> {
        let found = recent.read(first, before, usize::MAX, usize::MAX)?;
        Some(found.iter().map(|entry| entry.log_id.index).collect())
    }

    #[test]
    fn what_was_appended_is_there_and_what_was_cut_is_not() {
        let recent = Recent::default();
        assert_eq!(read(&recent, 5, 8), None);
        recent.extend(entries(5..10, 10));
        assert_eq!(read(&recent, 5, 8), Some(vec![5, 6, 7]));
        assert_eq!(read(&recent, 8, 20), Some(vec![8, 9]));
        assert_eq!(read(&recent, 10, 20), Some(vec![]), "behind the log's end there is nothing");
        assert_eq!(read(&recent, 4, 8), None, "what lies before is for the database");
        recent.truncate(8);
        assert_eq!(read(&recent, 6, 20), Some(vec![6, 7]));
        recent.purge(6);
        assert_eq!(read(&recent, 6, 20), None);
        assert_eq!(read(&recent, 7, 20), Some(vec![7]));
        recent.extend(entries(8..9, 10));
        assert_eq!(read(&recent, 7, 20), Some(vec![7, 8]));
        recent.extend(entries(30..31, 10));
        assert_eq!(read(&recent, 8, 9), None, "a gap begins anew");
        assert_eq!(read(&recent, 30, 31), Some(vec![30]));
        recent.purge(40);
        assert_eq!(recent.lock().bytes, 0);
    }

    #[test]
    fn the_bounds_hold_for_what_is_kept_and_for_what_is_read() {
        let recent = Recent::default();
        recent.extend(entries(0..1_000, 10));
        assert_eq!(read(&recent, 1_000 - ENTRIES_MAX as u64 - 1, 1_000), None);
        assert_eq!(read(&recent, 1_000 - ENTRIES_MAX as u64, 1_000).unwrap().len(), ENTRIES_MAX);
        assert_eq!(recent.read(900, 1_000, 7, usize::MAX).unwrap().len(), 7);
        assert_eq!(recent.read(900, 1_000, usize::MAX, 25).unwrap().len(), 3);
        assert_eq!(recent.read(900, 1_000, usize::MAX, 1).unwrap().len(), 1, "never none");
        recent.extend(entries(1_000..1_002, BYTES_MAX));
        assert_eq!(read(&recent, 1_000, 1_002), None);
        assert_eq!(read(&recent, 1_001, 1_002), Some(vec![1_001]));
    }
}
