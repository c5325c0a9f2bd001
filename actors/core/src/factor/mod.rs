//! What a user enrolled.

pub mod message;
pub mod recovery_code;
pub mod totp;
pub mod webauthn;

use serde::{Deserialize, Serialize};

use crate::factor::message::MessageFactor;
use crate::ids::FactorId;
use crate::message::{Channel, mask};
use crate::time::Timestamp;
use totp::TotpFactor;
use webauthn::WebAuthnFactor;

/// The kinds of factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactorType {
    /// Time-based one-time passwords (RFC 6238).
    Totp,
    /// A code by text message.
    Sms,
    /// A code by email.
    Email,
    /// A security key or passkey (W3C WebAuthn).
    WebAuthn,
}

impl FactorType {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Totp, Self::Sms, Self::Email, Self::WebAuthn];

    /// The name in the HTTP contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "TOTP",
            Self::Sms => "SMS",
            Self::Email => "EMAIL",
            Self::WebAuthn => "WEBAUTHN",
        }
    }
}

/// What proves a factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FactorKind {
    /// An authenticator app.
    Totp(TotpFactor),
    /// A telephone number.
    Sms(MessageFactor),
    /// An email address.
    Email(MessageFactor),
    /// A security key or passkey.
    WebAuthn(Box<WebAuthnFactor>),
}

impl FactorKind {
    /// Its type.
    pub const fn factor_type(&self) -> FactorType {
        match self {
            Self::Totp(_) => FactorType::Totp,
            Self::Sms(_) => FactorType::Sms,
            Self::Email(_) => FactorType::Email,
            Self::WebAuthn(_) => FactorType::WebAuthn,
        }
    }

    /// The authenticator app, if it is one.
    pub const fn totp(&self) -> Option<&TotpFactor> {
        match self {
            Self::Totp(totp) => Some(totp),
            Self::Sms(_) | Self::Email(_) | Self::WebAuthn(_) => None,
        }
    }

    /// How codes are sent to it and where, if they are.
    pub const fn message(&self) -> Option<(Channel, &MessageFactor)> {
        match self {
            Self::Totp(_) | Self::WebAuthn(_) => None,
            Self::Sms(factor) => Some((Channel::Sms, factor)),
            Self::Email(factor) => Some((Channel::Email, factor)),
        }
    }

    /// As [`Self::message`], to change it.
    pub const fn message_mut(&mut self) -> Option<&mut MessageFactor> {
        match self {
            Self::Totp(_) | Self::WebAuthn(_) => None,
            Self::Sms(factor) | Self::Email(factor) => Some(factor),
        }
    }

    /// The security key or passkey, if it is one.
    pub fn webauthn(&self) -> Option<&WebAuthnFactor> {
        match self {
            Self::WebAuthn(factor) => Some(factor),
            Self::Totp(_) | Self::Sms(_) | Self::Email(_) => None,
        }
    }

    /// The destination of its codes as it may be shown.
    pub fn masked_destination(&self) -> Option<String> {
        let (channel, factor) = self.message()?;
        Some(mask(channel, &factor.destination))
    }
}

/// An ACTIVE factor. Pending enrollments are of another type, so that an unverified factor can
/// never be taken for an enrolled one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// The name that its user gave it.
    pub name: Option<String>,
    /// When it was confirmed.
    pub created_at: Timestamp,
    /// The last successful use.
    pub last_used_at: Option<Timestamp>,
    /// What proves it.
    pub kind: FactorKind,
}

impl Factor {
    /// Its type.
    pub const fn factor_type(&self) -> FactorType {
        self.kind.factor_type()
    }
}

/// An enrollment that waits for its confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEnrollment {
    /// The id that the factor will have.
    pub id: FactorId,
    /// The name that it will have.
    pub name: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it ends unconfirmed.
    pub expires_at: Timestamp,
    /// What will prove it.
    pub kind: FactorKind,
    /// Wrong codes that were meant to confirm it and still count.
    pub wrong: u32,
    /// How often it was told that a code is of another time or made in another way.
    pub told: u32,
    /// Time steps to come whose codes were told to be of another time: they are not good any more.
    pub told_steps: Vec<u64>,
    /// Secrets of the same user that it replaced, the newest last.
    pub replaced: Vec<(FactorId, TotpFactor)>,
}

impl PendingEnrollment {
    /// Its type.
    pub const fn factor_type(&self) -> FactorType {
        self.kind.factor_type()
    }
}
