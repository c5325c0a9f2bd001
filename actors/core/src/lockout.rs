//! One counter of wrong codes a user, shared by every factor, challenge and node.
//!
//! NIST SP 800-63B-4 section 3.2.2 asks for a limit per subscriber account; section 3.1.3.2
//! forbids that a new code or a new login resets it. It falls on success, reset or unlock alone; a
//! confirmed enrollment takes back the wrong codes that were meant for it, and no others.

use serde::{Deserialize, Serialize};

use crate::policy::LockoutPolicy;
use crate::time::{SECOND_MS, Timestamp};

/// The counter and what it led to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockout {
    /// Wrong codes since the last success.
    pub failed_attempts: u32,
    /// Until when codes are refused unread.
    pub locked_until: Option<Timestamp>,
    /// Only an administrator unlocks.
    pub hard: bool,
    /// Whether a refusal was already recorded in this lock's time: one audit row a lock, so that
    /// a flood of refused codes costs no writes.
    pub refusal_noted: bool,
}

/// Whether codes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// They are read.
    Open,
    /// They are refused until then.
    Until(Timestamp),
    /// They are refused until an administrator unlocks.
    Hard,
}

impl Lockout {
    /// The state of the lock at `now`.
    pub fn at(&self, now: Timestamp) -> Lock {
        match self.locked_until {
            _ if self.hard => Lock::Hard,
            Some(until) if now < until => Lock::Until(until),
            _ => Lock::Open,
        }
    }

    /// Counts a wrong code at `now`. After `max_attempts` in a row each further one doubles the
    /// delay; the doubling goes on across lock times until a success.
    pub fn record_failure(&mut self, policy: &LockoutPolicy, now: Timestamp) {
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        self.refusal_noted = false;
        self.hard = self.failed_attempts >= policy.hard_limit;
        if self.failed_attempts >= policy.max_attempts {
            let doublings = (self.failed_attempts - policy.max_attempts).min(32);
            let delay_seconds = (i64::from(policy.base_delay_seconds) << doublings)
                .min(i64::from(policy.max_delay_seconds));
            self.locked_until = Some(now.plus_millis(delay_seconds * SECOND_MS));
        }
    }

    /// Wrong codes left before the next lock, at least 0. Once the limit was passed, each further
    /// wrong code locks at once, so it stays 0.
    pub fn attempts_remaining(&self, policy: &LockoutPolicy) -> u32 {
        policy.max_attempts.min(policy.hard_limit).saturating_sub(self.failed_attempts)
    }

    /// Takes back wrong codes that turned out to be somebody's own: the enrollment that they were meant
    /// for was confirmed.
    pub fn forgive(&mut self, wrong: u32) {
        self.failed_attempts = self.failed_attempts.saturating_sub(wrong);
        if self.failed_attempts == 0 {
            self.clear();
        }
    }

    /// Forgets everything: a success, a reset or an unlock.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: LockoutPolicy = LockoutPolicy {
        max_attempts: 5,
        base_delay_seconds: 30,
        max_delay_seconds: 3_600,
        hard_limit: 100,
    };

    fn failed(times: u32) -> (Lockout, Timestamp) {
        let mut lockout = Lockout::default();
        let now = Timestamp::from_millis(1_000_000);
        for _ in 0..times {
            lockout.record_failure(&POLICY, now);
        }
        (lockout, now)
    }

    fn delay_after(times: u32) -> Option<i64> {
        let (lockout, now) = failed(times);
        lockout.locked_until.map(|until| until.millis_since(now) / SECOND_MS)
    }

    #[test]
    fn the_delay_starts_at_the_limit_doubles_and_is_bounded() {
        let delays: Vec<_> = [4, 5, 6, 7, 11, 12, 13, 99].into_iter().map(delay_after).collect();
        assert_eq!(
            delays,
            [
                None,
                Some(30),
                Some(60),
                Some(120),
                Some(1_920),
                Some(3_600),
                Some(3_600),
                Some(3_600)
            ]
        );
    }

    #[test]
    fn the_delay_keeps_doubling_after_a_lock_has_passed() {
        let (mut lockout, now) = failed(5);
        let later = now.plus_millis(31 * SECOND_MS);
        assert_eq!(lockout.at(later), Lock::Open);
        lockout.record_failure(&POLICY, later);
        assert_eq!(lockout.at(later), Lock::Until(later.plus_millis(60 * SECOND_MS)));
    }

    #[test]
    fn the_hard_limit_outlasts_any_waiting() {
        let (lockout, now) = failed(100);
        assert_eq!(lockout.at(now.plus_millis(i64::MAX / 4)), Lock::Hard);
    }

    #[test]
    fn attempts_remaining_never_wraps() {
        assert_eq!(failed(0).0.attempts_remaining(&POLICY), 5);
        assert_eq!(failed(7).0.attempts_remaining(&POLICY), 0);
    }
}
