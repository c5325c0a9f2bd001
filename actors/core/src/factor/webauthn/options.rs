//! What the browser is told to do: the content of `PublicKeyCredentialCreationOptions` and
//! `PublicKeyCredentialRequestOptions` (sections 5.4 and 5.5). Their JSON form is the API's affair.

use serde::{Deserialize, Serialize};

use super::key::Algorithm;
use crate::ids::FactorId;

/// Whether the authenticator must verify the person (section 5.8.6). Ordered by how much is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UserVerification {
    /// Rather not.
    Discouraged,
    /// If it can.
    Preferred,
    /// It must; an answer without is refused.
    Required,
}

/// Whether the authenticator tells its make (section 5.4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attestation {
    /// It should not.
    None,
    /// In whatever form the browser finds good.
    Indirect,
    /// As the authenticator made it.
    Direct,
    /// With what identifies the very device, inside an organisation.
    Enterprise,
}

/// Whether the credential can be found without its id (section 5.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResidentKey {
    /// Rather not.
    Discouraged,
    /// If the authenticator can.
    Preferred,
    /// It must.
    Required,
}

/// Where the authenticator is (section 5.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attachment {
    /// Part of the device.
    Platform,
    /// A thing of its own.
    CrossPlatform,
}

/// What the caller wishes of a registration; what is absent is for the policy and the defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationWish {
    /// See [`Attestation`]; unless given `None`, or `Direct` where the policy lists models.
    pub attestation: Option<Attestation>,
    /// See [`UserVerification`]; discouraged unless given, and never below the policy's minimum.
    pub user_verification: Option<UserVerification>,
    /// See [`ResidentKey`]; discouraged unless given.
    pub resident_key: Option<ResidentKey>,
    /// See [`Attachment`]; any unless given.
    pub attachment: Option<Attachment>,
}

/// A credential, as the browser is told of it (section 5.8.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The credential's id.
    pub id: Vec<u8>,
    /// How it can be reached.
    pub transports: Vec<String>,
}

/// How to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreationOptions {
    /// The id that the factor will have.
    pub factor_id: FactorId,
    /// The relying party's id.
    pub rp_id: String,
    /// Its name.
    pub rp_name: String,
    /// The user's handle: bytes that mean nothing to anybody else (section 14.6.1).
    pub user_handle: Vec<u8>,
    /// The account's name, as authenticators show it.
    pub user_name: String,
    /// The person's name, as authenticators show it.
    pub user_display_name: String,
    /// What is to be signed.
    pub challenge: Vec<u8>,
    /// Which keys are good, the best first.
    pub algorithms: Vec<Algorithm>,
    /// In milliseconds.
    pub timeout_ms: u32,
    /// Credentials whose authenticators must not register again.
    pub exclude: Vec<Descriptor>,
    /// See [`Attestation`].
    pub attestation: Attestation,
    /// See [`UserVerification`].
    pub user_verification: UserVerification,
    /// See [`ResidentKey`].
    pub resident_key: ResidentKey,
    /// See [`Attachment`].
    pub attachment: Option<Attachment>,
}

/// How to show a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOptions {
    /// The relying party's id.
    pub rp_id: String,
    /// What is to be signed.
    pub challenge: Vec<u8>,
    /// In milliseconds.
    pub timeout_ms: u32,
    /// The user's credentials: no other is accepted.
    pub allow: Vec<Descriptor>,
    /// See [`UserVerification`].
    pub user_verification: UserVerification,
}
