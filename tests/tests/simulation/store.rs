//! openraft's view of a simulated disk: the log and the state machine of one shard.
//!
//! The ordering duties are those of the real store: a vote is synced before it is given, an append
//! is reported once it is synced, a reply leaves after its entry was applied.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use countersign_core::codec;
use countersign_core::ids::ShardId;
use futures::{Stream, StreamExt};
use openraft::storage::{
    EntryResponder, IOFlushed, LogState, RaftLogReader, RaftLogStorage, RaftStateMachine,
};
use openraft::{OptionalSend, RaftSnapshotBuilder};

use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::raft::{Entry, LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig, Vote};
use crate::volume::Write;

/// The log of one shard on one node.
#[derive(Clone)]
pub(crate) struct ShardLog {
    /// Which shard.
    pub(crate) shard: ShardId,
    /// Where it is kept.
    pub(crate) disk: Arc<Disk>,
}

impl RaftLogReader<TypeConfig> for ShardLog {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, io::Error> {
        let first = range.start_bound().cloned();
        let end = range.end_bound().cloned();
        // A range that ends before it begins is empty; the map would panic.
        if let (Bound::Included(first), Bound::Excluded(end)) = (first, end)
            && first >= end
        {
            return Ok(Vec::new());
        }
        Ok(self.disk.read(self.shard, |volume| {
            volume.log.range((first, end)).map(|(_, entry)| entry.clone()).collect()
        }))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.disk.read(self.shard, |volume| volume.vote))
    }
}

impl RaftLogStorage<TypeConfig> for ShardLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        Ok(self.disk.read(self.shard, |volume| LogState {
            last_purged_log_id: volume.purged,
            last_log_id: volume.last(),
        }))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let number = self.disk.write(self.shard, Write::Vote(*vote));
        self.disk.until_synced(number).await;
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.disk.write(self.shard, Write::Committed(committed));
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.disk.read(self.shard, |volume| volume.committed))
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
        let number = self.disk.write(self.shard, Write::Append(entries.into_iter().collect()));
        self.disk.report(number, callback);
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let first = last.map_or(0, |last| last.index + 1);
        self.disk.write(self.shard, Write::Truncate(first));
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        self.disk.write(self.shard, Write::Purge(log_id));
        Ok(())
    }
}

/// The state machine of one shard on one node.
#[derive(Clone)]
pub(crate) struct ShardMachine {
    /// Which node.
    pub(crate) node: u64,
    /// Which shard.
    pub(crate) shard: ShardId,
    /// Where it is kept.
    pub(crate) disk: Arc<Disk>,
    /// Who watches what is applied.
    pub(crate) ledger: Arc<Ledger>,
}

impl RaftSnapshotBuilder<TypeConfig> for ShardMachine {
    type SnapshotData = Vec<u8>;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let machine = self.disk.read(self.shard, |volume| volume.machine.clone());
        let bytes = codec::encode(&machine).map_err(io::Error::other)?;
        let meta = SnapshotMeta {
            last_log_id: machine.applied,
            last_membership: machine.membership.clone(),
        };
        let number = self.disk.write(self.shard, Write::Snapshot(meta.clone(), bytes.clone()));
        self.disk.until_synced(number).await;
        Ok(Snapshot { meta, snapshot: bytes })
    }
}

impl RaftStateMachine<TypeConfig> for ShardMachine {
    type SnapshotData = Vec<u8>;
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok(self
            .disk
            .read(self.shard, |volume| (volume.machine.applied, volume.machine.membership.clone())))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            let applied = self.disk.apply(self.shard, entry.clone());
            self.ledger.applied(self.node, self.shard, &entry, &applied);
            if let Some(responder) = responder {
                responder.send(applied);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Vec<u8>,
    ) -> Result<(), io::Error> {
        let number = self.disk.write(self.shard, Write::Install(meta.clone(), snapshot));
        self.disk.until_synced(number).await;
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        Ok(self.disk.read(self.shard, |volume| {
            let snapshot = volume.snapshot.clone();
            snapshot.map(|(meta, snapshot)| Snapshot { meta, snapshot })
        }))
    }
}
