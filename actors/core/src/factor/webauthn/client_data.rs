//! Reading the client data (section 5.8.1), and the steps on it that both ceremonies share.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::ceremony::CeremonyChallenge;
use super::failure::CeremonyFailure;

/// The kind that a registration has.
pub(super) const CREATE: &str = "webauthn.create";
/// The kind that an authentication has.
pub(super) const GET: &str = "webauthn.get";

/// The client data, as far as it is looked at. Browsers may add to it.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

fn read(json: &[u8]) -> Result<ClientData, CeremonyFailure> {
    // "UTF-8 decode" (section 7.1 step 5) takes a byte order mark away.
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    serde_json::from_slice(json).map_err(|_| CeremonyFailure::ClientData)
}

/// Which challenge an answer says it is to. It is not believed, only looked for among our own.
pub fn claimed_challenge(json: &[u8]) -> Result<CeremonyChallenge, CeremonyFailure> {
    let challenge = read(json)?.challenge;
    let bytes = BASE64URL_NOPAD
        .decode(challenge.as_bytes())
        .map_err(|_| CeremonyFailure::UnknownChallenge)?;
    bytes.try_into().map_err(|_| CeremonyFailure::UnknownChallenge)
}

/// Sections 7.1 steps 6–12 and 7.2 steps 9–14: kind, challenge, origin, frames.
pub(super) fn check(
    json: &[u8],
    kind: &str,
    challenge: &CeremonyChallenge,
    origins: &[String],
) -> Result<(), CeremonyFailure> {
    let data = read(json)?;
    if data.kind != kind {
        return Err(CeremonyFailure::ClientDataType);
    }
    if claimed_challenge(json)? != *challenge {
        return Err(CeremonyFailure::UnknownChallenge);
    }
    // Browsers write the origin in one way (RFC 6454 section 6.2); anything else is another.
    if !origins.contains(&data.origin) {
        return Err(CeremonyFailure::Origin);
    }
    if data.cross_origin || data.top_origin.is_some_and(|top| top != data.origin) {
        return Err(CeremonyFailure::CrossOrigin);
    }
    Ok(())
}

/// Section 5.1: `id` is the base64url form of `rawId`, and the type is the only one there is. The
/// two differ only where somebody hopes that one is looked up and the other compared.
pub(super) fn check_identity(
    id: &str,
    raw_id: &[u8],
    credential_type: &str,
) -> Result<(), CeremonyFailure> {
    if credential_type != "public-key" {
        return Err(CeremonyFailure::CredentialType);
    }
    if BASE64URL_NOPAD.encode(raw_id) != id {
        return Err(CeremonyFailure::IdMismatch);
    }
    Ok(())
}
