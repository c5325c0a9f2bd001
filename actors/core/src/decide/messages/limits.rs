//! How much is sent, so that nobody burns money through us and nobody is flooded: by country, by
//! factor, by user; and over all users, in [`over_users`].
//!
//! A refusal costs a write only once in a while: the first since a code was made is recorded for the
//! user, and a limit over many users is told once an hour. A flood of them is as cheap as a read.

use super::super::case::{Case, Stop, refuse};
use super::over_users;
use crate::audit::AuditEntry;
use crate::challenge::Challenge;
use crate::event::UserEvent;
use crate::ids::FactorId;
use crate::message::Channel;
use crate::phone::{self, PhoneError, PhoneNumber};
use crate::policy::SendPolicy;
use crate::reply::Refusal;
use crate::sending::Lane;
use crate::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::user::UserState;

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

/// Refuses to send to a number to which nothing would be sent if it were enrolled now: plans change,
/// and so does what is known of them.
pub(super) fn destination(
    case: &Case<'_>,
    errand: &Errand<'_>,
    destination: &str,
) -> Result<(), Stop> {
    if errand.channel == Channel::Email {
        return Ok(());
    }
    match destination.parse::<PhoneNumber>() {
        Ok(number) => country(case, errand, &number),
        Err(error @ (PhoneError::Unsuitable(_) | PhoneError::NoCountry)) => {
            let pointer = if errand.challenge.is_some() { "/factorId" } else { "/phoneNumber" };
            let detail = match error {
                PhoneError::Unsuitable(_) => error.to_string(),
                _ => format!("is a number that {error}"),
            };
            let refusal = Refusal::Invalid { pointer: pointer.to_owned(), detail };
            Err(refused(case, errand, "number", refusal))
        }
        Err(_) => unknown(case, errand, destination),
    }
}

/// Refuses text messages to countries that the policy does not allow.
pub(super) fn country(
    case: &Case<'_>,
    errand: &Errand<'_>,
    number: &PhoneNumber,
) -> Result<(), Stop> {
    if case.around.tenant.guards.allows(number) {
        return Ok(());
    }
    let country = format!("{} ({})", number.country(), number.calling_code());
    Err(refused(case, errand, "country", Refusal::CountryNotAllowed(country)))
}

/// A number that no plan has any more is of none of the countries that are allowed, and may be of any
/// that is blocked and has its calling code.
fn unknown(case: &Case<'_>, errand: &Errand<'_>, number: &str) -> Result<(), Stop> {
    let guards = &case.around.tenant.guards;
    let could_be_of = phone::could_be_of(number);
    let is_allowed = guards.allowed_countries.is_empty()
        || could_be_of.last().is_some_and(|code| guards.allowed_countries.contains(code));
    if is_allowed && !could_be_of.iter().any(|one| guards.blocked_countries.contains(one)) {
        return Ok(());
    }
    let refusal = Refusal::CountryNotAllowed("no known country".to_owned());
    Err(refused(case, errand, "country", refusal))
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
    over_users::check(case, errand, lane, now)
}

/// The pause between two codes of one factor. A refusal leaves no trace: people are impatient.
fn cooled_down(case: &Case<'_>, factor: FactorId, now: Timestamp) -> Result<(), Stop> {
    match pause(case.state, &case.policy().sends, factor, now) {
        None => Ok(()),
        Some(over) => {
            let reason = "a code was sent to this factor just now; wait for it to arrive";
            Err(Box::new(refuse(too_many(reason.to_owned(), now, over))))
        }
    }
}

fn of_user(case: &Case<'_>, errand: &Errand<'_>, now: Timestamp) -> Result<(), Stop> {
    match reached(case.state, &case.policy().sends, now) {
        None => Ok(()),
        Some(Reached { word, limit, within, over }) => {
            let reason = format!("the limit of {limit} codes to one user in {within} is reached");
            Err(refused(case, errand, word, too_many(reason, now, over)))
        }
    }
}

/// When this user's next code for this factor may be asked for, as far as the user's own limits go.
pub(in crate::decide) fn next_at(
    state: &UserState,
    sends: &SendPolicy,
    factor: FactorId,
    now: Timestamp,
) -> Timestamp {
    let over = reached(state, sends, now).map(|reached| reached.over);
    now.max(pause(state, sends, factor, now).max(over).unwrap_or(now))
}

/// When the pause after the last code is over, if one runs.
fn pause(
    state: &UserState,
    sends: &SendPolicy,
    factor: FactorId,
    now: Timestamp,
) -> Option<Timestamp> {
    // A code that was accepted did arrive: nobody has to be spared the next one.
    let arrived = state.factor(factor).and_then(|factor| factor.kind.message());
    if arrived.and_then(|(_, to)| to.latest()).is_some_and(|code| code.spent) {
        return None;
    }
    let pause_ms = i64::from(sends.cooldown_seconds) * SECOND_MS;
    let made = state.sends.made.iter().filter(|(of, _)| *of == factor).map(|(_, at)| *at);
    made.max().map(|last| last.plus_millis(pause_ms)).filter(|over| now < *over)
}

/// A limit on the codes of one user that was reached.
struct Reached {
    /// The stable word for it.
    word: &'static str,
    /// So many codes were made.
    limit: u32,
    /// In which time.
    within: &'static str,
    /// When the next one may be made.
    over: Timestamp,
}

/// The limit that will hold longest of those that were reached.
fn reached(state: &UserState, sends: &SendPolicy, now: Timestamp) -> Option<Reached> {
    let limits = [
        ("per_ten_minutes", sends.per_ten_minutes, 10 * MINUTE_MS, "ten minutes"),
        ("per_day", sends.per_day, DAY_MS, "a day"),
    ];
    let over = |limit: u32, window_ms: i64| {
        let made = state.sends.made.iter().map(|(_, at)| *at);
        let recent: Vec<_> = made.filter(|at| now.millis_since(*at) < window_ms).collect();
        let over = recent.len().checked_sub(usize::try_from(limit).unwrap_or(usize::MAX))?;
        // One is possible again when all but `limit - 1` of them have left the window.
        Some(recent.get(over).copied().unwrap_or(now).plus_millis(window_ms))
    };
    limits
        .into_iter()
        .filter_map(|(word, limit, window_ms, within)| {
            Some(Reached { word, limit, within, over: over(limit, window_ms)? })
        })
        .max_by_key(|reached| reached.over)
}

pub(super) fn too_many(reason: String, now: Timestamp, until: Timestamp) -> Refusal {
    Refusal::TooManySends { reason, retry_after_seconds: now.seconds_until(until) }
}

/// A refusal that is recorded if it is the first since a code was made. A user never seen has no
/// record.
pub(super) fn refused(case: &Case<'_>, errand: &Errand<'_>, word: &str, refusal: Refusal) -> Stop {
    let mut verdict = refuse(refusal);
    if case.state.exists() && !case.state.sends.refusal_noted {
        verdict.events.push(UserEvent::SendRefused);
        verdict.audit.push(errand.concerning(AuditEntry::failure(REFUSED, word)));
    }
    Box::new(verdict)
}
