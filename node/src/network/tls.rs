//! TLS between nodes: version 1.3 only, the cluster's own authority only, HTTP/2 only.
//!
//! No session is ever resumed: each connection proves its identity anew, so that an expired
//! certificate or a removed node gets no further than its last connection.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, DigitallySignedStruct, PeerIncompatible, RootCertStore, ServerConfig,
    SignatureScheme,
};
use thiserror::Error;

use super::identity::PeerIdentity;

/// HTTP/2 between nodes, first version. Named apart from `h2`, so that nothing else is spoken to
/// by mistake.
pub(crate) const PROTOCOL: &[u8] = b"countersign/1";

/// What TLS cannot be set up with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("TLS between nodes cannot be set up: {0}")]
pub(crate) struct TlsError(String);

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self(error.to_string())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    Ok(Arc::new(roots))
}

/// For connections to other nodes: shows this node's certificate. The server's name says which
/// node is wished, see [`server_name`]; any other ends the handshake.
///
/// # Errors
/// If the authority's certificate is none.
pub(super) fn client(
    authority: &CertificateDer<'static>,
    own: &Arc<CertifiedKey>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots(authority)?)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(own))));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// For connections from other nodes. A client may come without a certificate, to join; what it may
/// ask then is the server's affair.
///
/// # Errors
/// If the authority's certificate is none.
pub(super) fn server(
    authority: &CertificateDer<'static>,
    own: &Arc<CertifiedKey>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsError(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(own))));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The name that a node's certificate must have.
///
/// # Errors
/// If the cluster's id cannot stand in a name.
pub(crate) fn server_name(node: &PeerIdentity) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(node.dns_name()).map_err(|error| TlsError(error.to_string()))
}

/// For one connection of a node that wants to join and knows no authority yet. It takes any
/// certificate, and is therefore worth nothing by itself: both sides prove the cluster secret over
/// this very connection, and the joiner believes nothing before that; see [`super::join`].
///
/// # Errors
/// Never in practice: if the TLS library lacks version 1.3.
pub(crate) fn stranger() -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer { algorithms }))
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Takes any certificate whose key signs the handshake.
#[derive(Debug)]
struct AnyServer {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
