//! Enrolling an authenticator app: begun, then confirmed by a code; or taken over from elsewhere.

use super::super::case::{Case, Verdict, refuse, verdict};
use super::super::guess::Guess;
use super::near_miss::near_miss;
use super::{activate, confirmable, not_enrolled_yet};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::factor::totp::{
    CodeCheck, Parameters, TotpFactor, account_label, otpauth_uri, secret_length,
};
use crate::factor::{Factor, FactorKind, FactorType, PendingEnrollment};
use crate::ids::{ChallengeId, FactorId};
use crate::query;
use crate::reply::{Refusal, Reply, TotpEnrollment};
use crate::secret::Secret;
use crate::user::ENROLLMENT_LIFETIME_MS;

/// How many secrets that were replaced are kept with the one that waits.
const REPLACED_KEPT: usize = 4;

/// What a factor's sealed secret is bound to, besides its user.
pub(in crate::decide) fn secret_purpose(id: FactorId) -> String {
    format!("totp:{id}")
}

pub(in crate::decide) fn begin_totp(
    case: &Case<'_>,
    name: &Option<String>,
    parameters: Parameters,
    account_name: Option<&str>,
    resume: Option<FactorId>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.may_enroll(FactorType::Totp) {
        return refuse(refusal);
    }
    let before = case.state.pending(FactorType::Totp).filter(|one| context.now < one.expires_at);
    let same = |one: &&PendingEnrollment| {
        resume == Some(one.id) && one.kind.totp().is_some_and(|totp| totp.parameters == parameters)
    };
    if let Some(begun) = before.filter(same) {
        return resumed(case, begun, name, context);
    }
    let mut secret = vec![0; secret_length(parameters.algorithm)];
    context.entropy.fill(&mut secret);
    let secret = Secret::new(secret);
    let account =
        account_name.or(case.state.profile.email.as_deref()).unwrap_or(case.key.user.as_str());
    let apps = case.state.factors.iter().filter_map(|factor| factor.kind.totp());
    let taken: Vec<Option<&str>> = apps.map(|app| app.label.as_deref()).collect();
    let label = account_label(account, name.as_deref(), &taken);
    let issuer = &case.around.tenant.settings.issuer;
    let Some(uri) = otpauth_uri(&parameters, &secret, issuer, &label) else {
        return refuse(Refusal::Invalid {
            pointer: "/accountName".to_owned(),
            detail: "an account name must not be empty".to_owned(),
        });
    };
    let id = FactorId::random(context.entropy);
    let expires_at = context.now.plus_millis(ENROLLMENT_LIFETIME_MS);

    let mut events = case.created(context);
    events.push(UserEvent::EnrollmentBegun(PendingEnrollment {
        id,
        name: name.clone(),
        created_at: context.now,
        expires_at,
        kind: FactorKind::Totp(seal(case, id, &secret, (parameters, Some(label)), context)),
        wrong: 0,
        told: 0,
        told_steps: Vec::new(),
        replaced: before.map(replaced_by_next).unwrap_or_default(),
    }));
    let entry = AuditEntry::success("mfa.enrollment.started")
        .factor(id)
        .detail("factorType", FactorType::Totp.as_str());
    let enrollment = TotpEnrollment { factor_id: id, secret, parameters, uri, expires_at };
    verdict(Reply::TotpEnrollment(enrollment), events, entry)
}

/// An enrollment that waits, as it was shown when it began; `None` if it cannot be read.
pub(in crate::decide) fn reopened(
    case: &Case<'_>,
    pending: &PendingEnrollment,
    context: &Context<'_>,
) -> Option<TotpEnrollment> {
    let totp = pending.kind.totp()?;
    let bound = case.key.seal_context(&secret_purpose(pending.id));
    let secret = context.vault.open(&bound, &totp.secret).ok()?;
    let issuer = &case.around.tenant.settings.issuer;
    let uri = otpauth_uri(&totp.parameters, &secret, issuer, totp.label.as_deref()?)?;
    Some(TotpEnrollment {
        factor_id: pending.id,
        secret,
        parameters: totp.parameters,
        uri,
        expires_at: pending.expires_at,
    })
}

/// An enrollment that waits, shown once more to whoever began it: a person who looked at another way
/// and came back has scanned this secret.
fn resumed(
    case: &Case<'_>,
    begun: &PendingEnrollment,
    name: &Option<String>,
    context: &Context<'_>,
) -> Verdict {
    let Some(enrollment) = reopened(case, begun, context) else {
        return refuse(Refusal::Unreadable);
    };
    let renamed = name.is_some() && *name != begun.name;
    let renamed = renamed.then(|| PendingEnrollment { name: name.clone(), ..begun.clone() });
    let events = renamed.map(UserEvent::EnrollmentBegun).into_iter().collect();
    let entry = AuditEntry::success("mfa.enrollment.started")
        .because("resumed")
        .factor(begun.id)
        .detail("factorType", FactorType::Totp.as_str());
    verdict(Reply::TotpEnrollment(enrollment), events, entry)
}

/// What the enrollment that takes the place of this one keeps of it and of those before it, to tell
/// their codes apart.
fn replaced_by_next(before: &PendingEnrollment) -> Vec<(FactorId, TotpFactor)> {
    let own = before.kind.totp().map(|totp| (before.id, totp.clone()));
    let mut replaced: Vec<_> = before.replaced.iter().cloned().chain(own).collect();
    let over = replaced.len().saturating_sub(REPLACED_KEPT);
    replaced.drain(..over);
    replaced
}

pub(in crate::decide) fn confirm_totp(
    case: &Case<'_>,
    code: &Secret,
    name: &Option<String>,
    challenge: Option<ChallengeId>,
    context: &mut Context<'_>,
) -> Verdict {
    let guess = match Guess::open(case, "mfa.enrollment.failed", context.now) {
        Ok(guess) => guess,
        Err(stop) => return *stop,
    };
    let (pending, challenge) = match confirmable(case, FactorType::Totp, challenge, context.now) {
        Ok(found) => found,
        Err(refusal) => return refuse(refusal),
    };
    let FactorKind::Totp(totp) = &pending.kind else {
        return refuse(Refusal::NoPendingEnrollment);
    };
    let mut guess = guess.of_factor(pending.id);
    if let Some(challenge) = challenge {
        guess = guess.answering(challenge);
    }
    // The same secret may have been imported, used and removed since the enrollment began.
    let last_step = totp.last_step.max(last_spent_step(case, &totp.fingerprint));
    let totp = &TotpFactor { last_step, ..totp.clone() };
    let checked = match guess.check_totp(pending.id, totp, code, context) {
        Ok(checked) => checked,
        // What cannot be a code of this app may be one that it makes by default.
        Err(stop) => return near_miss(case, pending, code, context).unwrap_or(*stop),
    };
    let step = match checked {
        // Whoever was told of a code that is still to come could else wait for its time.
        CodeCheck::Fresh(step) if pending.told_steps.contains(&step) => {
            return refuse(Refusal::CodeAlreadyUsed);
        }
        CodeCheck::Fresh(step) => step,
        CodeCheck::Spent => return guess.spent(),
        CodeCheck::Wrong => {
            return near_miss(case, pending, code, context)
                .unwrap_or_else(|| guess.wrong(context.now));
        }
    };
    // The confirming code is spent: it cannot open the first login as well.
    let factor = Factor {
        id: pending.id,
        name: name.clone().or_else(|| pending.name.clone()),
        created_at: context.now,
        last_used_at: None,
        kind: FactorKind::Totp(TotpFactor { last_step: Some(step), ..totp.clone() }),
    };
    activate(case, factor, None, challenge, context)
}

pub(in crate::decide) fn import_totp(
    case: &Case<'_>,
    secret: &Secret,
    parameters: Parameters,
    name: &Option<String>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.may_enroll(FactorType::Totp) {
        return refuse(refusal);
    }
    let id = FactorId::random(context.entropy);
    let kind = FactorKind::Totp(seal(case, id, secret, (parameters, None), context));
    if let Err(refusal) = not_enrolled_yet(case, &kind) {
        return refuse(refusal);
    }
    let factor =
        Factor { id, name: name.clone(), created_at: context.now, last_used_at: None, kind };
    let mut events = case.created(context);
    events.push(UserEvent::FactorActivated(factor.clone()));
    let after = case.after(&events, context.now);
    let entry = AuditEntry::success("mfa.factor.enrolled")
        .factor(id)
        .because("imported")
        .detail("factorType", FactorType::Totp.as_str());
    let factor = query::factor_view(&factor, &after, case.admitted());
    verdict(Reply::Factor { factor, tokens: None }, events, entry)
}

/// The last step that was accepted of a secret that the user had before.
fn last_spent_step(case: &Case<'_>, fingerprint: &[u8; 16]) -> Option<u64> {
    let spent = case.state.spent_secrets.iter().filter(|one| one.fingerprint == *fingerprint);
    spent.map(|one| one.last_step).max()
}

/// Seals a secret. If the user had it before, the steps that were accepted then stay spent.
fn seal(
    case: &Case<'_>,
    id: FactorId,
    secret: &Secret,
    (parameters, label): (Parameters, Option<String>),
    context: &mut Context<'_>,
) -> TotpFactor {
    let fingerprint =
        context.vault.fingerprint(&case.key.seal_context("totp"), &parameters.identity(secret));
    TotpFactor {
        secret: context.vault.seal(
            &case.key.seal_context(&secret_purpose(id)),
            context.entropy.bytes(),
            secret.expose(),
        ),
        fingerprint,
        parameters,
        last_step: last_spent_step(case, &fingerprint),
        label,
    }
}
