//! Naming, ordering and removing factors.

use super::case::{Case, Verdict, refuse, verdict};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::factor::Factor;
use crate::ids::FactorId;
use crate::query;
use crate::reply::{Refusal, Reply};

fn find<'a>(case: &Case<'a>, id: FactorId) -> Result<&'a Factor, Refusal> {
    case.known()?;
    case.state.factor(id).ok_or(Refusal::FactorNotFound)
}

pub(super) fn rename(
    case: &Case<'_>,
    id: FactorId,
    name: &Option<String>,
    context: &Context<'_>,
) -> Verdict {
    let event = UserEvent::FactorRenamed { id, name: name.clone() };
    change(case, id, event, "mfa.factor.renamed", context)
}

pub(super) fn make_primary(case: &Case<'_>, id: FactorId, context: &Context<'_>) -> Verdict {
    change(case, id, UserEvent::PrimarySet { id }, "mfa.factor.primary_set", context)
}

fn change(
    case: &Case<'_>,
    id: FactorId,
    event: UserEvent,
    event_type: &str,
    context: &Context<'_>,
) -> Verdict {
    if let Err(refusal) = find(case, id) {
        return refuse(refusal);
    }
    let events = vec![event];
    let after = case.after(&events, context.now);
    let Some(factor) = after.factor(id) else { return refuse(Refusal::FactorNotFound) };
    let reply =
        Reply::Factor { factor: query::factor_view(factor, &after, case.admitted()), tokens: None };
    verdict(reply, events, AuditEntry::success(event_type).factor(id))
}

pub(super) fn remove(case: &Case<'_>, id: FactorId) -> Verdict {
    match find(case, id) {
        Err(refusal) => refuse(refusal),
        Ok(factor) => {
            verdict(Reply::Done, vec![UserEvent::FactorRemoved { id }], removed_entry(factor))
        }
    }
}

/// What the audit log says of a factor that ends.
pub(super) fn removed_entry(factor: &Factor) -> AuditEntry {
    AuditEntry::success("mfa.factor.removed")
        .factor(factor.id)
        .detail("factorType", factor.factor_type().as_str())
}
