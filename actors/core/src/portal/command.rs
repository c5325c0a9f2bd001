//! What can be asked about a session.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{BrowserContext, PortalPurpose, PortalSession, ResultParameter, SessionHash};
use crate::command::Command;
use crate::ids::{ChallengeId, PortalId};
use crate::user::UserState;

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
        /// Under which name it brings the code.
        result_parameter: ResultParameter,
        /// What the application knows of the browser.
        browser: BrowserContext,
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
    /// Where the person is: `seen` is where the request comes from, if that is known. Else what the
    /// application told when it made the link.
    pub fn address(&self, state: &UserState, seen: Option<IpAddr>) -> Option<IpAddr> {
        let portal = match self {
            Self::Create { browser, .. } => return browser.ip_address,
            // The application's own server asks, not the browser.
            Self::Fetch { .. } => return None,
            Self::Open { portal, .. }
            | Self::Act { portal, .. }
            | Self::BeginVerification { portal, .. }
            | Self::ShowEnrollment { portal, .. }
            | Self::Finish { portal, .. } => portal,
        };
        let session = || -> Option<&PortalSession> {
            state.portal.iter().find(|session| session.id == *portal)
        };
        seen.or_else(|| session()?.browser.ip_address)
    }

    /// What is to be done within a session, if that is it.
    pub const fn act(&self) -> Option<&Command> {
        match self {
            Self::Act { act, .. } => Some(act),
            _ => None,
        }
    }
}
