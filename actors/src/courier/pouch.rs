//! What a courier has in memory: which messages it is at, and how each stands. Bounded; what finds
//! no room stays in the store and is looked for later.
//!
//! Each channel has a line of its own, with its own share of the room and its own hands, so that a
//! dead provider of text messages holds no email up, nor the reverse.

use std::collections::BTreeMap;

use countersign_core::message::Channel;
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::time::Timestamp;
use tokio::time::Instant;

use crate::metrics;

/// The messages of one courier.
pub(super) struct Pouch {
    entries: BTreeMap<OutboxKey, Entry>,
    sms: Line,
    email: Line,
    share: usize,
    hands: usize,
}

/// A message.
struct Entry {
    channel: Channel,
    issued_at: Timestamp,
    attempts: u32,
    stand: Stand,
    _counted: metrics::WaitingMessage,
}

/// How a message stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Its next attempt is not before.
    Waits(Instant),
    /// An attempt is under way.
    Away,
    /// What became of it is known and not recorded yet.
    Ended,
}

/// A channel.
#[derive(Default)]
struct Line {
    held: usize,
    away: usize,
    paused_until: Option<Instant>,
}

impl Pouch {
    /// Room for `waiting` messages, `sends` of them under way at once.
    pub(super) fn new(waiting: usize, sends: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            sms: Line::default(),
            email: Line::default(),
            share: (waiting / 2).max(1),
            hands: (sends / 2).max(1),
        }
    }

    pub(super) fn holds(&self, key: &OutboxKey) -> bool {
        self.entries.contains_key(key)
    }

    /// A message that is held.
    pub(super) fn look_up(&self, key: &OutboxKey) -> Option<Held> {
        let Entry { channel, issued_at, attempts, .. } = *self.entries.get(key)?;
        Some(Held { channel, issued_at, attempts })
    }

    /// How many more messages of a channel find room.
    pub(super) fn room(&self, channel: Channel) -> usize {
        self.share.saturating_sub(self.line(channel).held)
    }

    /// Whether a message of a channel that was never tried finds room, if need be another's.
    pub(super) fn takes_new(&self, channel: Channel) -> bool {
        self.room(channel) > 0 || self.farthest(channel).is_some()
    }

    /// Whether it is worth looking for messages that went back to the store.
    pub(super) fn wants_more(&self, channel: Channel) -> bool {
        self.room(channel) >= self.share.div_ceil(4)
    }

    /// Takes a message in that is not held; `false` if it finds no room. One that is `new`, and so was
    /// never tried, pushes out the one whose next attempt is farthest off: messages that cannot be
    /// delivered must not keep those waiting that can.
    pub(super) fn take(&mut self, row: &OutboxRow, new: bool, now: Instant) -> Taken {
        let mut taken = Taken::In;
        if self.room(row.channel) == 0 {
            let Some(out) = self.farthest(row.channel).filter(|_| new) else {
                return Taken::NoRoom;
            };
            self.remove(&out);
            taken = Taken::Instead;
        }
        self.put(row, Stand::Waits(now));
        taken
    }

    /// Notes a message whose end is known without an attempt. It finds room always, but not for long.
    pub(super) fn take_ended(&mut self, row: &OutboxRow) {
        self.put(row, Stand::Ended);
    }

    fn put(&mut self, row: &OutboxRow, stand: Stand) {
        let channel = row.channel;
        let _counted = metrics::WaitingMessage::new(channel);
        let issued_at = row.issued_at;
        let entry = Entry { channel, issued_at, attempts: 0, stand, _counted };
        if self.entries.insert(row.key(), entry).is_none() {
            self.line_mut(channel).held += 1;
        }
    }

    /// The tried message of a channel whose next attempt is farthest off.
    fn farthest(&self, channel: Channel) -> Option<OutboxKey> {
        let waits = self.entries.iter().filter_map(|(key, entry)| match entry.stand {
            Stand::Waits(due) if entry.channel == channel && entry.attempts > 0 => {
                Some((due, *key))
            }
            _ => None,
        });
        waits.max().map(|(_, key)| key)
    }

    /// A message that may be tried now, the one that has been due for longest.
    pub(super) fn due(&self, now: Instant) -> Option<OutboxKey> {
        let (due, key) = self.next()?;
        (due <= now).then_some(key)
    }

    /// When the next message may be tried, as long as nothing comes back before.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.next().map(|(due, _)| due)
    }

    fn next(&self) -> Option<(Instant, OutboxKey)> {
        let ready = self.entries.iter().filter_map(|(key, entry)| {
            let Stand::Waits(due) = entry.stand else { return None };
            let line = self.line(entry.channel);
            let due = line.paused_until.map_or(due, |until| due.max(until));
            (line.away < self.hands).then_some((due, *key))
        });
        ready.min()
    }

    /// An attempt begins.
    pub(super) fn away(&mut self, key: &OutboxKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.stand = Stand::Away;
        let channel = entry.channel;
        self.line_mut(channel).away += 1;
    }

    /// An attempt ended and left the message where it was.
    pub(super) fn back(&mut self, key: &OutboxKey, due: Instant) {
        self.returned(key, Stand::Waits(due));
    }

    /// The provider was asked.
    pub(super) fn tried(&mut self, key: &OutboxKey) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.attempts = entry.attempts.saturating_add(1);
        }
    }

    /// What became of a message is known.
    pub(super) fn ended(&mut self, key: &OutboxKey) {
        self.returned(key, Stand::Ended);
    }

    fn returned(&mut self, key: &OutboxKey, stand: Stand) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.stand, stand);
        let channel = entry.channel;
        if before == Stand::Away {
            self.line_mut(channel).away -= 1;
        }
    }

    /// A message is settled, or nobody's any more.
    pub(super) fn remove(&mut self, key: &OutboxKey) {
        let Some(entry) = self.entries.remove(key) else { return };
        let line = self.line_mut(entry.channel);
        line.held -= 1;
        if entry.stand == Stand::Away {
            line.away -= 1;
        }
    }

    /// Nothing of a channel is tried before `until`.
    pub(super) fn pause(&mut self, channel: Channel, until: Instant) {
        let line = self.line_mut(channel);
        line.paused_until = line.paused_until.max(Some(until));
    }

    /// The waiting message that dies first, and when.
    pub(super) fn dies_first(&self) -> Option<OutboxKey> {
        let waits = |entry: &Entry| matches!(entry.stand, Stand::Waits(_));
        self.entries.iter().find(|(_, entry)| waits(entry)).map(|(key, _)| *key)
    }

    /// As [`Self::dies_first`], if it is dead at `now`.
    pub(super) fn dead(&self, now: Timestamp) -> Option<OutboxKey> {
        self.dies_first().filter(|key| key.expires_at <= now)
    }

    const fn line(&self, channel: Channel) -> &Line {
        match channel {
            Channel::Sms => &self.sms,
            Channel::Email => &self.email,
        }
    }

    const fn line_mut(&mut self, channel: Channel) -> &mut Line {
        match channel {
            Channel::Sms => &mut self.sms,
            Channel::Email => &mut self.email,
        }
    }
}

/// What is known of a message that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) channel: Channel,
    pub(super) issued_at: Timestamp,
    pub(super) attempts: u32,
}

/// Whether a message was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was.
    In,
    /// It was, and another one went back to the store.
    Instead,
    /// It stays in the store.
    NoRoom,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_core::ids::{DeliveryId, FactorId, TenantId, UserKey};
    use countersign_core::vault::Sealed;

    use super::*;

    fn row(n: u8, channel: Channel) -> OutboxRow {
        OutboxRow {
            user: UserKey::new(TenantId::default_tenant(), "bob".parse().unwrap()),
            factor: FactorId::from_bytes([n; 16]),
            channel,
            delivery: DeliveryId::from_bytes([n; 16]),
            issued_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_millis(i64::from(n)),
            message: Sealed::from_bytes(Vec::new()),
        }
    }

    const LATER: Duration = Duration::from_secs(1);

    #[test]
    fn a_full_line_leaves_the_other_its_room_and_its_hands() {
        let (mut pouch, now) = (Pouch::new(4, 4), Instant::now());
        for n in 0..2 {
            assert_eq!(pouch.take(&row(n, Channel::Sms), true, now), Taken::In);
            pouch.away(&row(n, Channel::Sms).key());
        }
        assert_eq!(pouch.take(&row(2, Channel::Sms), true, now), Taken::NoRoom);
        let email = row(3, Channel::Email);
        assert_eq!(pouch.take(&email, true, now), Taken::In);
        assert_eq!(pouch.due(now), Some(email.key()));
    }

    #[test]
    fn one_that_was_never_tried_pushes_out_the_one_that_waits_longest() {
        let (mut pouch, now) = (Pouch::new(4, 4), Instant::now());
        for (n, wait) in [(0, 1), (1, 2)] {
            let row = row(n, Channel::Sms);
            pouch.take(&row, true, now);
            pouch.away(&row.key());
            pouch.tried(&row.key());
            assert_eq!(pouch.look_up(&row.key()).map(|held| held.attempts), Some(1));
            pouch.back(&row.key(), now + wait * LATER);
        }
        let (old, new) = (row(2, Channel::Sms), row(3, Channel::Sms));
        assert_eq!(pouch.take(&old, false, now), Taken::NoRoom, "it may have been tried before");
        assert_eq!(pouch.take(&new, true, now), Taken::Instead);
        assert!(!pouch.holds(&row(1, Channel::Sms).key()));
        assert_eq!(pouch.due(now), Some(new.key()));
        pouch.away(&new.key());
        assert_eq!(pouch.next_due(), Some(now + LATER));
        pouch.away(&row(0, Channel::Sms).key());
        let newer = row(4, Channel::Sms);
        assert_eq!(pouch.take(&newer, true, now), Taken::NoRoom, "what is away is not pushed out");
    }

    #[test]
    fn a_paused_line_waits_and_still_knows_its_dead() {
        let (mut pouch, now) = (Pouch::new(8, 8), Instant::now());
        let (sms, email) = (row(1, Channel::Sms), row(2, Channel::Email));
        pouch.take(&sms, true, now);
        pouch.pause(Channel::Sms, now + LATER);
        pouch.pause(Channel::Sms, now);
        assert_eq!((pouch.due(now), pouch.next_due()), (None, Some(now + LATER)));
        pouch.take(&email, true, now);
        assert_eq!(pouch.due(now), Some(email.key()));
        assert_eq!(pouch.dead(Timestamp::EPOCH), None);
        assert_eq!(pouch.dead(sms.expires_at), Some(sms.key()));
        pouch.ended(&sms.key());
        assert_eq!(pouch.dead(sms.expires_at), None, "its end is known");
        pouch.remove(&sms.key());
        assert!(!pouch.holds(&sms.key()) && pouch.room(Channel::Sms) == 4);
    }
}
