//! The cluster's certificate authority: one ECDSA P-256 key, made at the founding. Whoever holds
//! the key can issue, with no state beside it: the issuer's name follows from the cluster's id.
//!
//! Clocks differ between machines, so a certificate is valid from a week before it was made.

use countersign_core::entropy::Entropy;
use countersign_core::time::{DAY_MS, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber,
    SignatureAlgorithm, SigningKey,
};
use rustls::SignatureScheme::ECDSA_NISTP256_SHA256;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::identity::PeerIdentity;
use crate::entropy::SystemEntropy;

/// How long a node's certificate is valid after it was made.
pub(crate) const LIFE_MS: i64 = 90 * DAY_MS;
/// How far before that it is valid already.
pub(crate) const BACKDATED_MS: i64 = 7 * DAY_MS;
/// How long the authority is valid.
const AUTHORITY_LIFE_MS: i64 = 30 * 365 * DAY_MS;
/// How far before its making the authority is valid already: it must never be what a wrong clock
/// fails on.
const AUTHORITY_BACKDATED_MS: i64 = 10 * 365 * DAY_MS;

/// What every SubjectPublicKeyInfo of an uncompressed P-256 point begins with (RFC 5480 section
/// 2): the algorithm, the curve, and a bit string of 65 bytes whose first says "uncompressed".
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// The bytes of such a SubjectPublicKeyInfo.
const P256_BYTES: usize = 91;

/// What cannot be certified.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum AuthorityError {
    /// Not a public key of the one kind in use.
    #[error("the public key is not an uncompressed ECDSA P-256 key in DER")]
    PublicKey,
    /// A name, key or time that no certificate can carry.
    #[error("cannot {action}: {reason}")]
    Certificate {
        /// What was tried.
        action: &'static str,
        /// Why it failed. No key is in it.
        reason: String,
    },
}

fn failed(action: &'static str) -> impl Fn(rcgen::Error) -> AuthorityError {
    move |error| AuthorityError::Certificate { action, reason: error.to_string() }
}

/// The authority's certificate, and its key where it was unsealed.
pub(crate) struct ClusterAuthority {
    cluster_id: String,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl ClusterAuthority {
    /// Makes a cluster's authority: once, at the founding.
    ///
    /// # Errors
    /// If the cluster's id cannot stand in a certificate.
    pub(crate) fn found(cluster_id: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed("make a key"))?;
        let mut params = issuer(cluster_id);
        params.not_before = moment(now.plus_millis(-AUTHORITY_BACKDATED_MS))?;
        params.not_after = moment(now.plus_millis(AUTHORITY_LIFE_MS))?;
        params.serial_number = Some(serial());
        let made = params.self_signed(&key).map_err(failed("certify the cluster"))?;
        Ok(Self { cluster_id: cluster_id.to_owned(), certificate: made.der().clone(), key })
    }

    /// From what [`Self::certificate`] and [`Self::key`] gave.
    ///
    /// # Errors
    /// If the key is none.
    pub(crate) fn load(
        cluster_id: &str,
        certificate: &[u8],
        key: &[u8],
    ) -> Result<Self, AuthorityError> {
        let key = key_pair(key)?;
        let certificate = CertificateDer::from(certificate.to_vec());
        Ok(Self { cluster_id: cluster_id.to_owned(), certificate, key })
    }

    /// The certificate, in DER. Not a secret.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The key, PKCS#8 in DER: whoever has it is every node. To be sealed at once.
    pub(crate) fn key(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.key.serialize_der())
    }

    /// Certifies that a public key (SubjectPublicKeyInfo in DER) is a node's.
    ///
    /// # Errors
    /// If it is not an ECDSA P-256 key.
    pub(crate) fn issue(
        &self,
        node: &PeerIdentity,
        public_key: &[u8],
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let public_key = NodePublicKey::parse(public_key)?;
        let mut params = CertificateParams::default();
        params.not_before = moment(now.plus_millis(-BACKDATED_MS))?;
        params.not_after = moment(now.plus_millis(LIFE_MS))?;
        params.serial_number = Some(serial());
        params.distinguished_name = named(&format!("Countersign node {}", node.node_id));
        let name = node.dns_name().try_into().map_err(failed("name the node"))?;
        params.subject_alt_names = vec![SanType::DnsName(name)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // A peer is a server and a client.
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let issuer = Issuer::new(issuer(&self.cluster_id), &self.key);
        let made = params.signed_by(&public_key, &issuer).map_err(failed("certify a node"))?;
        Ok(made.der().clone())
    }
}

/// Reads a private key, PKCS#8 in DER.
pub(super) fn key_pair(pkcs8: &[u8]) -> Result<KeyPair, AuthorityError> {
    let der = PrivatePkcs8KeyDer::from(pkcs8);
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256)
        .map_err(failed("read a private key"))
}

/// Signs with a private key, PKCS#8 in DER: ECDSA over SHA-256, the signature in DER.
///
/// # Errors
/// If the key is none.
pub(super) fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
    key_pair(pkcs8)?.sign(message).map_err(failed("sign with a private key"))
}

/// Whether a node's public key verifies a signature that [`sign`] made.
pub(super) fn is_signed_by(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(NodePublicKey(point)) = NodePublicKey::parse(public_key) else { return false };
    let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let ours = known.mapping.iter().find(|(name, _)| *name == ECDSA_NISTP256_SHA256);
    ours.is_some_and(|(_, verifiers)| {
        verifiers.iter().any(|one| one.verify_signature(&point, message, signature).is_ok())
    })
}

/// Whether bytes are the public key of a node.
pub(crate) fn is_public_key(der: &[u8]) -> bool {
    NodePublicKey::parse(der).is_ok()
}

/// What the authority is called. The same on every node, whatever the time.
fn issuer(cluster_id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Countersign cluster {cluster_id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// RFC 5280 section 4.1.2.2: unique, positive, at most twenty bytes.
fn serial() -> SerialNumber {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    let mut bytes = entropy.bytes::<16>();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn moment(at: Timestamp) -> Result<OffsetDateTime, AuthorityError> {
    let seconds = at.millis().div_euclid(1_000);
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| AuthorityError::Certificate {
        action: "write the time of a certificate",
        reason: error.to_string(),
    })
}

/// A P-256 point as it stands in a certificate. Whether it lies on the curve shows when a
/// signature is verified with it; a point that does not verifies nothing.
struct NodePublicKey([u8; 65]);

impl NodePublicKey {
    fn parse(der: &[u8]) -> Result<Self, AuthorityError> {
        if der.len() != P256_BYTES || !der.starts_with(&P256_PREFIX) {
            return Err(AuthorityError::PublicKey);
        }
        let point = der.get(P256_BYTES - 65..).and_then(|point| point.try_into().ok());
        point.map(Self).ok_or(AuthorityError::PublicKey)
    }
}

impl PublicKeyData for NodePublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::network::credentials::KeyPair as NodeKey;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn node(id: u64) -> PeerIdentity {
        PeerIdentity::new("clu_0123456789abcdefghijklmnop", id)
    }

    fn verify(
        authority: &CertificateDer<'static>,
        certificate: &CertificateDer<'_>,
        name: &str,
        at: Timestamp,
    ) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at.unix_seconds()));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(certificate, &[], &name, &[], at).map(|_| ())
    }

    #[test]
    fn a_certificate_says_which_node_it_is_and_is_valid_for_its_time() {
        let authority = ClusterAuthority::found("clu_0123456789abcdefghijklmnop", NOW).unwrap();
        let key = NodeKey::generate().unwrap();
        let made = authority.issue(&node(3), &key.public_key(), NOW).unwrap();
        assert_eq!(PeerIdentity::of_certificate(&made), Ok(node(3)));
        let check = |at| verify(authority.certificate(), &made, &node(3).dns_name(), at);
        check(NOW).unwrap();
        check(NOW.plus_millis(-6 * DAY_MS)).unwrap();
        check(NOW.plus_millis(89 * DAY_MS)).unwrap();
        assert!(check(NOW.plus_millis(-8 * DAY_MS)).is_err());
        assert!(check(NOW.plus_millis(91 * DAY_MS)).is_err());
        let as_another = verify(authority.certificate(), &made, &node(4).dns_name(), NOW);
        assert!(as_another.is_err());
    }

    #[test]
    fn any_node_that_holds_the_key_can_issue_and_no_other_authority_can() {
        let founded = ClusterAuthority::found("clu_0123456789abcdefghijklmnop", NOW).unwrap();
        let held = ClusterAuthority::load(
            "clu_0123456789abcdefghijklmnop",
            founded.certificate(),
            &founded.key(),
        )
        .unwrap();
        let key = NodeKey::generate().unwrap();
        let made = held.issue(&node(2), &key.public_key(), NOW).unwrap();
        verify(founded.certificate(), &made, &node(2).dns_name(), NOW).unwrap();
        // Another authority of the very same name.
        let other = ClusterAuthority::found("clu_0123456789abcdefghijklmnop", NOW).unwrap();
        let forged = other.issue(&node(2), &key.public_key(), NOW).unwrap();
        assert!(verify(founded.certificate(), &forged, &node(2).dns_name(), NOW).is_err());
    }

    #[test]
    fn a_key_of_another_kind_is_not_certified() {
        let authority = ClusterAuthority::found("clu_0123456789abcdefghijklmnop", NOW).unwrap();
        let mut key = NodeKey::generate().unwrap().public_key();
        assert!(is_public_key(&key));
        key[26] = 0x02;
        let issued = authority.issue(&node(2), &key, NOW);
        assert_eq!(issued, Err(AuthorityError::PublicKey));
        assert_eq!(authority.issue(&node(2), &[], NOW), Err(AuthorityError::PublicKey));
    }
}
