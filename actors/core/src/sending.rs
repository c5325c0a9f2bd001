//! How much may be sent where, so that nobody burns money through us: what a tenant allows beyond
//! the limits of one user, and the counts by destination, by prefix and by tenant that decisions
//! rest on.
//!
//! The counts are rows of replicated state, one set a shard. A decision adds up all shards as its
//! node has applied them: what is just on its way in another shard is not in the sum, so a limit
//! may be passed by as much as that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::FactorId;
use crate::message::Channel;
use crate::phone::PhoneNumber;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// What a tenant allows over all its users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendGuards {
    /// Messages to one number or address a day, 1–10 000.
    pub per_destination_per_day: u32,
    /// Text messages to one prefix (country and operator) an hour, 1–1 000 000.
    pub per_prefix_per_hour: u32,
    /// Messages of the tenant a day, each channel by itself, 1–100 000 000.
    pub per_tenant_per_day: u32,
    /// Countries (ISO 3166-1 alpha-2), or the calling codes of several (`+44`), to which text messages
    /// go; empty for all.
    pub allowed_countries: BTreeSet<String>,
    /// Countries to which none go, even if they are allowed.
    pub blocked_countries: BTreeSet<String>,
    /// When sending to a prefix stops because hardly anybody uses what is sent there.
    pub conversion: ConversionGuard,
}

/// Stops sending to a prefix while far more is sent there than verified: messages that nobody asked
/// for, to numbers that earn from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionGuard {
    /// Whether it stops anything.
    pub enabled: bool,
    /// Messages that were sent from an hour to ten minutes ago before it judges, 1–1 000 000.
    pub min_sends: u32,
    /// The least part of them, in percent, that must have led to a verification, 1–100.
    pub min_percent: u32,
}

impl Default for SendGuards {
    fn default() -> Self {
        Self {
            per_destination_per_day: 20,
            per_prefix_per_hour: 300,
            per_tenant_per_day: 10_000,
            allowed_countries: BTreeSet::new(),
            blocked_countries: BTreeSet::new(),
            conversion: ConversionGuard { enabled: true, min_sends: 30, min_percent: 20 },
        }
    }
}

impl SendGuards {
    /// Whether text messages may go to a number: by its country or by its calling code.
    pub fn allows(&self, number: &PhoneNumber) -> bool {
        let named = |list: &BTreeSet<String>| {
            list.contains(number.country()) || list.contains(number.calling_code())
        };
        (self.allowed_countries.is_empty() || named(&self.allowed_countries))
            && !named(&self.blocked_countries)
    }
}

/// A change of guards: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardsPatch {
    /// See [`SendGuards::per_destination_per_day`].
    pub per_destination_per_day: Option<u32>,
    /// See [`SendGuards::per_prefix_per_hour`].
    pub per_prefix_per_hour: Option<u32>,
    /// See [`SendGuards::per_tenant_per_day`].
    pub per_tenant_per_day: Option<u32>,
    /// See [`SendGuards::allowed_countries`].
    pub allowed_countries: Option<BTreeSet<String>>,
    /// See [`SendGuards::blocked_countries`].
    pub blocked_countries: Option<BTreeSet<String>>,
    /// See [`ConversionGuard::enabled`].
    pub conversion_enabled: Option<bool>,
    /// See [`ConversionGuard::min_sends`].
    pub conversion_min_sends: Option<u32>,
    /// See [`ConversionGuard::min_percent`].
    pub conversion_min_percent: Option<u32>,
}

/// Where a message goes, as far as it is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// How it travels.
    pub channel: Channel,
    /// A keyed digest of the destination, so that the counts name nobody.
    pub destination: [u8; 16],
    /// A number's prefix; `None` for an address.
    pub prefix: Option<String>,
}

impl Lane {
    /// All that a message on this lane is counted under.
    pub fn keys(&self) -> impl Iterator<Item = LaneKey> {
        let prefix = self.prefix.clone().map(LaneKey::Prefix);
        [LaneKey::Destination(self.destination), LaneKey::Tenant(self.channel)]
            .into_iter()
            .chain(prefix)
    }
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LaneKey {
    /// Everything to one destination.
    Destination([u8; 16]),
    /// Everything to one prefix.
    Prefix(String),
    /// Everything through one channel.
    Tenant(Channel),
}

/// A time slot of the counts: ten minutes.
const SLOT_MS: i64 = 10 * MINUTE_MS;
/// Slots in an hour.
const HOUR_SLOTS: i64 = HOUR_MS / SLOT_MS;
/// Slots in a day.
const DAY_SLOTS: i64 = DAY_MS / SLOT_MS;

/// What was counted under one [`LaneKey`] in one shard: a row of its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCounts {
    slots: Vec<Slot>,
    noted_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    /// Ten-minute periods since the Unix epoch.
    number: i64,
    sent: u32,
    verified: u32,
}

impl TrafficCounts {
    /// A message was made.
    pub fn sent(&mut self, at: Timestamp) {
        let slot = self.slot(at);
        slot.sent = slot.sent.saturating_add(1);
    }

    /// A code was accepted.
    pub fn verified(&mut self, at: Timestamp) {
        let slot = self.slot(at);
        slot.verified = slot.verified.saturating_add(1);
    }

    /// That too much goes here was told.
    pub const fn noted(&mut self, at: Timestamp) {
        self.noted_at = Some(at);
    }

    /// Whether nothing of it counts any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let kept = number(now) - DAY_SLOTS;
        self.slots.iter().all(|slot| slot.number <= kept)
            && self.noted_at.is_none_or(|at| now.millis_since(at) > DAY_MS)
    }

    /// The shard's time was set back to `now`: what was counted later counts as of now.
    pub fn set_back(&mut self, now: Timestamp) {
        let later: Vec<Slot> =
            self.slots.iter().copied().filter(|slot| slot.number > number(now)).collect();
        self.slots.retain(|slot| slot.number <= number(now));
        for slot in later {
            let present = self.slot(now);
            present.sent = present.sent.saturating_add(slot.sent);
            present.verified = present.verified.saturating_add(slot.verified);
        }
        self.noted_at = self.noted_at.map(|at| at.min(now));
    }

    /// Adds what counts at `now`.
    pub fn add_to(&self, window: &mut Window, now: Timestamp) {
        let now = number(now);
        for slot in &self.slots {
            // A slot ahead of this clock is as good as the present one.
            let age = usize::try_from((now - slot.number).max(0)).unwrap_or(usize::MAX);
            if let Some(tally) = window.by_age.get_mut(age) {
                tally.sent = tally.sent.saturating_add(slot.sent);
                tally.verified = tally.verified.saturating_add(slot.verified);
            }
        }
        window.recount();
        window.noted_at = window.noted_at.max(self.noted_at);
    }

    fn slot(&mut self, at: Timestamp) -> &mut Slot {
        let number = number(at);
        self.slots.retain(|slot| slot.number > number - DAY_SLOTS);
        let place = match self.slots.iter().position(|slot| slot.number == number) {
            Some(place) => place,
            None => {
                self.slots.push(Slot { number, sent: 0, verified: 0 });
                self.slots.len() - 1
            }
        };
        &mut self.slots[place]
    }
}

fn number(at: Timestamp) -> i64 {
    at.millis().div_euclid(SLOT_MS)
}

/// What was counted in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages.
    pub sent: u32,
    /// Codes that were accepted.
    pub verified: u32,
}

/// What was counted under one [`LaneKey`] over all shards, in steps of ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Messages within an hour.
    pub sent_hour: u32,
    /// Messages within a day.
    pub sent_day: u32,
    /// Messages within an hour whose codes have had ten minutes to be used.
    pub due_hour: u32,
    /// Codes that were accepted within an hour.
    pub verified_hour: u32,
    /// When it was told last that too much goes here.
    pub noted_at: Option<Timestamp>,
    /// What the sums are made of: the present slot first, then the one before, for a day.
    pub by_age: [Tally; DAY_SLOTS as usize],
}

impl Default for Window {
    fn default() -> Self {
        Self {
            sent_hour: 0,
            sent_day: 0,
            due_hour: 0,
            verified_hour: 0,
            noted_at: None,
            by_age: [Tally::default(); DAY_SLOTS as usize],
        }
    }
}

impl Window {
    /// When `allows` holds, if nothing more is counted: the first beginning of a slot after `now`
    /// at which it does, a day from now at the latest.
    pub fn opens_at(&self, now: Timestamp, allows: impl Fn(&Self) -> bool) -> Timestamp {
        let mut later = *self;
        let mut slots = 0;
        while slots < DAY_SLOTS {
            slots += 1;
            later.age();
            if allows(&later) {
                break;
            }
        }
        Timestamp::from_millis((number(now) + slots).saturating_mul(SLOT_MS))
    }

    /// A slot's time passes.
    fn age(&mut self) {
        self.by_age.rotate_right(1);
        self.by_age[0] = Tally::default();
        self.recount();
    }

    fn recount(&mut self) {
        let sum = |slots: &[Tally], count: fn(&Tally) -> u32| {
            slots.iter().map(count).fold(0, u32::saturating_add)
        };
        let hour = &self.by_age[..HOUR_SLOTS as usize];
        self.sent_day = sum(&self.by_age, |tally| tally.sent);
        self.sent_hour = sum(hour, |tally| tally.sent);
        self.verified_hour = sum(hour, |tally| tally.verified);
        // Whoever was sent a code in the last minutes may still be typing it.
        self.due_hour = sum(&hour[2..], |tally| tally.sent);
    }
}

/// What was counted on one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// To its destination.
    pub destination: Window,
    /// To its prefix.
    pub prefix: Window,
    /// Through its channel, of the whole tenant.
    pub tenant: Window,
}

impl Traffic {
    /// The window of one of the lane's keys.
    pub const fn window_mut(&mut self, key: &LaneKey) -> &mut Window {
        match key {
            LaneKey::Destination(_) => &mut self.destination,
            LaneKey::Prefix(_) => &mut self.prefix,
            LaneKey::Tenant(_) => &mut self.tenant,
        }
    }
}

/// The messages made for one user within a day, and whether a refusal was recorded since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendHistory {
    /// For which factor, and when; oldest first.
    pub made: Vec<(FactorId, Timestamp)>,
    /// Whether a refusal was recorded since the last message: one audit row for a flood of them.
    pub refusal_noted: bool,
}

impl SendHistory {
    /// Remembers a message.
    pub fn made(&mut self, factor: FactorId, at: Timestamp) {
        self.made.push((factor, at));
        self.refusal_noted = false;
    }

    /// Forgets what is older than a day.
    pub fn forget(&mut self, now: Timestamp) {
        self.made.retain(|(_, at)| now.millis_since(*at) < DAY_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_000 * DAY_MS + minutes * MINUTE_MS)
    }

    fn window(counts: &TrafficCounts, now: Timestamp) -> Window {
        let mut window = Window::default();
        counts.add_to(&mut window, now);
        window
    }

    #[test]
    fn a_message_counts_for_an_hour_and_for_a_day() {
        let mut counts = TrafficCounts::default();
        counts.sent(at(0));
        counts.sent(at(1));
        counts.verified(at(2));
        let now = window(&counts, at(9));
        assert_eq!((now.sent_hour, now.sent_day, now.due_hour, now.verified_hour), (2, 2, 0, 1));
        let later = window(&counts, at(25));
        assert_eq!((later.sent_hour, later.due_hour), (2, 2));
        let evening = window(&counts, at(61));
        assert_eq!((evening.sent_hour, evening.sent_day, evening.verified_hour), (0, 2, 0));
        assert_eq!(window(&counts, at(24 * 60 + 1)).sent_day, 0);
        assert!(!counts.is_over(at(60)) && counts.is_over(at(24 * 60 + 1)));
    }

    #[test]
    fn a_limit_opens_when_enough_slots_have_left_the_window() {
        let mut counts = TrafficCounts::default();
        for minute in [0, 5, 12, 33] {
            counts.sent(at(minute));
        }
        let now = at(34);
        let window = window(&counts, now);
        assert_eq!(window.opens_at(now, |later| later.sent_hour < 4), at(60));
        assert_eq!(window.opens_at(now, |later| later.sent_hour < 2), at(70));
        assert_eq!(window.opens_at(now, |later| later.sent_day < 1), at(24 * 60 + 30));
        // What was sent a moment ago is due before it leaves.
        assert_eq!(window.opens_at(now, |later| later.due_hour == 4), at(50));
        assert_eq!(window.opens_at(now, |_| false), at(24 * 60 + 30));
    }

    #[test]
    fn what_counts_no_more_is_forgotten_with_the_next_message() {
        let mut counts = TrafficCounts::default();
        for day in 0..100 {
            counts.sent(at(day * 24 * 60));
        }
        assert_eq!(counts.slots.len(), 1);
    }
}
