//! What was told lately, so that it is not told again at once.

use std::collections::HashMap;
use std::hash::Hash;

use countersign_core::alerts::REPEATED_AFTER_MS;
use countersign_core::ids::ShardId;
use countersign_core::time::Timestamp;

/// Alerts remembered at most.
const TOLD_MAX: usize = 10_000;

/// When something was told last of each thing, and by which shard.
pub(super) struct Told<K>(HashMap<K, (Timestamp, ShardId)>);

impl<K> Default for Told<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Told<K> {
    pub(super) fn note(&mut self, of: K, at: Timestamp, shard: ShardId) {
        if self.0.len() >= TOLD_MAX && !self.0.contains_key(&of) {
            self.make_room(at);
        }
        let last = self.0.entry(of).or_insert((at, shard));
        if last.0 <= at {
            *last = (at, shard);
        }
    }

    pub(super) fn forget(&mut self, shard: ShardId) {
        self.0.retain(|_, (_, source)| *source != shard);
    }

    pub(super) fn lately(&self, of: &K, now: Timestamp) -> bool {
        self.0.get(of).is_some_and(|(at, _)| is_recent(*at, now))
    }

    /// Drops what may be told again, and if that is not enough, the older half of the rest.
    fn make_room(&mut self, now: Timestamp) {
        self.0.retain(|_, (at, _)| is_recent(*at, now));
        if self.0.len() < TOLD_MAX {
            return;
        }
        let mut times: Vec<Timestamp> = self.0.values().map(|(at, _)| *at).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        self.0.retain(|_, (at, _)| *at > middle);
    }
}

const fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.millis_since(at) < REPEATED_AFTER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn what_was_told_is_known_for_an_hour() {
        let mut told = Told::default();
        told.note("one", at(0), ShardId(1));
        assert!(told.lately(&"one", at(REPEATED_AFTER_MS - 1)));
        assert!(!told.lately(&"one", at(REPEATED_AFTER_MS)));
        assert!(!told.lately(&"two", at(1)));
        told.forget(ShardId(1));
        assert!(!told.lately(&"one", at(1)));
    }

    #[test]
    fn what_was_told_stays_within_the_bound() {
        let mut told = Told::default();
        for number in 0..25_000 {
            told.note(number, at(number), ShardId(1));
            assert!(told.0.len() <= TOLD_MAX);
        }
        assert!(told.lately(&24_999, at(25_000)));
    }
}
