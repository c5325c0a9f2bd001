//! Making a link, and opening it.

use super::super::case::{Case, Verdict, refuse};
use super::super::enroll::enrollment_challenge;
use super::super::room::{Opener, evicted_for};
use super::{Judged, changed, entry, new_secret, verdict};
use crate::challenge::ChallengeKind;
use crate::context::Context;
use crate::event::UserEvent;
use crate::ids::{ChallengeId, PortalId};
use crate::portal::{
    BrowserContext, LINK_KEPT_MS, LINK_LIFETIME_MS, PortalEvent, PortalPurpose, PortalReply,
    PortalSession, ResultParameter, SESSION_LIFETIME_MS, SESSIONS_KEPT, SessionHash, Stage,
    secret_hash,
};
use crate::reply::Refusal;
use crate::risk::LoginContext;
use crate::time::Timestamp;

/// What a link is for.
pub(super) struct Wish {
    pub(super) purpose: PortalPurpose,
    pub(super) challenge: Option<ChallengeId>,
    pub(super) result_parameter: ResultParameter,
    pub(super) browser: BrowserContext,
}

pub(super) fn create(
    case: &Case<'_>,
    wish: &Wish,
    return_url: &str,
    return_origin: &str,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = sensible(case, wish, return_origin, context.now) {
        return refuse(refusal);
    }
    let challenge = wish.challenge.and_then(|id| case.state.challenge(id));
    let mut login = challenge.map(|challenge| challenge.context.clone()).unwrap_or_default();
    login.ip_address = login.ip_address.or(wish.browser.ip_address);
    login.user_agent = login.user_agent.or_else(|| wish.browser.user_agent.clone());
    let dropped = match make_room(case, &login, context.now) {
        Ok(dropped) => dropped,
        Err(refusal) => return refuse(refusal),
    };
    let id = context.vault.challenge_id(case.key.hash(), context.entropy.bytes());
    let link = new_secret(context.entropy);
    let session = PortalSession {
        id: PortalId::from_bytes(*id.as_bytes()),
        purpose: wish.purpose,
        challenge: wish.challenge,
        return_url: return_url.to_owned(),
        result_parameter: wish.result_parameter,
        login,
        browser: wish.browser.clone(),
        created_at: context.now,
        expires_at: context.now.plus_millis(LINK_LIFETIME_MS),
        stage: Stage::Waiting { link: secret_hash(link.expose_str()) },
        verification: None,
        verified_at: None,
        verified_by: None,
        enrolling: Vec::new(),
        enrolled: None,
        answered: None,
    };
    let told = entry("mfa.portal.created", &session);
    let reply = PortalReply::Created { id: session.id, link, expires_at: session.expires_at };
    let mut events = case.created(context);
    events.extend(dropped);
    events.push(changed(PortalEvent::Created(Box::new(session))));
    verdict(reply, events, vec![told])
}

/// Makes room for one more session, or says why there is none: first by a link that nobody has opened,
/// although a browser that is sent there opens it at once.
fn make_room(
    case: &Case<'_>,
    login: &LoginContext,
    now: Timestamp,
) -> Result<Option<UserEvent>, Refusal> {
    let alive: Vec<&PortalSession> =
        case.state.portal.iter().filter(|session| !session.is_over(now)).collect();
    if alive.len() < SESSIONS_KEPT {
        return Ok(None);
    }
    let forgotten = |session: &&&PortalSession| {
        matches!(session.stage, Stage::Waiting { .. })
            && now.millis_since(session.created_at) >= LINK_KEPT_MS
    };
    let opener = |login| Opener::of(login, &case.state.history, now);
    let openers: Vec<_> =
        alive.iter().map(|session| (session.id, opener(&session.login))).collect();
    let forgotten = alive.iter().find(forgotten).map(|session| session.id);
    if let Some(id) = forgotten.or_else(|| evicted_for(&openers, opener(login))) {
        return Ok(Some(changed(PortalEvent::Dropped { id })));
    }
    let first = alive.iter().map(|session| session.expires_at).min().unwrap_or(now);
    Err(Refusal::TooManyOpen {
        what: format!("{SESSIONS_KEPT} sessions on the hosted pages"),
        retry_after_seconds: now.seconds_until(first),
    })
}

/// Refuses what could lead nowhere, and above all a way back that the tenant does not name: whoever
/// is sent to the pages would trust where they lead.
fn sensible(
    case: &Case<'_>,
    wish: &Wish,
    return_origin: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let invalid = |pointer: &str, detail: &str| Refusal::Invalid {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    };
    if !case.around.tenant.settings.origins.iter().any(|origin| origin == return_origin) {
        let detail = "must be of one of the `origins` in the settings";
        return Err(invalid("/returnUrl", detail));
    }
    match (wish.purpose, wish.challenge) {
        (PortalPurpose::Challenge, None) => Err(invalid("/challengeId", "is missing")),
        (PortalPurpose::Manage, Some(_)) => {
            Err(invalid("/challengeId", "must not come with the purpose MANAGE"))
        }
        (PortalPurpose::Enroll, Some(id)) => enrollment_challenge(case, id, now).map(|_| ()),
        (PortalPurpose::Challenge, Some(id)) => {
            let challenge = case.state.challenge(id).ok_or(Refusal::ChallengeNotFound)?;
            match challenge.kind {
                ChallengeKind::EnrollmentRequired => {
                    enrollment_challenge(case, id, now).map(|_| ())
                }
                ChallengeKind::Proof if challenge.is_open(now) => Ok(()),
                ChallengeKind::Proof => Err(Refusal::ChallengeExpired),
            }
        }
        (PortalPurpose::Enroll | PortalPurpose::Manage, None) => Ok(()),
    }
}

/// Opens a link, once. The secret that the browser gets is another: a link that was seen by somebody
/// else, in a history or a log, is worth nothing any more.
pub(super) fn open(
    case: &Case<'_>,
    portal: PortalId,
    link: &SessionHash,
    context: &mut Context<'_>,
) -> Judged {
    let session = PortalSession::waiting(case.state, portal, link, context.now)?;
    let secret = new_secret(context.entropy);
    let event = PortalEvent::Opened { id: session.id, session: secret_hash(secret.expose_str()) };
    let expires_at = context.now.plus_millis(SESSION_LIFETIME_MS);
    let reply = PortalReply::Opened { session: secret, expires_at };
    Ok(verdict(reply, vec![changed(event)], vec![entry("mfa.portal.opened", session)]))
}
