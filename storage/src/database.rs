//! The one RocksDB of a node: its column families, how it is opened, and the few ways in which it
//! is read and written.
//!
//! # Why a crash keeps a prefix
//!
//! All column families share one write-ahead log, and every batch is appended to it whole, in the
//! order of the calls. Syncing the log makes everything before it durable, for all families and
//! all shards. A table file is only put into the manifest after the logs that held its rows were
//! synced (RocksDB syncs closed logs before a flush is installed whenever there is more than one
//! family). So what is there after a power cut is what was written up to some batch, and never
//! less than what was last synced: an apply batch without the entries before it cannot appear.
//!
//! Recovery tolerates an incomplete last record, as a cut leaves one, and treats every other
//! damage as an error: a synced record that is gone must never pass for one that was not written.
//! Logs that were closed and synced are named in the manifest, and one that is missing or shorter
//! is an error as well. The one hole that this leaves, between two unsynced log files, is found by
//! [`crate::continuity`].

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DBCompressionType,
    DBIteratorWithThreadMode, DBPinnableSlice, DBRecoveryMode, DBWithThreadMode, Direction,
    FlushOptions, IteratorMode, Options, ReadOptions, SingleThreaded, SnapshotWithThreadMode,
    WriteBatch, WriteOptions,
};

use crate::error::StorageError;
use crate::options::StoreOptions;

/// RocksDB with families that are fixed once it is open.
type Rocks = DBWithThreadMode<SingleThreaded>;
/// A consistent view.
pub(crate) type View<'a> = SnapshotWithThreadMode<'a, Rocks>;
/// A bounded walk over keys and values.
pub(crate) type Walk<'a> = DBIteratorWithThreadMode<'a, Rocks>;

/// What failed when a sync did.
const SYNC: &str = "sync the write-ahead log";

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Raft entries.
    Log,
    /// Votes and what else Raft or the node itself keeps.
    Meta,
    /// The state machine's rows.
    State,
    /// The audit chains.
    Audit,
    /// What waits to leave, and what is counted of it.
    Outbox,
}

impl Family {
    pub(crate) const ALL: [Self; 5] =
        [Self::Log, Self::Meta, Self::State, Self::Audit, Self::Outbox];

    const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Meta => "meta",
            Self::State => "state",
            Self::Audit => "audit",
            Self::Outbox => "outbox",
        }
    }
}

/// The database.
pub(crate) struct Database {
    rocks: Rocks,
    sync_failed: AtomicBool,
    unsynced: WriteOptions,
}

impl Database {
    /// Opens or creates the database in `folder`.
    pub(crate) fn open(folder: &Path, options: &StoreOptions) -> Result<Self, StorageError> {
        let cache = Cache::new_lru_cache(options.block_cache_bytes);
        let families = Family::ALL.map(|family| {
            ColumnFamilyDescriptor::new(family.name(), family_options(family, &cache))
        });
        let rocks = Rocks::open_cf_descriptors(&database_options(options), folder, families)
            .map_err(StorageError::opening(folder))?;
        Ok(Self { rocks, sync_failed: AtomicBool::new(false), unsynced: WriteOptions::default() })
    }

    pub(crate) fn family(&self, family: Family) -> Result<&ColumnFamily, StorageError> {
        self.rocks.cf_handle(family.name()).ok_or(StorageError::Closed)
    }

    /// A row.
    pub(crate) fn get(
        &self,
        family: Family,
        key: &[u8],
    ) -> Result<Option<DBPinnableSlice<'_>>, StorageError> {
        self.rocks
            .get_pinned_cf(self.family(family)?, key)
            .map_err(StorageError::database("read a row"))
    }

    /// The rows from `from` to before `to`, in order.
    pub(crate) fn walk(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
    ) -> Result<Walk<'_>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        let mode = IteratorMode::From(from, Direction::Forward);
        Ok(self.rocks.iterator_cf_opt(self.family(family)?, options, mode))
    }

    /// The rows from before `to` down to `from`.
    pub(crate) fn walk_back(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
    ) -> Result<Walk<'_>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(from);
        options.set_iterate_upper_bound(to);
        Ok(self.rocks.iterator_cf_opt(self.family(family)?, options, IteratorMode::End))
    }

    /// A view that later writes do not change.
    pub(crate) fn view(&self) -> View<'_> {
        self.rocks.snapshot()
    }

    /// The rows of a view from `from` to before `to`, in order, without filling the cache.
    pub(crate) fn walk_view<'a>(
        &self,
        view: &'a View<'_>,
        family: Family,
        from: &[u8],
        to: &[u8],
    ) -> Result<Walk<'a>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        options.fill_cache(false);
        let mode = IteratorMode::From(from, Direction::Forward);
        Ok(view.iterator_cf_opt(self.family(family)?, options, mode))
    }

    /// A row of a view.
    pub(crate) fn get_in_view(
        &self,
        view: &View<'_>,
        family: Family,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StorageError> {
        view.get_cf(self.family(family)?, key).map_err(StorageError::database("read a row"))
    }

    /// An empty batch.
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch { database: self, writes: WriteBatch::default() }
    }

    /// Makes everything written so far durable: one fsync for all families and shards.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        fail::fail_point!("storage::skip_sync", |_| Ok(()));
        if self.sync_failed.load(Ordering::SeqCst) {
            return Err(StorageError::Database {
                operation: SYNC,
                reason: "an earlier sync failed".to_owned(),
            });
        }
        let synced = self.sync_once();
        if synced.is_err() {
            // The kernel may have dropped the pages it could not write: a later sync would succeed
            // and prove nothing.
            self.sync_failed.store(true, Ordering::SeqCst);
        }
        synced
    }

    fn sync_once(&self) -> Result<(), StorageError> {
        fail::fail_point!("storage::sync_fails", |_| Err(StorageError::Database {
            operation: SYNC,
            reason: "failpoint".to_owned(),
        }));
        self.rocks.flush_wal(true).map_err(StorageError::database(SYNC))
    }

    /// Writes all rows to tables, so that the next start has no log to read.
    pub(crate) fn flush(&self) -> Result<(), StorageError> {
        let families: Result<Vec<_>, _> =
            Family::ALL.into_iter().map(|family| self.family(family)).collect();
        self.rocks
            .flush_cfs_opt(&families?, &FlushOptions::default())
            .map_err(StorageError::database("write tables"))
    }

    /// Rewrites all tables of a family, dropping what was deleted.
    pub(crate) fn compact(&self, family: Family) -> Result<(), StorageError> {
        self.rocks.compact_range_cf(self.family(family)?, None::<&[u8]>, None::<&[u8]>);
        Ok(())
    }

    /// Bytes of all table files.
    pub(crate) fn table_bytes(&self) -> Result<u64, StorageError> {
        let mut bytes = 0;
        for family in Family::ALL {
            bytes += self
                .rocks
                .property_int_value_cf(
                    self.family(family)?,
                    rocksdb::properties::TOTAL_SST_FILES_SIZE,
                )
                .map_err(StorageError::database("read its statistics"))?
                .unwrap_or(0);
        }
        Ok(bytes)
    }
}

/// Writes that happen together or not at all.
pub(crate) struct Batch<'a> {
    database: &'a Database,
    writes: WriteBatch,
}

impl Batch<'_> {
    pub(crate) fn put(
        &mut self,
        family: Family,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        self.writes.put_cf(self.database.family(family)?, key, value);
        Ok(())
    }

    pub(crate) fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), StorageError> {
        self.writes.delete_cf(self.database.family(family)?, key);
        Ok(())
    }

    /// Deletes from `from` to before `to`.
    pub(crate) fn delete_range(
        &mut self,
        family: Family,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), StorageError> {
        self.writes.delete_range_cf(self.database.family(family)?, from, to);
        Ok(())
    }

    /// As [`Self::write`], if anything was collected.
    pub(crate) fn write_if_any(self) -> Result<(), StorageError> {
        if self.writes.is_empty() { Ok(()) } else { self.write() }
    }

    /// Bytes collected so far.
    pub(crate) fn bytes(&self) -> usize {
        self.writes.size_in_bytes()
    }

    /// Writes it: readable at once, durable with the next [`Database::sync`].
    pub(crate) fn write(self) -> Result<(), StorageError> {
        self.database
            .rocks
            .write_opt(self.writes, &self.database.unsynced)
            .map_err(StorageError::database("write a batch"))
    }
}

fn database_options(choice: &StoreOptions) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    // Every write reaches the kernel at once, so that a killed process loses nothing and the
    // writer thread's sync finds all of it.
    options.set_manual_wal_flush(false);
    // Few writers with small batches: one after the other costs less than a list that many may
    // change at once.
    options.set_allow_concurrent_memtable_write(false);
    options.set_db_write_buffer_size(choice.write_buffer_bytes);
    options.set_max_total_wal_size(choice.max_wal_bytes);
    options.set_max_open_files(choice.max_open_files);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(cache);
    // Counted against the cache, so that memory stays bounded as users grow.
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    tables.set_format_version(6);
    let mut options = Options::default();
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_compression_type(DBCompressionType::Lz4);
    match family {
        Family::State => {
            // Rows are read by exact key.
            tables.set_bloom_filter(10.0, false);
            tables.set_block_size(4 << 10);
            options.set_bottommost_compression_type(DBCompressionType::Zstd);
            options.set_write_buffer_size(24 << 20);
        }
        Family::Audit => {
            tables.set_block_size(16 << 10);
            options.set_bottommost_compression_type(DBCompressionType::Zstd);
            options.set_write_buffer_size(16 << 20);
        }
        Family::Log => {
            // Written once, read a moment later, deleted soon.
            tables.set_block_size(16 << 10);
            options.set_write_buffer_size(24 << 20);
        }
        Family::Meta | Family::Outbox => {
            tables.set_bloom_filter(10.0, false);
            options.set_write_buffer_size(4 << 20);
        }
    }
    options.set_block_based_table_factory(&tables);
    options
}
