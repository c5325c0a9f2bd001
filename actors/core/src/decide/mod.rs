//! Decisions about a user.

use crate::command::Command;
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Work, Worked};
use crate::event::UserEvent;
use crate::ids::UserKey;
use crate::reply::{Refusal, Reply};
use crate::user::UserState;

/// The slow computing that `command` needs before [`decide`] can judge it, if any.
pub fn prepare(
    _state: &UserState,
    _command: &Command,
    _around: &Surroundings<'_>,
    _context: &mut Context<'_>,
) -> Option<Work> {
    None
}

/// Decides `command` on `state`.
pub fn decide(
    _key: &UserKey,
    _state: &UserState,
    _command: &Command,
    _worked: Option<Worked>,
    _around: &Surroundings<'_>,
    _context: &mut Context<'_>,
) -> Decision<Reply, UserEvent> {
    Decision::reply(Reply::Refused(Refusal::UserNotFound))
}
