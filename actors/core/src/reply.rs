//! What a user's decision answers.
//!
//! A reply is kept, sealed, for its idempotency key, so it is serialisable, and it holds all that
//! the answer needs: the API adds nothing but form. A variant is never changed or removed, new
//! ones go to the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::challenge::{ChallengeKind, ChallengeStatus, Purpose};
use crate::factor::message::SendOutcome;
use crate::factor::totp::Parameters;
use crate::factor::webauthn::Aaguid;
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::factor::webauthn::options::{CreationOptions, RequestOptions};
use crate::factor::{FactorKind, FactorType};
use crate::ids::{ChallengeId, DeviceId, FactorId, KeyId, TenantId, TokenId, UserId};
use crate::message::Channel;
use crate::policy::Requirement;
use crate::portal::PortalReply;
use crate::risk::Trigger;
use crate::secret::Secret;
use crate::settings::TokenType;
use crate::time::Timestamp;
use crate::user::Profile;

/// The answer to a command or a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done; there is nothing to say.
    Done,
    /// Refused, and why.
    Refused(Refusal),
    /// The user.
    User(UserView),
    /// A TOTP enrollment waits for its confirmation.
    TotpEnrollment(TotpEnrollment),
    /// A factor, as it is now.
    Factor {
        /// The factor.
        factor: FactorView,
        /// A token, if the call answered a challenge.
        tokens: Option<TokenGrant>,
    },
    /// Factors, the primary first.
    Factors(Vec<FactorView>),
    /// Fresh recovery codes, shown once.
    RecoveryCodes(Vec<Secret>),
    /// How many recovery codes there are.
    RecoveryStatus {
        /// In the set.
        total: u32,
        /// Unused.
        remaining: u32,
        /// When the set was made.
        generated_at: Option<Timestamp>,
    },
    /// A recovery code was right.
    RecoveryCodeUsed {
        /// How many are left.
        remaining: u32,
    },
    /// Whether a login needs a second factor.
    Challenge(ChallengeAnswer),
    /// How a challenge stands.
    ChallengeState(ChallengeView),
    /// A challenge was answered rightly.
    Verified(Verified),
    /// Trusted devices.
    Devices(Vec<DeviceView>),
    /// The whole situation.
    Status(StatusView),
    /// A number or an address waits for its confirmation.
    MessageEnrollment(MessageEnrollment),
    /// A code is on its way.
    CodeSent(CodeSent),
    /// How to register a security key or passkey.
    CreationOptions(Box<CreationOptions>),
    /// How to show one.
    RequestOptions(Box<RequestOptions>),
    /// One was shown outside a challenge.
    Asserted {
        /// Which factor.
        factor_id: FactorId,
        /// Whether the person was verified.
        user_verified: bool,
        /// The token.
        tokens: TokenGrant,
    },
    /// Something about the hosted pages.
    Portal(Box<PortalReply>),
}

/// A refusal that the contract names. Which HTTP status it has is the API's affair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Refusal {
    /// No such user.
    #[error("no such user")]
    UserNotFound,
    /// The user has no such factor.
    #[error("the user has no such factor")]
    FactorNotFound,
    /// There is no such challenge.
    #[error("there is no such challenge")]
    ChallengeNotFound,
    /// The user has no such trusted device.
    #[error("the user has no such trusted device")]
    DeviceNotFound,
    /// There is nothing to confirm.
    #[error("the user has no pending enrollment of this type; begin one first")]
    NoPendingEnrollment,
    /// The policy is DISABLED.
    #[error("the policy disables multi-factor authentication")]
    MfaDisabled,
    /// The policy does not allow this type.
    #[error("the policy does not allow {0:?} factors for this user")]
    FactorNotAllowed(FactorType),
    /// Unused recovery codes remain.
    #[error("unused recovery codes remain; regenerate them to replace them")]
    RecoveryCodesExist,
    /// The user has as many factors as one may have.
    #[error("the user has {0} factors, which is the limit; remove one first")]
    FactorLimitReached(usize),
    /// The user has this factor already.
    #[error("this user has enrolled the same authenticator, number or address already")]
    FactorAlreadyEnrolled,
    /// The enrollment waited too long.
    #[error("the enrollment was not confirmed in time; begin a new one")]
    EnrollmentExpired,
    /// The challenge ended unanswered.
    #[error("the challenge has ended; create a new one")]
    ChallengeExpired,
    /// The code is wrong. It was counted.
    #[error("the code is wrong")]
    InvalidCode {
        /// Wrong codes left before something ends or locks.
        attempts_remaining: u32,
    },
    /// What was typed cannot be a code. It was not counted.
    #[error("{detail}")]
    NoCode {
        /// A JSON pointer (RFC 6901) to the field.
        pointer: String,
        /// What a code looks like.
        detail: String,
    },
    /// The code was right once.
    #[error("the code was used already; it takes one that was not")]
    CodeAlreadyUsed,
    /// Too many wrong codes; codes are not read.
    #[error("too many wrong codes")]
    TooManyAttempts {
        /// Seconds to wait; `None` if only an administrator helps.
        retry_after_seconds: Option<u64>,
    },
    /// A field's value cannot be taken.
    #[error("{detail}")]
    Invalid {
        /// A JSON pointer (RFC 6901) to the field.
        pointer: String,
        /// What is wrong.
        detail: String,
    },
    /// The state is another than the caller thought.
    #[error("{0}")]
    Conflict(String),
    /// Something with this id is not there.
    #[error("there is no such {0}")]
    NotFound(String),
    /// A stored secret could not be opened, or a hash could not be computed: the operator must
    /// look, and the answer is never "verified".
    #[error("a stored secret could not be read")]
    Unreadable,
    /// No provider is configured for messages of this kind.
    #[error("no provider is configured for messages of this kind")]
    DeliveryNotConfigured(Channel),
    /// Codes were sent too often: to the user, to the destination, to its prefix, by the tenant.
    #[error("{reason}")]
    TooManySends {
        /// Which limit, for a person.
        reason: String,
        /// Seconds to wait.
        retry_after_seconds: u64,
    },
    /// No code that was sent can be accepted any more.
    #[error("the code has expired or was replaced by a newer one; have a new one sent")]
    CodeExpired,
    /// The user has no verified email address.
    #[error("the user has no verified email address")]
    EmailNotVerified,
    /// The policy sends no text messages to this country.
    #[error(
        "the policy sends no text messages to numbers of {0}; each country that shares a calling code \
         is listed by its own code, or all of them by the calling code"
    )]
    CountryNotAllowed(String),
    /// What the authenticator answered is not good.
    #[error("the authenticator's answer was refused: {0}")]
    InvalidAssertion(CeremonyFailure),
    /// The policy does not allow such an authenticator.
    #[error("{0}")]
    AuthenticatorNotAllowed(String),
    /// The asking API key may not do this, and why.
    #[error("{0}")]
    Forbidden(String),
    /// The user has as many of these open as one may have.
    #[error("{what} of this user wait for an answer; one more can be opened when one of them ends")]
    TooManyOpen {
        /// How many of what.
        what: String,
        /// Seconds until the first of them ends by itself.
        retry_after_seconds: u64,
    },
    /// The code that was to confirm an enrollment is right for another time: the device's clock is
    /// off. It was not counted.
    #[error("the code is right for another time: the device's clock is {}", clock_words(.seconds_ahead))]
    AuthenticatorClockOff {
        /// How far the device's clock is ahead, about; negative if it is behind.
        seconds_ahead: i32,
    },
    /// The code that was to confirm an enrollment is one of the right secret, but made as all apps
    /// do by default. It was not counted.
    #[error(
        "the code is a SHA-1 code of six digits and 30 seconds: the app ignored the enrollment's \
         algorithm, digits or period; begin again without them, or use another app"
    )]
    AuthenticatorIgnoredParameters,
    /// The code that was to confirm an enrollment is of a secret that a newer one has replaced. It
    /// was not counted.
    #[error(
        "the code is of an earlier secret, which a newer one has replaced; set up the app anew"
    )]
    EnrollmentReplaced,
}

/// How far a clock is off, for a person.
fn clock_words(seconds_ahead: &i32) -> String {
    let seconds = seconds_ahead.unsigned_abs();
    let much = match (seconds + 29) / 60 {
        0 | 1 => "about a minute".to_owned(),
        minutes => format!("about {minutes} minutes"),
    };
    format!("{much} {}", if *seconds_ahead > 0 { "fast" } else { "slow" })
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserView {
    /// The caller's id.
    pub id: UserId,
    /// What the application told.
    pub profile: Profile,
    /// When the user was first written.
    pub created_at: Timestamp,
    /// The last change.
    pub updated_at: Timestamp,
    /// Whether this very call wrote the user first.
    pub created: bool,
}

/// What an authenticator app needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TotpEnrollment {
    /// The factor's id, once confirmed.
    pub factor_id: FactorId,
    /// The shared secret's bytes.
    pub secret: Secret,
    /// How codes are made.
    pub parameters: Parameters,
    /// The `otpauth` URI, which holds the secret.
    pub uri: Secret,
    /// When the enrollment ends unconfirmed.
    pub expires_at: Timestamp,
}

/// A number or an address that waits for its confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEnrollment {
    /// The factor's id, once confirmed.
    pub factor_id: FactorId,
    /// Where codes will go, as it may be shown.
    pub masked_destination: String,
    /// When the enrollment ends unconfirmed.
    pub expires_at: Timestamp,
}

/// A code on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSent {
    /// Of which factor or pending enrollment.
    pub factor_id: FactorId,
    /// Where it goes, as it may be shown.
    pub masked_destination: String,
    /// When the code dies.
    pub expires_at: Timestamp,
    /// When the next one may be asked for.
    pub resend_available_at: Timestamp,
}

/// A factor, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorView {
    /// Its id.
    pub id: FactorId,
    /// Its type.
    pub factor_type: FactorType,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is offered first.
    pub primary: bool,
    /// Whether it counts and is offered, as policy and settings are.
    pub usable: bool,
    /// When it was confirmed.
    pub created_at: Timestamp,
    /// Its last successful use.
    pub last_used_at: Option<Timestamp>,
    /// Where its codes go, as it may be shown; `None` if none are sent.
    pub masked_destination: Option<String>,
    /// The authenticator, if it is a security key or passkey.
    pub webauthn: Option<WebAuthnView>,
}

/// A security key or passkey, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebAuthnView {
    /// The authenticator's model, as it says.
    pub aaguid: Aaguid,
    /// Whether its key may be on several devices.
    pub backup_eligible: bool,
    /// Whether it was when it was last used.
    pub backed_up: bool,
    /// How it can be reached.
    pub transports: Vec<String>,
    /// Whether the person was verified when it was registered.
    pub user_verified: bool,
    /// Whether it can be found without its id, if that is known.
    pub resident: Option<bool>,
    /// Its signature counter.
    pub sign_count: u32,
    /// The relying party that it was registered for.
    pub rp_id: String,
}

/// Why a second factor is, or is not, asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The policy is DISABLED.
    PolicyDisabled,
    /// OPTIONAL, and the user has none.
    NotEnrolled,
    /// OPTIONAL, and the user has one.
    UserEnrolled,
    /// REQUIRED, the user has none, and the grace period runs.
    GracePeriod,
    /// REQUIRED, the user has none, and the grace period is over.
    EnrollmentRequired,
    /// REQUIRED.
    PolicyRequired,
    /// RISK_BASED, and nothing is odd.
    LowRisk,
    /// RISK_BASED, and something is odd.
    Risk,
    /// The browser is trusted.
    TrustedDevice,
}

impl Reason {
    /// The name in the HTTP contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyDisabled => "POLICY_DISABLED",
            Self::NotEnrolled => "NOT_ENROLLED",
            Self::UserEnrolled => "USER_ENROLLED",
            Self::GracePeriod => "GRACE_PERIOD",
            Self::EnrollmentRequired => "ENROLLMENT_REQUIRED",
            Self::PolicyRequired => "POLICY_REQUIRED",
            Self::LowRisk => "LOW_RISK",
            Self::Risk => "RISK",
            Self::TrustedDevice => "TRUSTED_DEVICE",
        }
    }
}

/// The answer to "does this login need a second factor?".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChallengeAnswer {
    /// Whether it does.
    pub mfa_required: bool,
    /// Why.
    pub reason: Reason,
    /// The signs of risk that fired.
    pub triggers: Vec<Trigger>,
    /// The challenge to answer, if one is needed.
    pub challenge: Option<ChallengeView>,
    /// Whether the user should enroll.
    pub enrollment_required: bool,
    /// Until when the user may go without.
    pub grace_period_ends_at: Option<Timestamp>,
    /// A token, if no second factor is needed.
    pub tokens: Option<TokenGrant>,
}

/// A challenge, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChallengeView {
    /// Its id.
    pub id: ChallengeId,
    /// Whose it is.
    pub user: UserId,
    /// Why it was asked.
    pub purpose: Purpose,
    /// What answers it.
    pub kind: ChallengeKind,
    /// How it stands.
    pub status: ChallengeStatus,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// Whether a recovery code would do.
    pub recovery_codes_available: bool,
    /// What can answer it, the primary first.
    pub factors: Vec<FactorView>,
    /// Wrong answers left.
    pub attempts_remaining: u32,
    /// What became of the message that was asked for last, since the challenge was made.
    pub last_message: Option<MessageView>,
}

/// A message that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// To which factor or pending enrollment.
    pub factor_id: FactorId,
    /// How it travels.
    pub channel: Channel,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// What became of it.
    pub outcome: SendOutcome,
}

/// An enrollment that waits for its confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEnrollmentView {
    /// The factor that it will make.
    pub factor_id: FactorId,
    /// Its type.
    pub factor_type: FactorType,
    /// Where codes go, as it may be shown.
    pub masked_destination: Option<String>,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// What became of the message that was asked for last.
    pub last_message: Option<MessageView>,
}

/// A right answer to a challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Whose challenge it was.
    pub user: UserId,
    /// What proved it; `None` for a recovery code.
    pub factor_id: Option<FactorId>,
    /// The token.
    pub tokens: TokenGrant,
    /// The device token, if the browser is to be remembered.
    pub device_token: Option<Secret>,
    /// Until when it is remembered.
    pub device_token_expires_at: Option<Timestamp>,
}

/// A trusted device, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// Its name.
    pub name: Option<String>,
    /// The browser's `User-Agent` when it was trusted.
    pub user_agent: Option<String>,
    /// When it was trusted.
    pub created_at: Timestamp,
    /// When it last stood in for a second factor.
    pub last_used_at: Option<Timestamp>,
    /// Until when it is.
    pub expires_at: Timestamp,
}

/// A user's whole situation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// Whether the user has an ACTIVE factor.
    pub enabled: bool,
    /// How many.
    pub factor_count: u32,
    /// How many of each type.
    pub factors: BTreeMap<FactorType, u32>,
    /// Which is offered first.
    pub primary_factor_id: Option<FactorId>,
    /// Unused recovery codes.
    pub recovery_codes_remaining: u32,
    /// Trusted devices.
    pub trusted_device_count: u32,
    /// What the policy demands of this user.
    pub requirement: Requirement,
    /// Until when the user may go without a factor; `None` if no grace runs.
    pub grace_period_ends_at: Option<Timestamp>,
    /// Until when codes are refused.
    pub locked_until: Option<Timestamp>,
    /// Whether only an administrator unlocks.
    pub locked_hard: bool,
    /// Wrong codes since the last success.
    pub failed_attempts: u32,
    /// Enrollments that wait for their confirmation.
    pub pending_enrollments: Vec<PendingEnrollmentView>,
}

/// An authentication method reference (RFC 8176; `email` and `recovery` are private).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amr {
    /// A password.
    Pwd,
    /// A one-time password.
    Otp,
    /// A code by text message.
    Sms,
    /// A hardware-secured key.
    Hwk,
    /// A software-secured key.
    Swk,
    /// The user was there.
    User,
    /// More than one factor.
    Mfa,
    /// A code by email.
    Email,
    /// A recovery code.
    Recovery,
}

impl Amr {
    /// What a proof of such a factor is called. A key that stays in one piece of hardware is `hwk`, one
    /// that may be copied between devices `swk`; either proves that somebody was there.
    pub fn of(kind: &FactorKind) -> Vec<Self> {
        match kind {
            FactorKind::Totp(_) => vec![Self::Otp],
            FactorKind::Sms(_) => vec![Self::Sms],
            FactorKind::Email(_) => vec![Self::Email],
            FactorKind::WebAuthn(credential) if credential.synced() => vec![Self::Swk, Self::User],
            FactorKind::WebAuthn(_) => vec![Self::Hwk, Self::User],
        }
    }

    /// The value in the token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pwd => "pwd",
            Self::Otp => "otp",
            Self::Sms => "sms",
            Self::Hwk => "hwk",
            Self::Swk => "swk",
            Self::User => "user",
            Self::Mfa => "mfa",
            Self::Email => "email",
            Self::Recovery => "recovery",
        }
    }
}

/// The authentication context class of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acr {
    /// One factor.
    Aal1,
    /// Two.
    Aal2,
}

/// What an access token will say. The API signs it; since ES256 as used here is deterministic
/// (RFC 6979), the same grant gives the same token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenGrant {
    /// `jti`.
    pub id: TokenId,
    /// Which key signs: its `kid`.
    pub signing_key: String,
    /// `tenant`.
    pub tenant: TenantId,
    /// `sub`.
    pub subject: UserId,
    /// `aud`.
    pub audience: String,
    /// `iat` and `auth_time`.
    pub issued_at: Timestamp,
    /// Seconds until `exp`.
    pub expires_in_seconds: u32,
    /// `acr`.
    pub acr: Acr,
    /// `amr`.
    pub amr: Vec<Amr>,
    /// What the header says that it is.
    pub token_type: TokenType,
    /// `client_id`, where that is said: the API key that asked.
    pub client: Option<KeyId>,
}
