//! Limits over all users of a tenant: to one destination, to one number prefix, of the tenant. They
//! rest on counts that every node makes from what it applies, in slots of ten minutes.
//!
//! One that is reached raises an alert: what no single user can be blamed for, somebody must look at.

use super::super::case::{Case, Stop};
use super::limits::{Errand, refused, too_many};
use crate::alerts::{REPEATED_AFTER_MS, SEND_FLOOD};
use crate::audit::AuditEntry;
use crate::event::UserEvent;
use crate::message::Channel;
use crate::sending::{ConversionGuard, Lane, LaneKey, Window};
use crate::time::Timestamp;

/// Refuses what is more than the limits allow, the narrowest first.
pub(super) fn check(
    case: &Case<'_>,
    errand: &Errand<'_>,
    lane: &Lane,
    now: Timestamp,
) -> Result<(), Stop> {
    let traffic = case.around.traffic.traffic(lane, now);
    let look = |window| Look { case, errand, window, now };
    to_destination(&look(&traffic.destination), lane)?;
    if let Some(prefix) = &lane.prefix {
        to_prefix(&look(&traffic.prefix), prefix)?;
        used_at(&look(&traffic.prefix), prefix)?;
    }
    of_tenant(&look(&traffic.tenant), lane.channel)
}

/// A message that would be made, and what was counted where it would go.
struct Look<'a> {
    case: &'a Case<'a>,
    errand: &'a Errand<'a>,
    window: &'a Window,
    now: Timestamp,
}

fn to_destination(look: &Look<'_>, lane: &Lane) -> Result<(), Stop> {
    let limit = look.case.around.tenant.guards.per_destination_per_day;
    look.hold(
        |window| window.sent_day < limit,
        || Flood {
            word: "per_destination",
            key: LaneKey::Destination(lane.destination),
            reason: format!("the limit of {limit} messages a day to one destination is reached"),
            summary: format!(
                "More messages to one destination were asked for than the limit of {limit} a day: \
                 somebody may be flooding it."
            ),
        },
    )
}

fn to_prefix(look: &Look<'_>, prefix: &str) -> Result<(), Stop> {
    let limit = look.case.around.tenant.guards.per_prefix_per_hour;
    look.hold(
        |window| window.sent_hour < limit,
        || Flood {
            word: "per_prefix",
            key: LaneKey::Prefix(prefix.to_owned()),
            reason: format!(
                "the limit of {limit} messages an hour to numbers of {prefix} is reached"
            ),
            summary: format!(
                "More messages to numbers of {prefix} were asked for than the limit of {limit} an \
                 hour: somebody may be earning from them."
            ),
        },
    )
}

/// Whether codes that are sent to a prefix are used. Who pumps messages to numbers that earn from
/// them does not type the codes.
fn used_at(look: &Look<'_>, prefix: &str) -> Result<(), Stop> {
    let guard = look.case.around.tenant.guards.conversion;
    let Window { due_hour, verified_hour, .. } = *look.window;
    look.hold(|window| converts(&guard, window), || Flood {
        word: "conversion",
        key: LaneKey::Prefix(prefix.to_owned()),
        reason: format!("hardly any code that is sent to {prefix} is used: no more are sent"),
        summary: format!(
            "Of {due_hour} messages to numbers of {prefix} within an hour only {verified_hour} led \
             to a verification: sending there has stopped, somebody may be earning from them."
        ),
    })
}

fn of_tenant(look: &Look<'_>, channel: Channel) -> Result<(), Stop> {
    let limit = look.case.around.tenant.guards.per_tenant_per_day;
    let messages = match channel {
        Channel::Sms => "text messages",
        Channel::Email => "emails",
    };
    look.hold(|window| window.sent_day < limit, || Flood {
        word: "per_tenant",
        key: LaneKey::Tenant(channel),
        reason: format!("the limit of {limit} {messages} a day is reached"),
        summary: format!(
            "More {messages} were asked for than the limit of {limit} a day: none are sent until \
                 there is room again."
        ),
    })
}

/// Whether enough of what was sent to a prefix was used, or too little was sent to tell.
fn converts(guard: &ConversionGuard, window: &Window) -> bool {
    !guard.enabled
        || window.due_hour < guard.min_sends
        || u64::from(window.verified_hour) * 100
            >= u64::from(window.due_hour) * u64::from(guard.min_percent)
}

/// A limit that was reached, in words.
struct Flood {
    /// The stable word for it.
    word: &'static str,
    /// What was counted.
    key: LaneKey,
    /// For whoever asked.
    reason: String,
    /// For whoever is told.
    summary: String,
}

impl Look<'_> {
    /// Refuses unless the window allows one more, and says when it will. All are told, unless they
    /// were within the hour.
    fn hold(
        &self,
        allows: impl Fn(&Window) -> bool,
        flood: impl FnOnce() -> Flood,
    ) -> Result<(), Stop> {
        if allows(self.window) {
            return Ok(());
        }
        let Self { case, errand, window, now } = *self;
        let Flood { word, key, reason, summary } = flood();
        let refusal = too_many(reason, now, window.opens_at(now, allows));
        let mut verdict = refused(case, errand, word, refusal);
        let told = window.noted_at.is_some_and(|at| now.millis_since(at) < REPEATED_AFTER_MS);
        if case.around.tenant.alerts.send_floods && !told {
            let mut alert = errand.concerning(AuditEntry::failure(SEND_FLOOD, word));
            if let LaneKey::Prefix(prefix) = &key {
                alert = alert.detail("prefix", prefix);
            }
            verdict.audit.push(alert.detail("summary", summary));
            verdict.events.push(UserEvent::FloodNoted { key });
        }
        Err(verdict)
    }
}
