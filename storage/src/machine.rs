//! A shard's state machine: openraft's view of the `state` and `audit` families.
//!
//! Ordering duty: a waiting caller is answered after the batch that holds its entry was written,
//! and after the directory and the shard's head show it. The batch is not synced here: the log
//! entries it comes from are on disk at a majority, and the shared write-ahead log makes it
//! durable with the next sync.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_core::ids::ShardId;
use countersign_core::proposal::Applied;
use futures::{Stream, StreamExt};
use openraft::OptionalSend;
use openraft::storage::{EntryResponder, RaftStateMachine};

use crate::apply::{Learned, Run};
use crate::error::StorageError;
use crate::snapshot::{self, Builder, SnapshotBuilder, SnapshotFile};
use crate::store::{Shard, Store};
use crate::types::{Entry, LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};

/// Entries that one batch holds at most.
const RUN_ENTRIES_MAX: usize = 128;

/// The state machine of one shard.
pub struct ShardMachine {
    store: Arc<Store>,
    shard: Arc<Shard>,
}

impl ShardMachine {
    pub(crate) const fn new(store: Arc<Store>, shard: Arc<Shard>) -> Self {
        Self { store, shard }
    }

    /// Which shard.
    pub fn shard(&self) -> ShardId {
        self.shard.id
    }

    /// Applies committed entries in order, and answers each. Written, if not synced, when this
    /// returns.
    ///
    /// # Errors
    /// If the store fails; entries of earlier batches may then have been applied.
    pub fn apply_entries(&self, entries: &[Entry]) -> Result<Vec<Applied>, StorageError> {
        let mut answers = Vec::with_capacity(entries.len());
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let joinable = |entry: &&Entry| !Run::stands_alone(entry);
            let count = match Run::stands_alone(first) {
                true => 1,
                false => rest.iter().take_while(joinable).take(RUN_ENTRIES_MAX).count(),
            };
            let (some, later) = rest.split_at(count);
            rest = later;
            let mut run = Run::new(&self.store.database, self.shard.id, self.shard.head());
            for entry in some {
                answers.push(run.apply(entry)?);
            }
            let number = self.shard.batches.load(Ordering::Relaxed) + 1;
            let (head, learned) = run.write(number, &self.shard)?;
            self.shard.batches.store(number, Ordering::Relaxed);
            let (messages_put, redelivered) = (learned.messages_put, learned.redelivered);
            self.learn(learned);
            self.shard.publish(head);
            self.shard.call_out(messages_put, redelivered);
            self.store.counters.applied(count as u64);
        }
        Ok(answers)
    }

    fn learn(&self, learned: Learned) {
        self.shard.remember(learned.hashes);
        let directory = &self.store.directory;
        if self.shard.id == ShardId::SYSTEM {
            for (id, state) in learned.tenants {
                directory.set_tenant(&id, state);
            }
            if let Some(system) = learned.system {
                directory.set_system(system);
            }
        }
        if learned.time_set {
            // Counted within windows of a time that is no more.
            directory.forget_signs(self.shard.id);
        }
        for sign in learned.signs {
            directory.note(self.shard.id, sign);
        }
    }

    async fn builder(&self, permit: Option<tokio::sync::OwnedSemaphorePermit>) -> SnapshotBuilder {
        let (store, shard) = (Arc::clone(&self.store), Arc::clone(&self.shard));
        SnapshotBuilder::new(Builder::begin(store, shard, permit).await)
    }
}

impl RaftStateMachine<TypeConfig> for ShardMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let head = self.shard.head();
        Ok((head.last_applied, head.membership))
    }

    async fn apply<S>(&mut self, entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        // Whatever is ready goes into one batch; nothing is waited for to fill one.
        let mut ready = entries.ready_chunks(RUN_ENTRIES_MAX);
        while let Some(some) = ready.next().await {
            let some = some.into_iter().collect::<Result<Vec<_>, _>>()?;
            let (entries, waiting): (Vec<Entry>, Vec<_>) = some.into_iter().unzip();
            let answers = self.apply_entries(&entries)?;
            for (responder, answer) in waiting.into_iter().zip(answers) {
                if let Some(responder) = responder {
                    responder.send(answer);
                }
            }
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotBuilder> {
        let permit = Arc::clone(&self.store.builds).try_acquire_owned().ok();
        if permit.is_none() && !force {
            return None;
        }
        Some(self.builder(permit).await)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        self.builder(None).await
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: SnapshotFile,
    ) -> Result<(), io::Error> {
        let (store, shard, meta) = (Arc::clone(&self.store), Arc::clone(&self.shard), meta.clone());
        let install = move || snapshot::install(&store, &shard, &meta, &snapshot);
        Ok(tokio::task::spawn_blocking(install).await.map_err(io::Error::other)??)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let (store, shard) = (Arc::clone(&self.store), Arc::clone(&self.shard));
        let find = move || snapshot::current(&store.snapshot_folder(shard.id), &shard);
        let found = tokio::task::spawn_blocking(find).await.map_err(io::Error::other)??;
        Ok(found.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}
