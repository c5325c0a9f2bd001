//! What the operator and tests may choose about the store.

use std::sync::Arc;

use crate::error::StorageError;

/// What to do when the disk refuses to sync. Retrying is not among the choices: after a failed
/// fsync the kernel may have dropped the pages, and a second call would report success for bytes
/// that never reached the disk.
#[derive(Clone, Default)]
pub enum OnSyncFailure {
    /// End the process at once, after one line in the log. Nothing unsynced was acknowledged.
    #[default]
    Abort,
    /// Call this instead; waiting callers are told of the failure. For tests.
    Call(Arc<dyn Fn(&StorageError) + Send + Sync>),
}

/// How the store uses its machine. The defaults suit a node of 100,000 users in 400 MiB.
#[derive(Clone)]
pub struct StoreOptions {
    /// Bytes of blocks, indexes and filters kept in memory.
    pub block_cache_bytes: usize,
    /// Bytes of rows not yet written to tables, over all column families.
    pub write_buffer_bytes: usize,
    /// Bytes of write-ahead log after which tables are written, so that opening stays quick.
    pub max_wal_bytes: u64,
    /// Table files kept open; −1 for all.
    pub max_open_files: i32,
    /// What to do when a sync fails.
    pub on_sync_failure: OnSyncFailure,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            block_cache_bytes: 96 << 20,
            write_buffer_bytes: 64 << 20,
            max_wal_bytes: 256 << 20,
            max_open_files: 512,
            on_sync_failure: OnSyncFailure::Abort,
        }
    }
}
