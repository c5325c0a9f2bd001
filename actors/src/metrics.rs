//! What is counted. Labels are few and fixed: never a user, a tenant or anything that a caller
//! chose.

use std::time::Duration;

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
    }
}
