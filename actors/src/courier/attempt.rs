//! One attempt to send one message.
//!
//! The order of its steps is its duty: first this node confirms that it leads, then the row is read
//! again, then the user; what was settled or became void before is not sent. From there to the
//! provider nothing is waited for.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use countersign_core::codec;
use countersign_core::message::{CodeMessage, seal_context};
use countersign_core::outbox::{MessageOutcome, OutboxKey, OutboxRow};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use crate::carrier::{NotCarried, Parcel};
use crate::desk::Desk;
use crate::errand::Stop;
use crate::ports::Outbox;

/// The reason of a code that died before anybody took its message.
pub(super) const EXPIRED: &str = "expired";
/// How long to leave a channel alone that this node has no provider for.
const NO_PROVIDER_PAUSE: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// What becomes of the message is known, and whether the provider was asked.
    Ended { outcome: MessageOutcome, asked: bool },
    /// The provider did not take it now.
    Again { reason: String, after: Option<Duration> },
    /// The provider is left alone.
    Closed { reopens_in: Duration },
    /// It was settled before.
    Settled,
    /// What is needed for it cannot be had now. That is this message's affair and nobody else's.
    Unready,
    /// This node may not lead any more.
    Unsure,
    /// Nothing more is to be begun.
    Stopped,
}

impl Attempt {
    fn void(outcome: MessageOutcome) -> Self {
        Self::Ended { outcome, asked: false }
    }
}

/// Tries to send a message.
pub(super) async fn attempt(
    desk: &Desk,
    outbox: &dyn Outbox,
    key: OutboxKey,
    stop: &Stop,
) -> Attempt {
    if let Err(error) = desk.confirm_leadership(Instant::now() + desk.options.propose_timeout).await
    {
        tracing::debug!(%error, "no message is sent before leadership is confirmed");
        return Attempt::Unsure;
    }
    let read = outbox.message(&key);
    #[cfg(feature = "sabotage")]
    let read = crate::sabotage::message_again(&key, read);
    let row = match read {
        Ok(Some(row)) => row,
        Ok(None) => return Attempt::Settled,
        Err(error) => {
            tracing::error!(delivery = %key.delivery, %error, "a message cannot be read");
            return Attempt::Unready;
        }
    };
    let user = match desk.replica.user(&row.user) {
        Ok(user) => user.value,
        Err(error) => {
            tracing::error!(delivery = %key.delivery, %error, "the user of a message cannot be read");
            return Attempt::Unready;
        }
    };
    let now = desk.now();
    if let Some(outcome) = end_without_sending(&row, &user, now) {
        return Attempt::void(outcome);
    }
    let Some(mut message) = open(desk, &row) else {
        return Attempt::void(MessageOutcome::Failed { reason: "unreadable".to_owned() });
    };
    // Unknown is a tenant that was removed, and then its users go soon, or one that this node has
    // not heard of yet.
    let Some(tenant) = desk.ports.directory.tenant(&row.user.tenant) else {
        return Attempt::Unready;
    };
    if !desk.ports.carrier.carries(row.channel) {
        return Attempt::Closed { reopens_in: NO_PROVIDER_PAUSE };
    }
    // Providers and readers have clocks: whatever leaves tells real time.
    let clock = desk.clock();
    message.expires_at = clock.plus_millis(message.expires_at.millis_since(now));
    let parcel = Parcel {
        id: row.delivery,
        issuer: tenant.settings.issuer.clone(),
        templates: tenant.templates.clone(),
        message,
        now: clock,
    };
    #[cfg(feature = "sabotage")]
    crate::sabotage::before_send();
    if stop.requested() {
        return Attempt::Stopped;
    }
    let attempt = carry(desk, &parcel).await;
    #[cfg(feature = "sabotage")]
    if matches!(attempt, Attempt::Ended { .. }) {
        crate::sabotage::remember_message(&row);
    }
    attempt
}

async fn carry(desk: &Desk, parcel: &Parcel) -> Attempt {
    let left = parcel.message.expires_at.millis_since(parcel.now);
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    // A provider that panics over one message must not take the others along.
    let carried = AssertUnwindSafe(desk.ports.carrier.carry(parcel)).catch_unwind();
    let patience = desk.options.send_timeout.min(left);
    let later = |reason: &str| Attempt::Again { reason: reason.to_owned(), after: None };
    let outcome = match timeout(patience, carried).await {
        Err(_) => return later("timeout"),
        Ok(Err(_panic)) => return later("panic"),
        Ok(Ok(Err(NotCarried::Later { reason, after }))) => {
            return Attempt::Again { reason, after };
        }
        Ok(Ok(Err(NotCarried::Closed { reopens_in }))) => return Attempt::Closed { reopens_in },
        Ok(Ok(Err(NotCarried::Never { reason }))) => MessageOutcome::Failed { reason },
        Ok(Ok(Ok(carried))) => MessageOutcome::Sent { reference: carried.reference },
    };
    Attempt::Ended { outcome, asked: true }
}

/// What becomes of a message that must not be sent at `now`; `None` for one that must. Void comes
/// before dead: a code that was replaced is nobody's failure.
pub(super) fn end_without_sending(
    row: &OutboxRow,
    user: &UserState,
    now: Timestamp,
) -> Option<MessageOutcome> {
    let factor = user.factors.iter().find(|factor| factor.id == row.factor);
    let pending = user.pending.iter().find(|pending| pending.id == row.factor);
    let kind = factor.map(|factor| &factor.kind).or(pending.map(|pending| &pending.kind));
    let latest = kind.and_then(|kind| kind.message()).and_then(|(channel, to)| {
        to.latest().filter(|code| channel == row.channel && code.delivery == row.delivery)
    });
    let Some(code) = latest else { return Some(MessageOutcome::Superseded) };
    let until = pending.map_or(row.expires_at, |pending| row.expires_at.min(pending.expires_at));
    if now >= until {
        return Some(MessageOutcome::Failed { reason: EXPIRED.to_owned() });
    }
    // Spent, or too many wrong answers: nobody can use it.
    (!code.is_live(now)).then_some(MessageOutcome::Superseded)
}

fn open(desk: &Desk, row: &OutboxRow) -> Option<CodeMessage> {
    let context = seal_context(&row.user, row.delivery);
    match desk.ports.vault.open(&context, &row.message) {
        Ok(plain) => codec::decode(plain.expose()).ok(),
        Err(error) => {
            tracing::error!(delivery = %row.delivery, %error, "a message cannot be opened");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::factor::message::{MessageFactor, SendOutcome, SentCode};
    use countersign_core::factor::{Factor, FactorKind, PendingEnrollment};
    use countersign_core::ids::{DeliveryId, FactorId, TenantId, UserKey};
    use countersign_core::message::{CODE_MAX_WRONG, Channel};
    use countersign_core::vault::Sealed;

    use super::*;

    const FACTOR: FactorId = FactorId::from_bytes([1; 16]);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn row() -> OutboxRow {
        OutboxRow {
            user: UserKey::new(TenantId::default_tenant(), "bob".parse().unwrap()),
            factor: FACTOR,
            channel: Channel::Sms,
            delivery: DeliveryId::from_bytes([1; 16]),
            issued_at: at(0),
            expires_at: at(100),
            message: Sealed::from_bytes(Vec::new()),
        }
    }

    fn code(delivery: u8) -> SentCode {
        SentCode {
            delivery: DeliveryId::from_bytes([delivery; 16]),
            digest: [0; 16],
            sent_at: at(0),
            expires_at: at(100),
            wrong: 0,
            spent: false,
            outcome: SendOutcome::Pending,
        }
    }

    fn number(codes: Vec<SentCode>) -> FactorKind {
        FactorKind::Sms(MessageFactor { destination: "+41".to_owned(), codes })
    }

    fn enrolled(codes: Vec<SentCode>) -> UserState {
        let kind = number(codes);
        let factor = Factor { id: FACTOR, name: None, created_at: at(0), last_used_at: None, kind };
        UserState { factors: vec![factor], ..UserState::default() }
    }

    fn pending(codes: Vec<SentCode>, until: i64) -> UserState {
        let kind = number(codes);
        let pending = PendingEnrollment {
            id: FACTOR,
            name: None,
            created_at: at(0),
            expires_at: at(until),
            kind,
            wrong: 0,
            told: 0,
            told_steps: Vec::new(),
            replaced: Vec::new(),
        };
        UserState { pending: vec![pending], ..UserState::default() }
    }

    fn end(user: &UserState, now: i64) -> Option<MessageOutcome> {
        end_without_sending(&row(), user, at(now))
    }

    fn expired() -> Option<MessageOutcome> {
        Some(MessageOutcome::Failed { reason: EXPIRED.to_owned() })
    }

    #[test]
    fn a_live_code_of_a_factor_or_a_pending_enrollment_is_sent_until_it_dies() {
        for user in [enrolled(vec![code(1)]), pending(vec![code(1)], 200)] {
            assert_eq!(end(&user, 0), None);
            assert_eq!(end(&user, 99), None);
            assert_eq!(end(&user, 100), expired());
        }
    }

    #[test]
    fn a_code_dies_with_the_enrollment_that_it_was_to_confirm() {
        let user = pending(vec![code(1)], 50);
        assert_eq!((end(&user, 49), end(&user, 50)), (None, expired()));
    }

    #[test]
    fn what_was_replaced_reset_spent_or_guessed_away_is_void() {
        let spent = SentCode { spent: true, ..code(1) };
        let guessed = SentCode { wrong: CODE_MAX_WRONG, ..code(1) };
        let mut email = enrolled(vec![code(1)]);
        email.factors[0].kind = FactorKind::Email(MessageFactor {
            destination: "a@b".to_owned(),
            codes: vec![code(1)],
        });
        let users = [
            enrolled(vec![code(1), code(2)]),
            enrolled(Vec::new()),
            UserState::default(),
            enrolled(vec![spent]),
            enrolled(vec![guessed]),
            email,
        ];
        for user in users {
            assert_eq!(end(&user, 0), Some(MessageOutcome::Superseded), "{user:?}");
        }
        let replaced = enrolled(vec![code(1), code(2)]);
        assert_eq!(end(&replaced, 100), Some(MessageOutcome::Superseded), "void before dead");
    }
}
