//! What the store counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Syncs of the write-ahead log.
    pub syncs: u64,
    /// Appends and votes that waited for a sync. Divided by `syncs`: how many share one.
    pub synced_writes: u64,
    /// Log entries appended.
    pub entries_appended: u64,
    /// Bytes of log entries appended.
    pub bytes_appended: u64,
    /// Log entries applied.
    pub entries_applied: u64,
    /// Batches that applied them.
    pub apply_batches: u64,
    /// Bytes of all table files.
    pub table_bytes: u64,
}

/// The counters behind [`Statistics`], which also feed the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    syncs: AtomicU64,
    synced_writes: AtomicU64,
    entries_appended: AtomicU64,
    bytes_appended: AtomicU64,
    entries_applied: AtomicU64,
    apply_batches: AtomicU64,
}

impl Counters {
    pub(crate) fn synced(&self, writes: u64, took: Duration) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.synced_writes.fetch_add(writes, Ordering::Relaxed);
        metrics::counter!("countersign_storage_syncs_total").increment(1);
        metrics::counter!("countersign_storage_synced_writes_total").increment(writes);
        metrics::histogram!("countersign_storage_sync_seconds").record(took.as_secs_f64());
    }

    pub(crate) fn appended(&self, entries: u64, bytes: u64) {
        self.entries_appended.fetch_add(entries, Ordering::Relaxed);
        self.bytes_appended.fetch_add(bytes, Ordering::Relaxed);
        metrics::counter!("countersign_storage_appended_entries_total").increment(entries);
        metrics::counter!("countersign_storage_appended_bytes_total").increment(bytes);
    }

    pub(crate) fn applied(&self, entries: u64) {
        self.entries_applied.fetch_add(entries, Ordering::Relaxed);
        self.apply_batches.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("countersign_storage_applied_entries_total").increment(entries);
    }

    pub(crate) fn read(&self, table_bytes: u64) -> Statistics {
        Statistics {
            syncs: self.syncs.load(Ordering::Relaxed),
            synced_writes: self.synced_writes.load(Ordering::Relaxed),
            entries_appended: self.entries_appended.load(Ordering::Relaxed),
            bytes_appended: self.bytes_appended.load(Ordering::Relaxed),
            entries_applied: self.entries_applied.load(Ordering::Relaxed),
            apply_batches: self.apply_batches.load(Ordering::Relaxed),
            table_bytes,
        }
    }
}
