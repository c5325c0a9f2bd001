//! How a node without a certificate comes to belong to the cluster.
//!
//! It knows a seed's address and the cluster secret, and no authority. So it takes any certificate,
//! and both sides then prove the secret over that very TLS connection: an HMAC-SHA-256 over what
//! TLS 1.3 exports of the connection's keys (RFC 8446 section 7.5, RFC 5705). Somebody in between
//! has two connections with different exports, and can pass no proof on.
//!
//! The joiner proves first and says nothing with it, so a stranger who asks learns nothing; then the
//! seed proves. Only then the joiner says who it is, signed with the key that it wants certified: a
//! key that it does not hold cannot become a node's.
//!
//! The proofs can be tried against guesses of the secret by whoever is asked, so it must be one
//! that nobody guesses: it is made, not thought up.

use std::time::Duration;

use countersign_core::codec::CodecError;
use countersign_core::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::authority;
use super::body;
use super::credentials::KeyPair;
use super::dial::Dial;
use super::identity::{self, PeerIdentity};
use super::peers;
use super::refused::Refused;
use super::tls;
use super::wire::{self, CONTROL_BYTES, JoinGrant, JoinRefusal, JoinRequest, path};

const LABEL: &[u8] = b"EXPORTER-countersign-join";
/// What each proof is for: none can stand for another.
const JOINER_KNOWS: &[u8] = b"countersign join: the node that asks knows the secret\0";
const SERVER_KNOWS: &[u8] = b"countersign join: the one that answers knows the secret\0";
const JOINER: &[u8] = b"countersign join: the node that asks\0";
const SERVER: &[u8] = b"countersign join: the one that answers\0";
const POSSESSION: &[u8] = b"countersign join: the node that asks holds this key\0";

/// What ties a proof to one TLS connection.
pub(super) type Binding = [u8; 32];

/// Why a node was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum JoinError {
    /// Nobody there, or nobody who speaks this protocol. Another seed may be better.
    #[error("{seed} was not reached: {reason}")]
    NotReached {
        /// Who was asked.
        seed: String,
        /// Why.
        reason: String,
    },
    /// It did not accept this node's proof of the secret.
    #[error("{seed} says that this node's cluster secret is not the cluster's")]
    WrongSecret {
        /// Who was asked.
        seed: String,
    },
    /// It does not know the secret: not a node of the cluster, whatever it says.
    #[error(
        "{seed} could not prove that it knows the cluster secret: nothing it said was believed"
    )]
    NotProved {
        /// Who was asked.
        seed: String,
    },
    /// The cluster said no.
    #[error("{0}")]
    Refused(JoinRefusal),
    /// It proved the secret, but what it said does not hold together.
    #[error("{seed} gave an answer that does not hold together: {reason}")]
    Inconsistent {
        /// Who was asked.
        seed: String,
        /// What is wrong.
        reason: String,
    },
}

/// A [`JoinRequest`] or its answer, as bytes, with a proof of the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Proved {
    message: Vec<u8>,
    proof: [u8; 32],
}

/// What is in a joiner's [`Proved`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    /// The encoded [`JoinRequest`].
    request: Vec<u8>,
    /// By the key that stands in it, over the connection and the request.
    signature: Vec<u8>,
}

/// What ties a proof to a TLS connection.
pub(super) fn binding<Side>(
    session: &rustls::ConnectionCommon<Side>,
) -> Result<Binding, rustls::Error> {
    session.export_keying_material([0; 32], LABEL, None)
}

fn mac(secret: &Secret, role: &[u8], binding: &Binding, message: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes a key of any length (RFC 2104), so there is always one.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
    mac.update(role);
    mac.update(binding);
    mac.update(message);
    Some(mac)
}

impl Proved {
    fn new(secret: &Secret, role: &[u8], binding: &Binding, message: Vec<u8>) -> Option<Self> {
        let proof = mac(secret, role, binding, &message)?.finalize().into_bytes().into();
        Some(Self { message, proof })
    }

    /// The message, if the proof is right. Compared in constant time.
    fn proved(&self, secret: &Secret, role: &[u8], binding: &Binding) -> Option<&[u8]> {
        let mac = mac(secret, role, binding, &self.message)?;
        mac.verify_slice(&self.proof).ok().map(|()| self.message.as_slice())
    }
}

/// A proof of the secret with nothing said.
fn knows(secret: &Secret, role: &[u8], binding: &Binding) -> Option<Vec<u8>> {
    Some(mac(secret, role, binding, &[])?.finalize().into_bytes().to_vec())
}

/// Whether the other side proved the secret. Compared in constant time.
fn is_known(secret: &Secret, role: &[u8], binding: &Binding, proof: &[u8]) -> bool {
    mac(secret, role, binding, &[]).is_some_and(|mac| mac.verify_slice(proof).is_ok())
}

/// What a joiner signs with its key.
fn possession(binding: &Binding, request: &[u8]) -> Vec<u8> {
    [POSSESSION, &binding[..], request].concat()
}

/// The server's side: its own proof of the secret, for somebody who has proved it; `None` for
/// anybody else.
pub(super) fn proof_for(secret: &Secret, binding: &Binding, proof: &[u8]) -> Option<Vec<u8>> {
    if is_known(secret, JOINER_KNOWS, binding, proof) {
        knows(secret, SERVER_KNOWS, binding)
    } else {
        None
    }
}

/// The server's side: what is asked, if the secret was proved, and that the joiner holds its key.
///
/// # Errors
/// What is wrong.
pub(super) fn asked(
    secret: &Secret,
    binding: &Binding,
    bytes: &[u8],
) -> Result<JoinRequest, Refused> {
    let malformed = |_| Refused::Malformed;
    let asked: Proved = wire::decode(bytes).map_err(malformed)?;
    let message = asked.proved(secret, JOINER, binding).ok_or(Refused::WrongSecret)?;
    let signed: Signed = wire::decode(message).map_err(malformed)?;
    let request: JoinRequest = wire::decode(&signed.request).map_err(malformed)?;
    let signed_text = possession(binding, &signed.request);
    if authority::is_signed_by(&request.public_key, &signed_text, &signed.signature) {
        Ok(request)
    } else {
        Err(Refused::KeyNotProved)
    }
}

/// The server's side: an answer and the proof that it is the cluster's.
///
/// # Errors
/// If it is larger than the codec allows.
pub(super) fn answered(
    secret: &Secret,
    binding: &Binding,
    answer: &Result<JoinGrant, JoinRefusal>,
) -> Result<Vec<u8>, CodecError> {
    let message = wire::encode(answer)?;
    let proved = Proved::new(secret, SERVER, binding, message)
        .ok_or_else(|| CodecError::Malformed("the secret cannot be a key".to_owned()))?;
    wire::encode(&proved)
}

/// Asks one seed to take this node in.
///
/// # Errors
/// If it is not taken in.
pub(crate) async fn join(
    dial: &dyn Dial,
    seed: &str,
    key: &KeyPair,
    secret: &Secret,
    request: &JoinRequest,
    within: Duration,
) -> Result<JoinGrant, JoinError> {
    timeout(within, ask(dial, seed, key, secret, request))
        .await
        .unwrap_or_else(|_| Err(not_reached(seed, "no answer in time")))
}

async fn ask(
    dial: &dyn Dial,
    seed: &str,
    key: &KeyPair,
    secret: &Secret,
    request: &JoinRequest,
) -> Result<JoinGrant, JoinError> {
    let failed = |reason: String| not_reached(seed, reason);
    let config = tls::stranger().map_err(|error| failed(error.to_string()))?;
    // Which node answers at a seed is not known before it has proved itself.
    let stream = dial.dial(0, seed).await.map_err(|error| failed(error.to_string()))?;
    let name = ServerName::try_from("seed.countersign.internal")
        .map_err(|error| failed(error.to_string()))?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    let stream = connected.map_err(|error| failed(error.to_string()))?;
    let session = stream.get_ref().1;
    let binding = binding(session).map_err(|error| failed(error.to_string()))?;
    let presented = session.peer_certificates().and_then(<[_]>::first).cloned();
    let not_proved = || JoinError::NotProved { seed: seed.to_owned() };
    let no_key = || failed("the secret cannot be a key".to_owned());

    let shaken = peers::handshake(stream).await;
    let (sender, connection) = shaken.map_err(|error| failed(error.to_string()))?;
    let connection = AbortOnDrop(tokio::spawn(connection));
    let said = knows(secret, JOINER_KNOWS, &binding).ok_or_else(no_key)?;
    let proof = say(sender.clone(), seed, path::JOIN_PROOF, said).await?;
    if !is_known(secret, SERVER_KNOWS, &binding, &proof) {
        return Err(not_proved());
    }

    let request = wire::encode(request).map_err(|error| failed(error.to_string()))?;
    let signature = key.sign(&possession(&binding, &request));
    let signature = signature.map_err(|error| failed(error.to_string()))?;
    let message = wire::encode(&Signed { request, signature });
    let message = message.map_err(|error| failed(error.to_string()))?;
    let proved = Proved::new(secret, JOINER, &binding, message).ok_or_else(no_key)?;
    let message = wire::encode(&proved).map_err(|error| failed(error.to_string()))?;
    let answer = say(sender, seed, path::JOIN, message).await?;
    drop(connection);
    let answer: Proved = wire::decode(&answer).map_err(|_| not_proved())?;
    let message = answer.proved(secret, SERVER, &binding).ok_or_else(not_proved)?;
    let answer: Result<JoinGrant, JoinRefusal> = wire::decode(message).map_err(|error| {
        JoinError::Inconsistent { seed: seed.to_owned(), reason: error.to_string() }
    })?;
    let grant = answer.map_err(JoinError::Refused)?;
    check(&grant, key, presented.as_ref())
        .map_err(|reason| JoinError::Inconsistent { seed: seed.to_owned(), reason })?;
    Ok(grant)
}

/// Ends a connection with whoever needed it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Says one thing to a seed, and waits for its answer.
async fn say(
    mut sender: peers::Sender,
    seed: &str,
    path: &str,
    message: Vec<u8>,
) -> Result<Vec<u8>, JoinError> {
    let failed = |reason: String| not_reached(seed, reason);
    let request =
        peers::request(path, body::whole(message)).map_err(|error| failed(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
    let status = response.status();
    let answer = body::collect(response.into_body(), CONTROL_BYTES).await;
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    if status == http::StatusCode::UNAUTHORIZED {
        return Err(JoinError::WrongSecret { seed: seed.to_owned() });
    }
    if status != http::StatusCode::OK {
        return Err(failed(format!("it answered {status}")));
    }
    Ok(answer)
}

/// Whether what was granted holds together: made for this node's key, and by the cluster that the
/// seed belongs to.
fn check(
    grant: &JoinGrant,
    key: &KeyPair,
    presented: Option<&CertificateDer<'_>>,
) -> Result<(), String> {
    let granted = PeerIdentity::new(grant.cluster_id.clone(), grant.node_id);
    let certificate = CertificateDer::from(grant.certificate.as_slice());
    let certified =
        PeerIdentity::of_certificate(&certificate).map_err(|error| error.to_string())?;
    if certified != granted {
        return Err(format!("it granted {granted}, and certified {certified}"));
    }
    let end_entity =
        webpki::EndEntityCert::try_from(&certificate).map_err(|error| error.to_string())?;
    if end_entity.subject_public_key_info().as_ref() != key.public_key() {
        return Err("the certificate is for another key".to_owned());
    }
    let seed = presented.ok_or("the seed showed no certificate")?;
    let named = PeerIdentity::of_certificate(seed).map_err(|error| error.to_string())?;
    if named.cluster_id != grant.cluster_id {
        return Err("the seed's own certificate is of another cluster".to_owned());
    }
    let shown = identity::key_of_certificate(seed).map_err(|error| error.to_string())?;
    let known = grant.nodes.iter().find(|node| node.id == named.node_id);
    if known.is_none_or(|known| known.key != shown) {
        return Err(format!("the seed poses as node {}", named.node_id));
    }
    Ok(())
}

fn not_reached(seed: &str, reason: impl Into<String>) -> JoinError {
    JoinError::NotReached { seed: seed.to_owned(), reason: reason.into() }
}
