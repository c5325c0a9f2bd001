//! Where a courier has looked in the store, for each channel by itself.
//!
//! New messages lie at the end, and each is taken in its turn as soon as there is room. What was
//! tried and went back to the store is looked for again when there is room to spare.

use std::collections::BTreeSet;

use countersign_core::ids::DeliveryId;
use countersign_core::message::Channel;
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::time::Timestamp;

use crate::ports::{Outbox, ReplicaError};

/// Messages that are read at once.
const PAGE: usize = 64;

/// What the courier says to a message that was found.
pub(super) trait Taker {
    /// Whether it is at the message already.
    fn holds(&self, key: &OutboxKey) -> bool;
    /// Takes it, if there is room; whether it was taken. One that is `new` was never tried.
    fn take(&mut self, row: &OutboxRow, new: bool) -> bool;
    /// Notes that its code died; whether there was room for that.
    fn bury(&mut self, row: &OutboxRow) -> Result<bool, ReplicaError>;
}

/// Where was looked for messages of one channel.
#[derive(Default)]
pub(super) struct Rounds {
    seen: Seen,
    unseen: bool,
    left: Option<Round>,
}

/// A way through the store.
#[derive(Clone, Copy)]
struct Round {
    after: Option<OutboxKey>,
    /// Whether it began at the beginning and nothing was left behind since: then nothing is at its
    /// end.
    whole: bool,
}

const WHOLE: Round = Round { after: None, whole: true };

impl Rounds {
    /// Something was put in.
    pub(super) const fn put(&mut self) {
        self.unseen = true;
    }

    /// A message of the channel went back to the store.
    pub(super) fn left(&mut self) {
        self.left.get_or_insert(WHOLE).whole = false;
    }

    /// Looks at everything once more, in time. Costs one read where nothing waits.
    pub(super) fn begin_again(&mut self) {
        self.left.get_or_insert(WHOLE);
    }

    /// Whether there may be messages that are not held.
    pub(super) const fn is_behind(&self) -> bool {
        self.unseen || self.left.is_some()
    }

    /// Takes messages that were not seen before, until there is no room.
    pub(super) async fn look_for_new(
        &mut self,
        channel: Channel,
        outbox: &dyn Outbox,
        taker: &mut impl Taker,
    ) -> Result<(), ReplicaError> {
        if !self.unseen {
            return Ok(());
        }
        let mut after = self.seen.before();
        loop {
            let rows = outbox.messages(after, PAGE)?;
            for row in &rows {
                let wanted = row.channel == channel && !self.seen.knows(row);
                if wanted && !taker.holds(&row.key()) && !taker.take(row, true) {
                    return Ok(());
                }
                self.seen.note(row);
            }
            after = rows.last().map(OutboxRow::key).or(after);
            if rows.len() < PAGE {
                self.unseen = false;
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Takes messages that were left behind, until there is no room.
    pub(super) async fn look_for_left(
        &mut self,
        channel: Channel,
        outbox: &dyn Outbox,
        taker: &mut impl Taker,
    ) -> Result<(), ReplicaError> {
        let Some(Round { mut after, mut whole }) = self.left else { return Ok(()) };
        loop {
            let rows = outbox.messages(after, PAGE)?;
            for row in rows.iter().filter(|row| row.channel == channel) {
                if !taker.holds(&row.key()) && !taker.take(row, false) {
                    self.left = Some(Round { after, whole: false });
                    return Ok(());
                }
                after = Some(row.key());
            }
            after = rows.last().map(OutboxRow::key).or(after);
            if rows.len() < PAGE {
                if whole {
                    self.left = None;
                    return Ok(());
                }
                // What lies before the beginning of this round.
                Round { after, whole } = WHOLE;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Up to where everything was seen once. Messages whose codes die in the same millisecond are in no
/// order of arrival, so those are remembered one by one.
#[derive(Default)]
struct Seen {
    at: Option<Timestamp>,
    then: BTreeSet<DeliveryId>,
}

impl Seen {
    /// Just before the first message that may not have been seen.
    fn before(&self) -> Option<OutboxKey> {
        self.at.map(|at| OutboxKey {
            expires_at: at.plus_millis(-1),
            delivery: DeliveryId::from_bytes([u8::MAX; 16]),
        })
    }

    fn knows(&self, row: &OutboxRow) -> bool {
        self.at == Some(row.expires_at) && self.then.contains(&row.delivery)
    }

    fn note(&mut self, row: &OutboxRow) {
        if self.at != Some(row.expires_at) {
            self.at = Some(row.expires_at);
            self.then.clear();
        }
        self.then.insert(row.delivery);
    }
}

/// Buries those at the head of the store whose codes have died.
pub(super) fn bury_the_dead(
    now: Timestamp,
    outbox: &dyn Outbox,
    taker: &mut impl Taker,
) -> Result<(), ReplicaError> {
    let mut after = None;
    loop {
        let rows = outbox.messages(after, PAGE)?;
        for row in &rows {
            if row.expires_at > now || (!taker.holds(&row.key()) && !taker.bury(row)?) {
                return Ok(());
            }
        }
        after = rows.last().map(OutboxRow::key);
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}
