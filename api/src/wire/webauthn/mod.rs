//! Security keys and passkeys, in the JSON forms of W3C Web Authentication Level 3 sections 5.1.8
//! to 5.1.10: what a call answers goes into `PublicKeyCredential.parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON` as it is, and what `PublicKeyCredential.toJSON` gives comes back as
//! it is. The words are therefore those of the W3C and not in capitals.

mod options;
mod response;
mod rules;

use countersign_core::command::Command;
use countersign_core::factor::webauthn::options as core;
use countersign_core::ids::ChallengeId;
use countersign_core::reply::{Reply, WebAuthnView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::options::{CreationOptions, RequestOptions};
pub(crate) use self::response::{AuthenticationResponse, RegistrationResponse};
pub(crate) use self::rules::{UpdateWebAuthnPolicy, WebAuthnPolicy};
use super::Answer;
use super::tokens::Tokens;
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            #[serde(rename_all = "kebab-case")]
            pub(crate) enum $name {
                $($word,)*
            }

            impl From<core::$name> for $name {
                fn from(value: core::$name) -> Self {
                    match value { $(core::$name::$word => Self::$word,)* }
                }
            }

            impl From<$name> for core::$name {
                fn from(value: $name) -> Self {
                    match value { $($name::$word => Self::$word,)* }
                }
            }
        )*
    };
}

words! {
    /// Whether the authenticator must verify the person, by a PIN or biometrics.
    UserVerification {
        Discouraged,
        Preferred,
        Required,
    }
    /// Whether the authenticator tells its make.
    Attestation {
        None,
        Indirect,
        Direct,
        Enterprise,
    }
    /// Whether the credential can be found without its id, as passkeys are.
    ResidentKey {
        Discouraged,
        Preferred,
        Required,
    }
    /// Whether the authenticator is part of the device or a thing of its own.
    Attachment {
        Platform,
        CrossPlatform,
    }
}

/// What is known of a security key or passkey.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebAuthn {
    /// The authenticator's model, as it says; all zeros if it does not.
    #[schema(example = "ee882879-721c-4913-9775-3dfcce97072a")]
    aaguid: String,
    /// Whether its key may be kept on several devices: a synced passkey.
    backup_eligible: bool,
    /// Whether it was when it was last used.
    backed_up: bool,
    /// How it can be reached.
    #[schema(example = json!(["internal", "hybrid"]))]
    transports: Vec<String>,
    /// Whether the person was verified when it was registered.
    user_verified: bool,
    /// Whether it can be found without its id; null if the browser did not say.
    resident_key: Option<bool>,
    /// Its signature counter; 0 if it has none.
    #[schema(example = 0)]
    sign_count: u32,
    /// The relying party id that it was registered for. It can be used only while the settings'
    /// `rpId` is the same.
    #[schema(example = "acme.example")]
    rp_id: String,
}

impl From<WebAuthnView> for WebAuthn {
    fn from(view: WebAuthnView) -> Self {
        Self {
            aaguid: view.aaguid.to_string(),
            backup_eligible: view.backup_eligible,
            backed_up: view.backed_up,
            transports: view.transports,
            user_verified: view.user_verified,
            resident_key: view.resident,
            sign_count: view.sign_count,
            rp_id: view.rp_id,
        }
    }
}

/// Wishes for a registration; what is left out is for the policy and the defaults.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegistrationWish {
    /// If left out `none`, or `direct` where the policy lists models.
    attestation: Option<Attestation>,
    /// `discouraged` if left out, since the key is a second factor; never less than the policy's
    /// minimum.
    user_verification: Option<UserVerification>,
    /// `discouraged` if left out, since the user is known before a key is asked for.
    resident_key: Option<ResidentKey>,
    /// Any if left out.
    authenticator_attachment: Option<Attachment>,
}

impl RegistrationWish {
    pub(crate) fn command(self) -> Command {
        Command::BeginWebAuthn {
            wish: core::RegistrationWish {
                attestation: self.attestation.map(Into::into),
                user_verification: self.user_verification.map(Into::into),
                resident_key: self.resident_key.map(Into::into),
                attachment: self.authenticator_attachment.map(Into::into),
            },
        }
    }
}

/// Ends a registration.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyWebAuthn {
    /// What `navigator.credentials.create()` gave, by its `toJSON()`.
    credential: RegistrationResponse,
    /// A name for the factor.
    #[schema(min_length = 1, max_length = 100, example = "Blue key")]
    name: Option<String>,
    /// A challenge of kind ENROLLMENT_REQUIRED that this answers.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: Option<String>,
}

impl VerifyWebAuthn {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/name", self.name);
        let response = self.credential.read(&mut fields, "/credential");
        let (response, name) = fields.finish((response, name))?;
        let challenge = super::challenge_id(self.challenge_id)?;
        Ok(Command::ConfirmWebAuthn { response: Box::new(response), name, challenge })
    }
}

/// Wishes for an authentication.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AssertionWish {
    /// If left out `discouraged` for a challenge, where the key is a second factor, else `preferred`;
    /// never less than the policy's minimum.
    user_verification: Option<UserVerification>,
}

impl AssertionWish {
    pub(crate) fn command(self, challenge: Option<ChallengeId>) -> Command {
        let user_verification = self.user_verification.map(Into::into);
        Command::BeginAssertion { user_verification, challenge }
    }
}

/// Shows a security key or passkey.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyAssertion {
    /// What `navigator.credentials.get()` gave, by its `toJSON()`.
    assertion: AuthenticationResponse,
}

impl VerifyAssertion {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let response = self.assertion.read(&mut fields, "/assertion");
        let response = Box::new(fields.finish(response)?);
        Ok(Command::Assert { response })
    }
}

/// A security key or passkey was shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifiedAssertion {
    /// Always true: a wrong answer is a problem.
    #[schema(example = true)]
    verified: bool,
    /// Which factor.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// Whether the person was verified, by a PIN or biometrics.
    user_verified: bool,
    /// A token: of `acr` `aal2` if the person was verified, else `aal1`.
    tokens: Tokens,
}

impl Answer for VerifiedAssertion {
    const OPERATION: &'static str = "the showing of a security key";

    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::Asserted { factor_id, user_verified, tokens } = reply else { return None };
        Some(Tokens::sign(&tokens, api).map(|tokens| Self {
            verified: true,
            factor_id: factor_id.to_string(),
            user_verified,
            tokens,
        }))
    }
}
