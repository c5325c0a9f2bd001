//! Ending a session, and handing out what came of it, once.

use super::super::case::{Case, Verdict, refuse};
use super::super::verify;
use super::{changed, entry, new_secret, verdict};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::ids::PortalId;
use crate::portal::{
    PortalEvent, PortalOutcome, PortalPurpose, PortalReply, PortalSession, SessionHash, Stage,
    secret_hash,
};
use crate::reply::Refusal;

/// Ends a session because its browser leaves.
pub(super) fn finish(
    session: &PortalSession,
    cancelled: bool,
    context: &mut Context<'_>,
) -> Verdict {
    // What was done was done, whichever button was the last; and a challenge is not, unless it was
    // answered: an application that looks at nothing else must not let anybody in.
    let done = match session.purpose {
        PortalPurpose::Manage => !cancelled,
        PortalPurpose::Enroll => session.enrolled.is_some() || session.answered.is_some(),
        PortalPurpose::Challenge => session.answered.is_some(),
    };
    end(session, !done, context)
}

/// Ends a session.
pub(super) fn end(session: &PortalSession, cancelled: bool, context: &mut Context<'_>) -> Verdict {
    let code = new_secret(context.entropy);
    let hash = secret_hash(code.expose_str());
    let event = changed(PortalEvent::Ended { id: session.id, code: hash, cancelled });
    let told = entry("mfa.portal.ended", session).detail("cancelled", cancelled);
    let reply = PortalReply::Ended {
        code,
        return_url: session.return_url.clone(),
        result_parameter: session.result_parameter,
    };
    verdict(reply, vec![event], vec![told])
}

/// Hands out what came of a session, and makes the tokens.
pub(super) fn fetch(
    case: &Case<'_>,
    portal: PortalId,
    code: &SessionHash,
    context: &mut Context<'_>,
) -> Verdict {
    let with_code = |session: &&PortalSession| {
        matches!(&session.stage, Stage::Ended { code: hash, .. } if hash == code)
            && context.now < session.expires_at
    };
    let found = case.state.portal.iter().find(|session| session.id == portal).filter(with_code);
    let Some(session) = found else {
        return refuse(Refusal::NotFound("result of a session on the hosted pages".to_owned()));
    };
    let mut events = vec![changed(PortalEvent::Fetched { id: session.id })];
    let mut audit = vec![entry("mfa.portal.fetched", session)];
    let answered = session.answered.as_deref();
    let tokens = answered.map(|it| case.grant(it.acr, it.amr.clone(), context));
    let device = answered.and_then(|it| {
        let wish = it.remember.as_ref()?;
        verify::earns_trust(case).then(|| verify::trust(case, wish, it.user_agent.clone(), context))
    });
    let (mut device_token, mut device_token_expires_at) = (None, None);
    if let Some((token, device)) = device {
        let mut told = AuditEntry::success("mfa.device.trusted").detail("deviceId", device.id);
        told.challenge_id = session.challenge;
        audit.push(super::within(told, session));
        (device_token, device_token_expires_at) = (Some(token), Some(device.expires_at));
        events.push(UserEvent::DeviceTrusted(device));
    }
    let outcome = PortalOutcome {
        cancelled: matches!(session.stage, Stage::Ended { cancelled: true, .. }),
        purpose: session.purpose,
        user: case.key.user.clone(),
        challenge: session.challenge,
        factor: answered.map_or(session.enrolled, |it| it.factor),
        tokens,
        device_token,
        device_token_expires_at,
    };
    verdict(PortalReply::Outcome(Box::new(outcome)), events, audit)
}
