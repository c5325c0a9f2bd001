//! A code that was to confirm an app's enrollment and is wrong, but shows what is wrong: it is told and
//! not counted.
//!
//! The secret was just shown to the person, so there is hardly anything to guess at. Still, it gives
//! no better odds to somebody who guesses: it is told a few times only, and a code of a step that is
//! still to come is not good when its time has come.

use super::super::case::{Case, Verdict, verdict};
use super::secret_purpose;
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::factor::PendingEnrollment;
use crate::factor::totp::{self, CodeCheck, NearMiss, Parameters, TotpFactor};
use crate::ids::FactorId;
use crate::reply::{Refusal, Reply};
use crate::secret::Secret;
use crate::typed;

/// How often it is told of one enrollment; after that such codes are wrong ones.
const TOLD_MAX: u32 = 5;

/// What is said of the code, if it shows what is wrong.
pub(super) fn near_miss(
    case: &Case<'_>,
    pending: &PendingEnrollment,
    code: &Secret,
    context: &Context<'_>,
) -> Option<Verdict> {
    let typed = |digits: u8| typed::code(code.expose_str(), usize::from(digits));
    let open = |id: FactorId, totp: &TotpFactor| {
        let bound = case.key.seal_context(&secret_purpose(id));
        context.vault.open(&bound, &totp.secret).ok()
    };
    let is_replaced = |(id, totp): &(FactorId, TotpFactor)| {
        let Some((code, secret)) = typed(totp.parameters.digits).zip(open(*id, totp)) else {
            return false;
        };
        let (code, now) = (code.expose_str(), context.clock);
        totp::check(&totp.parameters, &secret, None, code, now) != CodeCheck::Wrong
    };
    let entry = |reason| AuditEntry::failure("mfa.enrollment.failed", reason).factor(pending.id);
    if pending.replaced.iter().any(is_replaced) {
        // Of no use to anybody, however often it is told.
        let reply = Reply::Refused(Refusal::EnrollmentReplaced);
        return Some(verdict(reply, Vec::new(), entry("enrollment_replaced")));
    }
    let totp = pending.kind.totp().filter(|_| pending.told < TOLD_MAX)?;
    let secret = open(pending.id, totp)?;
    let code = typed(totp.parameters.digits).or_else(|| typed(Parameters::default().digits))?;
    let told = totp::near_miss(&totp.parameters, &secret, code.expose_str(), context.clock)?;
    let (refusal, reason, step) = match told {
        NearMiss::Near(steps) => {
            let seconds = steps.saturating_mul(i64::from(totp.parameters.period_seconds));
            let seconds_ahead = i32::try_from(seconds).unwrap_or_default();
            let step = totp.parameters.step_at(context.clock).saturating_add_signed(steps);
            let refusal = Refusal::AuthenticatorClockOff { seconds_ahead };
            (refusal, "authenticator_clock_off", (steps > 0).then_some(step))
        }
        NearMiss::ByDefault => {
            let refusal = Refusal::AuthenticatorIgnoredParameters;
            (refusal, "authenticator_settings_ignored", None)
        }
    };
    let told = UserEvent::OtherCodeTold { id: pending.id, step };
    Some(verdict(Reply::Refused(refusal), vec![told], entry(reason)))
}
