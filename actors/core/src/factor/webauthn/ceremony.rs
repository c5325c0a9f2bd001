//! What a user's state keeps of a ceremony that was begun: made of our own randomness, bound to its
//! user and its purpose, good for five minutes and for one answer.

use serde::{Deserialize, Serialize};

use super::options::{Attestation, UserVerification};
use crate::ids::{ChallengeId, FactorId};
use crate::time::{MINUTE_MS, Timestamp};

/// How long a ceremony can be answered.
pub const CEREMONY_LIFETIME_MS: i64 = 5 * MINUTE_MS;
/// How many of one challenge there are at most; the oldest make room.
pub const CEREMONIES_OF_A_CHALLENGE: usize = 4;
/// How many outside a challenge there are at most; one more has to wait.
pub const CEREMONIES_OUTSIDE: usize = 64;

/// The 32 random bytes that the authenticator signs (section 13.4.3 asks for at least 16).
pub type CeremonyChallenge = [u8; 32];

/// What a ceremony is for. An answer to one is refused for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CeremonyPurpose {
    /// Registering a credential, which will be this factor.
    Register(FactorId),
    /// Showing a credential, outside a challenge.
    Authenticate,
    /// Answering this challenge.
    Answer(ChallengeId),
}

/// A ceremony that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// What the authenticator signs.
    pub challenge: CeremonyChallenge,
    /// What it is for.
    pub purpose: CeremonyPurpose,
    /// What was demanded of the authenticator. Only `Required` is enforced.
    pub user_verification: UserVerification,
    /// What was asked of a new authenticator; `None` in an authentication.
    pub attestation: Option<Attestation>,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// The signature counters of the user's credentials when it began, but for those at zero.
    pub counters: Vec<(FactorId, u32)>,
}

impl Ceremony {
    /// Whether it can be answered at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What a credential's counter was when it began.
    pub fn counter_of(&self, factor: FactorId) -> u32 {
        self.counters.iter().find(|(id, _)| *id == factor).map_or(0, |(_, counter)| *counter)
    }

    /// Whether it registers a credential.
    pub const fn registers(&self) -> bool {
        matches!(self.purpose, CeremonyPurpose::Register(_))
    }
}
