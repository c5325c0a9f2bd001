//! What is counted over time of all users of a tenant, from the audit rows that tell of it: one
//! place says which row counts as what, so that every node counts alike and a count can be made
//! again from the log. It is for people who watch over the service; no decision rests on it.

use serde::{Deserialize, Serialize};

use crate::alerts;
use crate::audit::AuditOutcome;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Logins and step-ups about which was asked.
    pub logins: u32,
    /// Those of them that were challenged.
    pub challenges: u32,
    /// Proofs that were right.
    pub verifications: u32,
    /// Proofs that were read and refused, be it in a challenge, an enrollment or elsewhere.
    pub failures: u32,
    /// Messages with a code that left.
    pub sends: u32,
    /// Messages with a code that could not be delivered.
    pub delivery_failures: u32,
    /// Users who were locked.
    pub lockouts: u32,
    /// Alerts that were raised.
    pub alerts: u32,
}

/// What a row counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A login about which was asked.
    Login {
        /// Whether it was challenged.
        challenged: bool,
    },
    /// A right proof.
    Verification,
    /// A refused proof.
    Failure,
    /// A message that left.
    Send,
    /// A message that could not be delivered.
    DeliveryFailure,
    /// A user who was locked.
    Lockout,
    /// An alert.
    Alert,
}

impl Counted {
    /// What a row counts as, by its type, how it went and why; `None` if it is not counted.
    /// `in_challenge` says whether it names a challenge.
    pub fn of(
        event_type: &str,
        outcome: AuditOutcome,
        reason: Option<&str>,
        in_challenge: bool,
    ) -> Option<Self> {
        if event_type.starts_with(alerts::PREFIX) {
            return Some(Self::Alert);
        }
        match (event_type, outcome) {
            ("mfa.challenge.created", _) => Some(Self::Login { challenged: in_challenge }),
            ("mfa.challenge.verified" | "mfa.assertion.verified", AuditOutcome::Success) => {
                Some(Self::Verification)
            }
            // One that answers a challenge is told of by the challenge as well.
            ("mfa.recovery_code.used", _) => (!in_challenge).then_some(Self::Verification),
            (
                "mfa.challenge.failed"
                | "mfa.assertion.failed"
                | "mfa.recovery_code.failed"
                | "mfa.enrollment.failed",
                _,
            ) => (reason != Some("too_many_attempts")).then_some(Self::Failure),
            ("mfa.code.sent", AuditOutcome::Success) => Some(Self::Send),
            ("mfa.delivery.failed", _) => Some(Self::DeliveryFailure),
            ("mfa.user.locked", _) => Some(Self::Lockout),
            _ => None,
        }
    }
}

impl Counts {
    /// Adds one.
    pub const fn add(&mut self, counted: Counted) {
        match counted {
            Counted::Login { challenged } => {
                self.logins = self.logins.saturating_add(1);
                self.challenges = self.challenges.saturating_add(challenged as u32);
            }
            Counted::Verification => self.verifications = self.verifications.saturating_add(1),
            Counted::Failure => self.failures = self.failures.saturating_add(1),
            Counted::Send => self.sends = self.sends.saturating_add(1),
            Counted::DeliveryFailure => {
                self.delivery_failures = self.delivery_failures.saturating_add(1);
            }
            Counted::Lockout => self.lockouts = self.lockouts.saturating_add(1),
            Counted::Alert => self.alerts = self.alerts.saturating_add(1),
        }
    }

    /// Adds what was counted elsewhere.
    pub const fn merge(&mut self, other: &Self) {
        self.logins = self.logins.saturating_add(other.logins);
        self.challenges = self.challenges.saturating_add(other.challenges);
        self.verifications = self.verifications.saturating_add(other.verifications);
        self.failures = self.failures.saturating_add(other.failures);
        self.sends = self.sends.saturating_add(other.sends);
        self.delivery_failures = self.delivery_failures.saturating_add(other.delivery_failures);
        self.lockouts = self.lockouts.saturating_add(other.lockouts);
        self.alerts = self.alerts.saturating_add(other.alerts);
    }
}

/// How far back is looked, and how finely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// An hour, by the minute.
    #[default]
    Hour,
    /// A day, by the quarter of an hour.
    Day,
}

impl Window {
    /// How long a slot is.
    pub const fn slot_ms(self) -> i64 {
        match self {
            Self::Hour => MINUTE_MS,
            Self::Day => HOUR_MS / 4,
        }
    }

    /// How many slots there are, the one that is not over included.
    pub const fn slots(self) -> i64 {
        let whole = match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        };
        whole / self.slot_ms()
    }

    /// Which slot a time falls into; slots begin at whole multiples of their length.
    pub const fn slot(self, at: Timestamp) -> i64 {
        at.millis().div_euclid(self.slot_ms())
    }

    /// When a slot begins.
    pub const fn begins(self, slot: i64) -> Timestamp {
        Timestamp::from_millis(slot.saturating_mul(self.slot_ms()))
    }
}

/// What was counted of one tenant within a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// The window.
    pub window: Window,
    /// Its slots, oldest first, by their beginnings; the last one is not over.
    pub slots: Vec<(Timestamp, Counts)>,
    /// From when on all of it was counted, if that is later than the window's beginning.
    pub counted_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(event_type: &str, failed: bool, reason: &str, in_challenge: bool) -> Option<Counted> {
        let outcome = if failed { AuditOutcome::Failure } else { AuditOutcome::Success };
        Counted::of(event_type, outcome, Some(reason), in_challenge)
    }

    #[test]
    fn a_login_is_one_whether_challenged_or_not() {
        let mut counts = Counts::default();
        for challenged in [true, false] {
            counts.add(of("mfa.challenge.created", false, "RISK", challenged).unwrap());
        }
        assert_eq!((counts.logins, counts.challenges), (2, 1));
    }

    #[test]
    fn a_recovery_code_in_a_challenge_is_one_verification() {
        let both = ["mfa.recovery_code.used", "mfa.challenge.verified"];
        let counted = both.into_iter().filter_map(|one| of(one, false, "", true));
        assert_eq!(counted.collect::<Vec<_>>(), [Counted::Verification]);
        let alone = of("mfa.recovery_code.used", false, "", false);
        assert_eq!(alone, Some(Counted::Verification));
    }

    #[test]
    fn a_proof_that_was_not_read_is_no_failure_and_an_alert_is_none_either() {
        for event_type in ["mfa.challenge.failed", "mfa.enrollment.failed"] {
            assert_eq!(of(event_type, true, "invalid_code", true), Some(Counted::Failure));
            assert_eq!(of(event_type, true, "too_many_attempts", true), None);
        }
        assert_eq!(of(alerts::BRUTE_FORCE, true, "invalid_code", true), Some(Counted::Alert));
        assert_eq!(of("mfa.policy.updated", false, "", false), None);
    }

    #[test]
    fn a_window_is_made_of_whole_slots() {
        assert_eq!((Window::Hour.slots(), Window::Day.slots()), (60, 96));
        let at = Timestamp::from_millis(-1);
        assert_eq!(Window::Hour.begins(Window::Hour.slot(at)).millis(), -MINUTE_MS);
    }
}
