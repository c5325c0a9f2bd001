//! Time. The only file that reads the system's clocks: everything else is told the time, so that
//! tests can tell another.
//!
//! The system's wall clock may be wrong, and may jump. So a node of a cluster never takes its time
//! from its own wall clock alone. It compares it with the other voters' (see
//! [`crate::cluster::liveness`]), and what a decision is stamped with is the time that a majority
//! agreed to last, moved on by elapsed time. A wall clock that jumps changes nothing until a
//! majority of clocks says the same. A node that is alone has nobody to ask and takes its own.
//!
//! Elapsed time is counted by `CLOCK_BOOTTIME`, which goes on while a machine is suspended. Leases
//! and the question whether this node's knowledge is current rest on it too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use countersign_actors::ports::Clock;
use countersign_core::time::{SECOND_MS, Timestamp};
use countersign_storage::NodeId;
use openraft::LinearizerOption;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::raft::LEASE;

/// Clocks that differ by more than this do not agree. Machines that keep their time by NTP differ
/// by milliseconds.
pub(crate) const TOLERANCE_MS: i64 = 5 * SECOND_MS;

/// A suspension that is shorter goes unnoticed. Far below any lease.
const SUSPENSION: Duration = Duration::from_millis(50);

/// What a node reads of its system.
pub trait SystemClock: Clock {
    /// Time that has passed since some moment, suspension included. Never goes back.
    fn elapsed(&self) -> Duration;
}

/// The system's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is as good as none: the epoch, from where every shard's own last
        // time takes over.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl SystemClock for WallClock {
    fn elapsed(&self) -> Duration {
        let at = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(at.tv_nsec).unwrap_or(0))
    }
}

/// What a node knows of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It has not been compared with enough others since the node started.
    Unknown,
    /// A majority of the voters has the same time.
    Agreed,
    /// It is off: ahead by so many milliseconds, or behind if negative.
    Off {
        /// By how much.
        ahead_ms: i64,
    },
}

impl Trust {
    /// Why a node must not lead; `None` if it may.
    pub(crate) fn complaint(self) -> Option<String> {
        match self {
            Self::Agreed => None,
            Self::Unknown => {
                Some("this node's clock has not been compared with a majority's yet".to_owned())
            }
            Self::Off { ahead_ms } => {
                let seconds = ahead_ms.unsigned_abs().div_ceil(1_000);
                let side = if ahead_ms > 0 { "ahead of" } else { "behind" };
                Some(format!(
                    "this node's clock is {seconds} s {side} the majority's; set it right"
                ))
            }
        }
    }
}

/// What another node said of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerClock {
    /// What its wall clock showed.
    pub(crate) wall: Timestamp,
    /// The time that it had agreed to with a majority; `None` before it had.
    pub(crate) agreed: Option<Timestamp>,
    /// When that was, by this node's elapsed time.
    pub(crate) at: Duration,
}

impl PeerClock {
    /// How far its wall clock is ahead of `wall` at `elapsed`, in milliseconds.
    fn wall_ahead_ms(&self, wall: Timestamp, elapsed: Duration) -> i64 {
        moved_on((self.wall, self.at), elapsed).millis_since(wall)
    }

    /// The same of what it had agreed to, if it had.
    fn agreed_ahead_ms(&self, wall: Timestamp, elapsed: Duration) -> Option<i64> {
        self.agreed.map(|agreed| moved_on((agreed, self.at), elapsed).millis_since(wall))
    }

    fn agrees(&self, wall: Timestamp, elapsed: Duration) -> bool {
        let near = |ahead_ms: i64| ahead_ms.abs() <= TOLERANCE_MS;
        near(self.wall_ahead_ms(wall, elapsed))
            || self.agreed_ahead_ms(wall, elapsed).is_some_and(near)
    }
}

/// A node's time. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct NodeClock(Arc<Inner>);

struct Inner {
    system: Arc<dyn SystemClock>,
    state: Mutex<State>,
    /// By elapsed time, and by the clock that stands while the machine is suspended.
    begun: (Duration, Instant),
    suspended: Mutex<Suspended>,
}

/// What is known of the machine's suspensions since the node started.
#[derive(Clone, Copy, Default)]
struct Suspended {
    total: Duration,
    noticed: Option<Instant>,
}

#[derive(Clone, Copy)]
struct State {
    trust: Trust,
    /// Nobody else votes: the wall clock is all there is.
    alone: bool,
    /// What a majority agreed to last, and when by elapsed time.
    agreed: Option<(Timestamp, Duration)>,
}

impl NodeClock {
    /// Over the system's clocks, not compared with anybody's yet.
    pub(crate) fn new(system: Arc<dyn SystemClock>) -> Self {
        let state = State { trust: Trust::Unknown, alone: false, agreed: None };
        let state = Mutex::new(state);
        let begun = (system.elapsed(), Instant::now());
        Self(Arc::new(Inner { system, state, begun, suspended: Mutex::default() }))
    }

    /// Nobody else votes: until others do, the wall clock is all there is.
    pub(crate) fn is_alone(&self) {
        let mut state = self.state();
        state.alone = true;
        state.trust = Trust::Agreed;
    }

    /// How a leader may confirm that it leads: by its lease, which it counts by a clock that stands
    /// while the machine is suspended. So after a suspension a quorum is asked.
    pub(crate) fn lease(&self) -> LinearizerOption {
        let age = self.was_suspended_within(LEASE).then_some(Duration::ZERO);
        LinearizerOption::new(age, true)
    }

    /// Whether it was noticed within `time` that the machine had been suspended. Looks at each
    /// call, so that whoever asks first after a suspension learns of it. What rests on a clock that
    /// stood still meanwhile, as a leader's lease does, must not be trusted then.
    pub(crate) fn was_suspended_within(&self, time: Duration) -> bool {
        // In this order: a process that is stopped in between takes that for a suspension, never
        // the other way round.
        let awake = self.0.begun.1.elapsed();
        let total = self.elapsed().saturating_sub(self.0.begun.0).saturating_sub(awake);
        let mut known = self.0.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        if total > known.total + SUSPENSION {
            *known = Suspended { total, noticed: Some(Instant::now()) };
        }
        known.noticed.is_some_and(|noticed| noticed.elapsed() < time)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The system's wall clock, right or wrong.
    pub(crate) fn wall(&self) -> Timestamp {
        self.0.system.now()
    }

    /// Elapsed time, suspension included.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.system.elapsed()
    }

    /// The time that a majority agreed to last, moved on by elapsed time.
    pub(crate) fn agreed(&self) -> Option<Timestamp> {
        let state = *self.state();
        if state.alone {
            return Some(self.wall());
        }
        state.agreed.map(|agreed| moved_on(agreed, self.elapsed()))
    }

    /// What is known of this clock.
    pub(crate) fn trust(&self) -> Trust {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::trust_own_clock", |_| Trust::Agreed);
        self.state().trust
    }

    /// How far a peer's wall clock is ahead of this one, in milliseconds.
    pub(crate) fn ahead_ms(&self, peer: &PeerClock) -> i64 {
        peer.wall_ahead_ms(self.wall(), self.elapsed())
    }

    /// Whether decisions may be stamped with this clock: not before it was compared with a
    /// majority's.
    pub(crate) fn may_stamp(&self) -> bool {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::trust_own_clock", |_| true);
        self.agreed().is_some()
    }

    /// Compares the wall clock with the other voters'. `voters` counts this node; `peers` has those
    /// that answered lately. Returns what is known now, and what was known before.
    ///
    /// A node agrees with itself and with whoever has its time, by the wall or by what was agreed
    /// there. If that is a majority, the wall clock is taken. If a majority says otherwise, it is
    /// off. In between (some do not answer) a clock that was right and has not jumped since stays
    /// trusted: two nodes of three must go on if the third is down and one of them goes wrong.
    pub(crate) fn compare(
        &self,
        voters: usize,
        peers: &BTreeMap<NodeId, PeerClock>,
    ) -> (Trust, Trust) {
        let (wall, elapsed) = (self.wall(), self.elapsed());
        let mut state = self.state();
        let majority = voters / 2 + 1;
        let agree = 1 + peers.values().filter(|peer| peer.agrees(wall, elapsed)).count();
        let differ = peers.len() + 1 - agree;
        let was = state.trust;
        // Since it was right last. The elapsed clock says what the wall clock must show now.
        let jumped = state.agreed.map(|agreed| wall.millis_since(moved_on(agreed, elapsed)));
        state.alone = voters <= 1;
        state.trust = if agree >= majority {
            state.agreed = Some((wall, elapsed));
            Trust::Agreed
        } else if differ >= majority {
            Trust::Off { ahead_ms: ahead_of_most(peers, wall, elapsed) }
        } else {
            match jumped {
                Some(ahead_ms) if ahead_ms.abs() > TOLERANCE_MS => Trust::Off { ahead_ms },
                Some(_) => Trust::Agreed,
                None => Trust::Unknown,
            }
        };
        (state.trust, was)
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::trust_own_clock", |_| self.wall());
        self.agreed().unwrap_or_else(|| self.wall())
    }
}

fn moved_on((at, since): (Timestamp, Duration), elapsed: Duration) -> Timestamp {
    at.plus_millis(millis(elapsed.saturating_sub(since)))
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// How far this node's wall clock is ahead of the one in the middle of the others'.
fn ahead_of_most(peers: &BTreeMap<NodeId, PeerClock>, wall: Timestamp, elapsed: Duration) -> i64 {
    let ahead = |peer: &PeerClock| {
        let agreed = peer.agreed_ahead_ms(wall, elapsed);
        agreed.unwrap_or_else(|| peer.wall_ahead_ms(wall, elapsed))
    };
    let mut others: Vec<i64> = peers.values().map(ahead).collect();
    others.sort_unstable();
    others.get(others.len() / 2).map_or(0, |ahead_ms| ahead_ms.saturating_neg())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// Clocks that a test sets.
    #[derive(Default)]
    pub(crate) struct SetClock {
        wall_ms: AtomicI64,
        elapsed_ms: AtomicU64,
    }

    impl SetClock {
        pub(crate) fn at(wall_ms: i64) -> Arc<Self> {
            let clock = Self::default();
            clock.wall_ms.store(wall_ms, Ordering::SeqCst);
            Arc::new(clock)
        }

        /// So much time passes by both clocks.
        pub(crate) fn pass(&self, ms: u64) {
            self.elapsed_ms.fetch_add(ms, Ordering::SeqCst);
            self.jump(i64::try_from(ms).unwrap());
        }

        /// The wall clock is set.
        pub(crate) fn jump(&self, ms: i64) {
            self.wall_ms.fetch_add(ms, Ordering::SeqCst);
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.wall_ms.load(Ordering::SeqCst))
        }
    }

    impl SystemClock for SetClock {
        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
        }
    }

    /// What a peer says whose wall clock shows `wall_ms`.
    fn says(system: &SetClock, wall_ms: i64, agreed_ms: Option<i64>) -> PeerClock {
        PeerClock {
            wall: Timestamp::from_millis(wall_ms),
            agreed: agreed_ms.map(Timestamp::from_millis),
            at: system.elapsed(),
        }
    }

    fn peers<const N: usize>(clocks: [PeerClock; N]) -> BTreeMap<NodeId, PeerClock> {
        (2..).zip(clocks).collect()
    }

    /// Two others whose wall clocks show `wall_ms`.
    fn two(system: &SetClock, wall_ms: i64) -> BTreeMap<NodeId, PeerClock> {
        peers([says(system, wall_ms, None), says(system, wall_ms + 20, None)])
    }

    #[test]
    fn the_clock_shows_the_present_and_does_not_stand() {
        let first = WallClock.now();
        // 2025-01-01T00:00:00Z.
        assert!(first.millis() > 1_735_689_600_000);
        while WallClock.now() == first {
            std::hint::spin_loop();
        }
        let first = WallClock.elapsed();
        while WallClock.elapsed() == first {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_clock_that_jumps_is_off_and_its_jump_is_not_taken() {
        const START: i64 = HOUR_MS * 100;
        for jump in [6 * HOUR_MS, -6 * HOUR_MS] {
            let system = SetClock::at(START);
            let clock = NodeClock::new(system.clone());
            let before = two(&system, START);
            assert_eq!(clock.compare(3, &before).0, Trust::Agreed);
            system.jump(jump);
            system.pass(1_000);
            assert_eq!(clock.now().millis(), START + 1_000, "before anybody was asked");
            // What was heard before the jump does not agree to it.
            assert_ne!(clock.compare(3, &before).0, Trust::Agreed);
            let off = clock.compare(3, &two(&system, START + 1_000)).0;
            assert!(matches!(off, Trust::Off { ahead_ms } if (ahead_ms - jump).abs() < 100));
            system.pass(60_000);
            assert_eq!(clock.now().millis(), START + 61_000);
            system.jump(-jump);
            let right = two(&system, START + 61_000);
            assert_eq!(clock.compare(3, &right).0, Trust::Agreed);
            assert_eq!(clock.now().millis(), START + 61_000);
        }
    }

    #[test]
    fn a_node_that_starts_with_a_wrong_clock_stamps_nothing() {
        const RIGHT: i64 = HOUR_MS * 100;
        let system = SetClock::at(RIGHT + 6 * HOUR_MS);
        let clock = NodeClock::new(system.clone());
        assert!(!clock.may_stamp(), "before anybody was asked");
        let off = clock.compare(3, &two(&system, RIGHT)).0;
        assert!(matches!(off, Trust::Off { ahead_ms } if ahead_ms > 5 * HOUR_MS), "{off:?}");
        assert!(!clock.may_stamp());
        // One of the others is down: nobody can say who is right.
        let one = peers([says(&system, RIGHT, None)]);
        assert_eq!(clock.compare(3, &one).0, Trust::Unknown);
        assert!(!clock.may_stamp());
        system.jump(-6 * HOUR_MS);
        assert_eq!(clock.compare(3, &one).0, Trust::Agreed);
        assert!(clock.may_stamp());
    }

    #[test]
    fn of_two_that_are_left_the_one_that_jumped_is_off_and_the_other_goes_on() {
        const START: i64 = HOUR_MS * 100;
        const WRONG: i64 = START + 6 * HOUR_MS;
        let (right, wrong) = (SetClock::at(START), SetClock::at(START));
        let one = NodeClock::new(right.clone());
        let other = NodeClock::new(wrong.clone());
        one.compare(3, &two(&right, START));
        other.compare(3, &two(&wrong, START));
        wrong.jump(6 * HOUR_MS);
        // Its wall clock is off; what it had agreed to is not, and bears the other out.
        let told = peers([says(&right, WRONG, Some(START))]);
        assert_eq!(one.compare(3, &told).0, Trust::Agreed);
        let seen = peers([says(&wrong, START, Some(START))]);
        assert_eq!(other.compare(3, &seen).0, Trust::Off { ahead_ms: 6 * HOUR_MS });
        // It starts again and knows nothing: the other was right, and has not jumped.
        let told = peers([says(&right, WRONG, None)]);
        assert_eq!(one.compare(3, &told).0, Trust::Agreed);
    }

    #[test]
    fn clocks_that_are_all_set_right_agree_again() {
        const WRONG: i64 = HOUR_MS * 106;
        let system = SetClock::at(WRONG);
        let clock = NodeClock::new(system.clone());
        assert_eq!(clock.compare(3, &two(&system, WRONG)).0, Trust::Agreed);
        system.jump(-6 * HOUR_MS);
        let right = HOUR_MS * 100;
        let said = says(&system, right, Some(WRONG));
        assert_eq!(clock.compare(3, &peers([said, said])).0, Trust::Agreed);
        assert_eq!(clock.now().millis(), right);
    }

    #[test]
    fn a_suspension_is_noticed_by_whoever_asks_first_and_for_a_while() {
        let system = SetClock::at(HOUR_MS);
        let clock = NodeClock::new(system.clone());
        clock.is_alone();
        let lease = Duration::from_secs(600);
        assert!(!clock.was_suspended_within(lease));
        // Elapsed time goes on while the clock that leases are counted by stands.
        system.pass(2_000);
        assert!(clock.was_suspended_within(lease));
        assert!(!clock.was_suspended_within(Duration::ZERO), "it is over by then");
    }

    #[test]
    fn a_node_that_is_alone_takes_its_own_clock() {
        let system = SetClock::at(HOUR_MS);
        let clock = NodeClock::new(system.clone());
        clock.is_alone();
        assert!(clock.may_stamp());
        assert_eq!(clock.compare(1, &BTreeMap::new()).0, Trust::Agreed);
        system.jump(HOUR_MS);
        assert_eq!(clock.now().millis(), 2 * HOUR_MS);
    }
}
