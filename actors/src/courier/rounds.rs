//! Where a courier has looked in the store. New messages lie at its end; what found no room before is
//! looked for again, each channel by itself and in turn, so that no message is passed over for ever.

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
    /// Takes it, if there is room; whether it was taken.
    fn take(&mut self, row: &OutboxRow, new: bool) -> bool;
    /// Notes that its code died; whether there was room for that.
    fn bury(&mut self, row: &OutboxRow) -> Result<bool, ReplicaError>;
}

/// Where was looked.
#[derive(Default)]
pub(super) struct Rounds {
    /// Up to here everything was seen once.
    seen: Option<OutboxKey>,
    sms: Option<Round>,
    email: Option<Round>,
}

/// A way through the store, for one channel.
#[derive(Clone, Copy)]
struct Round {
    after: Option<OutboxKey>,
    /// Whether it began at the beginning and nothing was left behind since: then nothing is at its end.
    whole: bool,
}

const WHOLE: Round = Round { after: None, whole: true };

impl Rounds {
    /// Looks at messages that were put in since the last time.
    pub(super) async fn look_for_new(
        &mut self,
        outbox: &dyn Outbox,
        taker: &mut impl Taker,
    ) -> Result<(), ReplicaError> {
        // Messages of the same millisecond are in no order of arrival.
        let mut after = self.seen.map(before_all_at);
        loop {
            let rows = outbox.messages(after, PAGE)?;
            for row in &rows {
                if !taker.holds(&row.key()) && !taker.take(row, true) {
                    self.left(row.channel);
                }
            }
            after = rows.last().map(OutboxRow::key).or(after);
            self.seen = self.seen.max(after);
            if rows.len() < PAGE {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Looks for messages of a channel that were left behind, until there is no room.
    pub(super) async fn look_for_left(
        &mut self,
        channel: Channel,
        outbox: &dyn Outbox,
        taker: &mut impl Taker,
    ) -> Result<(), ReplicaError> {
        let Some(Round { mut after, mut whole }) = *self.round(channel) else { return Ok(()) };
        loop {
            let rows = outbox.messages(after, PAGE)?;
            for row in rows.iter().filter(|row| row.channel == channel) {
                if !taker.holds(&row.key()) && !taker.take(row, false) {
                    *self.round(channel) = Some(Round { after, whole: false });
                    return Ok(());
                }
                after = Some(row.key());
            }
            after = rows.last().map(OutboxRow::key).or(after);
            if rows.len() < PAGE {
                if whole {
                    *self.round(channel) = None;
                    return Ok(());
                }
                // What lies before the beginning of this round.
                Round { after, whole } = WHOLE;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whether messages of a channel may have been left behind.
    pub(super) const fn has_left(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.sms.is_some(),
            Channel::Email => self.email.is_some(),
        }
    }

    /// A message of a channel stayed in the store, or went back there.
    pub(super) fn left(&mut self, channel: Channel) {
        match self.round(channel) {
            Some(round) => round.whole = false,
            none => *none = Some(WHOLE),
        }
    }

    /// Looks at everything once more, in time. Costs one read where nothing waits.
    pub(super) fn begin_again(&mut self) {
        for channel in Channel::ALL {
            self.round(channel).get_or_insert(WHOLE);
        }
    }

    const fn round(&mut self, channel: Channel) -> &mut Option<Round> {
        match channel {
            Channel::Sms => &mut self.sms,
            Channel::Email => &mut self.email,
        }
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

/// Just before every message whose code dies when this one's does.
fn before_all_at(key: OutboxKey) -> OutboxKey {
    OutboxKey {
        expires_at: key.expires_at.plus_millis(-1),
        delivery: DeliveryId::from_bytes([u8::MAX; 16]),
    }
}
