//! What the browser sends back (sections 5.1 and 5.2), as bytes. Nothing of it is believed before it
//! was judged.

use serde::{Deserialize, Serialize};

use super::options::Attachment;

/// The credential's id is at most this long (section 4).
pub const CREDENTIAL_ID_MAX: usize = 1_023;
/// Transports that are remembered of one credential at most.
pub const TRANSPORTS_MAX: usize = 8;

/// The answer to a registration: the content of a `RegistrationResponseJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationResponse {
    /// `id`, as it came.
    pub id: String,
    /// `rawId`.
    pub raw_id: Vec<u8>,
    /// `type`.
    pub credential_type: String,
    /// `response.clientDataJSON`.
    pub client_data_json: Vec<u8>,
    /// `response.attestationObject`.
    pub attestation_object: Vec<u8>,
    /// `response.transports`.
    pub transports: Vec<String>,
    /// `clientExtensionResults.credProps.rk`.
    pub resident: Option<bool>,
    /// `authenticatorAttachment`.
    pub attachment: Option<Attachment>,
}

/// The answer to an authentication: the content of an `AuthenticationResponseJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionResponse {
    /// `id`, as it came.
    pub id: String,
    /// `rawId`.
    pub raw_id: Vec<u8>,
    /// `type`.
    pub credential_type: String,
    /// `response.clientDataJSON`.
    pub client_data_json: Vec<u8>,
    /// `response.authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `response.signature`.
    pub signature: Vec<u8>,
    /// `response.userHandle`.
    pub user_handle: Option<Vec<u8>>,
}
