//! How events change a user. Total: an event never fails, whatever the state.

use crate::event::UserEvent;
use crate::time::Timestamp;
use crate::user::UserState;

/// Applies one event that happened at `at`. After the last event of a commit, call [`settle`].
pub fn evolve(_state: &mut UserState, _event: &UserEvent, _at: Timestamp) {}

/// Applies all events of one commit: what the leader and every replica do.
pub fn evolve_all(state: &mut UserState, events: &[UserEvent], at: Timestamp) {
    for event in events {
        evolve(state, event, at);
    }
}
