//! When the service was not there for somebody, and for how long.
//!
//! A request that was lost on its way or refused for now and waited for it, or that waited long
//! within a server (for an election, say), is a wait. Waits that overlap, or nearly so, are one
//! interruption: from the first request that met it to the last one that was answered.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// A request that was lost or refused for now and was answered sooner than this was merely passed on.
const DISTURBED: Duration = Duration::from_millis(50);
/// Any other request belongs to an interruption if it took as long as this.
const STALLED: Duration = Duration::from_millis(500);
/// Waits that are no further apart than this are one interruption.
const APART: Duration = Duration::from_millis(200);

/// The waits of a run.
#[derive(Default)]
pub(super) struct Waits(Mutex<Vec<Wait>>);

struct Wait {
    from: Instant,
    until: Instant,
    answered: bool,
}

/// A time in which requests waited.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interruption {
    /// When the first request that met it was sent, seconds after measuring began.
    pub(super) at_seconds: f64,
    /// From then until the last request that met it had its answer or was given up.
    pub(super) lasted_ms: f64,
    /// Requests that met it.
    pub(super) requests: u64,
    /// How long the slowest of them took.
    pub(super) longest_ms: f64,
    /// Those that were given up at their deadline.
    pub(super) unanswered: u64,
}

impl Waits {
    /// Notes a request that took from `from` until `until`, if it belongs to an interruption.
    /// `disturbed`: some node took it and gave no final answer. That nobody took the connection
    /// disturbs nobody: the next node is asked at once.
    pub(super) fn note(&self, from: Instant, until: Instant, disturbed: bool, answered: bool) {
        let bound = if disturbed { DISTURBED } else { STALLED };
        if !answered || until.saturating_duration_since(from) >= bound {
            self.waits().push(Wait { from, until, answered });
        }
    }

    /// The interruptions that began after `since`, in order.
    pub(super) fn since(&self, since: Instant) -> Vec<Interruption> {
        let mut waits = self.waits();
        waits.sort_by_key(|wait| wait.from);
        let mut groups: Vec<(Instant, Instant, Interruption)> = Vec::new();
        for wait in waits.iter().filter(|wait| wait.from >= since) {
            let took_ms = millis(wait.until.saturating_duration_since(wait.from));
            let unanswered = u64::from(!wait.answered);
            match groups.last_mut() {
                Some((from, until, group)) if wait.from <= *until + APART => {
                    *until = wait.until.max(*until);
                    group.lasted_ms = millis(until.saturating_duration_since(*from));
                    group.longest_ms = group.longest_ms.max(took_ms);
                    group.requests += 1;
                    group.unanswered += unanswered;
                }
                _ => groups.push((
                    wait.from,
                    wait.until,
                    Interruption {
                        at_seconds: wait.from.saturating_duration_since(since).as_secs_f64(),
                        lasted_ms: took_ms,
                        requests: 1,
                        longest_ms: took_ms,
                        unanswered,
                    },
                )),
            }
        }
        groups.into_iter().map(|(_, _, group)| group).collect()
    }

    fn waits(&self) -> MutexGuard<'_, Vec<Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} ms from {:.1} s on: {} requests took up to {:.0} ms, {} were given up",
            self.lasted_ms, self.at_seconds, self.requests, self.longest_ms, self.unanswered
        )
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn waits_that_overlap_are_one_interruption_and_others_are_not() {
        let waits = Waits::default();
        let start = Instant::now();
        waits.note(start + ms(1_400), start + ms(1_700), true, true);
        waits.note(start + ms(1_000), start + ms(1_700), true, true);
        waits.note(start + ms(6_700), start + ms(14_700), true, false);
        let found = waits.since(start);
        assert_eq!(found.len(), 2, "{found:?}");
        let expected = Interruption {
            at_seconds: 1.0,
            lasted_ms: 700.0,
            requests: 2,
            longest_ms: 700.0,
            unanswered: 0,
        };
        assert_eq!(found[0], expected);
        assert_eq!((found[1].requests, found[1].unanswered), (1, 1));
        assert_eq!(waits.since(start + ms(1_200)).len(), 2, "what began before is left out");
        assert_eq!(waits.since(start + ms(2_000)).len(), 1);
    }

    #[test]
    fn a_request_that_was_passed_on_at_once_interrupts_nobody() {
        let waits = Waits::default();
        let start = Instant::now();
        waits.note(start, start + ms(40), true, true);
        waits.note(start, start + ms(440), false, true);
        assert!(waits.since(start).is_empty());
        waits.note(start, start + ms(540), false, true);
        assert_eq!(waits.since(start).len(), 1);
    }
}
