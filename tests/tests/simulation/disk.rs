//! A node's disk: what was written, and the prefix of it that was synced.
//!
//! All shards of a node share one ordered stream of writes, as they share one write-ahead log in
//! the real store. A write is readable at once and on disk once a later sync has ended; a power
//! loss keeps what was synced and an arbitrary prefix of the rest, never a later write without an
//! earlier one. Reports that wait for a sync are made in the order of the writes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_core::proposal::Applied;
use openraft::storage::IOFlushed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::Notify;

use crate::raft::{Entry, TypeConfig};
use crate::sabotage::Sabotage;
use crate::volume::{Volume, Write};

/// The disk. It outlives the node's processes.
pub(crate) struct Disk {
    inner: Mutex<Inner>,
    wrote: Notify,
    synced: Notify,
    sabotage: Sabotage,
}

struct Inner {
    /// The number of the last write.
    written: u64,
    /// The number of the last write on disk.
    synced: u64,
    /// What is read.
    visible: BTreeMap<ShardId, Volume>,
    /// What a power loss leaves.
    durable: BTreeMap<ShardId, Volume>,
    /// The writes between the two, in order.
    unsynced: VecDeque<(ShardId, Write)>,
    /// Who waits for which write to be on disk.
    reports: VecDeque<(u64, IOFlushed<TypeConfig>)>,
    /// How long a sync takes, at least and at most.
    sync_ms: (u64, u64),
    random: ChaCha8Rng,
    boots: u64,
}

impl Disk {
    /// An empty disk for `shards` shards.
    pub(crate) fn new(shards: u16, seed: u64, sabotage: Sabotage) -> Arc<Self> {
        let empty: BTreeMap<_, _> =
            (0..shards).map(|shard| (ShardId(shard), Volume::default())).collect();
        let inner = Inner {
            written: 0,
            synced: 0,
            visible: empty.clone(),
            durable: empty,
            unsynced: VecDeque::new(),
            reports: VecDeque::new(),
            sync_ms: (1, 4),
            random: ChaCha8Rng::seed_from_u64(seed),
            boots: 0,
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            wrote: Notify::new(),
            synced: Notify::new(),
            sabotage,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Sets how long a sync takes from here on.
    pub(crate) fn set_sync_ms(&self, least: u64, most: u64) {
        self.inner().sync_ms = (least, most);
    }

    /// Counts one more start of a process on this disk; the count so far.
    pub(crate) fn count_boot(&self) -> u64 {
        let mut inner = self.inner();
        inner.boots += 1;
        inner.boots
    }

    /// Reads a shard's volume.
    pub(crate) fn read<T>(&self, shard: ShardId, read: impl FnOnce(&Volume) -> T) -> T {
        read(&self.inner().visible[&shard])
    }

    /// Writes, unsynced. Returns the write's number.
    pub(crate) fn write(&self, shard: ShardId, write: Write) -> u64 {
        let mut inner = self.inner();
        self.push(&mut inner, shard, write).1
    }

    /// Applies an entry, unsynced.
    pub(crate) fn apply(&self, shard: ShardId, entry: Entry) -> Applied {
        let mut inner = self.inner();
        let (applied, _) = self.push(&mut inner, shard, Write::Apply(entry));
        applied.unwrap_or(Applied::Nothing)
    }

    fn push(&self, inner: &mut Inner, shard: ShardId, write: Write) -> (Option<Applied>, u64) {
        let volume = inner.visible.entry(shard).or_default();
        let applied = volume.write(&write, self.sabotage);
        inner.unsynced.push_back((shard, write));
        inner.written += 1;
        self.wrote.notify_one();
        (applied, inner.written)
    }

    /// Makes `report` once the write of this number is on disk.
    pub(crate) fn report(&self, number: u64, report: IOFlushed<TypeConfig>) {
        if self.sabotage == Sabotage::AcknowledgeBeforeSync {
            report.io_completed(Ok(()));
            return;
        }
        self.inner().reports.push_back((number, report));
    }

    /// Returns once the write of this number is on disk.
    pub(crate) async fn until_synced(&self, number: u64) {
        loop {
            // Made before the look, so no sync between the two is missed.
            let synced = self.synced.notified();
            if self.inner().synced >= number {
                return;
            }
            synced.await;
        }
    }

    /// Syncs whenever there is something to sync. One a process.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let (synced, upto) = {
                let inner = self.inner();
                (inner.synced, inner.written)
            };
            if upto == synced {
                self.wrote.notified().await;
                continue;
            }
            let took = {
                let mut inner = self.inner();
                let (least, most) = inner.sync_ms;
                Duration::from_millis(inner.random.random_range(least..=most))
            };
            tokio::time::sleep(took).await;
            self.sync(upto);
        }
    }

    fn sync(&self, upto: u64) {
        let due = {
            let mut inner = self.inner();
            let count = usize::try_from(upto - inner.synced).unwrap();
            self.settle(&mut inner, count);
            inner.synced = upto;
            let due = inner.reports.iter().take_while(|(number, _)| *number <= upto).count();
            inner.reports.drain(..due).collect::<Vec<_>>()
        };
        self.synced.notify_waiters();
        for (_, report) in due {
            report.io_completed(Ok(()));
        }
    }

    /// Moves the first `count` unsynced writes to what is durable.
    fn settle(&self, inner: &mut Inner, count: usize) {
        for (shard, write) in inner.unsynced.drain(..count) {
            inner.durable.entry(shard).or_default().write(&write, self.sabotage);
        }
    }

    /// The power goes, after the node's process has ended. Returns how many writes were lost.
    pub(crate) fn lose_power(&self) -> usize {
        let mut inner = self.inner();
        let written = inner.unsynced.len();
        let kept = match inner.random.random_bool(0.5) {
            true => 0,
            false => inner.random.random_range(0..=written),
        };
        self.settle(&mut inner, kept);
        inner.unsynced.clear();
        inner.reports.clear();
        inner.visible = inner.durable.clone();
        inner.synced = inner.written;
        written - kept
    }
}
