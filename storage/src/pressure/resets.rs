//! How often each API key reset somebody within an hour, by the minute.

use std::collections::{BTreeMap, HashMap};

use countersign_core::ids::{KeyId, ShardId};
use countersign_core::time::{HOUR_MS, MINUTE_MS, Timestamp};

/// Minutes that count.
const MINUTES: i64 = HOUR_MS / MINUTE_MS;
/// Minutes remembered at most, over all keys and shards.
const SLOTS_MAX: usize = 100_000;

/// Resets by key, minute and the shard that told.
#[derive(Default)]
pub(super) struct Resets {
    by_key: HashMap<KeyId, BTreeMap<(i64, ShardId), u32>>,
    /// Minutes in all of them.
    slots: usize,
}

impl Resets {
    pub(super) fn note(&mut self, key: KeyId, at: Timestamp, shard: ShardId) {
        if self.slots >= SLOTS_MAX {
            self.make_room(at);
        }
        let minutes = self.by_key.entry(key).or_default();
        let before = minutes.len();
        minutes.retain(|(minute, _), _| is_recent(*minute, at));
        let count = minutes.entry((minute(at), shard)).or_default();
        *count = count.saturating_add(1);
        self.slots = self.slots - before + minutes.len();
    }

    pub(super) fn forget(&mut self, shard: ShardId) {
        self.keep(|(_, source)| *source != shard);
    }

    pub(super) fn count(&self, key: KeyId, now: Timestamp) -> u32 {
        let Some(minutes) = self.by_key.get(&key) else { return 0 };
        let recent = minutes.iter().filter(|((minute, _), _)| is_recent(*minute, now));
        recent.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Drops what is too old to count, and if that is not enough, the quietest keys.
    fn make_room(&mut self, now: Timestamp) {
        self.keep(|(minute, _)| is_recent(*minute, now));
        let target = SLOTS_MAX / 8 * 7;
        let mut by_noise: Vec<_> = self
            .by_key
            .iter()
            .map(|(key, minutes)| (minutes.values().map(|count| u64::from(*count)).sum(), *key))
            .collect::<Vec<(u64, KeyId)>>();
        by_noise.sort_unstable();
        for (_, key) in by_noise {
            if self.slots <= target {
                return;
            }
            let removed = self.by_key.remove(&key);
            self.slots -= removed.map_or(0, |minutes| minutes.len());
        }
    }

    fn keep(&mut self, fits: impl Fn(&(i64, ShardId)) -> bool) {
        self.by_key.retain(|_, minutes| {
            minutes.retain(|slot, _| fits(slot));
            !minutes.is_empty()
        });
        self.slots = self.by_key.values().map(BTreeMap::len).sum();
    }
}

const fn minute(at: Timestamp) -> i64 {
    at.millis().div_euclid(MINUTE_MS)
}

const fn is_recent(slot: i64, now: Timestamp) -> bool {
    slot > minute(now) - MINUTES
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyId = KeyId::from_bytes([1; 16]);

    const fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * MINUTE_MS)
    }

    #[test]
    fn resets_count_for_an_hour_over_all_shards() {
        let mut resets = Resets::default();
        for number in 0..30 {
            resets.note(KEY, at(i64::from(number)), ShardId(number % 3));
        }
        assert_eq!(resets.count(KEY, at(30)), 30);
        assert_eq!(resets.count(KEY, at(69)), 20);
        assert_eq!(resets.count(KeyId::from_bytes([2; 16]), at(30)), 0);
        resets.forget(ShardId(0));
        assert_eq!(resets.count(KEY, at(30)), 20);
        assert_eq!(resets.slots, 20);
    }

    #[test]
    fn a_flood_of_keys_stays_within_the_bound_and_keeps_the_busy_one() {
        let mut resets = Resets::default();
        for _ in 0..500 {
            resets.note(KEY, at(0), ShardId(0));
        }
        for number in 0..250_000u32 {
            let mut bytes = [9; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            resets.note(KeyId::from_bytes(bytes), at(1), ShardId(0));
            assert!(resets.slots <= SLOTS_MAX);
        }
        assert_eq!(resets.count(KEY, at(2)), 500);
    }
}
