//! Judging the answer to a registration: section 7.1, step by step.

use serde_json::json;
use sha2::{Digest, Sha256};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{COSEAlgorithm, RegisterPublicKeyCredential, RegistrationState};

use super::attestation::{self, AttestationObject};
use super::authenticator_data::AuthenticatorData;
use super::ceremony::CeremonyChallenge;
use super::failure::CeremonyFailure;
use super::key::{Algorithm, PublicKey};
use super::options::{Attestation, UserVerification};
use super::response::{RegistrationResponse, TRANSPORTS_MAX};
use super::{WebAuthnFactor, client_data};

/// What our own state says of the ceremony. Nothing of it comes from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The challenge that was given.
    pub challenge: CeremonyChallenge,
    /// The relying party.
    pub rp_id: String,
    /// Its origins.
    pub origins: Vec<String>,
    /// What was demanded.
    pub user_verification: UserVerification,
    /// What was asked of the authenticator's make.
    pub attestation: Attestation,
}

/// The keys that are asked for, the best first. Ed25519 only where its attestation need not be
/// judged, see [`attestation`].
pub fn algorithms(attestation: Attestation) -> Vec<Algorithm> {
    match attestation {
        Attestation::None => vec![Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256],
        _ => vec![Algorithm::Es256, Algorithm::Rs256],
    }
}

/// Judges an answer: the credential, or what is wrong.
///
/// # Errors
/// The first step of section 7.1 that fails.
pub fn judge(
    expected: &Expected,
    response: &RegistrationResponse,
) -> Result<WebAuthnFactor, CeremonyFailure> {
    client_data::check_identity(&response.id, &response.raw_id, &response.credential_type)?;
    client_data::check(
        &response.client_data_json,
        client_data::CREATE,
        &expected.challenge,
        &expected.origins,
    )?;
    let object = AttestationObject::read(&response.attestation_object)?;
    let data = AuthenticatorData::read(&object.authenticator_data)?;
    data.check(&expected.rp_id, expected.user_verification == UserVerification::Required)?;
    let credential = data.credential.as_ref().ok_or(CeremonyFailure::AuthenticatorData)?;
    if credential.id != response.raw_id {
        return Err(CeremonyFailure::IdMismatch);
    }
    let algorithm = attestation::algorithm(&credential.key)
        .filter(|algorithm| algorithms(expected.attestation).contains(algorithm))
        .ok_or(CeremonyFailure::Algorithm)?;
    let public_key = match algorithm {
        Algorithm::EdDsa => {
            let key = attestation::ed25519(&credential.key)?;
            let hash = Sha256::digest(&response.client_data_json);
            let signed = [&object.authenticator_data[..], &hash].concat();
            object.check(credential, &key, &signed)?;
            key
        }
        Algorithm::Es256 | Algorithm::Rs256 => by_library(expected, response)?,
    };
    let mut transports = response.transports.clone();
    transports.truncate(TRANSPORTS_MAX);
    Ok(WebAuthnFactor {
        credential_id: response.raw_id.clone(),
        public_key,
        sign_count: data.sign_count,
        aaguid: credential.aaguid,
        transports,
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
        user_verified: data.flags.user_verified(),
        resident: response.resident,
        attachment: response.attachment,
        rp_id: expected.rp_id.clone(),
    })
}

/// Has webauthn-rs judge the whole answer once more, and the attestation statement, whose formats
/// (packed, TPM, Android, Apple, FIDO U2F) it knows. No certificate authority is trusted: a statement
/// must hold, but proves no more than that.
fn by_library(
    expected: &Expected,
    response: &RegistrationResponse,
) -> Result<PublicKey, CeremonyFailure> {
    let origins = expected.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let core = WebauthnCore::new_unsafe_experts_only(
        &expected.rp_id,
        &expected.rp_id,
        origins,
        std::time::Duration::from_secs(300),
        None,
        None,
    );
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let policy = match expected.user_verification {
        UserVerification::Required => "required",
        UserVerification::Preferred | UserVerification::Discouraged => "preferred",
    };
    // The library makes its state, and the challenge in it, from randomness of its own; ours is
    // older, so it is put in the place.
    let state: RegistrationState = serde_json::from_value(json!({
        "policy": policy,
        "exclude_credentials": [],
        "challenge": encode(&expected.challenge),
        "credential_algorithms": [COSEAlgorithm::ES256, COSEAlgorithm::RS256],
        "require_resident_key": false,
        "authenticator_attachment": null,
        "extensions": {},
        "allow_synchronised_authenticators": true,
    }))
    .map_err(|_| CeremonyFailure::Attestation)?;
    let credential: RegisterPublicKeyCredential = serde_json::from_value(json!({
        "id": response.id,
        "rawId": encode(&response.raw_id),
        "type": response.credential_type,
        "response": {
            "attestationObject": encode(&response.attestation_object),
            "clientDataJSON": encode(&response.client_data_json),
        },
        "extensions": {},
    }))
    .map_err(|_| CeremonyFailure::ClientData)?;
    let registered =
        core.register_credential(&credential, &state, None).map_err(|error| failure(&error))?;
    PublicKey::from_cose(&registered.cred)
}

/// What the library refused, in our words. What our own steps refuse does not get here.
fn failure(error: &WebauthnError) -> CeremonyFailure {
    match error {
        WebauthnError::COSEKeyInvalidCBORValue
        | WebauthnError::COSEKeyInvalidType
        | WebauthnError::COSEKeyEDUnsupported
        | WebauthnError::COSEKeyECDSAXYInvalid
        | WebauthnError::COSEKeyRSANEInvalid
        | WebauthnError::COSEKeyECDSAInvalidCurve
        | WebauthnError::COSEKeyInvalidAlgorithm
        | WebauthnError::EcdsaPointInvalid
        | WebauthnError::RsaParametersInvalid => CeremonyFailure::PublicKey,
        WebauthnError::CredentialAlteredAlgFromRequest => CeremonyFailure::Algorithm,
        _ => CeremonyFailure::Attestation,
    }
}
