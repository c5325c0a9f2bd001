//! A node's key pair and certificate, as they are kept and as TLS uses them. The certificate is
//! renewed in place: connections made from then on show the new one, those that stand go on.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_core::time::{DAY_MS, Timestamp};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::authority::{self, AuthorityError};
use super::identity::{IdentityError, PeerIdentity};
use super::tls::{self, TlsError};

/// After how much of its life a certificate is renewed: two thirds.
const RENEW_AFTER_MS: i64 = authority::LIFE_MS / 3 * 2;

/// Why credentials cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CredentialsError {
    /// The key or certificate is not what it should be.
    #[error("the node's key: {0}")]
    Key(#[from] AuthorityError),
    /// The certificate names nobody.
    #[error("the node's certificate: {0}")]
    Identity(#[from] IdentityError),
    /// TLS cannot use them.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system's random generator fails.
    #[error("a key pair could not be made: {0}")]
    Generate(String),
    /// There are none yet.
    #[error("this node has no certificate yet")]
    None,
    /// The certificate is for another node than before.
    #[error("the certificate is for another node")]
    OtherNode,
    /// The certificate is for another key.
    #[error("the certificate that was given is not for this node's key")]
    OtherKey,
}

/// A node's private key, ECDSA P-256. Kept for the node's life: the registry knows its digest.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
pub(crate) struct KeyPair(Vec<u8>);

impl KeyPair {
    /// A fresh one.
    ///
    /// # Errors
    /// If the system's random generator fails.
    pub(crate) fn generate() -> Result<Self, CredentialsError> {
        let pair = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_err(|error| CredentialsError::Generate(error.to_string()))?;
        Ok(Self(pair.serialize_der()))
    }

    /// As PKCS#8 in DER: a secret, to be sealed.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.0
    }

    /// Signs, ECDSA over SHA-256, in DER.
    ///
    /// # Errors
    /// If the key is none.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        authority::sign(&self.0, message)
    }

    /// The public key: SubjectPublicKeyInfo in DER; empty for a key that is none.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        authority::key_pair(&self.0).map(|pair| pair.subject_public_key_info()).unwrap_or_default()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

/// What a node shows its peers and checks them by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeerCertificates {
    /// The node's key.
    pub(crate) key: KeyPair,
    /// Its certificate, in DER.
    pub(crate) certificate: Vec<u8>,
    /// The cluster authority's certificate, in DER.
    pub(crate) authority: Vec<u8>,
    /// When the certificate was made.
    pub(crate) issued_at: Timestamp,
}

impl PeerCertificates {
    /// Who this node is.
    ///
    /// # Errors
    /// If the certificate names nobody.
    pub(crate) fn identity(&self) -> Result<PeerIdentity, CredentialsError> {
        let certificate = CertificateDer::from(self.certificate.as_slice());
        Ok(PeerIdentity::of_certificate(&certificate)?)
    }

    /// Whether two thirds of the certificate's life are over, or the clock stands so far before
    /// its making that it could be seen as not valid yet.
    pub(crate) fn renew_due(&self, now: Timestamp) -> bool {
        let age = now.millis_since(self.issued_at);
        !(-(authority::BACKDATED_MS - DAY_MS)..RENEW_AFTER_MS).contains(&age)
    }

    fn certified(&self) -> Result<Arc<CertifiedKey>, CredentialsError> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.pkcs8()));
        let signer = any_ecdsa_type(&key).map_err(TlsError::from)?;
        let certificate = CertificateDer::from(self.certificate.clone());
        let certified = CertifiedKey::new(vec![certificate], signer);
        certified.keys_match().map_err(|_| CredentialsError::OtherKey)?;
        Ok(Arc::new(certified))
    }
}

/// The credentials in use: none before a founding node has made its cluster. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct CredentialHolder(Arc<RwLock<Option<Arc<InUse>>>>);

/// Credentials, and TLS made ready with them.
pub(super) struct InUse {
    /// What it was made of.
    pub(super) certificates: PeerCertificates,
    /// Who this node is.
    pub(super) identity: PeerIdentity,
    /// For connections to others.
    pub(super) client: Arc<ClientConfig>,
    /// For connections from others.
    pub(super) server: Arc<ServerConfig>,
}

impl CredentialHolder {
    /// Uses these for every connection from now on; those that stand go on.
    ///
    /// # Errors
    /// If the certificate is not for the key, names nobody, or names another node than before.
    pub(crate) fn set(&self, certificates: PeerCertificates) -> Result<(), CredentialsError> {
        let identity = certificates.identity()?;
        let certified = certificates.certified()?;
        let authority = CertificateDer::from(certificates.authority.clone());
        let client = tls::client(&authority, &certified)?;
        let server = tls::server(&authority, &certified)?;
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| held.identity != identity) {
            return Err(CredentialsError::OtherNode);
        }
        *held = Some(Arc::new(InUse { certificates, identity, client, server }));
        Ok(())
    }

    /// What is in use now.
    pub(crate) fn current(&self) -> Option<PeerCertificates> {
        self.in_use().map(|held| held.certificates.clone())
    }

    /// Who this node is, once it is somebody.
    pub(crate) fn identity(&self) -> Option<PeerIdentity> {
        self.in_use().map(|held| held.identity.clone())
    }

    pub(super) fn in_use(&self) -> Option<Arc<InUse>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for CredentialHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.identity() {
            Some(identity) => write!(f, "CredentialHolder({identity})"),
            None => f.write_str("CredentialHolder(none)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::codec;

    use super::*;
    use crate::network::authority::ClusterAuthority;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const CLUSTER: &str = "clu_0123456789abcdefghijklmnop";

    fn credentials(key: &KeyPair, authority: &ClusterAuthority, at: Timestamp) -> PeerCertificates {
        let node = PeerIdentity::new(CLUSTER, 5);
        let certificate = authority.issue(&node, &key.public_key(), at).unwrap();
        PeerCertificates {
            key: key.clone(),
            certificate: certificate.to_vec(),
            authority: authority.certificate().to_vec(),
            issued_at: at,
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_place_after_two_thirds_of_its_life() {
        let authority = ClusterAuthority::found(CLUSTER, NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let first = credentials(&key, &authority, NOW);
        assert!(!first.renew_due(NOW));
        assert!(!first.renew_due(NOW.plus_millis(59 * DAY_MS)));
        assert!(first.renew_due(NOW.plus_millis(60 * DAY_MS)));
        assert!(first.renew_due(NOW.plus_millis(-7 * DAY_MS)));
        let holder = CredentialHolder::default();
        holder.set(first.clone()).unwrap();
        let second = credentials(&key, &authority, NOW.plus_millis(60 * DAY_MS));
        holder.set(second.clone()).unwrap();
        assert_eq!(holder.current(), Some(second));
    }

    #[test]
    fn a_certificate_for_another_key_or_another_node_is_not_used() {
        let authority = ClusterAuthority::found(CLUSTER, NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let good = credentials(&key, &authority, NOW);
        let holder = CredentialHolder::default();
        holder.set(good.clone()).unwrap();
        let other_key = PeerCertificates { key: KeyPair::generate().unwrap(), ..good.clone() };
        assert_eq!(holder.set(other_key), Err(CredentialsError::OtherKey));
        let six = PeerIdentity::new(CLUSTER, 6);
        let certificate = authority.issue(&six, &key.public_key(), NOW).unwrap().to_vec();
        let renewed = holder.set(PeerCertificates { certificate, ..good.clone() });
        assert_eq!(renewed, Err(CredentialsError::OtherNode));
        assert_eq!(holder.current(), Some(good));
    }

    #[test]
    fn credentials_survive_being_kept_and_do_not_show_their_key() {
        let authority = ClusterAuthority::found(CLUSTER, NOW).unwrap();
        let kept = credentials(&KeyPair::generate().unwrap(), &authority, NOW);
        let bytes = codec::encode(&kept).unwrap();
        assert_eq!(codec::decode(&bytes), Ok(kept.clone()));
        assert!(format!("{kept:?}").contains("KeyPair(…)"));
    }
}
