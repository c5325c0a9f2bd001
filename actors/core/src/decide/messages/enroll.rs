//! Beginning the enrollment of a number or an address. Nothing is sent yet.

use super::super::case::{Case, Verdict, refuse, verdict};
use super::super::enroll::not_enrolled_yet;
use super::limits::{self, Errand};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::email::EmailAddress;
use crate::event::UserEvent;
use crate::factor::message::MessageFactor;
use crate::factor::{FactorKind, PendingEnrollment};
use crate::ids::FactorId;
use crate::message::Channel;
use crate::phone::PhoneNumber;
use crate::reply::{MessageEnrollment, Refusal, Reply};
use crate::user::ENROLLMENT_LIFETIME_MS;

pub(in crate::decide) fn begin_sms(
    case: &Case<'_>,
    number: &PhoneNumber,
    name: &Option<String>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = open(case, Channel::Sms) {
        return refuse(refusal);
    }
    let kind = FactorKind::Sms(MessageFactor::new(number.as_str().to_owned()));
    if let Err(refusal) = not_enrolled_yet(case, &kind) {
        return refuse(refusal);
    }
    let errand = Errand::begin(Channel::Sms);
    if let Err(stop) = limits::country(case, &errand, number) {
        return *stop;
    }
    begin(case, kind, name, context)
}

pub(in crate::decide) fn begin_email(
    case: &Case<'_>,
    name: &Option<String>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = open(case, Channel::Email) {
        return refuse(refusal);
    }
    let profile = &case.state.profile;
    let Some(address) = profile.email.clone().filter(|_| profile.email_verified) else {
        return refuse(Refusal::EmailNotVerified);
    };
    // Kept as mail servers read it, so that one mailbox is one destination however it is written.
    let address = match address.parse::<EmailAddress>() {
        Ok(address) if address.is_ascii() => address.mailed(),
        Ok(_) => {
            let what = "the user's email address has letters before the @ that are not ASCII, and \
                        many mail servers take no mail for such addresses";
            return refuse(Refusal::Conflict(what.to_owned()));
        }
        Err(error) => {
            let what = format!("the user's email address cannot be mailed: it {error}");
            return refuse(Refusal::Conflict(what));
        }
    };
    let kind = FactorKind::Email(MessageFactor::new(address));
    if let Err(refusal) = not_enrolled_yet(case, &kind) {
        return refuse(refusal);
    }
    begin(case, kind, name, context)
}

/// Refuses what the policy does not allow, and what could never be confirmed.
fn open(case: &Case<'_>, channel: Channel) -> Result<(), Refusal> {
    case.may_enroll(channel.factor_type())?;
    if !case.around.channels.can(channel) {
        return Err(Refusal::DeliveryNotConfigured(channel));
    }
    Ok(())
}

fn begin(
    case: &Case<'_>,
    kind: FactorKind,
    name: &Option<String>,
    context: &mut Context<'_>,
) -> Verdict {
    let (id, kind, wrong) = match begun_before(case, &kind, context) {
        Some(before) => (before.id, before.kind.clone(), before.wrong),
        None => (FactorId::random(context.entropy), kind, 0),
    };
    let factor_type = kind.factor_type();
    let masked_destination = kind.masked_destination().unwrap_or_default();
    let expires_at = context.now.plus_millis(ENROLLMENT_LIFETIME_MS);
    let mut events = case.created(context);
    events.push(UserEvent::EnrollmentBegun(PendingEnrollment {
        id,
        name: name.clone(),
        created_at: context.now,
        expires_at,
        kind,
        wrong,
        told: 0,
        told_steps: Vec::new(),
        replaced: Vec::new(),
    }));
    let entry = AuditEntry::success("mfa.enrollment.started")
        .factor(id)
        .detail("factorType", factor_type.as_str());
    let enrollment = MessageEnrollment { factor_id: id, masked_destination, expires_at };
    verdict(Reply::MessageEnrollment(enrollment), events, entry)
}

/// The enrollment of the same destination that waits already. It goes on under its id, with the codes
/// that were sent: to begin again shortens no pause between two codes and gives no fresh guesses at
/// the one that is on its way.
fn begun_before<'a>(
    case: &Case<'a>,
    kind: &FactorKind,
    context: &Context<'_>,
) -> Option<&'a PendingEnrollment> {
    let pending = case.state.pending(kind.factor_type())?;
    let destination = |kind: &FactorKind| kind.message().map(|(_, to)| to.destination.clone());
    let same = destination(&pending.kind) == destination(kind);
    (same && context.now < pending.expires_at).then_some(pending)
}
