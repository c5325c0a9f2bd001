//! A login's question to its user, and what became of it.

use serde::{Deserialize, Serialize};

use crate::ids::ChallengeId;
use crate::portal::SESSIONS_KEPT;
use crate::risk::{LoginContext, Trigger};
use crate::time::{MINUTE_MS, Timestamp};

/// How long a challenge can be answered.
pub const CHALLENGE_LIFETIME_MS: i64 = 5 * MINUTE_MS;
/// Wrong answers that end a challenge.
pub const CHALLENGE_MAX_WRONG: u32 = 5;
/// How many challenges a user has open at most, not counting those by which a session on the hosted
/// pages has the person verified. Who makes room for one more is decided in `decide/room`.
pub const CHALLENGES_OPEN: usize = 32;
/// How many challenges are kept at most, open or not: room for [`CHALLENGES_OPEN`], and for one of
/// each session on the hosted pages.
pub const CHALLENGES_KEPT: usize = CHALLENGES_OPEN + SESSIONS_KEPT;
/// For how long an ended challenge still tells its outcome, counted from its making.
pub const CHALLENGE_KEPT_MS: i64 = 2 * CHALLENGE_LIFETIME_MS;

/// Why the application asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Somebody signs in.
    Login,
    /// Somebody signed in already, and does something delicate.
    StepUp,
}

/// What answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeKind {
    /// A proof of one of the user's factors.
    Proof,
    /// The confirmation of a new enrollment, since the user has none.
    EnrollmentRequired,
}

/// What became of it, as far as was decided; a pending one past its time is expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeOutcome {
    /// Nothing yet.
    Pending,
    /// It was answered; it cannot be answered again.
    Verified,
    /// Too many wrong answers, a reset, a changed password, or too many others.
    Failed,
}

/// A challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// Why it was asked.
    pub purpose: Purpose,
    /// What answers it.
    pub kind: ChallengeKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// Wrong answers so far.
    pub wrong: u32,
    /// What became of it.
    pub outcome: ChallengeOutcome,
    /// Where the login comes from; learnt from on success.
    pub context: LoginContext,
    /// The signs of risk that fired.
    pub triggers: Vec<Trigger>,
}

/// The status that the HTTP contract shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeStatus {
    /// It can be answered.
    Pending,
    /// It was answered.
    Verified,
    /// It ended by wrong answers, a reset, a changed password, or too many others.
    Failed,
    /// Its time is over.
    Expired,
}

impl Challenge {
    /// The status at `now`.
    pub fn status(&self, now: Timestamp) -> ChallengeStatus {
        match self.outcome {
            ChallengeOutcome::Verified => ChallengeStatus::Verified,
            ChallengeOutcome::Failed => ChallengeStatus::Failed,
            ChallengeOutcome::Pending if now >= self.expires_at => ChallengeStatus::Expired,
            ChallengeOutcome::Pending => ChallengeStatus::Pending,
        }
    }

    /// Whether it can be answered at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status(now) == ChallengeStatus::Pending
    }

    /// Whether an answer is read at `now`. One to a challenge that was answered rightly is: it opens
    /// nothing any more, but whether it is the spent proof come again or a guess must be told apart.
    pub fn reads_answers(&self, now: Timestamp) -> bool {
        matches!(self.status(now), ChallengeStatus::Pending | ChallengeStatus::Verified)
    }

    /// Wrong answers left before it ends.
    pub const fn attempts_remaining(&self) -> u32 {
        CHALLENGE_MAX_WRONG.saturating_sub(self.wrong)
    }
}
