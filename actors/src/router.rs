//! Which actor answers for a row. Actors are made here, on demand, and retired here.
//!
//! A request takes a [`Seat`] under the lock, before it is sent, and keeps it until the actor is
//! done with it. An actor is retired only under the same lock and only while it has no seats:
//! then its mailbox is empty and nobody is about to fill it, so retiring loses no message.
//!
//! No lock is held across an `await`: nothing here is async.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::{ActorId, ActorRef, Message, SpawnErr};
use tokio::sync::OwnedSemaphorePermit;

use crate::metrics;

/// Why a request got no seat.
#[derive(Debug)]
pub(crate) enum NoSeat {
    /// Too many wait for this row.
    RowFull,
    /// The shard's actors were dropped.
    Closed,
    /// The actor could not be made.
    Spawn(SpawnErr),
}

/// The actors of one kind of row.
pub(crate) struct Router<K, M: Message> {
    table: Mutex<Table<K, M>>,
    cached: usize,
    pending: usize,
}

struct Table<K, M: Message> {
    entries: HashMap<K, Entry<M>>,
    keys: HashMap<ActorId, K>,
    /// Counts requests; the least recently used entry has the smallest.
    clock: u64,
    /// Counts sweeps.
    sweep: u64,
    closed: bool,
}

struct Entry<M: Message> {
    actor: ActorRef<M>,
    seats: Arc<AtomicUsize>,
    used: u64,
    used_in_sweep: u64,
}

/// A place among those who wait in a shard, shared by a request and the message that it sends;
/// given back when both are done with.
pub(crate) type Place = Arc<OwnedSemaphorePermit>;

/// A place among those who wait for a row, given back when dropped. It travels with the message.
pub(crate) struct Seat {
    seats: Arc<AtomicUsize>,
    _shard: Place,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.fetch_sub(1, Ordering::AcqRel);
        metrics::mailbox_changed(-1.0);
    }
}

impl<K: Clone + Eq + Hash, M: Message> Router<K, M> {
    /// A router that keeps about `cached` unoccupied actors and lets `pending` requests wait for
    /// one.
    pub(crate) fn new(cached: usize, pending: usize) -> Self {
        let table = Table {
            entries: HashMap::new(),
            keys: HashMap::new(),
            clock: 0,
            sweep: 0,
            closed: false,
        };
        Self { table: Mutex::new(table), cached: cached.max(1), pending: pending.max(1) }
    }

    /// The actor of `key`, made by `spawn` if there is none, and a seat with it.
    pub(crate) fn enter(
        &self,
        key: &K,
        shard: Place,
        spawn: impl FnOnce() -> Result<ActorRef<M>, SpawnErr>,
    ) -> Result<(ActorRef<M>, Seat), NoSeat> {
        let mut retired = Vec::new();
        let entered = {
            let mut table = self.lock();
            if table.closed {
                return Err(NoSeat::Closed);
            }
            if !table.entries.contains_key(key) {
                if table.entries.len() >= self.cached {
                    retired = table.take_least_used(self.cached);
                }
                table.insert(key.clone(), spawn().map_err(NoSeat::Spawn)?);
            }
            table.seat(key, self.pending, shard)
        };
        drain(retired);
        entered.ok_or(NoSeat::RowFull)
    }

    /// Takes an actor that ended out of the table. The next request makes a new one.
    pub(crate) fn forget(&self, actor: ActorId) {
        let mut table = self.lock();
        if let Some(key) = table.keys.get(&actor).cloned() {
            table.remove(&key);
        }
    }

    /// Retires the actors of which nothing was asked in the last `sweeps` calls of this.
    pub(crate) fn sweep(&self, sweeps: u64) {
        let retired = {
            let mut table = self.lock();
            table.sweep += 1;
            let before = table.sweep.saturating_sub(sweeps);
            table.take_unoccupied(|entry| entry.used_in_sweep < before)
        };
        drain(retired);
    }

    /// Ends all actors now, whatever they are at, and makes no more. Whoever waits for one loses
    /// the other end.
    pub(crate) fn close(&self) {
        let actors: Vec<_> = {
            let mut table = self.lock();
            table.closed = true;
            table.keys.clear();
            table.entries.drain().map(|(_, entry)| entry.actor).collect()
        };
        metrics::actors_changed(-(actors.len() as f64));
        // Their supervisor takes them along when it ends, but that is when it gets to run.
        for actor in actors {
            actor.kill();
        }
    }

    /// Whether [`Router::close`] was called.
    pub(crate) fn closed(&self) -> bool {
        self.lock().closed
    }

    /// How many actors there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table<K, M>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, M: Message> Table<K, M> {
    fn insert(&mut self, key: K, actor: ActorRef<M>) {
        self.keys.insert(actor.get_id(), key.clone());
        let entry = Entry { actor, seats: Arc::default(), used: 0, used_in_sweep: 0 };
        self.entries.insert(key, entry);
        metrics::actors_changed(1.0);
    }

    fn remove(&mut self, key: &K) -> Option<ActorRef<M>> {
        let entry = self.entries.remove(key)?;
        self.keys.remove(&entry.actor.get_id());
        metrics::actors_changed(-1.0);
        Some(entry.actor)
    }

    fn seat(&mut self, key: &K, pending: usize, shard: Place) -> Option<(ActorRef<M>, Seat)> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        // Seats are taken under the lock alone, so the bound is exact; they are given back without.
        if entry.seats.load(Ordering::Acquire) >= pending {
            return None;
        }
        entry.seats.fetch_add(1, Ordering::AcqRel);
        entry.used = self.clock;
        entry.used_in_sweep = self.sweep;
        metrics::mailbox_changed(1.0);
        Some((entry.actor.clone(), Seat { seats: Arc::clone(&entry.seats), _shard: shard }))
    }

    /// Takes unoccupied actors out, the least recently used first: so many that the table falls a
    /// sixteenth below its bound, so that the search is paid for by the requests between two.
    fn take_least_used(&mut self, cached: usize) -> Vec<ActorRef<M>> {
        let mut used: Vec<u64> =
            self.entries.values().filter(|entry| entry.unoccupied()).map(|e| e.used).collect();
        let surplus = self.entries.len() + 1 + cached / 16 - cached;
        if used.is_empty() {
            return Vec::new();
        }
        let last = surplus.min(used.len()) - 1;
        let (_, limit, _) = used.select_nth_unstable(last);
        let limit = *limit;
        self.take_unoccupied(|entry| entry.used <= limit)
    }

    fn take_unoccupied(&mut self, fits: impl Fn(&Entry<M>) -> bool) -> Vec<ActorRef<M>> {
        let keys: Vec<K> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.unoccupied() && fits(entry))
            .map(|(key, _)| key.clone())
            .collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }
}

impl<M: Message> Entry<M> {
    fn unoccupied(&self) -> bool {
        self.seats.load(Ordering::Acquire) == 0
    }
}

fn drain<M: Message>(actors: Vec<ActorRef<M>>) {
    for actor in actors {
        // An error says that it has ended already.
        let _ = actor.drain();
    }
}
