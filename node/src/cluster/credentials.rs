//! The node's own credentials: its key pair, made once and kept sealed, and the certificate that the
//! cluster's authority gives it. Every node has the master key and so can open the authority, once
//! shard 0 has arrived here; it signs its own certificate then, and renews it long before it ends.
//! Only a node that joins is given its first one, since it has nothing yet; and the founder makes
//! the authority itself, before there is a log to put it into.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::Clock;
use countersign_core::codec;
use countersign_core::entropy::Entropy;
use countersign_core::system::{Authority, FEATURE_LEVEL, NodeRecord, SystemState};
use countersign_core::time::Timestamp;
use countersign_core::vault::{Sealed, Vault};
use countersign_storage::{Identity, KeyRing, NodeAddress, NodeId, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::network::authority::ClusterAuthority;
use crate::network::{
    CredentialHolder, JoinGrant, KeyPair, Member, PeerCertificates, PeerIdentity,
};

/// What the sealed row is bound to.
const ROW: &[u8] = b"peer credentials";
/// What the authority's key is bound to.
const AUTHORITY: &[u8] = b"cluster authority";
/// How often the certificate's age is looked at.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// The row, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: KeyPair,
    /// The certificate, the authority's certificate, and when the former was made.
    certified: Option<(Vec<u8>, Vec<u8>, Timestamp)>,
    /// The nodes that there were at the join; for as long as the registry has not arrived.
    told: Vec<Member>,
    /// Held by the founder until the log has it.
    founding: Option<FoundingAuthority>,
}

/// An authority that is not in the log yet.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
struct FoundingAuthority {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The node's credentials, where they are kept and how they are renewed.
pub(crate) struct OwnCredentials {
    store: Arc<Store>,
    keys: Arc<KeyRing>,
    identity: Identity,
    clock: Arc<dyn Clock>,
    holder: CredentialHolder,
    founding: Option<FoundingAuthority>,
    told: Vec<Member>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Credentials(error.to_string())
}

fn read(store: &Store, keys: &KeyRing) -> Result<Option<Kept>, Error> {
    let Some(bytes) = store.peer_credentials().map_err(failed)? else { return Ok(None) };
    let opened = keys.open(ROW, &Sealed::from_bytes(bytes)).map_err(failed)?;
    codec::decode(opened.expose()).map(Some).map_err(failed)
}

fn write(store: &Store, keys: &KeyRing, kept: &Kept) -> Result<(), Error> {
    let plain = Zeroizing::new(codec::encode(kept).map_err(failed)?);
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    let sealed = keys.seal(ROW, entropy.bytes(), &plain);
    store.set_peer_credentials(sealed.as_bytes()).map_err(failed)
}

/// The key with which this node joins: made and kept before anybody is asked, so that who asks
/// again is known again.
///
/// # Errors
/// If it cannot be kept.
pub(crate) fn joining_key(store: &Store, keys: &KeyRing) -> Result<KeyPair, Error> {
    match read(store, keys) {
        Ok(Some(kept)) => return Ok(kept.key),
        Ok(None) => {}
        // A node that was refused for its master key left a key that only that one opens, and that
        // no cluster knows. One that was let in has an identity, and with it this key for ever.
        Err(error) => match store.identity() {
            Ok(None) => tracing::warn!("the key of an earlier attempt cannot be opened: a new one"),
            Ok(Some(_)) | Err(_) => return Err(error),
        },
    }
    let key = KeyPair::generate().map_err(failed)?;
    let kept = Kept { key: key.clone(), certified: None, told: Vec::new(), founding: None };
    write(store, keys, &kept)?;
    Ok(key)
}

/// Keeps what a cluster gave.
///
/// # Errors
/// If it cannot be kept.
pub(crate) fn granted(
    store: &Store,
    keys: &KeyRing,
    key: KeyPair,
    grant: &JoinGrant,
    now: Timestamp,
) -> Result<(), Error> {
    let certified = Some((grant.certificate.clone(), grant.authority.clone(), now));
    let told = grant.nodes.clone();
    write(store, keys, &Kept { key, certified, told, founding: None })
}

/// A certificate for a node, by the cluster's authority.
///
/// # Errors
/// If the cluster has no authority yet, it cannot be opened, or the key is none.
pub(crate) fn issue(
    system: &SystemState,
    vault: &dyn Vault,
    node: NodeId,
    public_key: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, Error> {
    let sealed = system.authority.as_ref().ok_or_else(|| failed("the cluster has no authority"))?;
    let key = vault.open(AUTHORITY, &sealed.key).map_err(failed)?;
    let authority = ClusterAuthority::load(&system.cluster_id, &sealed.certificate, key.expose())
        .map_err(failed)?;
    let identity = PeerIdentity::new(system.cluster_id.clone(), node);
    let issued = authority.issue(&identity, public_key, now).map_err(failed)?;
    Ok(issued.to_vec())
}

impl OwnCredentials {
    /// The credentials that are kept; a founder without any makes them, and the authority.
    ///
    /// # Errors
    /// If they cannot be read, made or kept.
    pub(crate) fn open(
        store: &Arc<Store>,
        keys: &Arc<KeyRing>,
        identity: &Identity,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let now = clock.now();
        let kept = read(store, keys)?;
        let key = match &kept {
            Some(kept) => kept.key.clone(),
            None => KeyPair::generate().map_err(failed)?,
        };
        #[cfg(feature = "sabotage")]
        let (kept, key) =
            if forges_key() { (None, KeyPair::generate().map_err(failed)?) } else { (kept, key) };
        let (certified, founding, told) = match kept {
            Some(Kept { certified: Some(certified), founding, told, .. }) => {
                (certified, founding, told)
            }
            _ => {
                let (certified, founding) = certify(store, keys.as_ref(), identity, &key, now)?;
                (certified, founding, Vec::new())
            }
        };
        let again = Kept {
            key: key.clone(),
            certified: Some(certified.clone()),
            told: told.clone(),
            founding: founding.clone(),
        };
        write(store, keys, &again)?;
        let (certificate, authority, issued_at) = certified;
        let holder = CredentialHolder::default();
        holder.set(PeerCertificates { key, certificate, authority, issued_at }).map_err(failed)?;
        Ok(Self {
            store: Arc::clone(store),
            keys: Arc::clone(keys),
            identity: identity.clone(),
            clock: Arc::clone(clock),
            holder,
            founding,
            told,
        })
    }

    /// For those who show and check credentials.
    pub(crate) const fn holder(&self) -> &CredentialHolder {
        &self.holder
    }

    /// The nodes that there were at the join; empty once the registry has arrived here.
    pub(crate) fn told(&self) -> Vec<Member> {
        self.told.clone()
    }

    /// The authority that the founding puts into the log; `None` if it is there.
    pub(crate) fn founding_authority(&self) -> Option<Authority> {
        let founding = self.founding.as_ref()?;
        let entropy: &mut dyn Entropy = &mut SystemEntropy;
        Some(Authority {
            certificate: founding.certificate.clone(),
            key: self.keys.seal(AUTHORITY, entropy.bytes(), &founding.key),
            created_at: self.clock.now(),
        })
    }

    /// This node, as the registry is to have it.
    pub(crate) fn record(&self, address: &NodeAddress) -> NodeRecord {
        NodeRecord {
            id: self.identity.node_id,
            name: address.name.clone(),
            api_address: address.api_address.clone(),
            peer_address: address.peer_address.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            feature_level: FEATURE_LEVEL,
            key: Sha256::digest(self.public_key()).into(),
            admitted_at: self.clock.now(),
            removed_at: None,
        }
    }

    fn public_key(&self) -> Vec<u8> {
        self.holder.current().map(|held| held.key.public_key()).unwrap_or_default()
    }

    /// Renews the certificate if that is due and the authority is known here.
    ///
    /// # Errors
    /// If it cannot be made or kept.
    pub(crate) fn renew(&self) -> Result<(), Error> {
        let system = self.store.directory().system();
        let now = self.clock.now();
        let Some(current) = self.holder.current().filter(|held| held.renew_due(now)) else {
            return Ok(());
        };
        if system.authority.is_none() {
            return Ok(());
        }
        let public_key = current.key.public_key();
        let id = self.identity.node_id;
        let certificate = issue(&system, self.keys.as_ref(), id, &public_key, now)?;
        let renewed = PeerCertificates { certificate, issued_at: now, ..current };
        let kept = Kept {
            key: renewed.key.clone(),
            certified: Some((renewed.certificate.clone(), renewed.authority.clone(), now)),
            told: Vec::new(),
            founding: None,
        };
        write(&self.store, &self.keys, &kept)?;
        self.holder.set(renewed).map_err(failed)?;
        tracing::info!("this node's certificate is renewed");
        Ok(())
    }

    /// Renews from time to time, until dropped.
    pub(crate) async fn keep(self) {
        let mut every = tokio::time::interval(LOOK);
        loop {
            every.tick().await;
            if let Err(error) = self.renew() {
                tracing::error!(%error, "this node's certificate is not renewed");
            }
        }
    }
}

/// Whether this process poses as its node with a key that nobody registered, as somebody would who
/// has a node's disk and the master key.
#[cfg(feature = "sabotage")]
fn forges_key() -> bool {
    fail::fail_point!("node::forges_key", |_| true);
    false
}

type Certified = ((Vec<u8>, Vec<u8>, Timestamp), Option<FoundingAuthority>);

/// A first certificate: by the authority in the log, or by one that is made for the founding.
fn certify(
    store: &Store,
    keys: &KeyRing,
    identity: &Identity,
    key: &KeyPair,
    now: Timestamp,
) -> Result<Certified, Error> {
    let system = store.directory().system();
    let public_key = key.public_key();
    if let Some(authority) = &system.authority {
        let certificate = issue(&system, keys, identity.node_id, &public_key, now)?;
        return Ok(((certificate, authority.certificate.clone(), now), None));
    }
    let authority = ClusterAuthority::found(&identity.cluster_id, now).map_err(failed)?;
    let node = PeerIdentity::new(identity.cluster_id.clone(), identity.node_id);
    let certificate = authority.issue(&node, &public_key, now).map_err(failed)?;
    let founding = FoundingAuthority {
        certificate: authority.certificate().to_vec(),
        key: authority.key().to_vec(),
    };
    let certified = (certificate.to_vec(), founding.certificate.clone(), now);
    Ok((certified, Some(founding)))
}
