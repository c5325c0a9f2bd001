//! Having the person verified anew, within a session: by a challenge of its own, which is answered
//! like any other and so counts wrong codes like any other.

use super::super::case::Case;
use super::super::challenge;
use super::{Judged, changed, entry, permit, verdict};
use crate::challenge::{ChallengeKind, Purpose};
use crate::context::Context;
use crate::event::UserEvent;
use crate::portal::{PortalEvent, PortalRefusal, PortalReply, PortalSession};
use crate::risk::LoginContext;

pub(super) fn begin(case: &Case<'_>, session: &PortalSession, context: &mut Context<'_>) -> Judged {
    if !permit::enrolls(case.state, session) {
        return Err(PortalRefusal::NotPermitted);
    }
    let open = session.verification.and_then(|id| case.state.challenge(id));
    if let Some(open) = open.filter(|challenge| challenge.is_open(context.now)) {
        // A page that was loaded again gives no fresh guesses.
        return Ok(verdict(PortalReply::Verifying { challenge: open.id }, Vec::new(), Vec::new()));
    }
    if !permit::is_provable(case.state, case.around.tenant) {
        return Err(PortalRefusal::NothingToProve);
    }
    // Nothing is told of the login, so nothing is learnt from it either.
    let login = LoginContext::default();
    let kind = ChallengeKind::Proof;
    let opened = challenge::open(case, Purpose::StepUp, kind, &login, &[], context);
    let mut told = entry("mfa.portal.verification_started", session);
    told.challenge_id = Some(opened.id);
    let reply = PortalReply::Verifying { challenge: opened.id };
    let verifying = PortalEvent::Verifying { id: session.id, challenge: opened.id };
    let events = vec![UserEvent::ChallengeOpened(opened), changed(verifying)];
    Ok(verdict(reply, events, vec![told]))
}
