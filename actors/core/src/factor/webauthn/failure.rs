//! Why the answer to a ceremony was refused: one variant for each step of sections 7.1 and 7.2 that
//! can fail, so that the audit log says which.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What was wrong. None of it helps somebody who does not hold the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum CeremonyFailure {
    /// No ceremony of this user waits for such an answer.
    #[error("the challenge is none that this user was given, or it was answered or is too old")]
    UnknownChallenge,
    /// The ceremony was begun for something else.
    #[error("the challenge was given for something else")]
    WrongPurpose,
    /// `id` and `rawId` differ.
    #[error("`id` is not the base64url form of `rawId`")]
    IdMismatch,
    /// `type` is not `public-key`.
    #[error("the credential's `type` is not \"public-key\"")]
    CredentialType,
    /// `clientDataJSON` cannot be read.
    #[error("`clientDataJSON` cannot be read")]
    ClientData,
    /// The client data is of another ceremony's kind.
    #[error("the client data's `type` is of another kind of ceremony")]
    ClientDataType,
    /// The page's origin is not ours.
    #[error("the origin is none of those in the settings")]
    Origin,
    /// The page was framed by one of another origin.
    #[error("the ceremony was done in a frame of another origin")]
    CrossOrigin,
    /// The authenticator signed for another relying party.
    #[error("the authenticator answered for another relying party than `rpId`")]
    RpIdHash,
    /// Nobody was there.
    #[error("the authenticator did not see that somebody is there")]
    UserPresence,
    /// The person was not verified, and had to be.
    #[error("the authenticator did not verify the person, which is required")]
    UserVerification,
    /// The flags contradict each other.
    #[error("the backup flags contradict each other")]
    BackupFlags,
    /// The authenticator's data cannot be read.
    #[error("the authenticator's data cannot be read")]
    AuthenticatorData,
    /// The key is of a kind that was not asked for.
    #[error("the key's algorithm is none of those asked for")]
    Algorithm,
    /// The key makes no sense.
    #[error("the public key cannot be used")]
    PublicKey,
    /// The attestation statement is wrong.
    #[error("the attestation statement does not hold")]
    Attestation,
    /// The credential is none of this user's.
    #[error("the credential is none of this user's, or not the factor that was named")]
    UnknownCredential,
    /// The authenticator names another user.
    #[error("the authenticator answered for another user")]
    UserHandle,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// The counter did not rise: there may be a copy.
    #[error("the signature counter did not rise: the authenticator may have been copied")]
    Counter,
    /// Whether the key may be on several devices is another than when it was registered.
    #[error(
        "the key has changed since it was registered (whether it may be on several devices), so it \
         is not taken for the same; use another factor, then register it anew"
    )]
    BackupEligibility,
}

impl CeremonyFailure {
    /// Every one.
    pub const ALL: [Self; 21] = [
        Self::UnknownChallenge,
        Self::WrongPurpose,
        Self::IdMismatch,
        Self::CredentialType,
        Self::ClientData,
        Self::ClientDataType,
        Self::Origin,
        Self::CrossOrigin,
        Self::RpIdHash,
        Self::UserPresence,
        Self::UserVerification,
        Self::BackupFlags,
        Self::AuthenticatorData,
        Self::Algorithm,
        Self::PublicKey,
        Self::Attestation,
        Self::UnknownCredential,
        Self::UserHandle,
        Self::Signature,
        Self::Counter,
        Self::BackupEligibility,
    ];

    /// The reason in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownChallenge => "unknown_challenge",
            Self::WrongPurpose => "wrong_purpose",
            Self::IdMismatch => "id_mismatch",
            Self::CredentialType => "credential_type",
            Self::ClientData => "client_data",
            Self::ClientDataType => "client_data_type",
            Self::Origin => "origin",
            Self::CrossOrigin => "cross_origin",
            Self::RpIdHash => "rp_id_hash",
            Self::UserPresence => "user_presence",
            Self::UserVerification => "user_verification",
            Self::BackupFlags => "backup_flags",
            Self::AuthenticatorData => "authenticator_data",
            Self::Algorithm => "algorithm",
            Self::PublicKey => "public_key",
            Self::Attestation => "attestation",
            Self::UnknownCredential => "unknown_credential",
            Self::UserHandle => "user_handle",
            Self::Signature => "signature",
            Self::Counter => "counter",
            Self::BackupEligibility => "backup_eligibility_changed",
        }
    }
}
