//! The attestation statement of an Ed25519 credential, which webauthn-rs cannot judge.
//!
//! Ed25519 is offered only where no attestation is asked for, and then browsers send none, or the
//! statement that the key makes about itself (section 8.2, "self attestation"). Programs that are no
//! browsers hand on the authenticator's own as well: signed by a key of its maker, nearly always with
//! ES256, whatever the credential's algorithm is. No maker is trusted: a statement must hold, but
//! proves no more than that.

use std::collections::BTreeSet;

use x509_parser::prelude::{FromDer, X509Certificate, X509Version};
use x509_parser::public_key::PublicKey as X509Key;

use super::Aaguid;
use super::authenticator_data::{NewCredential, entry};
use super::failure::CeremonyFailure;
use super::key::{Algorithm, PublicKey};

/// An attestation object (section 6.5), read.
pub(super) struct AttestationObject {
    pub(super) format: String,
    pub(super) statement: ciborium::Value,
    pub(super) authenticator_data: Vec<u8>,
}

impl AttestationObject {
    pub(super) fn read(mut bytes: &[u8]) -> Result<Self, CeremonyFailure> {
        let wrong = CeremonyFailure::AuthenticatorData;
        let object = super::authenticator_data::cbor(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(wrong);
        }
        let (mut format, mut statement, mut data) = (None, None, None);
        let parts = object.into_map().map_err(|_| wrong)?;
        // RFC 8949 section 5.6: of two with one name each reader may take another, and this is read
        // twice, here and by webauthn-rs.
        let names: BTreeSet<&str> = parts.iter().filter_map(|(key, _)| key.as_text()).collect();
        if names.len() != parts.len() {
            return Err(wrong);
        }
        for (key, value) in parts {
            match key.as_text() {
                Some("fmt") => format = value.into_text().ok(),
                Some("attStmt") => statement = value.is_map().then_some(value),
                Some("authData") => data = value.into_bytes().ok(),
                _ => {}
            }
        }
        match (format, statement, data) {
            // Section 8.7: none is an empty map.
            (Some(format), Some(statement), Some(_))
                if format == "none" && statement != ciborium::Value::Map(Vec::new()) =>
            {
                Err(CeremonyFailure::Attestation)
            }
            (Some(format), Some(statement), Some(authenticator_data)) => {
                Ok(Self { format, statement, authenticator_data })
            }
            _ => Err(wrong),
        }
    }

    /// Judges the statement about `credential`, whose public key is `key`. `signed` is the
    /// authenticator's data followed by the client data's hash.
    pub(super) fn check(
        &self,
        credential: &NewCredential<'_>,
        key: &PublicKey,
        signed: &[u8],
    ) -> Result<(), CeremonyFailure> {
        let wrong = CeremonyFailure::Attestation;
        if self.format == "none" {
            return Ok(());
        }
        let statement = self.statement.as_map().filter(|_| self.format == "packed").ok_or(wrong)?;
        let field = |name: &str| {
            let same = |key: &ciborium::Value| key.as_text() == Some(name);
            statement.iter().find(|(key, _)| same(key)).map(|(_, value)| value)
        };
        // The statement's algorithm is its own: that of the key that signed it.
        let algorithm = field("alg").and_then(|value| value.as_integer()).map(i128::from);
        let maker = field("x5c").map(|chain| maker_key(chain, credential.aaguid)).transpose()?;
        let signer = maker.as_ref().unwrap_or(key);
        if algorithm != Some(signer.algorithm().cose().into()) {
            return Err(wrong);
        }
        let signature = field("sig").and_then(|value| value.as_bytes()).ok_or(wrong)?;
        signer.verify(signed, signature).map_err(|_| wrong)
    }
}

/// The model that a certificate is for (section 8.2.1).
const FIDO_AAGUID: &str = "1.3.6.1.4.1.45724.1.1.4";

/// The P-256 key in the first certificate of a chain, if the certificate is as section 8.2.1 wants.
fn maker_key(chain: &ciborium::Value, model: Aaguid) -> Result<PublicKey, CeremonyFailure> {
    let wrong = CeremonyFailure::Attestation;
    let der = chain.as_array().and_then(|chain| chain.first()).and_then(|it| it.as_bytes());
    let (rest, certificate) = X509Certificate::from_der(der.ok_or(wrong)?).map_err(|_| wrong)?;
    let unit = certificate.subject().iter_organizational_unit().next();
    let attests = unit.and_then(|unit| unit.as_str().ok()) == Some("Authenticator Attestation");
    let is_v3 = certificate.version() == X509Version::V3;
    if !rest.is_empty() || !is_v3 || !attests || certificate.is_ca() {
        return Err(wrong);
    }
    let told = certificate.extensions().iter().find(|one| one.oid.to_id_string() == FIDO_AAGUID);
    // An OCTET STRING of sixteen bytes within the extension's own.
    if told.is_some_and(|told| told.value.strip_prefix(&[4, 16]) != Some(&model.0[..])) {
        return Err(wrong);
    }
    match certificate.public_key().parsed() {
        Ok(X509Key::EC(point)) => PublicKey::p256(point.data()).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

/// The algorithm that a COSE key is for (RFC 9052 section 7.1).
pub(super) fn algorithm(key: &ciborium::Value) -> Option<Algorithm> {
    let number = entry(key, 3)?.as_integer()?;
    Algorithm::from_cose(number.into())
}

/// An Ed25519 key in COSE form (RFC 9053 section 7.2).
pub(super) fn ed25519(key: &ciborium::Value) -> Result<PublicKey, CeremonyFailure> {
    const OCTET_KEY_PAIR: i128 = 1;
    const ED25519: i128 = 6;
    let wrong = CeremonyFailure::PublicKey;
    let number = |label| entry(key, label).and_then(|value| value.as_integer()).map(i128::from);
    if number(1) != Some(OCTET_KEY_PAIR) || number(-1) != Some(ED25519) {
        return Err(wrong);
    }
    let x = entry(key, -2).and_then(|value| value.as_bytes()).ok_or(wrong)?;
    PublicKey::ed25519(x.as_slice().try_into().map_err(|_| wrong)?)
}
