//! Sessions on the hosted pages.

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::context::Surroundings;
use crate::ids::{PortalId, UserKey};
use crate::reply::{Refusal, Reply};
use crate::time::Timestamp;
use crate::user::UserState;

/// SHA-256 of what a browser holds.
pub type SessionHash = [u8; 32];

/// A session on the hosted pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalSession {
    /// Its id.
    pub id: PortalId,
}

/// A wish on the hosted pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalCommand {
    /// Does something else within a session.
    Act {
        /// Which session.
        portal: PortalId,
        /// What the browser holds.
        session: SessionHash,
        /// What.
        act: Command,
    },
}

/// A change of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalEvent {}

/// An answer about a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PortalReply {}

/// Applies an event.
pub fn evolve(_state: &mut UserState, event: &PortalEvent, _at: Timestamp) {
    match *event {}
}

/// Forgets sessions that ended.
pub fn forget_what_is_over(_state: &mut UserState, _at: Timestamp) {}

/// Shows a session.
pub fn answer(
    _key: &UserKey,
    _state: &UserState,
    _id: PortalId,
    _session: &SessionHash,
    _around: &Surroundings<'_>,
    _now: Timestamp,
) -> Reply {
    Reply::Refused(Refusal::NotFound("session".to_owned()))
}
