//! Doing within a session what could be done outside as well: it is decided as if an API caller had
//! asked, and what follows from it for the session goes into the same commit.

use super::super::case::{Case, Verdict};
use super::super::enroll::reopened;
use super::{Judged, changed, end, permit, verdict, within};
use crate::command::{Command, RememberDevice};
use crate::context::Context;
use crate::decision::{Decision, Worked};
use crate::event::UserEvent;
use crate::factor::{FactorType, PendingEnrollment};
use crate::ids::{ChallengeId, FactorId};
use crate::portal::{Answered, PortalEvent, PortalReply, PortalSession};
use crate::reply::{Refusal, Reply, TokenGrant, Verified};

pub(super) fn act(
    case: &Case<'_>,
    session: &PortalSession,
    act: &Command,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Judged {
    permit::permits(case.state, case.around.tenant, session, act, context.now)?;
    // The wish to be remembered waits for whoever fetches: a device token made here would have to be
    // kept in state, or go through a browser.
    let (mut wish, mut act) = (None, act.clone());
    if let Command::Verify { remember_device, .. } = &mut act {
        wish = remember_device.take();
    }
    if let Command::BeginTotp { resume, .. } = &mut act {
        let begun = case.state.pending(FactorType::Totp).map(|pending| pending.id);
        *resume = begun.filter(|id| session.enrolling.contains(id));
    }
    // Whoever enrolls the very first factor has just shown it. With others left, or codes, that would
    // be a way around them.
    let first = case.state.factors.is_empty() && case.state.recovery_codes_remaining() == 0;
    let decided = super::super::judge(case, &act, worked, context);
    let mut decided = match decided.reply {
        Reply::Verified(ref right) => {
            let right = right.clone();
            verified(case, session, &act, right, wish, decided, context)
        }
        Reply::Factor { factor, tokens } if confirms(&act) => {
            let reply = Reply::Factor { factor: factor.clone(), tokens: None };
            let mut decided = Decision { reply, ..decided };
            let event = PortalEvent::Enrolled { id: session.id, factor: factor.id };
            decided.events.push(changed(event));
            if let Some(grant) = tokens {
                let answered = answered(case, session, Some(factor.id), &grant, None);
                decided.events.push(answered);
            }
            if first {
                let event = PortalEvent::Verified { id: session.id, factor: Some(factor.id) };
                decided.events.push(changed(event));
            }
            decided
        }
        Reply::TotpEnrollment(ref begun) => {
            let factor = begun.factor_id;
            begun_within(session, factor, decided)
        }
        Reply::MessageEnrollment(ref begun) => {
            let factor = begun.factor_id;
            begun_within(session, factor, decided)
        }
        _ => decided,
    };
    let entries = std::mem::take(&mut decided.audit).into_iter();
    decided.audit = entries.map(|entry| within(entry, session)).collect();
    Ok(decided)
}

const fn confirms(act: &Command) -> bool {
    matches!(
        act,
        Command::ConfirmTotp { .. }
            | Command::ConfirmMessage { .. }
            | Command::ConfirmWebAuthn { .. }
    )
}

fn begun_within(session: &PortalSession, factor: FactorId, mut decided: Verdict) -> Verdict {
    decided.events.push(changed(PortalEvent::Enrolling { id: session.id, factor }));
    decided
}

/// A challenge was answered rightly. Its tokens stay here: they are made anew, once, for whoever
/// fetches what came of the session.
fn verified(
    case: &Case<'_>,
    session: &PortalSession,
    act: &Command,
    right: Verified,
    wish: Option<RememberDevice>,
    decided: Verdict,
    context: &mut Context<'_>,
) -> Verdict {
    let Decision { mut events, mut audit, .. } = decided;
    if answered_challenge(act) != session.challenge {
        let event = PortalEvent::Verified { id: session.id, factor: right.factor_id };
        events.push(changed(event));
        return verdict(PortalReply::Verified, events, audit);
    }
    events.push(answered(case, session, right.factor_id, &right.tokens, wish));
    let ended = end::end(session, false, context);
    events.extend(ended.events);
    audit.extend(ended.audit);
    Decision { reply: ended.reply, events, audit }
}

const fn answered_challenge(act: &Command) -> Option<ChallengeId> {
    match act {
        Command::Verify { challenge, .. } => Some(*challenge),
        _ => None,
    }
}

fn answered(
    case: &Case<'_>,
    session: &PortalSession,
    factor: Option<FactorId>,
    grant: &TokenGrant,
    remember: Option<RememberDevice>,
) -> UserEvent {
    let challenge = session.challenge.and_then(|id| case.state.challenge(id));
    let answered = Box::new(Answered {
        factor,
        acr: grant.acr,
        amr: grant.amr.clone(),
        remember,
        user_agent: challenge
            .and_then(|challenge| challenge.context.user_agent.clone())
            .or_else(|| session.browser.user_agent.clone()),
    });
    changed(PortalEvent::Answered { id: session.id, answered })
}

/// The secret of an app's enrollment, once more: for a page that is loaded again. Only of one that
/// this session began: another session's secret is nobody else's to see.
pub(super) fn show_enrollment(
    case: &Case<'_>,
    session: &PortalSession,
    context: &Context<'_>,
) -> Judged {
    permit::may_enroll(case.state, case.around.tenant, session, None, context.now)?;
    let waits = |pending: &&PendingEnrollment| {
        session.enrolling.contains(&pending.id) && context.now < pending.expires_at
    };
    let Some(pending) = case.state.pending(FactorType::Totp).filter(waits) else {
        return Ok(Decision::reply(Reply::Refused(Refusal::NoPendingEnrollment)));
    };
    let Some(enrollment) = reopened(case, pending, context) else {
        return Ok(Decision::reply(Reply::Refused(Refusal::Unreadable)));
    };
    Ok(Decision::reply(PortalReply::Enrollment(enrollment).into()))
}
