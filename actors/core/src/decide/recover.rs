//! Recovery codes: made as a set, spent one by one.

use super::alert;
use super::case::{Case, Stop, Verdict, refuse, verdict};
use super::guess::{CODE, Guess, no_code};
use crate::audit::AuditEntry;
use crate::challenge::Challenge;
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Work, Worked};
use crate::event::UserEvent;
use crate::factor::recovery_code::{self, CodeHash, RecoverySet};
use crate::lockout::Lock;
use crate::reply::{Refusal, Reply};
use crate::risk::LoginContext;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::user::UserState;

/// A fresh set to hash, unless it would be refused anyway.
pub(super) fn prepare_set(
    state: &UserState,
    around: &Surroundings<'_>,
    context: &mut Context<'_>,
) -> Option<Work> {
    let policy = &around.tenant.policy;
    let rule = policy.rule_for(&state.profile.groups);
    if rule.requirement == crate::policy::Requirement::Disabled {
        return None;
    }
    let codes = (0..policy.recovery_codes_count).map(|_| recovery_code::generate(context.entropy));
    let codes = codes.collect();
    Some(Work::HashSet { salt: context.entropy.bytes(), codes })
}

/// A typed code to hash, unless it is refused or seen to be wrong without.
pub(super) fn prepare_code(state: &UserState, code: &Secret, now: Timestamp) -> Option<Work> {
    if state.lockout.at(now) != Lock::Open {
        return None;
    }
    let set = state.recovery.as_ref()?;
    let canonical = recovery_code::normalize(code.expose_str())?;
    Some(Work::HashCode { salt: set.salt, canonical })
}

pub(super) fn generate(
    case: &Case<'_>,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.enabled() {
        return refuse(refusal);
    }
    if case.state.recovery_codes_remaining() > 0 {
        return refuse(Refusal::RecoveryCodesExist);
    }
    make(case, worked, "mfa.recovery_codes.generated", context)
}

pub(super) fn regenerate(
    case: &Case<'_>,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.enabled() {
        return refuse(refusal);
    }
    make(case, worked, "mfa.recovery_codes.regenerated", context)
}

fn make(
    case: &Case<'_>,
    worked: Option<Worked>,
    event_type: &str,
    context: &mut Context<'_>,
) -> Verdict {
    let Some(Worked::Set { salt, codes, digests }) = worked else {
        return refuse(Refusal::Unreadable);
    };
    let total = u32::try_from(codes.len()).unwrap_or(u32::MAX);
    let mut events = case.created(context);
    events.push(UserEvent::RecoverySetMade(RecoverySet {
        salt,
        total,
        unused: digests,
        used: Vec::new(),
        generated_at: context.now,
    }));
    let entry = AuditEntry::success(event_type).detail("total", total);
    verdict(Reply::RecoveryCodes(codes), events, entry)
}

/// Spends a code outside a challenge.
pub(super) fn use_code(
    case: &Case<'_>,
    code: &Secret,
    worked: Option<Worked>,
    context: &Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    let guess = match Guess::open(case, "mfa.recovery_code.failed", context.now) {
        Ok(guess) => guess,
        Err(stop) => return *stop,
    };
    match read(case, &guess, (CODE, code), worked, context.now) {
        Err(stop) => *stop,
        Ok(digest) => {
            let remaining = case.state.recovery_codes_remaining().saturating_sub(1);
            let events = vec![
                UserEvent::RecoveryCodeSpent { digest },
                UserEvent::AttemptSucceeded,
                UserEvent::Learned(LoginContext::default()),
            ];
            let audit = used(case, None, context.now);
            Decision { reply: Reply::RecoveryCodeUsed { remaining }, events, audit }
        }
    }
}

/// What the audit log says of a spent code.
pub(super) fn used(
    case: &Case<'_>,
    challenge: Option<&Challenge>,
    now: Timestamp,
) -> Vec<AuditEntry> {
    let remaining = case.state.recovery_codes_remaining().saturating_sub(1);
    let mut entry = AuditEntry::success("mfa.recovery_code.used").detail("remaining", remaining);
    entry.challenge_id = challenge.map(|challenge| challenge.id);
    [entry].into_iter().chain(alert::recovery_codes(case, challenge, now)).collect()
}

/// Reads the code at `pointer`: the digest that it spends, or the verdict on a spent or wrong one.
pub(super) fn read(
    case: &Case<'_>,
    guess: &Guess<'_>,
    (pointer, code): (&str, &Secret),
    worked: Option<Worked>,
    now: Timestamp,
) -> Result<CodeHash, Stop> {
    if recovery_code::normalize(code.expose_str()).is_none() {
        let length = recovery_code::CODE_LENGTH;
        return Err(no_code(
            pointer,
            format!("must be the {length} characters of a recovery code"),
        ));
    }
    let Some(set) = case.state.recovery.as_ref() else {
        return Err(Box::new(guess.wrong(now)));
    };
    match worked {
        Some(Worked::Code { salt, digest }) if salt == set.salt => {
            if recovery_code::position(&set.unused, &digest).is_some() {
                Ok(digest)
            } else if recovery_code::position(&set.used, &digest).is_some() {
                Err(Box::new(guess.spent()))
            } else {
                Err(Box::new(guess.wrong(now)))
            }
        }
        // The hash could not be computed, or is of another set: never "verified", never counted.
        _ => Err(Box::new(refuse(Refusal::Unreadable))),
    }
}
