//! Questions that change nothing.

use crate::command::Query;
use crate::context::Surroundings;
use crate::ids::UserKey;
use crate::reply::{Refusal, Reply};
use crate::time::Timestamp;
use crate::user::UserState;

/// Answers `query` from `state`.
pub fn answer(
    _key: &UserKey,
    _state: &UserState,
    _query: &Query,
    _around: &Surroundings<'_>,
    _now: Timestamp,
) -> Reply {
    Reply::Refused(Refusal::UserNotFound)
}
