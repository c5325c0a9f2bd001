//! What all pages of a session share, and how what the core says becomes words.

use axum::http::StatusCode;
use countersign_core::factor::FactorType;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::portal::PortalView;
use countersign_core::reply::{FactorView, Refusal, WebAuthnView};
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use time::OffsetDateTime;
use time::macros::format_description;

use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::Visitor;

/// What all pages of a session share.
pub(super) struct Shared {
    /// Whom they speak for.
    pub(super) brand: String,
    /// The address of the session's first page: all others are below.
    pub(super) base: String,
    /// Whose account it is, masked.
    pub(super) account: Option<String>,
    /// What every form carries: that it is ours.
    pub(super) token: String,
    /// What every form carries: which one it is.
    pub(super) once: String,
}

impl Shared {
    /// What the pages of this session share.
    pub(super) fn of(visitor: &Visitor, view: &PortalView) -> Result<Self, Trouble> {
        let mut once = [0; 16];
        visitor.api.entropy.fill(&mut once);
        Ok(Self {
            brand: visitor.tenant()?.settings.rp_name.clone(),
            base: visitor.page("/"),
            account: view.account.clone(),
            token: visitor.token(),
            once: BASE64URL_NOPAD.encode(&once),
        })
    }
}

/// A point in time, for a page: as UTC, and as what a script makes of it where the browser is.
pub(super) struct Moment {
    /// RFC 3339.
    pub(super) machine: String,
    /// For people without a script.
    pub(super) words: String,
}

impl Moment {
    /// A time of the day.
    pub(super) fn time(at: Timestamp) -> Self {
        Self::of(at, |at| at.format(format_description!("[hour]:[minute] UTC")).ok())
    }

    /// A day.
    pub(super) fn day(at: Timestamp, texts: &Texts) -> Self {
        Self::of(at, |at| {
            let month = texts.months.get(usize::from(u8::from(at.month())) - 1)?;
            Some((texts.day)(at.day(), month, at.year()))
        })
    }

    fn of(at: Timestamp, words: impl FnOnce(OffsetDateTime) -> Option<String>) -> Self {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.millis()) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let machine = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        Self {
            machine: at.format(machine).unwrap_or_default(),
            words: words(at).unwrap_or_default(),
        }
    }
}

/// The name of a page's picture for a kind of factor.
pub(super) const fn icon(factor_type: FactorType) -> &'static str {
    match factor_type {
        FactorType::Totp => "app",
        FactorType::Sms => "phone",
        FactorType::Email => "email",
        FactorType::WebAuthn => "key",
    }
}

/// What a kind of factor is called.
pub(super) const fn kind(factor_type: FactorType, texts: &Texts) -> &'static str {
    match factor_type {
        FactorType::Totp => texts.app,
        FactorType::Sms => texts.phone,
        FactorType::Email => texts.email,
        FactorType::WebAuthn => texts.key,
    }
}

/// What a factor is called: as its user named it, else by its kind.
pub(super) fn name(factor: &FactorView, texts: &Texts) -> String {
    let kind = kind(factor.factor_type, texts);
    factor.name.clone().unwrap_or_else(|| kind.to_owned())
}

/// What is to be said of a factor that is not offered any more, if it is not.
pub(super) fn warning(
    factor: &FactorView,
    tenant: &TenantState,
    texts: &Texts,
) -> Option<&'static str> {
    let stranded = |key: &WebAuthnView| Some(key.rp_id.as_str()) != tenant.settings.relying_party();
    match factor.webauthn.as_ref() {
        _ if factor.usable => None,
        Some(key) if stranded(key) => Some(texts.unusable_key),
        _ => Some(texts.unusable),
    }
}

/// What a factor is, beneath its name.
pub(super) fn about(factor: &FactorView, texts: &Texts) -> String {
    let kind = factor.name.as_ref().map(|_| kind(factor.factor_type, texts).to_owned());
    let parts = [kind, factor.masked_destination.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What a refusal says to the person, beside the field that it is about.
pub(super) fn words(refusal: &Refusal, texts: &Texts) -> String {
    let text = match refusal {
        Refusal::InvalidCode { attempts_remaining } => {
            return (texts.wrong_code)(*attempts_remaining);
        }
        Refusal::TooManyAttempts { retry_after_seconds: Some(seconds) } => {
            return (texts.locked_for)(*seconds);
        }
        Refusal::TooManySends { retry_after_seconds, .. } => {
            return (texts.sent_too_often)(*retry_after_seconds);
        }
        Refusal::TooManyAttempts { retry_after_seconds: None } => texts.locked_hard,
        Refusal::CodeAlreadyUsed => texts.code_used,
        Refusal::CodeExpired => texts.code_expired,
        Refusal::ChallengeExpired | Refusal::ChallengeNotFound => texts.too_late,
        Refusal::EnrollmentExpired | Refusal::NoPendingEnrollment => texts.enrollment_over,
        Refusal::FactorAlreadyEnrolled => texts.have_it_already,
        Refusal::FactorLimitReached(_) => texts.have_too_many,
        Refusal::InvalidAssertion(CeremonyFailure::Counter) => texts.key_copied,
        Refusal::AuthenticatorClockOff { seconds_ahead } => {
            return (texts.clock_off)(*seconds_ahead);
        }
        Refusal::TooManyOpen { retry_after_seconds, .. } => {
            return (texts.too_many_open)(*retry_after_seconds);
        }
        Refusal::AuthenticatorIgnoredParameters => texts.app_ignores_settings,
        Refusal::EnrollmentReplaced => texts.secret_replaced,
        Refusal::InvalidAssertion(CeremonyFailure::BackupEligibility) => texts.key_changed,
        Refusal::InvalidAssertion(_) => texts.key_refused,
        Refusal::AuthenticatorNotAllowed(_) => texts.key_not_allowed,
        Refusal::FactorNotAllowed(_) | Refusal::MfaDisabled => texts.not_allowed,
        Refusal::CountryNotAllowed(_) => texts.country_not_allowed,
        Refusal::EmailNotVerified => texts.email_not_verified,
        Refusal::DeliveryNotConfigured(_) => texts.cannot_send,
        Refusal::NoCode { pointer, .. } => match pointer.as_str() {
            "/recoveryCode" => texts.no_recovery_code,
            _ => texts.no_code,
        },
        Refusal::Invalid { pointer, .. } if pointer == "/phoneNumber" => texts.unsuitable_number,
        Refusal::Invalid { pointer, .. } if pointer == "/factorId" => texts.number_shut_out,
        Refusal::UserNotFound
        | Refusal::FactorNotFound
        | Refusal::DeviceNotFound
        | Refusal::NotFound(_)
        | Refusal::RecoveryCodesExist
        | Refusal::Invalid { .. }
        | Refusal::Conflict(_)
        | Refusal::Forbidden(_)
        | Refusal::Unreadable => texts.went_wrong,
    };
    text.to_owned()
}

/// What a refusal says to whoever has no other way.
pub(super) fn words_alone(refusal: &Refusal, texts: &Texts) -> String {
    let text = match refusal {
        Refusal::InvalidAssertion(CeremonyFailure::Counter) => texts.key_copied_alone,
        Refusal::InvalidAssertion(CeremonyFailure::BackupEligibility) => texts.key_changed_alone,
        Refusal::Invalid { pointer, .. } if pointer == "/factorId" => texts.number_shut_out_alone,
        _ => return words(refusal, texts),
    };
    text.to_owned()
}

/// Whether trying the same once more leads nowhere: the page then offers another way first.
pub(super) fn is_for_good(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::InvalidAssertion(failure) => {
            matches!(failure, CeremonyFailure::Counter | CeremonyFailure::BackupEligibility)
        }
        Refusal::Invalid { pointer, .. } => pointer == "/factorId",
        _ => false,
    }
}

/// The status of a page that says why something was refused.
pub(super) fn status(refusal: &Refusal) -> StatusCode {
    crate::problem::Problem::from(refusal.clone()).code.status()
}
