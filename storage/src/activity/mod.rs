//! What happened to each tenant's users over the last day, counted by time, in memory, from the
//! audit rows that this node applied. For people who watch over the service; no decision rests on
//! it.
//!
//! Each shard counts for itself, in the order of its chain, and knows through which row it has
//! counted. About once a minute, by the time that the rows tell, that is kept in one row of the
//! node's own, as part of the batch that applies the entries, so that a start has to read no more of
//! the chain than what came after. A login pays for none of this but an addition: no write of its
//! own, and nothing that replicas would have to agree on. What was kept is never believed beyond the
//! chain that is there.
//!
//! Memory is bounded. Where it does not suffice, or the chain that was not counted yet is long, less
//! than a day is known, and the answer says since when.

mod series;

use std::collections::BTreeMap;

use countersign_core::ids::{ShardId, TenantId};
use countersign_core::statistics::{Counted, Counts, Statistics, Window};
use countersign_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde::{Deserialize, Serialize};

use self::series::Series;
use crate::audit::{self, Chained};
use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::records::{self, ChainPoint};

/// Slots that a shard remembers at most, over all tenants.
const SLOTS_MAX: usize = 32_000;
/// Rows of a chain that are read at most to count what was not counted yet.
const READ_MAX: u64 = 100_000;
/// How often, by the time that the rows tell, what was counted is kept.
const KEPT_EVERY_MS: i64 = MINUTE_MS;

/// An audit row that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    tenant: TenantId,
    at: Timestamp,
    counted: Counted,
}

impl Tick {
    /// What a row counts as.
    pub(crate) fn of(row: &Chained) -> Option<Self> {
        let reason = row.reason.as_deref();
        let in_challenge = row.challenge_id.is_some();
        let counted = Counted::of(&row.event_type, row.outcome, reason, in_challenge)?;
        Some(Self { tenant: row.tenant.clone(), at: row.at, counted })
    }
}

/// What a shard has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The place in the chain through which it was counted.
    through: u64,
    /// The time of the last row that was counted.
    newest: Timestamp,
    /// From when on nothing is missing; the epoch if nothing ever was.
    since: Timestamp,
    tenants: BTreeMap<TenantId, Series>,
    /// As of which row it was kept last.
    #[serde(skip)]
    kept: ChainPoint,
}

impl Activity {
    /// What a shard has counted, read from what was kept and from the rows after that.
    pub(crate) fn load(
        database: &Database,
        shard: ShardId,
        head: &ChainPoint,
    ) -> Result<Self, StorageError> {
        let row = database.get(Family::Meta, &keys::single(shard, keys::meta::ACTIVITY))?;
        // What a later release kept is counted again: it all is in the chain.
        let kept = row.and_then(|bytes| records::decode("activity", shard, &bytes).ok());
        let mut activity: Self = kept.unwrap_or_default();
        activity.kept = ChainPoint { sequence: activity.through, at: activity.newest, ..*head };
        activity.catch_up(database, shard, head)?;
        Ok(activity)
    }

    /// Counts the rows up to `head` that were not counted yet: of the last day, and not more than
    /// [`READ_MAX`].
    pub(crate) fn catch_up(
        &mut self,
        database: &Database,
        shard: ShardId,
        head: &ChainPoint,
    ) -> Result<(), StorageError> {
        if head.sequence < self.through {
            *self = Self::default();
        }
        let day = audit::first_not_before(database, shard, head.at.plus_millis(-DAY_MS))?;
        let unread = (self.through + 1).max(day);
        let first = unread.max((head.sequence + 1).saturating_sub(READ_MAX));
        let mut first_at = None;
        audit::each(database, shard, first, head.sequence, |row| {
            first_at.get_or_insert(row.at);
            if let Some(tick) = Tick::of(row) {
                self.note(tick);
            }
        })?;
        if first > unread {
            self.since = self.since.max(first_at.unwrap_or(head.at));
        }
        self.counted_through(head);
        Ok(())
    }

    /// Counts a row.
    pub(crate) fn note(&mut self, tick: Tick) {
        let Tick { tenant, at, counted } = tick;
        self.newest = self.newest.max(at);
        self.tenants.entry(tenant).or_default().add(at, counted);
    }

    /// Everything up to `head` was noted.
    pub(crate) fn counted_through(&mut self, head: &ChainPoint) {
        self.through = head.sequence;
        self.newest = self.newest.max(head.at);
    }

    /// Puts what was counted into a batch, if it was not kept for a while; `anyway` if it is not
    /// kept at all yet.
    pub(crate) fn keep(
        &mut self,
        batch: &mut Batch<'_>,
        shard: ShardId,
        anyway: bool,
    ) -> Result<(), StorageError> {
        let grown = self.through > self.kept.sequence;
        let due = anyway || self.newest.millis_since(self.kept.at) >= KEPT_EVERY_MS;
        if !grown || !due {
            return Ok(());
        }
        self.make_room();
        let key = keys::single(shard, keys::meta::ACTIVITY);
        batch.put(Family::Meta, &key, &records::encode("activity", self)?)?;
        self.kept.sequence = self.through;
        self.kept.at = self.newest;
        Ok(())
    }

    /// Forgets what is older than a day, and if that is not enough, ever more of the day.
    fn make_room(&mut self) {
        let mut reach_ms = DAY_MS;
        loop {
            let newest = self.newest;
            self.tenants.retain(|_, series| {
                series.forget(newest, reach_ms);
                !series.is_empty()
            });
            let slots: usize = self.tenants.values().map(Series::slots).sum();
            if slots <= SLOTS_MAX || reach_ms <= MINUTE_MS {
                return;
            }
            reach_ms = if reach_ms > HOUR_MS { reach_ms - HOUR_MS } else { reach_ms / 2 };
            self.since = self.since.max(newest.plus_millis(-reach_ms));
        }
    }

    /// Adds what was counted of a tenant to a window's slots, the first of which is `first`.
    fn add_to(&self, tenant: &TenantId, window: Window, first: i64, slots: &mut [Counts]) {
        let Some(series) = self.tenants.get(tenant) else { return };
        for (slot, counts) in series.slots_of(window) {
            let place = usize::try_from(*slot - first).ok();
            if let Some(sum) = place.and_then(|place| slots.get_mut(place)) {
                sum.merge(counts);
            }
        }
    }
}

/// Adds up what the shards have counted of a tenant, for the window that ends at `now`.
pub(crate) fn sum<'a>(
    shards: impl IntoIterator<Item = &'a Activity>,
    tenant: &TenantId,
    window: Window,
    now: Timestamp,
) -> Statistics {
    let first = window.slot(now) - window.slots() + 1;
    let begin = window.begins(first);
    let mut counts = vec![Counts::default(); usize::try_from(window.slots()).unwrap_or(0)];
    let mut since = begin;
    for shard in shards {
        since = since.max(shard.since);
        shard.add_to(tenant, window, first, &mut counts);
    }
    let slots = (first..).map(|slot| window.begins(slot)).zip(counts).collect();
    Statistics { window, slots, counted_since: (since > begin).then_some(since) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::StoreOptions;

    const fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * MINUTE_MS)
    }

    fn tenant(number: u32) -> TenantId {
        format!("t{number}").parse().unwrap()
    }

    fn noted(activity: &mut Activity, tenant: TenantId, minutes: i64) {
        activity.note(Tick { tenant, at: at(minutes), counted: Counted::Verification });
    }

    fn verified(activity: &Activity, tenant: &TenantId, window: Window, now: i64) -> u32 {
        let sum = sum([activity], tenant, window, at(now));
        sum.slots.iter().map(|(_, counts)| counts.verifications).sum()
    }

    #[test]
    fn a_window_shows_its_own_time_and_tenant_only() {
        let mut activity = Activity::default();
        for minute in 0..=1_440 {
            noted(&mut activity, tenant(1), minute);
        }
        noted(&mut activity, tenant(2), 1_440);
        assert_eq!(verified(&activity, &tenant(1), Window::Hour, 1_440), 60);
        assert_eq!(verified(&activity, &tenant(1), Window::Day, 1_440), 1_440 - 15 + 1);
        assert_eq!(verified(&activity, &tenant(2), Window::Day, 1_440), 1);
        assert_eq!(verified(&activity, &tenant(3), Window::Day, 1_440), 0);
        // An hour later, nothing has happened since.
        assert_eq!(verified(&activity, &tenant(1), Window::Hour, 1_500), 0);
        assert_eq!(sum([&activity], &tenant(1), Window::Day, at(1_440)).counted_since, None);
    }

    #[test]
    fn what_was_kept_is_read_back_and_never_believed_beyond_the_chain() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::open(folder.path(), &StoreOptions::default()).unwrap();
        let shard = ShardId(3);
        let head = ChainPoint { sequence: 7, hash: [1; 32], at: at(5) };
        let mut activity = Activity::default();
        noted(&mut activity, tenant(1), 5);
        activity.counted_through(&head);
        let mut batch = database.batch();
        activity.keep(&mut batch, shard, true).unwrap();
        batch.write().unwrap();
        let read = Activity::load(&database, shard, &head).unwrap();
        assert_eq!(verified(&read, &tenant(1), Window::Hour, 5), 1);
        let shorter = ChainPoint { sequence: 6, ..head };
        let read = Activity::load(&database, shard, &shorter).unwrap();
        assert_eq!(verified(&read, &tenant(1), Window::Hour, 5), 0);
    }

    #[test]
    fn what_is_kept_has_the_bytes_of_the_past() {
        const GOLDEN: &str = "0107fd00f029402a030000000102743101fc8002750300000100000000000\
            1fc2a003b000000010000000000";
        let mut activity = Activity::default();
        noted(&mut activity, tenant(1), 29_000_000);
        activity.counted_through(&ChainPoint { sequence: 7, ..ChainPoint::default() });
        let bytes = records::encode("activity", &activity).unwrap();
        let text = data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(text, GOLDEN);
        let read: Activity = records::decode("activity", ShardId(0), &bytes).unwrap();
        assert_eq!(read, activity);
    }

    #[test]
    fn many_tenants_stay_within_the_bound_and_it_is_said_since_when_they_were_counted() {
        let mut activity = Activity::default();
        for minute in 0..1_440 {
            for number in 0..100 {
                noted(&mut activity, tenant(number), minute);
            }
            if minute % 30 == 0 {
                activity.make_room();
            }
        }
        activity.make_room();
        let slots: usize = activity.tenants.values().map(Series::slots).sum();
        assert!(slots <= SLOTS_MAX, "{slots}");
        // A hundred busy tenants fit.
        assert_eq!(activity.since, Timestamp::EPOCH);
        for number in 0..5_000 {
            noted(&mut activity, tenant(number), 1_440);
            for minute in 1_441..1_450 {
                noted(&mut activity, tenant(number), minute);
            }
        }
        activity.make_room();
        let slots: usize = activity.tenants.values().map(Series::slots).sum();
        assert!(slots <= SLOTS_MAX, "{slots}");
        let now = at(1_450);
        let since = sum([&activity], &tenant(1), Window::Hour, now).counted_since.unwrap();
        assert!(since > now.plus_millis(-HOUR_MS) && since <= now);
    }
}
