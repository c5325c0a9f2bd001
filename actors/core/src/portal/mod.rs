//! Sessions on the hosted pages: what a browser may do in a user's name, and what of it comes back
//! to the application.
//!
//! A session goes through four stages, each with a random secret of its own that is kept as a
//! digest: a link *waits* to be opened, the browser that opened it holds an *open* session, which
//! *ends* with a code, and whoever has that code and an API key *fetches* what came of it, once. No
//! secret that is worth anything outside lies in here: tokens and the device token are made in the
//! commit that fetches.
//!
//! Every wish of the browser comes wrapped ([`PortalCommand::Act`]), so that whether the session is
//! alive and may do this is decided in the commit that does it.

mod evolve;
mod view;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::evolve::{evolve, forget_what_is_over};
pub use self::view::{CodeView, PendingView, PortalView};
use crate::command::{Command, RememberDevice};
use crate::context::Surroundings;
use crate::decide;
use crate::ids::{ChallengeId, FactorId, PortalId, UserId, UserKey};
use crate::reply::{Acr, Amr, Reply, TokenGrant, TotpEnrollment};
use crate::secret::Secret;
use crate::time::{MINUTE_MS, Timestamp};
use crate::user::UserState;

/// How long a link can be opened.
pub const LINK_LIFETIME_MS: i64 = 10 * MINUTE_MS;
/// How long a session lasts, from its opening on.
pub const SESSION_LIFETIME_MS: i64 = 30 * MINUTE_MS;
/// For how long a verification within a session counts.
pub const FRESH_MS: i64 = 10 * MINUTE_MS;
/// How long what came of a session can be fetched.
pub const RESULT_LIFETIME_MS: i64 = 5 * MINUTE_MS;
/// For how long a session that is over is told from one that never was.
pub const SESSION_KEPT_MS: i64 = 10 * MINUTE_MS;
/// How many sessions a user has at most; those that are over make room first, then the oldest.
pub const SESSIONS_KEPT: usize = 8;

/// SHA-256 of a secret of 256 random bits: of a link, of a browser, or of a code.
pub type SessionHash = [u8; 32];

/// What is kept of a secret. A random 256-bit value needs no slow hash.
pub fn secret_hash(secret: &str) -> SessionHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// What somebody is sent to the pages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortalPurpose {
    /// To add a factor.
    Enroll,
    /// To answer a challenge.
    Challenge,
    /// To look after factors, recovery codes and trusted devices.
    Manage,
}

impl PortalPurpose {
    /// The name in the HTTP contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "ENROLL",
            Self::Challenge => "CHALLENGE",
            Self::Manage => "MANAGE",
        }
    }
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Its link was not opened yet.
    Waiting {
        /// Of the link's secret.
        link: SessionHash,
    },
    /// A browser has it.
    Open {
        /// Of what the browser holds.
        session: SessionHash,
    },
    /// It ended; what came of it waits to be fetched.
    Ended {
        /// Of what the browser held.
        session: SessionHash,
        /// Of the code that fetches.
        code: SessionHash,
        /// Whether what was to be done was given up.
        cancelled: bool,
    },
    /// What came of it was fetched.
    Fetched {
        /// Of what the browser held.
        session: SessionHash,
    },
}

/// That the application's challenge was answered, and what follows once that is fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// What proved it; `None` for a recovery code.
    pub factor: Option<FactorId>,
    /// What the token will say.
    pub acr: Acr,
    /// What the token will say.
    pub amr: Vec<Amr>,
    /// The wish to be remembered in this browser.
    pub remember: Option<RememberDevice>,
    /// When the challenge was made: a login from before a change of the password earns no trust.
    pub asked_at: Timestamp,
    /// The browser, as the challenge told of it.
    pub user_agent: Option<String>,
}

/// A session on the hosted pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortalSession {
    /// Its id.
    pub id: PortalId,
    /// What for.
    pub purpose: PortalPurpose,
    /// The application's challenge, if it is about one.
    pub challenge: Option<ChallengeId>,
    /// Where the browser goes in the end.
    pub return_url: String,
    /// When its link was made.
    pub created_at: Timestamp,
    /// When its stage ends by itself.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub stage: Stage,
    /// The session's own challenge, by which the person is verified anew.
    pub verification: Option<ChallengeId>,
    /// When that was last answered, or the first factor enrolled.
    pub verified_at: Option<Timestamp>,
    /// The enrollment that was begun within it last.
    pub enrolling: Option<FactorId>,
    /// The factor that was enrolled within it last.
    pub enrolled: Option<FactorId>,
    /// That the application's challenge was answered.
    pub answered: Option<Box<Answered>>,
}

impl PortalSession {
    /// Whether the person was verified within the session lately.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.fresh_until().is_some_and(|until| now < until)
    }

    /// Until when the last verification within the session counts.
    pub fn fresh_until(&self) -> Option<Timestamp> {
        self.verified_at.map(|at| at.plus_millis(FRESH_MS))
    }

    /// What the browser that has or had it holds.
    pub const fn holder(&self) -> Option<&SessionHash> {
        match &self.stage {
            Stage::Waiting { .. } => None,
            Stage::Open { session } | Stage::Ended { session, .. } | Stage::Fetched { session } => {
                Some(session)
            }
        }
    }

    /// The session that this browser holds, if it is alive; else why it is not. Who does not hold
    /// its secret learns nothing of it.
    pub fn held<'a>(
        state: &'a UserState,
        id: PortalId,
        session: &SessionHash,
        now: Timestamp,
    ) -> Result<&'a Self, PortalRefusal> {
        let found = state.portal.iter().find(|one| one.id == id);
        // Digests of 256 random bits may be compared in any way: nothing is learnt from the timing.
        let found =
            found.filter(|one| one.holder() == Some(session)).ok_or(PortalRefusal::Unknown)?;
        let over = |why: fn(String) -> PortalRefusal| Err(why(found.return_url.clone()));
        match found.stage {
            Stage::Waiting { .. } => Err(PortalRefusal::Unknown),
            Stage::Ended { .. } | Stage::Fetched { .. } => over(PortalRefusal::Over),
            Stage::Open { .. } if now >= found.expires_at => over(PortalRefusal::Expired),
            Stage::Open { .. } => Ok(found),
        }
    }
}

/// A wish about a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalCommand {
    /// Makes a link. The application asks.
    Create {
        /// What for.
        purpose: PortalPurpose,
        /// The challenge to answer.
        challenge: Option<ChallengeId>,
        /// Where the browser goes in the end.
        return_url: String,
        /// Its origin, which the settings must name.
        return_origin: String,
    },
    /// Opens a link. A browser asks, as for all that follows but the last.
    Open {
        /// Which session.
        portal: PortalId,
        /// Of the link's secret.
        link: SessionHash,
    },
    /// Does something within a session that could be done outside as well.
    Act {
        /// Which session.
        portal: PortalId,
        /// Of what the browser holds.
        session: SessionHash,
        /// What.
        act: Command,
    },
    /// Asks for a challenge by which the person is verified anew.
    BeginVerification {
        /// Which session.
        portal: PortalId,
        /// Of what the browser holds.
        session: SessionHash,
    },
    /// Asks once more for the secret of an app's enrollment that was begun within the session.
    ShowEnrollment {
        /// Which session.
        portal: PortalId,
        /// Of what the browser holds.
        session: SessionHash,
    },
    /// Ends a session.
    Finish {
        /// Which session.
        portal: PortalId,
        /// Of what the browser holds.
        session: SessionHash,
        /// Whether what was to be done is given up.
        cancelled: bool,
    },
    /// Fetches what came of a session. The application asks.
    Fetch {
        /// Which session.
        portal: PortalId,
        /// Of the code.
        code: SessionHash,
    },
}

impl PortalCommand {
    /// What is to be done within a session, if that is it.
    pub const fn act(&self) -> Option<&Command> {
        match self {
            Self::Act { act, .. } => Some(act),
            _ => None,
        }
    }
}

/// A change of a session. Stored in the log: new variants go to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalEvent {
    /// A link waits to be opened.
    Created(Box<PortalSession>),
    /// It was opened: it never is again.
    Opened {
        /// Which session.
        id: PortalId,
        /// Of what the browser holds.
        session: SessionHash,
    },
    /// The person is to be verified anew by this challenge.
    Verifying {
        /// Which session.
        id: PortalId,
        /// The challenge.
        challenge: ChallengeId,
    },
    /// The person was verified.
    Verified {
        /// Which session.
        id: PortalId,
    },
    /// An enrollment was begun.
    Enrolling {
        /// Which session.
        id: PortalId,
        /// The factor that it will make.
        factor: FactorId,
    },
    /// A factor was enrolled.
    Enrolled {
        /// Which session.
        id: PortalId,
        /// It.
        factor: FactorId,
    },
    /// The application's challenge was answered.
    Answered {
        /// Which session.
        id: PortalId,
        /// How.
        answered: Box<Answered>,
    },
    /// The session ended.
    Ended {
        /// Which session.
        id: PortalId,
        /// Of the code that fetches.
        code: SessionHash,
        /// Whether what was to be done was given up.
        cancelled: bool,
    },
    /// What came of it was fetched: it never is again.
    Fetched {
        /// Which session.
        id: PortalId,
    },
}

/// Why a browser is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortalRefusal {
    /// There is no such session, or it is another browser's.
    Unknown,
    /// The link was opened before.
    Used,
    /// The link or the session is too old; where its browser was to go.
    Expired(String),
    /// The session ended; where its browser was to go.
    Over(String),
    /// The session is not for this.
    NotPermitted,
    /// The person has to be verified first.
    VerificationNeeded,
    /// There is nothing by which the person could be verified.
    NothingToProve,
}

/// What came of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortalOutcome {
    /// Whether what was to be done was given up.
    pub cancelled: bool,
    /// What it was for.
    pub purpose: PortalPurpose,
    /// Whose it was.
    pub user: UserId,
    /// The application's challenge.
    pub challenge: Option<ChallengeId>,
    /// What answered it, or else what was enrolled.
    pub factor: Option<FactorId>,
    /// The token, if the challenge was answered.
    pub tokens: Option<TokenGrant>,
    /// The device token, if the browser is to be remembered.
    pub device_token: Option<Secret>,
    /// Until when it is.
    pub device_token_expires_at: Option<Timestamp>,
}

/// An answer about a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalReply {
    /// A link was made.
    Created {
        /// Which session.
        id: PortalId,
        /// The link's secret.
        link: Secret,
        /// Until when it can be opened.
        expires_at: Timestamp,
    },
    /// It was opened.
    Opened {
        /// What the browser holds from now on.
        session: Secret,
        /// Until when.
        expires_at: Timestamp,
    },
    /// How it stands.
    View(Box<PortalView>),
    /// The person can be verified.
    Verifying {
        /// By this challenge.
        challenge: ChallengeId,
    },
    /// The person was verified.
    Verified,
    /// An app's enrollment that waits.
    Enrollment(TotpEnrollment),
    /// It ended.
    Ended {
        /// The code that fetches what came of it.
        code: Secret,
        /// Where the browser goes.
        return_url: String,
    },
    /// What came of it.
    Outcome(Box<PortalOutcome>),
    /// The browser is refused.
    Refused(PortalRefusal),
}

impl From<PortalReply> for Reply {
    fn from(reply: PortalReply) -> Self {
        Self::Portal(Box::new(reply))
    }
}

/// Shows a session to the browser that holds it.
pub fn answer(
    key: &UserKey,
    state: &UserState,
    id: PortalId,
    session: &SessionHash,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> Reply {
    let shown = match PortalSession::held(state, id, session, now) {
        Err(refusal) => PortalReply::Refused(refusal),
        Ok(session) => {
            PortalReply::View(Box::new(decide::portal::view(key, state, session, around, now)))
        }
    };
    shown.into()
}
