//! Sees to it that no node goes on with an older copy of its disk: a directory or the image of a
//! virtual machine that was put back. What such a node acknowledged since, it does not have: with it
//! a majority could form that lacks what was committed.
//!
//! Nodes remember how far each other's disks have come ([`DiskHistory`]), and show it with the first
//! words of every connection. Whoever finds that another's disk lacks what it remembers refuses that
//! node, which notes it for ever and ends. A node that starts asks all others before it votes or
//! takes an entry; it does not wait longer than [`PATIENCE`] for those who cannot be reached.
//!
//! What cannot be told: a copy of a running node's disk that is younger than the last word that any
//! node that can be reached heard of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::entropy::Entropy;
use countersign_storage::{DiskHistory, DiskMark, DiskMarks, NodeId, Store};
use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

use super::book::Book;
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::network::{Call, Peers};

/// How often the disk counts, if anything was written to it.
const COUNT: Duration = Duration::from_secs(1);
/// How long a node may take to be told.
const TELL: Duration = Duration::from_secs(1);
/// How long a node that starts waits for nodes that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it tries.
const LOOK: Duration = Duration::from_millis(50);

/// How far this node's disk and those of others have come. Clones are the same.
#[derive(Clone)]
pub(crate) struct Disks(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    own: Mutex<DiskHistory>,
    others: Mutex<DiskMarks>,
    refused_by: watch::Sender<Option<NodeId>>,
}

fn drawn() -> u64 {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    u64::from_be_bytes(entropy.bytes::<8>())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Service(format!("the disk's history: {error}"))
}

impl Disks {
    /// Begins a run over a disk: on disk when this returns.
    ///
    /// # Errors
    /// If another node has refused this disk, or it cannot be read or written.
    pub(crate) async fn begin(store: &Arc<Store>) -> Result<Self, Error> {
        if let Some(by) = store.disk_refused_by().map_err(failed)? {
            return Err(Error::OlderDisk { by });
        }
        let mut own = store.disk_history().map_err(failed)?;
        own.begin(drawn());
        store.set_disk_history(&own).await.map_err(failed)?;
        let others = Mutex::new(store.disk_marks().map_err(failed)?);
        let (store, own) = (Arc::clone(store), Mutex::new(own));
        let refused_by = watch::Sender::new(None);
        Ok(Self(Arc::new(Inner { store, own, others, refused_by })))
    }

    /// How far this disk has come.
    pub(crate) fn own(&self) -> DiskHistory {
        self.0.own.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a node's disk has all that is remembered of it. What it has is remembered then.
    pub(crate) fn is_sound(&self, node: NodeId, disk: &DiskHistory) -> bool {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::any_disk", |_| true);
        let mut others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        if others.get(&node).is_some_and(|seen| !disk.has(*seen)) {
            return false;
        }
        if let Some(mark) = disk.mark() {
            self.remember_in(&mut others, node, mark);
        }
        true
    }

    /// Remembers how far a node's disk has come, as it says in a run that was seen to be sound.
    pub(crate) fn remember(&self, node: NodeId, mark: DiskMark) {
        let mut others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = |seen: &DiskMark| seen.run == mark.run && seen.count < mark.count;
        if others.get(&node).is_some_and(newer) {
            self.remember_in(&mut others, node, mark);
        }
    }

    fn remember_in(&self, others: &mut BTreeMap<NodeId, DiskMark>, node: NodeId, mark: DiskMark) {
        if others.insert(node, mark) != Some(mark)
            && let Err(error) = self.0.store.set_disk_marks(others)
        {
            tracing::error!(%error, "how far other nodes' disks have come could not be saved");
        }
    }

    /// A member says that this disk is an older copy: noted for ever.
    pub(crate) fn refused_by(&self, node: NodeId) {
        if let Err(error) = self.0.store.set_disk_refused_by(node) {
            tracing::error!(%error, "that another node refused this disk could not be saved");
        }
        self.0.refused_by.send_replace(Some(node));
    }

    /// Returns who refused this disk, once somebody does.
    pub(crate) async fn refused(&self) -> NodeId {
        let mut refused = self.0.refused_by.subscribe();
        loop {
            if let Some(by) = *refused.borrow_and_update() {
                return by;
            }
            if refused.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Asks all others whether this disk is an older copy, then sets `checked`; never if it is.
    pub(crate) async fn check(self, peers: Peers, book: Book, checked: watch::Sender<bool>) {
        let begun = Instant::now();
        loop {
            let others = book.known();
            // With the first words on it, each connection asks.
            let asked = others.iter().map(|node| peers.is_reached(*node));
            let reached = timeout_at(begun + PATIENCE, join_all(asked)).await;
            if self.0.refused_by.borrow().is_some() {
                return;
            }
            let all = reached.is_ok_and(|reached| reached.iter().all(|reached| *reached));
            if all || begun.elapsed() >= PATIENCE {
                checked.send_replace(true);
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Counts while something is written, and tells the others, until dropped.
    pub(crate) async fn keep(self, peers: Peers, book: Book) {
        let mut every = interval(COUNT);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = 0;
        loop {
            every.tick().await;
            let written = self.0.store.statistics().synced_writes;
            if written == known {
                continue;
            }
            // Its own sync is one.
            known = written + 1;
            let counted = {
                let mut own = self.0.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
                own.count = own.count.saturating_add(1);
                own
            };
            if let Err(error) = self.0.store.set_disk_history(&counted).await {
                tracing::error!(%error, "this node's disk counter could not be saved; it will be tried again");
                continue;
            }
            let mark = counted.mark();
            // Others hear of it only now that it is on the disk.
            *self.0.own.lock().unwrap_or_else(PoisonError::into_inner) = counted;
            let Some(mark) = mark else { continue };
            let call = Call::RememberDisk(mark);
            join_all(book.others().into_iter().map(|node| peers.call(node, &call, TELL))).await;
        }
    }
}
