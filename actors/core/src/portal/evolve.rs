//! How events change sessions. Every time in here is the shard's own.

use super::{
    LINK_LIFETIME_MS, PortalEvent, PortalSession, RESULT_LIFETIME_MS, SESSION_KEPT_MS,
    SESSION_LIFETIME_MS, SESSIONS_KEPT, Stage,
};
use crate::factor::FactorType;
use crate::ids::{FactorId, PortalId};
use crate::time::Timestamp;
use crate::user::UserState;

/// Applies an event.
pub fn evolve(state: &mut UserState, event: &PortalEvent, at: Timestamp) {
    match event {
        PortalEvent::Created(session) => create(state, session, at),
        PortalEvent::Opened { id, session } => with(state, *id, |it| {
            if matches!(it.stage, Stage::Waiting { .. }) {
                it.stage = Stage::Open { session: *session };
                it.expires_at = at.plus_millis(SESSION_LIFETIME_MS);
            }
        }),
        PortalEvent::Verifying { id, challenge } => {
            with(state, *id, |it| it.verification = Some(*challenge));
        }
        PortalEvent::Verified { id, factor } => with(state, *id, |it| {
            it.verified_at = Some(at);
            it.verified_by = *factor;
        }),
        PortalEvent::Enrolling { id, factor } => {
            with(state, *id, |it| {
                it.enrolling.retain(|begun| begun != factor);
                it.enrolling.push(*factor);
                let over = it.enrolling.len().saturating_sub(FactorType::ALL.len());
                it.enrolling.drain(..over);
            });
        }
        PortalEvent::Enrolled { id, factor } => with(state, *id, |it| {
            it.enrolling.retain(|begun| begun != factor);
            it.enrolled = Some(*factor);
        }),
        PortalEvent::Answered { id, answered } => {
            with(state, *id, |it| it.answered = Some(answered.clone()));
        }
        PortalEvent::Ended { id, code, cancelled } => with(state, *id, |it| {
            if let Stage::Open { session } = it.stage {
                it.stage = Stage::Ended { session, code: *code, cancelled: *cancelled };
                it.expires_at = at.plus_millis(RESULT_LIFETIME_MS);
            }
        }),
        PortalEvent::Fetched { id } => with(state, *id, |it| {
            if let Stage::Ended { session, .. } = it.stage {
                it.stage = Stage::Fetched { session };
                it.answered = None;
            }
        }),
        PortalEvent::Dropped { id } => state.portal.retain(|session| session.id != *id),
    }
}

fn with(state: &mut UserState, id: PortalId, change: impl FnOnce(&mut PortalSession)) {
    if let Some(session) = state.portal.iter_mut().find(|session| session.id == id) {
        change(session);
    }
}

fn create(state: &mut UserState, session: &PortalSession, at: Timestamp) {
    let expires_at = at.plus_millis(LINK_LIFETIME_MS);
    state.portal.push(PortalSession { created_at: at, expires_at, ..session.clone() });
    while state.portal.len() > SESSIONS_KEPT {
        let position = state.portal.iter().position(|one| one.is_over(at)).unwrap_or(0);
        state.portal.remove(position);
    }
}

/// A removed factor proves nothing any more: who was verified by it has to be verified anew, and a
/// challenge that it answered is not told of as answered.
pub fn forget_proofs_of(state: &mut UserState, factor: FactorId) {
    state.portal.retain(|session| {
        session.answered.as_ref().is_none_or(|answered| answered.factor != Some(factor))
    });
    for session in &mut state.portal {
        if session.verified_by == Some(factor) {
            session.verified_at = None;
            session.verified_by = None;
        }
    }
}

/// Forgets sessions that have been over for a while.
pub fn forget_what_is_over(state: &mut UserState, at: Timestamp) {
    state.portal.retain(|session| at.millis_since(session.expires_at) < SESSION_KEPT_MS);
}
