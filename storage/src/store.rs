//! One node's store: one RocksDB, its log-writer thread, and the shards that live in it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use countersign_core::ids::{ShardId, TenantId};
use countersign_core::statistics::{Statistics as Activities, Window};
use countersign_core::time::Timestamp;
use tokio::sync::watch;

use crate::activity::{self, Activity, Tick};
use crate::continuity;
use crate::database::{Batch, Database, Family};
use crate::directory::Directory;
use crate::disk_history::{DiskHistory, DiskMarks};
use crate::error::StorageError;
use crate::format_mark;
use crate::keys;
use crate::lock::DirectoryLock;
use crate::log::ShardLog;
use crate::machine::ShardMachine;
use crate::options::StoreOptions;
use crate::private_dir;
use crate::recent::Recent;
use crate::records::{self, ChainPoint, Identity, ShardHead};
use crate::rows::Rows;
use crate::snapshot::{self, IncomingSnapshot};
use crate::state_hash::StateHash;
use crate::statistics::{Counters, Statistics};
use crate::types::{LogId, SnapshotMeta};
use crate::writer::LogWriter;

/// The store. Shared by all that need it; closed when the last of them lets go.
pub struct Store {
    // Declared first, so that the thread has ended before the database is closed.
    pub(crate) writer: LogWriter,
    pub(crate) database: Arc<Database>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) builds: Arc<tokio::sync::Semaphore>,
    shards: Mutex<BTreeMap<ShardId, Arc<Shard>>>,
    snapshots: PathBuf,
    _lock: DirectoryLock,
}

/// State hashes remembered of one shard.
const HASHES_KEPT: usize = 16;

/// What the store knows in memory of one shard.
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    /// How many batches of entries were applied; see [`crate::continuity`].
    pub(crate) batches: AtomicU64,
    /// The entries appended last.
    pub(crate) recent: Recent,
    /// The commit mark, as long as it is not written; see [`crate::log`].
    pub(crate) committed: Mutex<Option<Option<LogId>>>,
    /// As of the last batch that was written.
    pub(crate) head: RwLock<ShardHead>,
    /// The state hash after some of the entries applied last, oldest first.
    pub(crate) hashes: Mutex<VecDeque<(u64, StateHash)>>,
    /// The index of the last applied entry, for whoever waits for one; 0 before the first.
    pub(crate) applied: watch::Sender<u64>,
    /// Counts the batches that put messages in.
    pub(crate) messages_put: watch::Sender<u64>,
    /// Counts the batches in which deliveries were begun anew.
    pub(crate) redelivered: watch::Sender<u64>,
    /// The newest snapshot that was checked: outer `None` before anybody looked.
    pub(crate) snapshot: Mutex<Option<Option<(SnapshotMeta, PathBuf)>>>,
    /// What was counted over time of what was applied.
    activity: Mutex<Activity>,
}

impl Shard {
    fn new(id: ShardId, head: ShardHead, batches: u64, activity: Activity) -> Self {
        let applied = watch::Sender::new(head.last_applied.map_or(0, |log_id| log_id.index));
        Self {
            id,
            batches: AtomicU64::new(batches),
            recent: Recent::default(),
            committed: Mutex::new(None),
            head: RwLock::new(head),
            hashes: Mutex::default(),
            applied,
            messages_put: watch::Sender::new(0),
            redelivered: watch::Sender::new(0),
            snapshot: Mutex::new(None),
            activity: Mutex::new(activity),
        }
    }

    /// Puts a waiting commit mark into a batch.
    pub(crate) fn put_commit_mark(&self, batch: &mut Batch<'_>) -> Result<(), StorageError> {
        let waiting = self.committed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(committed) = waiting else { return Ok(()) };
        let key = keys::single(self.id, keys::meta::COMMITTED);
        batch.put(Family::Meta, &key, &records::encode("commit mark", &committed)?)
    }

    pub(crate) fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what a batch of entries tells that is about to be written, and now and then puts what
    /// was counted into it.
    pub(crate) fn count(
        &self,
        batch: &mut Batch<'_>,
        ticks: Vec<Tick>,
        audit: &ChainPoint,
    ) -> Result<(), StorageError> {
        let mut activity = self.activity();
        for tick in ticks {
            activity.note(tick);
        }
        activity.counted_through(audit);
        activity.keep(batch, self.id, false)
    }

    pub(crate) fn head(&self) -> ShardHead {
        self.head.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers state hashes, and forgets the oldest.
    pub(crate) fn remember(&self, hashes: Vec<(u64, StateHash)>) {
        let mut kept = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(hashes);
        let over = kept.len().saturating_sub(HASHES_KEPT);
        kept.drain(..over);
    }

    /// Makes a written head visible, then wakes those who wait for it.
    pub(crate) fn publish(&self, head: ShardHead) {
        let index = head.last_applied.map_or(0, |log_id| log_id.index);
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
        self.applied.send_replace(index);
    }

    /// Wakes those who carry what waits to leave.
    pub(crate) fn call_out(&self, messages_put: bool, redelivered: bool) {
        for (sender, is_new) in
            [(&self.messages_put, messages_put), (&self.redelivered, redelivered)]
        {
            if is_new {
                sender.send_modify(|count| *count = count.wrapping_add(1));
            }
        }
    }
}

impl Store {
    /// Opens or creates the store in `dir`, takes the directory's lock, finishes the installation
    /// of a snapshot that a crash interrupted, and reads tenants, keys and what is counted over
    /// many users into memory.
    ///
    /// # Errors
    /// If another process holds the directory, or the data there is damaged: the error names the
    /// file and what to do, and nothing is changed.
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Arc<Self>, StorageError> {
        private_dir::make(dir)?;
        let lock = DirectoryLock::take(dir)?;
        let folder = dir.join("db");
        let used = format_mark::used(dir, &folder)?;
        private_dir::make(&folder)?;
        let database = Arc::new(Database::open(&folder, &options)?);
        if !used {
            format_mark::mark(dir)?;
        }
        let snapshots = dir.join("snapshots");
        private_dir::make(&snapshots)?;
        snapshot::clear_leftovers(&snapshots)?;
        snapshot::finish_interrupted(&database, &snapshots)?;
        let mut shards = BTreeMap::new();
        for (id, head) in read_heads(&database)? {
            let batches = continuity::last(&database, id)?;
            let activity = Activity::load(&database, id, &head.audit)?;
            shards.insert(id, Arc::new(Shard::new(id, head, batches, activity)));
        }
        let directory = Arc::new(Directory::load(&database, shards.keys().copied())?);
        let counters = Arc::new(Counters::default());
        let writer = LogWriter::start(
            Arc::clone(&database),
            Arc::clone(&counters),
            options.on_sync_failure.clone(),
        )
        .map_err(StorageError::file("start the log writer of", dir))?;
        Ok(Arc::new(Self {
            writer,
            database,
            directory,
            counters,
            builds: Arc::new(tokio::sync::Semaphore::new(snapshot::BUILDS_AT_ONCE)),
            shards: Mutex::new(shards),
            snapshots,
            _lock: lock,
        }))
    }

    /// Who this node is; `None` on a fresh disk.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn identity(&self) -> Result<Option<Identity>, StorageError> {
        let key = keys::single(keys::NODE, keys::meta::IDENTITY);
        let row = self.database.get(Family::Meta, &key)?;
        row.map(|bytes| records::decode("identity", keys::NODE, &bytes)).transpose()
    }

    /// Writes who this node is; on disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written or synced.
    pub fn set_identity(&self, identity: &Identity) -> Result<(), StorageError> {
        let mut batch = self.database.batch();
        let key = keys::single(keys::NODE, keys::meta::IDENTITY);
        batch.put(Family::Meta, &key, &records::encode("identity", identity)?)?;
        batch.write()?;
        self.database.sync()
    }

    /// What this node proves itself to its peers with, as it was given to
    /// [`Self::set_peer_credentials`]; `None` before that.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn peer_credentials(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let key = keys::single(keys::NODE, keys::meta::PEER_CREDENTIALS);
        Ok(self.database.get(Family::Meta, &key)?.map(|bytes| bytes.to_vec()))
    }

    /// Keeps what this node proves itself to its peers with; on disk when this returns. The bytes
    /// are stored as they are: whoever gives them has sealed what is secret in them.
    ///
    /// # Errors
    /// If it cannot be written or synced.
    pub fn set_peer_credentials(&self, sealed: &[u8]) -> Result<(), StorageError> {
        let mut batch = self.database.batch();
        let key = keys::single(keys::NODE, keys::meta::PEER_CREDENTIALS);
        batch.put(Family::Meta, &key, sealed)?;
        batch.write()?;
        self.database.sync()
    }

    /// What the disk knows of itself; nothing on a fresh one.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn disk_history(&self) -> Result<DiskHistory, StorageError> {
        let key = keys::single(keys::NODE, keys::meta::DISK_HISTORY);
        let row = self.database.get(Family::Meta, &key)?;
        let row = row.map(|bytes| records::decode("disk history", keys::NODE, &bytes)).transpose();
        Ok(row?.unwrap_or_default())
    }

    /// Writes what the disk knows of itself; on disk when this returns, with whatever waits to be.
    ///
    /// # Errors
    /// If it cannot be written or synced.
    pub async fn set_disk_history(&self, history: &DiskHistory) -> Result<(), StorageError> {
        let mut batch = self.database.batch();
        let key = keys::single(keys::NODE, keys::meta::DISK_HISTORY);
        batch.put(Family::Meta, &key, &records::encode("disk history", history)?)?;
        batch.write()?;
        self.writer.synced().await
    }

    /// What this node remembers of the disks of others.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn disk_marks(&self) -> Result<DiskMarks, StorageError> {
        let key = keys::single(keys::NODE, keys::meta::DISK_MARKS);
        let row = self.database.get(Family::Meta, &key)?;
        let row = row.map(|bytes| records::decode("disk marks", keys::NODE, &bytes)).transpose();
        Ok(row?.unwrap_or_default())
    }

    /// Remembers how far the disks of others have come. It survives the process at once, and a
    /// power cut with the next sync: to know less of another disk refuses none wrongly.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set_disk_marks(&self, marks: &DiskMarks) -> Result<(), StorageError> {
        let mut batch = self.database.batch();
        let key = keys::single(keys::NODE, keys::meta::DISK_MARKS);
        batch.put(Family::Meta, &key, &records::encode("disk marks", marks)?)?;
        batch.write()
    }

    /// Which node refused this disk, as an older copy of itself.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn disk_refused_by(&self) -> Result<Option<u64>, StorageError> {
        let key = keys::single(keys::NODE, keys::meta::DISK_REFUSED);
        let row = self.database.get(Family::Meta, &key)?;
        row.map(|bytes| records::decode("refusal", keys::NODE, &bytes)).transpose()
    }

    /// Notes for ever that a node refused this disk; on disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written or synced.
    pub fn set_disk_refused_by(&self, node: u64) -> Result<(), StorageError> {
        let mut batch = self.database.batch();
        let key = keys::single(keys::NODE, keys::meta::DISK_REFUSED);
        batch.put(Family::Meta, &key, &records::encode("refusal", &node)?)?;
        batch.write()?;
        self.database.sync()
    }

    /// The Raft log of a shard.
    pub fn log(self: &Arc<Self>, shard: ShardId) -> ShardLog {
        ShardLog::new(Arc::clone(self), self.shard(shard))
    }

    /// The state machine of a shard. One at a time: two would apply entries twice.
    ///
    /// # Errors
    /// If its rows cannot be read.
    pub fn machine(self: &Arc<Self>, shard: ShardId) -> Result<ShardMachine, StorageError> {
        Ok(ShardMachine::new(Arc::clone(self), self.shard(shard)))
    }

    /// Reads of a shard's rows, as applied here.
    pub fn rows(self: &Arc<Self>, shard: ShardId) -> Rows {
        Rows::new(Arc::clone(self), self.shard(shard))
    }

    /// Tenants, API keys and what is counted over many users, as applied here.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// The index of the last entry that a shard has applied here, and its changes; 0 before the
    /// first entry.
    pub fn applied(&self, shard: ShardId) -> watch::Receiver<u64> {
        self.shard(shard).applied.subscribe()
    }

    /// A file to receive a shard's snapshot into.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn receive_snapshot(&self, shard: ShardId) -> Result<IncomingSnapshot, StorageError> {
        IncomingSnapshot::create(&self.snapshot_folder(shard))
    }

    /// Syncs the write-ahead log and writes all rows to tables, so that the next start is quick.
    /// Blocks; call it when all Raft groups have stopped.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.write_commit_marks()?;
        self.keep_activity()?;
        self.database.sync()?;
        self.database.flush()
    }

    /// Rewrites all tables without what was deleted or overwritten. Blocks, for as long as it
    /// takes to read and write everything.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn compact(&self) -> Result<(), StorageError> {
        self.database.flush()?;
        for family in Family::ALL {
            self.database.compact(family)?;
        }
        Ok(())
    }

    /// What the store has done since it was opened.
    pub fn statistics(&self) -> Statistics {
        self.counters.read(self.database.table_bytes().unwrap_or(0))
    }

    /// What happened to a tenant's users within the window that ends at `now`, over all shards, as
    /// counted from what this node applied.
    pub fn activity(&self, tenant: &TenantId, window: Window, now: Timestamp) -> Activities {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counted: Vec<_> = shards.values().map(|shard| shard.activity()).collect();
        activity::sum(counted.iter().map(|counted| &**counted), tenant, window, now)
    }

    /// Writes the commit marks that wait for the next append.
    fn write_commit_marks(&self) -> Result<(), StorageError> {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch();
        for shard in shards.values() {
            shard.put_commit_mark(&mut batch)?;
        }
        batch.write_if_any()
    }

    /// Writes what was counted, so that the next start has nothing to count again.
    fn keep_activity(&self) -> Result<(), StorageError> {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch();
        for shard in shards.values() {
            shard.activity().keep(&mut batch, shard.id, true)?;
        }
        batch.write_if_any()
    }

    pub(crate) fn shard(&self, id: ShardId) -> Arc<Shard> {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            self.directory.has_shard(id);
            Arc::new(Shard::new(id, ShardHead::default(), 0, Activity::default()))
        };
        Arc::clone(shards.entry(id).or_insert_with(fresh))
    }

    pub(crate) fn snapshot_folder(&self, shard: ShardId) -> PathBuf {
        snapshot::folder(&self.snapshots, shard)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.write_commit_marks() {
            tracing::info!(%error, "a node that starts again will wait for its leaders");
        }
    }
}

/// The heads of all shards that were ever applied to.
fn read_heads(database: &Database) -> Result<Vec<(ShardId, ShardHead)>, StorageError> {
    let mut heads = Vec::new();
    let mut from = Vec::new();
    let end = keys::shard_range(keys::NODE).1;
    loop {
        // The head is a shard's first row: one seek a shard, whatever the shard holds.
        let Some(row) = database.walk(Family::State, &from, &end)?.next() else {
            return Ok(heads);
        };
        let (key, _) = row.map_err(StorageError::database("read a head"))?;
        let Some(&[high, low]) = key.get(..2) else { return Ok(heads) };
        let shard = ShardId(u16::from_be_bytes([high, low]));
        let head = database.get(Family::State, &keys::single(shard, keys::state::HEAD))?;
        if let Some(bytes) = head {
            heads.push((shard, records::decode("head", shard, &bytes)?));
        }
        from = keys::shard_range(shard).1;
    }
}
