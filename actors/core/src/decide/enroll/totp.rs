//! Enrolling an authenticator app: begun, then confirmed by a code; or taken over from elsewhere.

use super::super::case::{Case, Verdict, refuse, verdict};
use super::super::guess::Guess;
use super::{activate, confirmable, not_enrolled_yet};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::factor::totp::{Parameters, TotpFactor, account_label, otpauth_uri, secret_length};
use crate::factor::{Factor, FactorKind, FactorType, PendingEnrollment};
use crate::ids::{ChallengeId, FactorId};
use crate::query;
use crate::reply::{Refusal, Reply, TotpEnrollment};
use crate::secret::Secret;
use crate::user::ENROLLMENT_LIFETIME_MS;

/// What a factor's sealed secret is bound to, besides its user.
pub(in crate::decide) fn secret_purpose(id: FactorId) -> String {
    format!("totp:{id}")
}

pub(in crate::decide) fn begin_totp(
    case: &Case<'_>,
    name: &Option<String>,
    parameters: Parameters,
    account_name: Option<&str>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.may_enroll(FactorType::Totp) {
        return refuse(refusal);
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
    }));
    let entry = AuditEntry::success("mfa.enrollment.started")
        .factor(id)
        .detail("factorType", FactorType::Totp.as_str());
    let enrollment = TotpEnrollment { factor_id: id, secret, parameters, uri, expires_at };
    verdict(Reply::TotpEnrollment(enrollment), events, entry)
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
    let step = match guess.totp(pending.id, totp, code, context) {
        Ok(step) => step,
        Err(stop) => return *stop,
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
