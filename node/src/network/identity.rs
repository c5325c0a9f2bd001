//! Who a peer is: a node of a cluster, written as one DNS name in its certificate:
//! `n<node id>.<cluster id without "clu_">.countersign.internal`. The name is never resolved. It
//! carries both, so that a certificate of one cluster is nothing in another.

use std::fmt;
use std::str::FromStr;

use countersign_storage::NodeId;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use thiserror::Error;

const SUFFIX: &str = "countersign.internal";
const CLUSTER: &str = "clu_";

/// SHA-256 over the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of a node's key, as the registry
/// has it.
pub(crate) type PeerKey = [u8; 32];

/// The key that a certificate is for.
///
/// # Errors
/// If the certificate cannot be read.
pub(crate) fn key_of_certificate(
    certificate: &CertificateDer<'_>,
) -> Result<PeerKey, IdentityError> {
    let certificate =
        webpki::EndEntityCert::try_from(certificate).map_err(|_| IdentityError::Unreadable)?;
    Ok(Sha256::digest(certificate.subject_public_key_info()).into())
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerIdentity {
    /// `clu_…`.
    pub(crate) cluster_id: String,
    /// Its number.
    pub(crate) node_id: NodeId,
}

/// Why a certificate names no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum IdentityError {
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Unreadable,
    /// It has no name, several, or one of another form.
    #[error("the certificate does not have one name of the form n<node>.<cluster>.{SUFFIX}")]
    Name,
}

impl PeerIdentity {
    /// A node of a cluster.
    pub(crate) fn new(cluster_id: impl Into<String>, node_id: NodeId) -> Self {
        Self { cluster_id: cluster_id.into(), node_id }
    }

    /// Its name in a certificate.
    pub(crate) fn dns_name(&self) -> String {
        let cluster = self.cluster_id.strip_prefix(CLUSTER).unwrap_or(&self.cluster_id);
        format!("n{}.{cluster}.{SUFFIX}", self.node_id)
    }

    /// Who a certificate names. It says nothing about whether the certificate is to be believed:
    /// TLS has verified that before.
    ///
    /// # Errors
    /// If it does not have exactly one name of the right form.
    pub(crate) fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let certificate =
            webpki::EndEntityCert::try_from(certificate).map_err(|_| IdentityError::Unreadable)?;
        let mut names = certificate.valid_dns_names();
        match (names.next(), names.next()) {
            (Some(name), None) => name.parse(),
            _ => Err(IdentityError::Name),
        }
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} of {}", self.node_id, self.cluster_id)
    }
}

impl FromStr for PeerIdentity {
    type Err = IdentityError;

    fn from_str(name: &str) -> Result<Self, IdentityError> {
        let parsed = || {
            let (node, rest) = name.strip_prefix('n')?.split_once('.')?;
            let cluster = rest.strip_suffix(SUFFIX)?.strip_suffix('.')?;
            let node_id = node.parse().ok()?;
            Some(Self::new(format!("{CLUSTER}{cluster}"), node_id))
        };
        let identity = parsed().ok_or(IdentityError::Name)?;
        // One identity has one spelling: no leading zeros, no sign, nothing between.
        if identity.dns_name() == name { Ok(identity) } else { Err(IdentityError::Name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_the_node_that_it_was_made_of() {
        let identity = PeerIdentity::new("clu_0123456789abcdefghijklmnop", 7);
        let name = identity.dns_name();
        assert_eq!(name, "n7.0123456789abcdefghijklmnop.countersign.internal");
        assert_eq!(name.parse(), Ok(identity));
    }

    #[test]
    fn a_name_of_any_other_form_is_nobody() {
        for name in [
            "",
            "n7",
            "n07.abc.countersign.internal",
            "n+7.abc.countersign.internal",
            "7.abc.countersign.internal",
            "n7.abc.countersign.internal.",
            "n7.abc.countersign.example",
            "n7.countersign.internal",
            "N7.abc.countersign.internal",
        ] {
            assert_eq!(name.parse::<PeerIdentity>(), Err(IdentityError::Name), "{name}");
        }
    }
}
