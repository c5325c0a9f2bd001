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

mod command;
mod evolve;
mod reply;
mod view;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::command::PortalCommand;
pub use self::evolve::{evolve, forget_proofs_of, forget_what_is_over};
pub use self::reply::{PortalOutcome, PortalRefusal, PortalReply};
pub use self::view::{CodeView, PendingView, PortalView};
use crate::command::RememberDevice;
use crate::context::Surroundings;
use crate::decide;
use crate::ids::{ChallengeId, FactorId, PortalId, UserKey};
use crate::reply::{Acr, Amr, Reply};
use crate::risk::LoginContext;
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
/// How many sessions a user has at most. Those that are over make room first; who makes room among the
/// others is decided in `decide/room`.
pub const SESSIONS_KEPT: usize = 16;
/// For how long a link that nobody opened makes room for no other: a browser that is sent there comes
/// at once.
pub const LINK_KEPT_MS: i64 = MINUTE_MS;

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

/// Under which name the browser brings the code back: a parameter of the query of `return_url`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultParameter {
    /// A name that nobody else uses.
    #[default]
    CountersignResult,
    /// OAuth's name, which libraries for it take for an authorization code of theirs.
    Code,
}

impl ResultParameter {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CountersignResult => "countersign_result",
            Self::Code => "code",
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
    /// The browser, as the challenge told of it.
    pub user_agent: Option<String>,
}

/// What the application knows of the browser that it sends to the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserContext {
    /// The person's address. Where the pages see an address themselves, theirs counts.
    pub ip_address: Option<IpAddr>,
    /// The browser's `User-Agent`.
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
    /// Under which name it brings the code.
    pub result_parameter: ResultParameter,
    /// The login that it belongs to, as far as it was told.
    pub login: LoginContext,
    /// What the application told of the browser.
    pub browser: BrowserContext,
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
    /// The factor that proved it; `None` for a recovery code.
    pub verified_by: Option<FactorId>,
    /// The enrollments that were begun within it, the last one last.
    pub enrolling: Vec<FactorId>,
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

    /// Whether nothing can come of it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Fetched { .. }) || now >= self.expires_at
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

    /// The session that this link opens, if it still waits; else why it does not.
    pub fn waiting<'a>(
        state: &'a UserState,
        id: PortalId,
        link: &SessionHash,
        now: Timestamp,
    ) -> Result<&'a Self, PortalRefusal> {
        let found = state.portal.iter().find(|one| one.id == id);
        let session = found.ok_or(PortalRefusal::Unknown)?;
        match &session.stage {
            Stage::Waiting { link: hash } if hash != link => Err(PortalRefusal::Unknown),
            Stage::Waiting { .. } if now >= session.expires_at => {
                Err(PortalRefusal::Expired(session.return_url.clone()))
            }
            Stage::Waiting { .. } => Ok(session),
            Stage::Open { .. } | Stage::Ended { .. } | Stage::Fetched { .. } => {
                Err(PortalRefusal::Used)
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
        /// By which factor; `None` for a recovery code.
        factor: Option<FactorId>,
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
    /// A session made room for another.
    Dropped {
        /// Which session.
        id: PortalId,
    },
}

/// Whether a link can be opened. Whoever only looks opens nothing: links are mailed, and mail is read by
/// scanners.
pub fn answer_link(state: &UserState, id: PortalId, link: &SessionHash, now: Timestamp) -> Reply {
    let told = PortalSession::waiting(state, id, link, now);
    told.map_or_else(PortalReply::Refused, |_| PortalReply::Waiting).into()
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
