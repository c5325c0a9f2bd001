//! When an event is posted again, and when it is given up.

use std::time::Duration;

use countersign_core::time::Timestamp;
use countersign_core::webhook::{Delivery, DeliveryState, TRIED_FOR_MS};

use crate::backoff::around;
use crate::carrier::NotPosted;
use crate::ports::EntropySource;

/// The delays after the first failures, about; from then on the last one.
const DELAYS_S: [u64; 6] = [5, 30, 2 * 60, 10 * 60, 30 * 60, 60 * 60];
/// The longest delay that an endpoint may ask for.
const LONGEST_AFTER: Duration = Duration::from_secs(60 * 60);
/// The endpoint is gone for good (RFC 9110 section 15.5.11).
const GONE: u16 = 410;

/// What an attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// The endpoint took the event.
    Delivered,
    /// It will be tried again.
    Failed,
    /// It will not.
    Dead,
}

/// Notes an attempt that was made at `now` in its delivery.
pub(super) fn note(
    delivery: &mut Delivery,
    answer: &Result<u16, NotPosted>,
    now: Timestamp,
    entropy: &dyn EntropySource,
) -> Tried {
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.last_attempt_at = Some(now);
    delivery.next_attempt_at = None;
    (delivery.last_status, delivery.last_error) = match answer {
        Ok(status) | Err(NotPosted::Refused { status, .. }) => (Some(*status), None),
        Err(NotPosted::Unreachable { reason }) => (None, Some(reason.clone())),
    };
    let until = delivery.since.plus_millis(TRIED_FOR_MS);
    let tried = match answer {
        Ok(_) => Tried::Delivered,
        Err(NotPosted::Refused { status: GONE, .. }) => Tried::Dead,
        Err(_) if now >= until => Tried::Dead,
        Err(_) => Tried::Failed,
    };
    delivery.state = match tried {
        Tried::Delivered => DeliveryState::Delivered,
        Tried::Dead => DeliveryState::Dead,
        Tried::Failed => {
            let after = match answer {
                Err(NotPosted::Refused { after, .. }) => *after,
                _ => None,
            };
            let delay = delay(delivery.attempts, after, entropy);
            let delay = i64::try_from(delay.as_millis()).unwrap_or(TRIED_FOR_MS);
            // The last attempt is at the very end.
            delivery.next_attempt_at = Some(now.plus_millis(delay).min(until));
            DeliveryState::Pending
        }
    };
    tried
}

fn delay(attempts: u32, after: Option<Duration>, entropy: &dyn EntropySource) -> Duration {
    let last = DELAYS_S.len() - 1;
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(last).min(last);
    let delay = around(Duration::from_secs(DELAYS_S[step]), entropy);
    after.map_or(delay, |after| after.min(LONGEST_AFTER).max(delay))
}

#[cfg(test)]
mod tests {
    use countersign_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

    use super::*;

    /// Chance that changes nothing.
    struct Middle;

    impl EntropySource for Middle {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
            buffer[0] = 128;
        }
    }

    const START: Timestamp = Timestamp::from_millis(1_000 * DAY_MS);

    fn pending() -> Delivery {
        Delivery {
            sequence: 1,
            event_type: "mfa.factor.enrolled".to_owned(),
            state: DeliveryState::Pending,
            attempts: 0,
            since: START,
            last_attempt_at: None,
            next_attempt_at: Some(START),
            last_status: None,
            last_error: None,
        }
    }

    fn refused(status: u16, after_s: Option<u64>) -> Result<u16, NotPosted> {
        Err(NotPosted::Refused { status, after: after_s.map(Duration::from_secs) })
    }

    #[test]
    fn it_is_tried_for_a_day_ever_more_rarely_and_a_last_time_at_the_end() {
        let mut delivery = pending();
        let mut times = Vec::new();
        while delivery.state == DeliveryState::Pending {
            let now = delivery.next_attempt_at.unwrap();
            times.push(now.millis_since(START));
            note(&mut delivery, &refused(503, None), now, &Middle);
        }
        let about = [
            0,
            5 * SECOND_MS,
            35 * SECOND_MS,
            155 * SECOND_MS,
            755 * SECOND_MS,
            42 * MINUTE_MS + 35 * SECOND_MS,
            HOUR_MS + 42 * MINUTE_MS + 35 * SECOND_MS,
        ];
        for (time, about) in times.iter().zip(about) {
            assert!((time - about).abs() <= 10, "{times:?}");
        }
        assert_eq!(times.last(), Some(&DAY_MS));
        assert_eq!(delivery.state, DeliveryState::Dead);
        assert_eq!(delivery.attempts as usize, times.len());
        assert!(times.len() > 25, "hourly towards the end: {times:?}");
    }

    #[test]
    fn the_endpoint_may_ask_for_more_time_but_not_for_more_than_an_hour() {
        let next = |after_s| {
            let mut delivery = pending();
            assert_eq!(note(&mut delivery, &refused(429, after_s), START, &Middle), Tried::Failed);
            delivery.next_attempt_at.unwrap().millis_since(START)
        };
        assert_eq!(next(Some(90)), 90 * SECOND_MS);
        assert_eq!(next(Some(86_400)), HOUR_MS);
        assert_eq!(next(Some(0)), next(None), "nor for less");
    }

    #[test]
    fn an_endpoint_that_is_gone_is_not_asked_again() {
        let mut delivery = pending();
        assert_eq!(note(&mut delivery, &refused(410, None), START, &Middle), Tried::Dead);
        assert_eq!((delivery.state, delivery.next_attempt_at), (DeliveryState::Dead, None));
        assert_eq!(delivery.last_status, Some(410));
    }

    #[test]
    fn an_attempt_leaves_what_is_to_be_known_of_it() {
        let mut delivery = pending();
        let unreachable = Err(NotPosted::Unreachable { reason: "timeout".to_owned() });
        note(&mut delivery, &unreachable, START, &Middle);
        assert_eq!((delivery.last_status, delivery.last_error.as_deref()), (None, Some("timeout")));
        let later = START.plus_millis(MINUTE_MS);
        assert_eq!(note(&mut delivery, &Ok(204), later, &Middle), Tried::Delivered);
        let expected = Delivery {
            state: DeliveryState::Delivered,
            attempts: 2,
            last_attempt_at: Some(later),
            next_attempt_at: None,
            last_status: Some(204),
            ..pending()
        };
        assert_eq!(delivery, expected);
    }
}
