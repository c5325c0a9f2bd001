//! What is counted. Labels are few and fixed: never a user, a tenant or anything that a caller
//! chose.

use std::time::Duration;

use countersign_core::alerts;
use countersign_core::message::Channel;
use countersign_core::reply::Refusal;

/// Actors were made (positive) or went (negative).
pub(crate) fn actors_changed(by: f64) {
    ::metrics::gauge!("countersign_actor_active").increment(by);
}

/// Questions came into mailboxes (positive) or were done with (negative).
pub(crate) fn mailbox_changed(by: f64) {
    ::metrics::gauge!("countersign_actor_mailbox_depth").increment(by);
}

/// Hashes began to wait (positive) or ceased to (negative).
pub(crate) fn gate_changed(by: f64) {
    ::metrics::gauge!("countersign_actor_gate_queue").increment(by);
}

/// A question was refused for want of room: `row`, `shard` or `gate`.
pub(crate) fn overloaded(scope: &'static str) {
    ::metrics::counter!("countersign_actor_overloaded_total", "scope" => scope).increment(1);
}

/// An actor died of a fault.
pub(crate) fn actor_failed() {
    ::metrics::counter!("countersign_actor_failures_total").increment(1);
}

/// A decision met a row that had changed.
pub(crate) fn conflict() {
    ::metrics::counter!("countersign_actor_conflicts_total").increment(1);
}

/// A question was answered, from the mailbox's end to the release of the reply.
pub(crate) fn decided(row: &'static str, outcome: &'static str, took: Duration) {
    ::metrics::counter!("countersign_actor_decisions_total", "row" => row, "outcome" => outcome)
        .increment(1);
    ::metrics::histogram!("countersign_actor_decision_seconds", "row" => row)
        .record(took.as_secs_f64());
}

/// A message that a courier has in memory, for as long as this lives.
pub(crate) struct WaitingMessage(Channel);

impl WaitingMessage {
    pub(crate) fn new(channel: Channel) -> Self {
        waiting(channel, 1.0);
        Self(channel)
    }
}

impl Drop for WaitingMessage {
    fn drop(&mut self) {
        waiting(self.0, -1.0);
    }
}

fn waiting(channel: Channel, by: f64) {
    ::metrics::gauge!("countersign_messages_waiting", "channel" => channel.as_str()).increment(by);
}

/// The end of a message is recorded: `sent`, `failed`, `expired` or `superseded`.
pub(crate) fn message_settled(channel: Channel, outcome: &'static str) {
    let channel = channel.as_str();
    ::metrics::counter!("countersign_messages_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
}

/// A message was sent, so long after its code was made.
pub(crate) fn message_sent(channel: Channel, took: Duration) {
    ::metrics::histogram!("countersign_message_seconds", "channel" => channel.as_str())
        .record(took.as_secs_f64());
}

/// An attempt to deliver an event ended: `delivered`, `failed` (it will be tried again) or `dead`.
pub(crate) fn webhook_attempted(outcome: &'static str) {
    ::metrics::counter!("countersign_webhook_deliveries_total", "outcome" => outcome).increment(1);
}

/// An alert was committed.
pub(crate) fn alerted(alert: &'static str) {
    ::metrics::counter!("countersign_alerts_total", "alert" => alert).increment(1);
}

/// The word for an audit entry of this type in `countersign_alerts_total`; `None` for one that is no
/// alert.
pub(crate) fn alert(event_type: &str) -> Option<&'static str> {
    event_type.strip_prefix(alerts::PREFIX)?;
    let known = alerts::ALL.into_iter().find(|known| *known == event_type);
    Some(known.and_then(|known| known.strip_prefix(alerts::PREFIX)).unwrap_or("other"))
}

/// The word for a refusal in `countersign_actor_decisions_total`.
pub(crate) const fn outcome(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UserNotFound => "user_not_found",
        Refusal::FactorNotFound => "factor_not_found",
        Refusal::ChallengeNotFound => "challenge_not_found",
        Refusal::DeviceNotFound => "device_not_found",
        Refusal::NoPendingEnrollment => "no_pending_enrollment",
        Refusal::MfaDisabled => "mfa_disabled",
        Refusal::FactorNotAllowed(_) => "factor_not_allowed",
        Refusal::RecoveryCodesExist => "recovery_codes_exist",
        Refusal::FactorLimitReached(_) => "factor_limit_reached",
        Refusal::FactorAlreadyEnrolled => "factor_already_enrolled",
        Refusal::EnrollmentExpired => "enrollment_expired",
        Refusal::ChallengeExpired => "challenge_expired",
        Refusal::InvalidCode { .. } => "invalid_code",
        Refusal::NoCode { .. } => "no_code",
        Refusal::CodeAlreadyUsed => "code_already_used",
        Refusal::TooManyAttempts { .. } => "too_many_attempts",
        Refusal::Invalid { .. } => "validation_failed",
        Refusal::Conflict(_) => "conflict",
        Refusal::NotFound(_) => "not_found",
        Refusal::Unreadable => "unreadable",
        Refusal::DeliveryNotConfigured(_) => "delivery_not_configured",
        Refusal::TooManySends { .. } => "too_many_sends",
        Refusal::CodeExpired => "code_expired",
        Refusal::EmailNotVerified => "email_not_verified",
        Refusal::CountryNotAllowed(_) => "country_not_allowed",
        Refusal::TooManyOpen { .. } => "too_many_open",
        Refusal::AuthenticatorClockOff { .. } => "authenticator_clock_off",
        Refusal::AuthenticatorIgnoredParameters => "authenticator_settings_ignored",
        Refusal::EnrollmentReplaced => "enrollment_replaced",
        Refusal::InvalidAssertion(_) => "invalid_assertion",
        Refusal::AuthenticatorNotAllowed(_) => "authenticator_not_allowed",
        Refusal::Forbidden(_) => "forbidden",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_counted_under_words_that_no_caller_chooses() {
        assert_eq!(alert(alerts::SEND_FLOOD), Some("send_flood"));
        assert_eq!(alert(alerts::COUNTER_LOWERED), Some("counter_lowered"));
        assert_eq!(alert("mfa.alert.of_a_later_release"), Some("other"));
        assert_eq!(alert("mfa.factor.enrolled"), None);
    }
}
