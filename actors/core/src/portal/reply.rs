//! What is answered about a session.

use serde::{Deserialize, Serialize};

use super::{PortalPurpose, PortalView, ResultParameter};
use crate::ids::{ChallengeId, FactorId, PortalId, UserId};
use crate::reply::{Reply, TokenGrant, TotpEnrollment};
use crate::secret::Secret;
use crate::time::Timestamp;

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
    /// The link can be opened.
    Waiting,
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
        /// Under which name it brings the code.
        result_parameter: ResultParameter,
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
