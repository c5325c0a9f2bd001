//! A user's whole state: small, kept as one row, changed by events alone.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::challenge::Challenge;
use crate::device::TrustedDevice;
use crate::factor::message::MessageFactor;
use crate::factor::recovery_code::RecoverySet;
use crate::factor::webauthn::ceremony::Ceremony;
use crate::factor::webauthn::rules::WebAuthnRules;
use crate::factor::{Factor, FactorType, PendingEnrollment};
use crate::ids::{ChallengeId, FactorId, Pseudonym};
use crate::lockout::Lockout;
use crate::message::Channel;
use crate::portal::PortalSession;
use crate::risk::History;
use crate::sending::SendHistory;
use crate::time::{MINUTE_MS, Timestamp};

/// ACTIVE factors a user has at most.
pub const FACTORS_MAX: usize = 20;
/// How long a pending enrollment waits for its confirmation.
pub const ENROLLMENT_LIFETIME_MS: i64 = 10 * MINUTE_MS;
/// How long the last time step of a removed TOTP secret is remembered: longer than any code lives.
pub const SPENT_SECRET_KEPT_MS: i64 = 10 * MINUTE_MS;

/// How many removed secrets are remembered at most. A user has at most [`FACTORS_MAX`] factors, so
/// this covers several full turnovers within [`SPENT_SECRET_KEPT_MS`].
pub const SPENT_SECRETS_KEPT: usize = 5 * FACTORS_MAX;

/// What the application told about the user.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// An email address.
    pub email: Option<String>,
    /// Whether the application verified it.
    pub email_verified: bool,
    /// A telephone number, E.164.
    pub phone_number: Option<String>,
    /// A name to show.
    pub display_name: Option<String>,
    /// Names of groups that policy rules may fit.
    pub groups: BTreeSet<String>,
}

/// Names nobody: this text may reach a log line.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("email_verified", &self.email_verified)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// The last accepted step of a TOTP secret that was removed, kept so that importing the secret
/// again does not make its spent codes good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpentSecret {
    /// The secret's keyed digest.
    pub fingerprint: [u8; 16],
    /// Its last accepted step.
    pub last_step: u64,
    /// When it was removed.
    pub at: Timestamp,
}

/// A user. The default value is a user never seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserState {
    /// Who the audit log says it is; `None` for a user never seen.
    pub pseudonym: Option<Pseudonym>,
    /// When the user was first written.
    pub created_at: Timestamp,
    /// The last change.
    pub updated_at: Timestamp,
    /// What the application told.
    pub profile: Profile,
    /// ACTIVE factors, in order of enrollment.
    pub factors: Vec<Factor>,
    /// Unconfirmed enrollments, at most one a type.
    pub pending: Vec<PendingEnrollment>,
    /// The primary among `factors`; `None` only if there is none.
    pub primary: Option<FactorId>,
    /// Recovery codes.
    pub recovery: Option<RecoverySet>,
    /// Trusted devices.
    pub devices: Vec<TrustedDevice>,
    /// Challenges, oldest first.
    pub challenges: Vec<Challenge>,
    /// The counter of wrong codes.
    pub lockout: Lockout,
    /// What successful verifications looked like.
    pub history: History,
    /// When the application said that the password changed.
    pub password_changed_at: Option<Timestamp>,
    /// Removed TOTP secrets whose codes may still be running.
    pub spent_secrets: Vec<SpentSecret>,
    /// Messages of the last day.
    pub sends: SendHistory,
    /// When recovery codes were used within the last day, oldest first.
    pub recovery_uses: Vec<Timestamp>,
    /// Where the last verified login came from, as far as it was told.
    pub verified_from: Option<IpAddr>,
    /// WebAuthn ceremonies that wait for their answers, oldest first.
    pub ceremonies: Vec<Ceremony>,
    /// Sessions on the hosted pages, oldest first.
    pub portal: Vec<PortalSession>,
}

/// What counts as a second factor of one user: the types that the rule allows, and of keys those
/// that are as the tenant demands and of its relying party.
#[derive(Clone, Copy, Debug)]
pub struct Admitted<'a> {
    /// The types.
    pub types: &'a BTreeSet<FactorType>,
    /// What holds for security keys and passkeys.
    pub webauthn: &'a WebAuthnRules,
    /// The relying party whose keys can be used; `None` if no browser would use any.
    pub relying_party: Option<&'a str>,
}

impl Admitted<'_> {
    /// Whether a factor counts.
    pub fn admits(&self, factor: &Factor) -> bool {
        self.types.contains(&factor.factor_type())
            && factor.kind.webauthn().is_none_or(|credential| {
                self.webauthn.admits(credential)
                    && self.relying_party == Some(credential.rp_id.as_str())
            })
    }
}

impl UserState {
    /// Whether the user was ever written.
    pub const fn exists(&self) -> bool {
        self.pseudonym.is_some()
    }

    /// The ACTIVE factor of this id.
    pub fn factor(&self, id: FactorId) -> Option<&Factor> {
        self.factors.iter().find(|factor| factor.id == id)
    }

    /// The pending enrollment of this type, expired or not.
    pub fn pending(&self, factor_type: FactorType) -> Option<&PendingEnrollment> {
        self.pending.iter().find(|pending| pending.factor_type() == factor_type)
    }

    /// Every factor and pending enrollment that codes are sent to.
    pub fn messages(&self) -> impl Iterator<Item = (FactorId, Channel, &MessageFactor)> {
        let factors = self.factors.iter().map(|factor| (factor.id, &factor.kind));
        let pending = self.pending.iter().map(|pending| (pending.id, &pending.kind));
        factors.chain(pending).filter_map(|(id, kind)| {
            let (channel, to) = kind.message()?;
            Some((id, channel, to))
        })
    }

    /// What codes of this factor or pending enrollment are sent to.
    pub fn message_mut(&mut self, id: FactorId) -> Option<&mut MessageFactor> {
        let factors = self.factors.iter_mut().map(|factor| (factor.id, &mut factor.kind));
        let pending = self.pending.iter_mut().map(|pending| (pending.id, &mut pending.kind));
        let (_, kind) = factors.chain(pending).find(|(other, _)| *other == id)?;
        kind.message_mut()
    }

    /// The challenge of this id.
    pub fn challenge(&self, id: ChallengeId) -> Option<&Challenge> {
        self.challenges.iter().find(|challenge| challenge.id == id)
    }

    /// The ACTIVE factors, the primary first.
    pub fn factors_in_order(&self) -> impl Iterator<Item = &Factor> {
        let is_primary = |factor: &Factor| Some(factor.id) == self.primary;
        let first = self.factors.iter().filter(move |factor| is_primary(factor));
        let rest = self.factors.iter().filter(move |factor| !is_primary(factor));
        first.chain(rest)
    }

    /// Usable factors, the primary first: ACTIVE and admitted.
    pub fn usable<'a>(&'a self, admitted: Admitted<'a>) -> impl Iterator<Item = &'a Factor> {
        self.factors_in_order().filter(move |factor| admitted.admits(factor))
    }

    /// Unused recovery codes.
    pub fn recovery_codes_remaining(&self) -> u32 {
        self.recovery.as_ref().map_or(0, |set| u32::try_from(set.unused.len()).unwrap_or(u32::MAX))
    }
}
