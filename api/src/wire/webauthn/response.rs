//! What the browser sends back. Browsers may put more into these objects than is read here (a
//! registration's public key in another form, results of extensions), and what stands in their place
//! (a password manager) may put in what is none of that. So what is unknown is ignored, and so is what
//! is of another kind than it should be wherever it could be left out: what counts is signed.

use countersign_core::factor::webauthn::response as core;
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::Attachment;
use crate::request::Fields;

/// The longest word for a transport.
const TRANSPORT_MAX: usize = 32;

/// A `RegistrationResponseJSON`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RegistrationResponseJSON)]
pub(crate) struct RegistrationResponse {
    /// The credential's id, base64url.
    id: String,
    /// The same.
    raw_id: String,
    /// `public-key`.
    #[serde(rename = "type")]
    kind: String,
    /// What the authenticator answered.
    response: AttestationResponse,
    /// Where the authenticator is, if the browser says. What is unknown is taken for nothing (W3C
    /// WebAuthn Level 3 section 5.1).
    #[serde(default, deserialize_with = "known")]
    #[schema(value_type = Option<Attachment>)]
    authenticator_attachment: Option<Attachment>,
    /// Results of extensions.
    #[serde(default, deserialize_with = "known")]
    #[schema(value_type = Option<ExtensionResults>)]
    client_extension_results: Option<ExtensionResults>,
}

/// The `response` of a registration.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttestationResponse {
    /// Base64url.
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    /// Base64url.
    attestation_object: String,
    /// How the authenticator can be reached.
    #[serde(default, deserialize_with = "known_transports")]
    #[schema(value_type = Option<Vec<String>>)]
    transports: Vec<String>,
}

/// Results of extensions, as far as they are read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtensionResults {
    /// Section 10.1.3.
    #[serde(default, deserialize_with = "known")]
    #[schema(value_type = Option<CredentialProperties>)]
    cred_props: Option<CredentialProperties>,
}

/// What a credential is like.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct CredentialProperties {
    /// Whether it can be found without its id.
    #[serde(default, deserialize_with = "known")]
    #[schema(value_type = Option<bool>)]
    rk: Option<bool>,
}

/// An `AuthenticationResponseJSON`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthenticationResponseJSON)]
pub(crate) struct AuthenticationResponse {
    /// The credential's id, base64url.
    id: String,
    /// The same.
    raw_id: String,
    /// `public-key`.
    #[serde(rename = "type")]
    kind: String,
    /// What the authenticator answered.
    response: AssertionResponse,
}

/// The `response` of an authentication.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssertionResponse {
    /// Base64url.
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    /// Base64url.
    authenticator_data: String,
    /// Base64url.
    signature: String,
    /// The user's handle, base64url; discoverable credentials have it.
    user_handle: Option<String>,
}

/// A value of the kind that is known, of one of the words that are; `None` for any other value.
fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// The short words of a list, so many as are kept; none of anything else.
fn known_transports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let listed: Option<Vec<serde_json::Value>> = known(deserializer)?;
    let word = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text).filter(|text| is_transport(text)),
        _ => None,
    };
    Ok(listed.into_iter().flatten().filter_map(word).take(core::TRANSPORTS_MAX).collect())
}

fn is_transport(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= TRANSPORT_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn bytes(fields: &mut Fields, pointer: String, text: &str) -> Vec<u8> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
    let fits = bytes.as_ref().is_ok_and(|bytes| !bytes.is_empty());
    fields.demand(fits, &pointer, "must be base64url without padding");
    bytes.unwrap_or_default()
}

fn raw_id(fields: &mut Fields, at: &str, text: &str) -> Vec<u8> {
    let id = bytes(fields, format!("{at}/rawId"), text);
    let fits = id.len() <= core::CREDENTIAL_ID_MAX;
    fields.demand(fits, &format!("{at}/rawId"), "must be at most 1023 bytes long");
    id
}

impl RegistrationResponse {
    /// The bytes, as they came. Whether they are good is for the core to say.
    pub(crate) fn read(self, fields: &mut Fields, at: &str) -> core::RegistrationResponse {
        let response = self.response;
        let properties = self.client_extension_results.and_then(|results| results.cred_props);
        core::RegistrationResponse {
            raw_id: raw_id(fields, at, &self.raw_id),
            id: self.id,
            credential_type: self.kind,
            client_data_json: bytes(
                fields,
                format!("{at}/response/clientDataJSON"),
                &response.client_data_json,
            ),
            attestation_object: bytes(
                fields,
                format!("{at}/response/attestationObject"),
                &response.attestation_object,
            ),
            transports: response.transports,
            resident: properties.and_then(|properties| properties.rk),
            attachment: self.authenticator_attachment.map(Into::into),
        }
    }
}

impl AuthenticationResponse {
    /// The bytes, as they came. Whether they are good is for the core to say.
    pub(crate) fn read(self, fields: &mut Fields, at: &str) -> core::AssertionResponse {
        let response = self.response;
        let mut part =
            |name: &str, text: &str| bytes(fields, format!("{at}/response/{name}"), text);
        let client_data_json = part("clientDataJSON", &response.client_data_json);
        let authenticator_data = part("authenticatorData", &response.authenticator_data);
        let signature = part("signature", &response.signature);
        // Some clients send an empty handle for none.
        let handle = response.user_handle.filter(|handle| !handle.is_empty());
        let user_handle = handle.map(|handle| part("userHandle", &handle));
        core::AssertionResponse {
            raw_id: raw_id(fields, at, &self.raw_id),
            id: self.id,
            credential_type: self.kind,
            client_data_json,
            authenticator_data,
            signature,
            user_handle,
        }
    }
}
