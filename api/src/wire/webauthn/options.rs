//! What the browser is told.

use countersign_core::factor::webauthn::options as core;
use countersign_core::reply::Reply;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Attachment, Attestation, ResidentKey, UserVerification};
use crate::error::ApiError;
use crate::state::ApiState;

/// The only type of credential there is.
const PUBLIC_KEY: &str = "public-key";

/// A `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicKeyCredentialCreationOptionsJSON)]
pub(crate) struct CreationOptions {
    /// Whom the credential is for.
    rp: RelyingParty,
    /// Whose it will be.
    user: UserEntity,
    /// What the authenticator signs; base64url.
    challenge: String,
    /// Which keys are good, the best first.
    pub_key_cred_params: Vec<CredentialParameters>,
    /// How long the ceremony is open, in milliseconds.
    #[schema(example = 300_000)]
    timeout: u32,
    /// Credentials whose authenticators must not register again.
    exclude_credentials: Vec<CredentialDescriptor>,
    /// What the authenticator must be like.
    authenticator_selection: AuthenticatorSelection,
    /// What kinds of authenticator to offer first.
    hints: Vec<String>,
    /// Whether the authenticator tells its make.
    attestation: Attestation,
    /// Asks for `credProps`, which says whether the key can be found without its id.
    extensions: CreationExtensions,
}

/// A relying party.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelyingParty {
    /// A domain name.
    #[schema(example = "example.com")]
    id: String,
    /// A name to show.
    #[schema(example = "Acme")]
    name: String,
}

/// A user, as authenticators know one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserEntity {
    /// The user's handle, base64url: bytes that mean nothing elsewhere.
    id: String,
    /// The account's name.
    #[schema(example = "ann@example.com")]
    name: String,
    /// The person's name.
    #[schema(example = "Ann Example")]
    display_name: String,
}

/// A kind of key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CredentialParameters {
    /// Always `public-key`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its number in the COSE registry: -8 EdDSA, -7 ES256, -257 RS256.
    #[schema(example = -7)]
    alg: i64,
}

/// A credential.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CredentialDescriptor {
    /// Always `public-key`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its id, base64url.
    id: String,
    /// How it can be reached.
    transports: Vec<String>,
}

/// What an authenticator must be like.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthenticatorSelection {
    /// Where it is; absent for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    authenticator_attachment: Option<Attachment>,
    /// Whether the credential can be found without its id.
    resident_key: ResidentKey,
    /// The same for browsers of Level 1.
    require_resident_key: bool,
    /// Whether the person must be verified.
    user_verification: UserVerification,
}

/// What is asked besides.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreationExtensions {
    /// See section 10.1.3.
    cred_props: bool,
}

/// A `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicKeyCredentialRequestOptionsJSON)]
pub(crate) struct RequestOptions {
    /// What the authenticator signs; base64url.
    challenge: String,
    /// How long the ceremony is open, in milliseconds.
    #[schema(example = 300_000)]
    timeout: u32,
    /// The relying party's id.
    #[schema(example = "example.com")]
    rp_id: String,
    /// The user's credentials: no other is accepted.
    allow_credentials: Vec<CredentialDescriptor>,
    /// Whether the person must be verified.
    user_verification: UserVerification,
    /// What kinds of authenticator to offer first.
    hints: Vec<String>,
}

fn descriptors(credentials: Vec<core::Descriptor>) -> Vec<CredentialDescriptor> {
    let told = credentials.into_iter().map(|one| CredentialDescriptor {
        kind: PUBLIC_KEY,
        id: BASE64URL_NOPAD.encode(&one.id),
        transports: one.transports,
    });
    told.collect()
}

impl From<core::CreationOptions> for CreationOptions {
    fn from(options: core::CreationOptions) -> Self {
        let parameters = options.algorithms.iter();
        Self {
            rp: RelyingParty { id: options.rp_id, name: options.rp_name },
            user: UserEntity {
                id: BASE64URL_NOPAD.encode(&options.user_handle),
                name: options.user_name,
                display_name: options.user_display_name,
            },
            challenge: BASE64URL_NOPAD.encode(&options.challenge),
            pub_key_cred_params: parameters
                .map(|algorithm| CredentialParameters { kind: PUBLIC_KEY, alg: algorithm.cose() })
                .collect(),
            timeout: options.timeout_ms,
            exclude_credentials: descriptors(options.exclude),
            authenticator_selection: AuthenticatorSelection {
                authenticator_attachment: options.attachment.map(Into::into),
                resident_key: options.resident_key.into(),
                require_resident_key: options.resident_key == core::ResidentKey::Required,
                user_verification: options.user_verification.into(),
            },
            hints: Vec::new(),
            attestation: options.attestation.into(),
            extensions: CreationExtensions { cred_props: true },
        }
    }
}

impl From<core::RequestOptions> for RequestOptions {
    fn from(options: core::RequestOptions) -> Self {
        Self {
            challenge: BASE64URL_NOPAD.encode(&options.challenge),
            timeout: options.timeout_ms,
            rp_id: options.rp_id,
            allow_credentials: descriptors(options.allow),
            user_verification: options.user_verification.into(),
            hints: Vec::new(),
        }
    }
}

impl Answer for CreationOptions {
    const OPERATION: &'static str = "the beginning of a registration";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::CreationOptions(options) => Some(Ok((*options).into())),
            _ => None,
        }
    }
}

impl Answer for RequestOptions {
    const OPERATION: &'static str = "the beginning of an authentication";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::RequestOptions(options) => Some(Ok((*options).into())),
            _ => None,
        }
    }
}
