//! Sessions on the hosted pages: made and fetched by the application, used by a browser.
//!
//! [`open`] makes and opens a link, [`act`] does within a session what could be done outside,
//! [`verify`] has the person proven anew, [`end`] ends a session and hands out what came of it. What
//! a session may do is in [`permit`], in one place for all.

mod act;
mod end;
mod open;
mod permit;
mod verify;
mod view;

pub(crate) use self::view::view;
use super::case::{Case, Verdict, refuse};
use std::net::IpAddr;

use crate::audit::AuditEntry;
use crate::command::Command;
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Worked};
use crate::entropy::Entropy;
use crate::event::UserEvent;
use crate::portal::{PortalCommand, PortalEvent, PortalRefusal, PortalReply, PortalSession};
use crate::reply::Reply;
use crate::secret::Secret;
use crate::system::FEATURE_WEBAUTHN;
use crate::time::Timestamp;
use crate::user::UserState;

/// Decides, and says of all that is recorded where the browser is.
pub(super) fn judge(
    case: &Case<'_>,
    command: &PortalCommand,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    let address = command.address(case.state, case.around.browser_address);
    let mut verdict = decide(case, command, worked, address, context);
    for entry in &mut verdict.audit {
        entry.ip_address = entry.ip_address.or(address);
    }
    verdict
}

fn decide(
    case: &Case<'_>,
    command: &PortalCommand,
    worked: Option<Worked>,
    address: Option<IpAddr>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = context.understood(FEATURE_WEBAUTHN) {
        return refuse(refusal);
    }
    let now = context.now;
    let held = |portal, session| PortalSession::held(case.state, portal, session, now);
    let judged = match command {
        PortalCommand::Create {
            purpose,
            challenge,
            return_url,
            return_origin,
            result_parameter,
            browser,
        } => {
            let wish = open::Wish {
                purpose: *purpose,
                challenge: *challenge,
                result_parameter: *result_parameter,
                browser: browser.clone(),
            };
            return open::create(case, &wish, return_url, return_origin, context);
        }
        PortalCommand::Fetch { portal, code } => return end::fetch(case, *portal, code, context),
        PortalCommand::Open { portal, link } => open::open(case, *portal, link, context),
        PortalCommand::Act { portal, session, act } => {
            held(*portal, session).and_then(|it| {
                // Whoever guesses is where the browser is, wherever the login was said to come from.
                let seen = seen_from(case.state, it, act, address);
                let around = Surroundings { browser_address: address, ..*case.around };
                let case = Case::new(case.key, seen.as_ref().unwrap_or(case.state), &around);
                act::act(&case, it, act, worked, context)
            })
        }
        PortalCommand::BeginVerification { portal, session } => {
            held(*portal, session).and_then(|it| verify::begin(case, it, context))
        }
        PortalCommand::ShowEnrollment { portal, session } => {
            held(*portal, session).and_then(|it| act::show_enrollment(case, it, context))
        }
        PortalCommand::Finish { portal, session, cancelled } => {
            held(*portal, session).map(|it| end::finish(it, *cancelled, context))
        }
    };
    judged.unwrap_or_else(|refusal| Decision::reply(PortalReply::Refused(refusal).into()))
}

/// The user as found, but with the challenge that is answered asked from where the browser is; `None`
/// if that changes nothing.
fn seen_from(
    state: &UserState,
    session: &PortalSession,
    act: &Command,
    address: Option<IpAddr>,
) -> Option<UserState> {
    address?;
    let mut seen = state.clone();
    let mut changed = false;
    let answered = act.challenge().or(session.challenge);
    for challenge in seen.challenges.iter_mut().filter(|one| Some(one.id) == answered) {
        changed |= challenge.context.ip_address != address;
        challenge.context.ip_address = address;
    }
    changed.then_some(seen)
}

/// What [`super::prepare`] has to prepare for a wish: that for the act, if it would be permitted. What
/// is not costs no slow computing.
pub(super) fn act_to_prepare<'a>(
    state: &UserState,
    command: &'a PortalCommand,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> Option<&'a Command> {
    let PortalCommand::Act { portal, session, act } = command else { return None };
    let session = PortalSession::held(state, *portal, session, now).ok()?;
    permit::permits(state, around.tenant, session, act, now).ok()?;
    Some(act)
}

/// A fresh secret, 43 characters of base64url.
fn new_secret(entropy: &mut dyn Entropy) -> Secret {
    Secret::from(data_encoding::BASE64URL_NOPAD.encode(&entropy.bytes::<32>()))
}

fn changed(event: PortalEvent) -> UserEvent {
    UserEvent::Portal(Box::new(event))
}

/// What the audit log says of a session.
fn entry(event_type: &str, session: &PortalSession) -> AuditEntry {
    let mut entry = within(AuditEntry::success(event_type), session)
        .detail("purpose", session.purpose.as_str());
    entry.challenge_id = session.challenge;
    entry
}

/// What the audit log says of something that was done within a session.
fn within(entry: AuditEntry, session: &PortalSession) -> AuditEntry {
    entry.detail("portalSession", session.id)
}

fn verdict(reply: PortalReply, events: Vec<UserEvent>, audit: Vec<AuditEntry>) -> Verdict {
    Decision { reply: Reply::from(reply), events, audit }
}

type Judged = Result<Verdict, PortalRefusal>;
