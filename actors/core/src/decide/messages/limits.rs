//! How much is sent, so that nobody burns money through us and nobody is flooded: by country, by
//! factor, by user, by destination, by number prefix, by tenant.
//!
//! A refusal costs a write only once in a while: the first since a code was made is recorded for the
//! user, and a limit over many users once an hour. A flood of them is as cheap as a read.

use super::super::case::{Case, Stop, refuse};
use crate::alerts::{REPEATED_AFTER_MS, SEND_FLOOD};
use crate::audit::AuditEntry;
use crate::challenge::Challenge;
use crate::event::UserEvent;
use crate::ids::FactorId;
use crate::message::Channel;
use crate::phone::PhoneNumber;
use crate::reply::Refusal;
use crate::sending::{ConversionGuard, Lane, LaneKey, Window};
use crate::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// The type of an entry that tells that nothing was sent.
pub(super) const REFUSED: &str = "mfa.code.refused";

/// What a message is about, as far as the audit log tells.
pub(super) struct Errand<'a> {
    pub(super) channel: Channel,
    pub(super) factor: Option<FactorId>,
    pub(super) challenge: Option<&'a Challenge>,
}

impl Errand<'_> {
    /// An enrollment that is about to begin.
    pub(super) const fn begin(channel: Channel) -> Self {
        Self { channel, factor: None, challenge: None }
    }

    /// What the audit log says of a code that was made.
    pub(super) fn requested(&self) -> AuditEntry {
        self.concerning(AuditEntry::success("mfa.code.requested"))
    }

    /// Completes an entry.
    pub(super) fn concerning(&self, entry: AuditEntry) -> AuditEntry {
        let mut entry = entry
            .detail("channel", self.channel.as_str())
            .from_address(self.challenge.and_then(|challenge| challenge.context.ip_address));
        entry.factor_id = self.factor;
        entry.challenge_id = self.challenge.map(|challenge| challenge.id);
        entry
    }
}

/// A limit over many users that was reached.
struct Flood {
    key: LaneKey,
    noted_at: Option<Timestamp>,
    summary: String,
}

/// Refuses text messages to countries that the policy does not allow.
pub(super) fn country(
    case: &Case<'_>,
    errand: &Errand<'_>,
    number: Option<&PhoneNumber>,
) -> Result<(), Stop> {
    let guards = &case.around.tenant.guards;
    let country = match (errand.channel, number) {
        (Channel::Email, _) => return Ok(()),
        (Channel::Sms, Some(number)) if guards.allows(number.country()) => return Ok(()),
        (Channel::Sms, Some(number)) => number.country(),
        // A number that no plan knows any more belongs to none of those that are allowed.
        (Channel::Sms, None) if guards.allowed_countries.is_empty() => return Ok(()),
        (Channel::Sms, None) => "no known country",
    };
    Err(refused(case, errand, "country", Refusal::CountryNotAllowed(country.to_owned())))
}

/// Refuses what is more than the limits allow, the narrowest first.
pub(super) fn check(
    case: &Case<'_>,
    errand: &Errand<'_>,
    factor: FactorId,
    lane: &Lane,
    now: Timestamp,
) -> Result<(), Stop> {
    cooled_down(case, factor, now)?;
    of_user(case, errand, now)?;
    over_users(case, errand, lane, now)
}

/// The pause between two codes of one factor. A refusal leaves no trace: people are impatient.
fn cooled_down(case: &Case<'_>, factor: FactorId, now: Timestamp) -> Result<(), Stop> {
    let pause_ms = i64::from(case.policy().sends.cooldown_seconds) * SECOND_MS;
    let made = case.state.sends.made.iter().filter(|(of, _)| *of == factor).map(|(_, at)| *at);
    match made.max().map(|last| last.plus_millis(pause_ms)).filter(|over| now < *over) {
        None => Ok(()),
        Some(over) => {
            let reason = "a code was sent to this factor just now; wait for it to arrive";
            Err(Box::new(refuse(too_many(reason.to_owned(), now, over))))
        }
    }
}

fn of_user(case: &Case<'_>, errand: &Errand<'_>, now: Timestamp) -> Result<(), Stop> {
    let sends = &case.policy().sends;
    let limits = [
        ("per_ten_minutes", sends.per_ten_minutes, 10 * MINUTE_MS, "ten minutes"),
        ("per_day", sends.per_day, DAY_MS, "a day"),
    ];
    for (word, limit, window_ms, name) in limits {
        if let Some(over) = reached(case, limit, window_ms, now) {
            let reason = format!("{limit} codes were sent to this user within {name}: no more are");
            return Err(refused(case, errand, word, too_many(reason, now, over)));
        }
    }
    Ok(())
}

/// When the user may be sent to again, if `limit` codes were made in the window.
fn reached(case: &Case<'_>, limit: u32, window_ms: i64, now: Timestamp) -> Option<Timestamp> {
    let made = case.state.sends.made.iter().map(|(_, at)| *at);
    let recent: Vec<_> = made.filter(|at| now.millis_since(*at) < window_ms).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let over = recent.len().checked_sub(limit)?;
    // One is possible again when all but `limit - 1` of them have left the window.
    let last = recent.get(over).copied().unwrap_or(now);
    Some(last.plus_millis(window_ms))
}

fn over_users(
    case: &Case<'_>,
    errand: &Errand<'_>,
    lane: &Lane,
    now: Timestamp,
) -> Result<(), Stop> {
    let guards = &case.around.tenant.guards;
    let traffic = case.around.traffic.traffic(lane, now);
    let channel = match lane.channel {
        Channel::Sms => "text messages",
        Channel::Email => "emails",
    };

    let limit = guards.per_destination_per_day;
    let allows = |window: &Window| window.sent_day < limit;
    if !allows(&traffic.destination) {
        let flood = Flood {
            key: LaneKey::Destination(lane.destination),
            noted_at: traffic.destination.noted_at,
            summary: format!(
                "More than {limit} {channel} to one destination were asked for within a day: \
                 somebody may be flooding it."
            ),
        };
        let reason = format!("{limit} messages went to this destination within a day: no more do");
        let refusal = too_many(reason, now, traffic.destination.opens_at(now, allows));
        return Err(flooded(case, errand, "per_destination", refusal, flood, now));
    }

    if let Some(prefix) = &lane.prefix {
        let flood = |summary| Flood {
            key: LaneKey::Prefix(prefix.clone()),
            noted_at: traffic.prefix.noted_at,
            summary,
        };
        let limit = guards.per_prefix_per_hour;
        let allows = |window: &Window| window.sent_hour < limit;
        if !allows(&traffic.prefix) {
            let flood = flood(format!(
                "More than {limit} text messages to numbers of {prefix} were asked for within an \
                 hour: somebody may be earning from them."
            ));
            let reason = format!("{limit} messages went to {prefix} within an hour: no more do");
            let refusal = too_many(reason, now, traffic.prefix.opens_at(now, allows));
            return Err(flooded(case, errand, "per_prefix", refusal, flood, now));
        }
        let allows = |window: &Window| converts(&guards.conversion, window);
        if !allows(&traffic.prefix) {
            let (due, verified) = (traffic.prefix.due_hour, traffic.prefix.verified_hour);
            let flood = flood(format!(
                "Of {due} text messages to numbers of {prefix} within an hour only {verified} led \
                 to a verification: sending there has stopped, somebody may be earning from them."
            ));
            let reason = format!("hardly any code that is sent to {prefix} is used: none are sent");
            let refusal = too_many(reason, now, traffic.prefix.opens_at(now, allows));
            return Err(flooded(case, errand, "conversion", refusal, flood, now));
        }
    }

    let limit = guards.per_tenant_per_day;
    let allows = |window: &Window| window.sent_day < limit;
    if !allows(&traffic.tenant) {
        let flood = Flood {
            key: LaneKey::Tenant(lane.channel),
            noted_at: traffic.tenant.noted_at,
            summary: format!(
                "More than {limit} {channel} were asked for within a day: none are sent until there \
                 is room again."
            ),
        };
        let reason = format!("{limit} {channel} were sent within a day: no more are");
        let refusal = too_many(reason, now, traffic.tenant.opens_at(now, allows));
        return Err(flooded(case, errand, "per_tenant", refusal, flood, now));
    }
    Ok(())
}

/// Whether enough of what was sent to a prefix was used, or too little was sent to tell.
fn converts(guard: &ConversionGuard, window: &Window) -> bool {
    !guard.enabled
        || window.due_hour < guard.min_sends
        || u64::from(window.verified_hour) * 100
            >= u64::from(window.due_hour) * u64::from(guard.min_percent)
}

fn too_many(reason: String, now: Timestamp, until: Timestamp) -> Refusal {
    Refusal::TooManySends { reason, retry_after_seconds: now.seconds_until(until) }
}

/// A refusal that is recorded if it is the first since a code was made. A user never seen has no
/// record.
fn refused(case: &Case<'_>, errand: &Errand<'_>, word: &str, refusal: Refusal) -> Stop {
    let mut verdict = refuse(refusal);
    if case.state.exists() && !case.state.sends.refusal_noted {
        verdict.events.push(UserEvent::SendRefused);
        verdict.audit.push(errand.concerning(AuditEntry::failure(REFUSED, word)));
    }
    Box::new(verdict)
}

/// A refusal of which all are told, unless they were within the hour.
fn flooded(
    case: &Case<'_>,
    errand: &Errand<'_>,
    word: &str,
    refusal: Refusal,
    flood: Flood,
    now: Timestamp,
) -> Stop {
    let mut verdict = refused(case, errand, word, refusal);
    let told = flood.noted_at.is_some_and(|at| now.millis_since(at) < REPEATED_AFTER_MS);
    if case.around.tenant.alerts.send_floods && !told {
        let mut alert = errand.concerning(AuditEntry::failure(SEND_FLOOD, word));
        alert = alert.detail("summary", flood.summary);
        if let LaneKey::Prefix(prefix) = &flood.key {
            alert = alert.detail("prefix", prefix);
        }
        verdict.audit.push(alert);
        verdict.events.push(UserEvent::FloodNoted { key: flood.key });
    }
    verdict
}
