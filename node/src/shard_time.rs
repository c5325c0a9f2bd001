//! The time of each shard, by which lifetimes are counted: challenges, codes, locks, kept answers.
//!
//! It never goes back, so that nothing that has ended is open again. It is the node's clock, but not
//! earlier than what the shard has applied, **moved on by elapsed time since this node applied
//! it**. So a shard whose time once ran ahead does not stand still until real time has caught up:
//! what is made in it lives exactly as long as it should.
//!
//! It goes back in one case: an operator sets it right, see [`countersign_core::set_time`].
//!
//! Every node keeps this for every shard, for it may have to lead it next. After a restart nothing is
//! known of what elapsed; then the last commit tells how far the shard's time was ahead of real time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_actors::ports::Clock;
use countersign_core::ids::ShardId;
use countersign_core::time::Timestamp;
use countersign_storage::{AppliedTime, Store};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::{NodeClock, TOLERANCE_MS, millis};

/// How often the shards are looked at. What was applied is noted that much late at most, and a
/// shard's time is behind by as much.
const LOOK: Duration = Duration::from_millis(250);

/// The shards' times, as this node knows them. Clones are the same.
#[derive(Clone)]
pub(crate) struct ShardTimes(Arc<Inner>);

struct Inner {
    clock: NodeClock,
    store: Arc<Store>,
    noted: BTreeMap<ShardId, Mutex<Option<Noted>>>,
}

/// A shard's time at a moment of this node's elapsed time.
#[derive(Clone, Copy)]
struct Noted {
    /// The entry that had set the time back last.
    set_at: u64,
    time: Timestamp,
    at: Duration,
}

impl ShardTimes {
    /// Nothing noted yet.
    pub(crate) fn new(clock: NodeClock, store: Arc<Store>, shards: u16) -> Self {
        let noted = (0..shards).map(|shard| (ShardId(shard), Mutex::default())).collect();
        Self(Arc::new(Inner { clock, store, noted }))
    }

    /// The earliest time that a decision in the shard may be stamped with.
    pub(crate) fn earliest(&self, shard: ShardId) -> Timestamp {
        let rows = self.0.store.rows(shard);
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::shard_time_stands", |_| rows.last_now());
        let Some(place) = self.0.noted.get(&shard) else { return rows.last_now() };
        let mut noted = place.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that an older reading never follows a newer one.
        let AppliedTime { last: applied, ahead_ms, set_at } = rows.time();
        let at = self.0.clock.elapsed();
        let time = match *noted {
            // An operator set it back.
            Some(noted) if noted.set_at < set_at => applied,
            Some(noted) => {
                let elapsed = millis(at.saturating_sub(noted.at));
                noted.time.plus_millis(elapsed).max(applied)
            }
            None => {
                // Before the clock was compared with others nothing is stamped, and nothing noted.
                let Some(real) = self.0.clock.agreed() else { return applied };
                // Less the tolerance: the clocks of two leaders differ a little, and that must not
                // add up from restart to restart.
                let known_ahead_ms = ahead_ms.saturating_sub(TOLERANCE_MS);
                match known_ahead_ms > 0 {
                    true => applied.max(real.plus_millis(known_ahead_ms)),
                    false => applied,
                }
            }
        };
        *noted = Some(Noted { set_at, time, at });
        time
    }

    /// The node's clock.
    pub(crate) fn clock(&self) -> &NodeClock {
        &self.0.clock
    }

    /// How far the shard's time is ahead of real time, in milliseconds; at least 0.
    pub(crate) fn ahead_ms(&self, shard: ShardId) -> i64 {
        self.earliest(shard).millis_since(self.0.clock.now()).max(0)
    }

    /// Notes what is applied, until dropped.
    pub(crate) async fn keep(self) {
        let mut every = interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            for shard in self.0.noted.keys() {
                self.earliest(*shard);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::proposal::{Change, LogCommand, Proposal, TimeSetting};
    use countersign_storage::{Entry, StoreOptions, TypeConfig};
    use openraft::type_config::alias::CommittedLeaderIdOf;
    use openraft::vote::RaftLeaderId;
    use openraft::{EntryPayload, LogId};

    use super::*;
    use crate::clock::tests::SetClock;

    const SHARD: ShardId = ShardId(0);
    const HOUR_MS: i64 = 3_600_000;
    const START: i64 = 1_000 * HOUR_MS;

    /// Applies a change that a leader stamped.
    fn apply(store: &Arc<Store>, index: u64, now: i64, clock: i64) {
        let proposal = Proposal {
            change: Change::System { events: Vec::new() },
            expected_version: index - 1,
            now: Timestamp::from_millis(now),
            clock: Timestamp::from_millis(clock),
            audit: Vec::new(),
            answer: None,
        };
        apply_command(store, index, LogCommand::Propose(Box::new(proposal)));
    }

    fn apply_command(store: &Arc<Store>, index: u64, command: LogCommand) {
        let entry = Entry {
            log_id: LogId::new(CommittedLeaderIdOf::<TypeConfig>::new(1, 1), index),
            payload: EntryPayload::Normal(command),
        };
        store.machine(SHARD).unwrap().apply_entries(&[entry]).unwrap();
    }

    fn times(system: &Arc<SetClock>, store: &Arc<Store>) -> ShardTimes {
        let clock = NodeClock::new(Arc::clone(system) as Arc<_>);
        clock.is_alone();
        ShardTimes::new(clock, Arc::clone(store), 1)
    }

    #[test]
    fn time_that_ran_ahead_goes_on_by_elapsed_time_and_never_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let system = SetClock::at(START);
        let times = times(&system, &store);
        apply(&store, 1, START, START);
        assert_eq!(times.earliest(SHARD).millis(), START);
        // Another leader's clock is six hours ahead.
        apply(&store, 2, START + 6 * HOUR_MS, START + 6 * HOUR_MS);
        assert_eq!(times.earliest(SHARD).millis(), START + 6 * HOUR_MS);
        system.pass(300_000);
        assert_eq!(times.earliest(SHARD).millis(), START + 6 * HOUR_MS + 300_000);
        assert_eq!(times.ahead_ms(SHARD), 6 * HOUR_MS);
        // A jump of the wall clock does not change it.
        system.jump(-HOUR_MS);
        system.pass(1_000);
        assert_eq!(times.earliest(SHARD).millis(), START + 6 * HOUR_MS + 301_000);
        // A later stamp moves it on, an earlier one does not move it back.
        apply(&store, 3, START + 7 * HOUR_MS, START);
        assert_eq!(times.earliest(SHARD).millis(), START + 7 * HOUR_MS);
        apply(&store, 4, START, START);
        assert_eq!(times.earliest(SHARD).millis(), START + 7 * HOUR_MS);
    }

    #[test]
    fn time_that_an_operator_sets_goes_back_in_a_shard_that_was_idle_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let system = SetClock::at(START);
        let times = times(&system, &store);
        apply(&store, 1, START + 6 * HOUR_MS, START);
        assert_eq!(times.earliest(SHARD).millis(), START + 6 * HOUR_MS);
        system.pass(7 * 3_600_000);
        let (from, to) = (times.earliest(SHARD), system.now());
        assert_eq!(from.millis_since(to), 6 * HOUR_MS);
        let setting = TimeSetting { from, to, by: None };
        apply_command(&store, 2, LogCommand::SetTime(Box::new(setting)));
        assert_eq!(times.earliest(SHARD), to);
        system.pass(1_000);
        assert_eq!(times.earliest(SHARD), to.plus_millis(1_000));
    }

    #[test]
    fn a_node_that_starts_again_knows_how_far_a_shard_is_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        // Stamped by a leader whose own clock is right again.
        apply(&store, 1, START + 6 * HOUR_MS, START);
        // It starts three hours later.
        let system = SetClock::at(START + 3 * HOUR_MS);
        let time = times(&system, &store).earliest(SHARD).millis();
        assert_eq!(time, START + 9 * HOUR_MS - TOLERANCE_MS);
    }

    #[test]
    fn what_two_right_clocks_differ_by_does_not_add_up_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let mut now = START;
        for round in 0..20_u64 {
            // The leaders' clocks are three seconds ahead and right, by turns; each has just started.
            let clock = START + if round % 2 == 0 { 3_000 } else { 0 };
            let system = SetClock::at(clock);
            now = times(&system, &store).earliest(SHARD).millis().max(clock);
            apply(&store, round + 1, now, clock);
        }
        assert_eq!(now, START + 3_000);
    }
}
