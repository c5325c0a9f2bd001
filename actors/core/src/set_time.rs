//! What becomes of a user when the time of the user's shard is set back.
//!
//! A shard's time goes back only if an operator says so, where it was given by clocks that were ahead.
//! Then no moment may come twice for anything that a moment ends. So what is open and lives for minutes
//! (challenges, sent codes, enrollments, ceremonies, sessions of the pages) ends, as with a reset;
//! what lives longer keeps the time that it has left; and what is only remembered is not later than
//! now. A lock that was over stays so, and one that holds lasts as long as it would have.

use crate::challenge::ChallengeOutcome;
use crate::factor::FactorKind;
use crate::risk::LoginContext;
use crate::time::Timestamp;
use crate::user::UserState;

/// The time of a shard is set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack {
    /// What it was.
    pub from: Timestamp,
    /// What it is, earlier.
    pub to: Timestamp,
}

impl SetBack {
    /// The end of something that began at `begun`; `None` if it is over. What began before the time
    /// ran ahead was given its end by a right clock.
    fn end(self, begun: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let left = until.millis_since(self.from);
        let moved = if begun > self.to { self.to.plus_millis(left) } else { until };
        (left > 0).then_some(moved)
    }

    /// A moment that is past: not later than now.
    fn past(self, at: &mut Timestamp) {
        *at = (*at).min(self.to);
    }

    fn past_if_any(self, at: &mut Option<Timestamp>) {
        *at = at.map(|at| at.min(self.to));
    }
}

impl UserState {
    /// Follows the shard's time back.
    pub fn set_back(&mut self, time: SetBack) {
        for challenge in &mut self.challenges {
            if challenge.outcome == ChallengeOutcome::Pending {
                challenge.outcome = ChallengeOutcome::Failed;
                challenge.context = LoginContext::default();
            }
            time.past(&mut challenge.created_at);
            time.past(&mut challenge.expires_at);
        }
        self.pending.clear();
        self.ceremonies.clear();
        self.portal.clear();
        let locked = self.lockout.locked_until;
        // A lock is always given its end by the shard's own time: what is left of it stays.
        self.lockout.locked_until = locked.and_then(|until| time.end(time.from, until));
        self.devices.retain_mut(|device| {
            let end = time.end(device.created_at, device.expires_at);
            time.past(&mut device.created_at);
            time.past_if_any(&mut device.last_used_at);
            device.expires_at = end.unwrap_or(device.expires_at);
            end.is_some()
        });
        for factor in &mut self.factors {
            time.past(&mut factor.created_at);
            time.past_if_any(&mut factor.last_used_at);
            if let FactorKind::Sms(to) | FactorKind::Email(to) = &mut factor.kind {
                for code in &mut to.codes {
                    time.past(&mut code.sent_at);
                    time.past(&mut code.expires_at);
                }
            }
        }
        if let Some(set) = &mut self.recovery {
            time.past(&mut set.generated_at);
        }
        let sights =
            [&mut self.history.devices, &mut self.history.user_agents, &mut self.history.countries];
        sights.into_iter().flatten().for_each(|seen| time.past(&mut seen.at));
        if let Some((_, _, at)) = &mut self.history.last_place {
            time.past(at);
        }
        let password_is_verified = self.history.last_verified_at >= self.password_changed_at;
        time.past_if_any(&mut self.history.last_verified_at);
        time.past_if_any(&mut self.password_changed_at);
        if !password_is_verified && self.history.last_verified_at == self.password_changed_at {
            // Which came first is still known afterwards.
            self.history.last_verified_at =
                self.history.last_verified_at.map(|at| at.plus_millis(-1));
        }
        self.spent_secrets.iter_mut().for_each(|spent| time.past(&mut spent.at));
        self.sends.made.iter_mut().for_each(|(_, at)| time.past(at));
        self.recovery_uses.iter_mut().for_each(|at| time.past(at));
        time.past(&mut self.created_at);
        time.past(&mut self.updated_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::{Challenge, ChallengeKind, ChallengeStatus, Purpose};
    use crate::device::TrustedDevice;
    use crate::ids::{ChallengeId, DeviceId};
    use crate::lockout::Lock;
    use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

    const RIGHT: Timestamp = Timestamp::from_millis(1_000 * DAY_MS);
    const AHEAD: Timestamp = RIGHT.plus_millis(6 * HOUR_MS);
    const TIME: SetBack = SetBack { from: AHEAD, to: RIGHT };

    fn device(created_at: Timestamp, expires_at: Timestamp) -> TrustedDevice {
        TrustedDevice {
            id: DeviceId::from_bytes([1; 16]),
            token_hash: [2; 32],
            name: None,
            user_agent: None,
            created_at,
            last_used_at: Some(AHEAD),
            expires_at,
        }
    }

    #[test]
    fn a_lock_that_is_over_stays_over_and_one_that_holds_lasts_as_long_as_before() {
        let locked = |until: Timestamp| {
            let mut state = UserState::default();
            state.lockout.locked_until = Some(until);
            state.lockout.failed_attempts = 7;
            state.set_back(TIME);
            assert_eq!(state.lockout.failed_attempts, 7, "what was counted stays counted");
            state.lockout.at(RIGHT)
        };
        assert_eq!(locked(AHEAD.plus_millis(-1)), Lock::Open);
        assert_eq!(locked(AHEAD), Lock::Open);
        let left = 30_000;
        assert_eq!(locked(AHEAD.plus_millis(left)), Lock::Until(RIGHT.plus_millis(left)));
    }

    #[test]
    fn whether_somebody_was_verified_since_the_password_changed_stays_known() {
        let is_verified = |changed: Timestamp, verified: Timestamp| {
            let mut state =
                UserState { password_changed_at: Some(changed), ..UserState::default() };
            state.history.last_verified_at = Some(verified);
            state.set_back(TIME);
            let times = [state.password_changed_at, state.history.last_verified_at];
            assert!(times.iter().all(|at| *at <= Some(RIGHT)), "{times:?}");
            state.history.last_verified_at >= state.password_changed_at
        };
        let (early, late) = (AHEAD.plus_millis(-HOUR_MS), AHEAD);
        assert!(is_verified(early, late));
        assert!(!is_verified(late, early));
        assert!(is_verified(late, late));
    }

    #[test]
    fn trust_ends_when_it_would_have_and_what_had_ended_is_gone() {
        let devices = vec![
            // Over by the shard's time, though not by the clock.
            device(RIGHT.plus_millis(-DAY_MS), RIGHT.plus_millis(HOUR_MS)),
            // From before the time ran ahead: its end was given by a right clock.
            device(RIGHT.plus_millis(-DAY_MS), RIGHT.plus_millis(DAY_MS)),
            device(AHEAD.plus_millis(-HOUR_MS), AHEAD.plus_millis(DAY_MS)),
        ];
        let mut state = UserState { devices, ..UserState::default() };
        state.set_back(TIME);
        let ends: Vec<_> = state.devices.iter().map(|device| device.expires_at).collect();
        assert_eq!(ends, [RIGHT.plus_millis(DAY_MS); 2]);
        assert!(state.devices.iter().all(|device| device.last_used_at == Some(RIGHT)));
    }

    #[test]
    fn nothing_that_was_open_or_over_can_be_answered_afterwards() {
        let challenge = |made_at: Timestamp| Challenge {
            id: ChallengeId::from_bytes([1; 16]),
            purpose: Purpose::Login,
            kind: ChallengeKind::Proof,
            created_at: made_at,
            expires_at: made_at.plus_millis(5 * MINUTE_MS),
            wrong: 0,
            outcome: ChallengeOutcome::Pending,
            context: LoginContext::default(),
            triggers: Vec::new(),
        };
        // Made before the time ran ahead; then long over; still open.
        let made = [RIGHT.plus_millis(-MINUTE_MS), AHEAD.plus_millis(-HOUR_MS), AHEAD];
        let challenges = made.map(challenge).into();
        let mut state = UserState { challenges, ..UserState::default() };
        state.set_back(TIME);
        for challenge in &state.challenges {
            let status = challenge.status(RIGHT);
            assert!(matches!(status, ChallengeStatus::Failed | ChallengeStatus::Expired));
            assert!(challenge.created_at <= RIGHT);
        }
    }
}
