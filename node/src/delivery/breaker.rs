//! A circuit breaker: a provider that failed several times in a row is left alone for a while, so
//! that neither it nor those who wait are burdened with what would fail. After that one message
//! tries, and decides for all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which nothing more is tried.
const FAILURES: u32 = 5;
/// For how long nothing is tried then; each failed probe doubles it.
const REST: Duration = Duration::from_secs(5);
/// For how long at most.
const REST_MAX: Duration = Duration::from_secs(60);
/// What those are told who come while a probe is under way.
const PROBING: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
enum State {
    /// All may pass.
    Closed { failures: u32 },
    /// None may pass.
    Open { until: Instant, rest: Duration },
    /// One is passing.
    Probing { rest: Duration },
}

/// Whether messages are let through to a provider.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

/// The right to try. Unless it is [used](Pass::used), nothing was learnt.
#[derive(Debug)]
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    probe: bool,
    used: bool,
}

impl Breaker {
    /// One that lets through.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Closed { failures: 0 }) })
    }

    /// Lets one message through, or says for how long none is.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Pass, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until, rest } => {
                let left = until.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    return Err(left);
                }
                *state = State::Probing { rest };
                true
            }
            State::Probing { .. } => return Err(PROBING),
        };
        Ok(Pass { breaker: Arc::clone(self), probe, used: false })
    }

    /// Whether all may pass.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*state, State::Closed { .. })
    }
}

impl Pass {
    /// It was tried, and the provider failed or did not.
    pub(super) fn used(mut self, failed: bool) {
        self.used = true;
        let mut state = self.breaker.state.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |rest| State::Open { until: Instant::now() + rest, rest };
        *state = match (*state, failed) {
            (State::Closed { .. }, false) => State::Closed { failures: 0 },
            (State::Closed { failures }, true) if failures + 1 >= FAILURES => open(REST),
            (State::Closed { failures }, true) => State::Closed { failures: failures + 1 },
            (State::Probing { .. }, false) if self.probe => State::Closed { failures: 0 },
            (State::Probing { rest }, true) if self.probe => open((rest * 2).min(REST_MAX)),
            // It began before the others failed, and says nothing about now.
            (other, _) => other,
        };
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe && !self.used {
            // Given up half way: the next one tries.
            let mut state = self.breaker.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let State::Probing { rest } = *state {
                *state = State::Open { until: Instant::now(), rest };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Arc<Breaker>, times: u32) {
        for _ in 0..times {
            breaker.admit().unwrap().used(true);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_fewer_do_not() {
        let breaker = Breaker::new();
        fail(&breaker, 4);
        breaker.admit().unwrap().used(false);
        fail(&breaker, 4);
        assert!(breaker.is_closed());
        fail(&breaker, 1);
        assert!(!breaker.is_closed());
        assert_eq!(breaker.admit().unwrap_err(), REST);
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_rest_one_tries_and_the_others_wait_for_it() {
        let breaker = Breaker::new();
        fail(&breaker, 5);
        tokio::time::advance(REST).await;
        let probe = breaker.admit().unwrap();
        assert_eq!(breaker.admit().unwrap_err(), PROBING);
        probe.used(false);
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_doubles_the_rest_up_to_a_minute() {
        let breaker = Breaker::new();
        fail(&breaker, 5);
        for seconds in [5, 10, 20, 40, 60, 60] {
            let left = breaker.admit().unwrap_err();
            assert_eq!(left, Duration::from_secs(seconds));
            tokio::time::advance(left).await;
            fail(&breaker, 1);
        }
        tokio::time::advance(REST_MAX).await;
        breaker.admit().unwrap().used(false);
        fail(&breaker, 5);
        assert_eq!(breaker.admit().unwrap_err(), REST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let breaker = Breaker::new();
        fail(&breaker, 5);
        tokio::time::advance(REST).await;
        drop(breaker.admit().unwrap());
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err());
        probe.used(false);
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_decides_nothing() {
        let breaker = Breaker::new();
        let (early, late) = (breaker.admit().unwrap(), breaker.admit().unwrap());
        fail(&breaker, 5);
        early.used(false);
        assert!(!breaker.is_closed());
        tokio::time::advance(REST).await;
        let probe = breaker.admit().unwrap();
        late.used(true);
        probe.used(false);
        assert!(breaker.is_closed());
    }
}
