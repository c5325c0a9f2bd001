//! Words of the contract that stand for the core's variants.

use countersign_core::{audit, challenge, factor, policy, portal, reply, risk, settings, tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$attr:meta])* $name:ident for $core:ty { $($word:ident = $variant:path,)* })*) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            $(#[$attr])*
            pub(crate) enum $name {
                $($word,)*
            }

            impl From<$core> for $name {
                fn from(value: $core) -> Self {
                    match value { $($variant => Self::$word,)* }
                }
            }

            impl From<$name> for $core {
                fn from(word: $name) -> Self {
                    match word { $($name::$word => $variant,)* }
                }
            }
        )*
    };
}

words! {
    /// When a second factor is asked for.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    Requirement for policy::Requirement {
        Disabled = policy::Requirement::Disabled,
        Optional = policy::Requirement::Optional,
        Required = policy::Requirement::Required,
        RiskBased = policy::Requirement::RiskBased,
    }

    /// What somebody is sent to the hosted pages for.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    PortalPurpose for portal::PortalPurpose {
        Enroll = portal::PortalPurpose::Enroll,
        Challenge = portal::PortalPurpose::Challenge,
        Manage = portal::PortalPurpose::Manage,
    }

    /// Under which name the browser brings the result's code back.
    #[serde(rename_all = "snake_case")]
    ResultParameter for portal::ResultParameter {
        CountersignResult = portal::ResultParameter::CountersignResult,
        Code = portal::ResultParameter::Code,
    }

    /// What an access token's header says that it is.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    TokenType for settings::TokenType {
        Jwt = settings::TokenType::Jwt,
        AtJwt = settings::TokenType::AccessToken,
    }

    /// A kind of factor.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    FactorType for factor::FactorType {
        Totp = factor::FactorType::Totp,
        Sms = factor::FactorType::Sms,
        Email = factor::FactorType::Email,
        Webauthn = factor::FactorType::WebAuthn,
    }

    /// The hash behind a TOTP code.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    Algorithm for factor::totp::Algorithm {
        Sha1 = factor::totp::Algorithm::Sha1,
        Sha256 = factor::totp::Algorithm::Sha256,
        Sha512 = factor::totp::Algorithm::Sha512,
    }

    /// A unit of the grace period.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    GraceUnit for policy::GraceUnit {
        Minutes = policy::GraceUnit::Minutes,
        Hours = policy::GraceUnit::Hours,
        Days = policy::GraceUnit::Days,
    }

    /// A sign of risk.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    RiskTrigger for risk::Trigger {
        NewDevice = risk::Trigger::NewDevice,
        NewLocation = risk::Trigger::NewLocation,
        SuspiciousIp = risk::Trigger::SuspiciousIp,
        PasswordChanged = risk::Trigger::PasswordChanged,
    }

    /// Why the application asks.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    ChallengePurpose for challenge::Purpose {
        Login = challenge::Purpose::Login,
        StepUp = challenge::Purpose::StepUp,
    }

    /// What answers a challenge: a proof of a factor, or the confirmation of a new enrollment.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    ChallengeKind for challenge::ChallengeKind {
        Proof = challenge::ChallengeKind::Proof,
        EnrollmentRequired = challenge::ChallengeKind::EnrollmentRequired,
    }

    /// How a challenge stands.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    ChallengeStatus for challenge::ChallengeStatus {
        Pending = challenge::ChallengeStatus::Pending,
        Verified = challenge::ChallengeStatus::Verified,
        Failed = challenge::ChallengeStatus::Failed,
        Expired = challenge::ChallengeStatus::Expired,
    }

    /// Why a second factor is, or is not, asked for.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    ChallengeReason for reply::Reason {
        PolicyDisabled = reply::Reason::PolicyDisabled,
        NotEnrolled = reply::Reason::NotEnrolled,
        UserEnrolled = reply::Reason::UserEnrolled,
        GracePeriod = reply::Reason::GracePeriod,
        EnrollmentRequired = reply::Reason::EnrollmentRequired,
        PolicyRequired = reply::Reason::PolicyRequired,
        LowRisk = reply::Reason::LowRisk,
        Risk = reply::Reason::Risk,
        TrustedDevice = reply::Reason::TrustedDevice,
    }

    /// How it went.
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    Outcome for audit::AuditOutcome {
        Success = audit::AuditOutcome::Success,
        Failure = audit::AuditOutcome::Failure,
    }

    /// What an API key may do.
    #[serde(rename_all = "lowercase")]
    #[schema(as = Scope)]
    ScopeName for tenant::Scope {
        Mfa = tenant::Scope::Mfa,
        Policy = tenant::Scope::Policy,
        Admin = tenant::Scope::Admin,
        Audit = tenant::Scope::Audit,
        Keys = tenant::Scope::Keys,
        Cluster = tenant::Scope::Cluster,
    }
}

/// Whether a factor is enrolled. Only ACTIVE ones are ever listed or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum FactorStatus {
    /// It can answer challenges.
    Active,
}

/// Whether what somebody was sent to the hosted pages for was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PortalStatus {
    /// It was.
    Completed,
    /// It was given up, or could not be done.
    Cancelled,
}
