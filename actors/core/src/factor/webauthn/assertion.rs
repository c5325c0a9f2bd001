//! Judging the answer to an authentication: section 7.2, step by step.

use sha2::{Digest, Sha256};

use super::authenticator_data::AuthenticatorData;
use super::ceremony::CeremonyChallenge;
use super::failure::CeremonyFailure;
use super::options::UserVerification;
use super::response::AssertionResponse;
use super::{WebAuthnFactor, client_data};
use crate::ids::FactorId;

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
    /// The user's handle.
    pub user_handle: Vec<u8>,
    /// The credential that the answer names, which is this user's.
    pub factor: FactorId,
    /// It.
    pub credential: WebAuthnFactor,
    /// Its counter when the ceremony began.
    pub counter_then: u32,
}

/// What was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// With which credential.
    pub factor: FactorId,
    /// Its counter now.
    pub sign_count: u32,
    /// Whether it lives on several devices now.
    pub backed_up: bool,
    /// Whether the person was verified.
    pub user_verified: bool,
}

/// Judges an answer: what it proves, or what is wrong.
///
/// # Errors
/// The first step of section 7.2 that fails; the counter last, so that a copied authenticator is
/// told of only if the signature was right.
pub fn judge(
    expected: &Expected,
    response: &AssertionResponse,
) -> Result<Asserted, CeremonyFailure> {
    let credential = &expected.credential;
    client_data::check_identity(&response.id, &response.raw_id, &response.credential_type)?;
    if response.raw_id != credential.credential_id {
        return Err(CeremonyFailure::UnknownCredential);
    }
    // Step 6: an authenticator that names a user must name this one.
    if response.user_handle.as_ref().is_some_and(|handle| *handle != expected.user_handle) {
        return Err(CeremonyFailure::UserHandle);
    }
    client_data::check(
        &response.client_data_json,
        client_data::GET,
        &expected.challenge,
        &expected.origins,
    )?;
    let data = AuthenticatorData::read(&response.authenticator_data)?;
    data.check(&expected.rp_id, expected.user_verification == UserVerification::Required)?;
    // Step 18: eligibility is a fact of the credential.
    if data.flags.backup_eligible() != credential.backup_eligible {
        return Err(CeremonyFailure::BackupEligibility);
    }
    let hash = Sha256::digest(&response.client_data_json);
    let signed = [&response.authenticator_data[..], &hash].concat();
    credential.public_key.verify(&signed, &response.signature)?;
    // Step 22, and section 6.1.1. Of two ceremonies that run side by side the answer to one may arrive
    // after that to the other although it was signed before: what counts is the counter when the
    // ceremony began. But no two answers have the same.
    let counts = data.sign_count != 0 || credential.sign_count != 0;
    let rose = data.sign_count > expected.counter_then && data.sign_count != credential.sign_count;
    if counts && !rose {
        return Err(CeremonyFailure::Counter);
    }
    Ok(Asserted {
        factor: expected.factor,
        sign_count: data.sign_count,
        backed_up: data.flags.backed_up(),
        user_verified: data.flags.user_verified(),
    })
}
