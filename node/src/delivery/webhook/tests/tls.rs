//! Whom an encrypted connection trusts.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

/// An authority of one's own.
pub(super) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

pub(super) fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Authority { certificate, issuer: Issuer::new(params, key) }
}

impl Authority {
    pub(super) fn roots(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Posts to a receiver that shows a certificate for `shown`, called `hooks.example`.
async fn post_to(
    shown: &str,
    by: &Authority,
    trusted: Vec<CertificateDer<'static>>,
) -> Result<u16, NotPosted> {
    let manner: Manner = Arc::new(|mut line: Box<dyn Line>| {
        async move {
            let _ = line.write_all(OK.as_bytes()).await;
            let _ = line.shutdown().await;
        }
        .boxed()
    });
    let receiver = Receiver::over("127.0.0.1:0", Some(by.acceptor(shown)), manner).await;
    let settings = Webhooks { roots: trusted, ..loopback() };
    let book = Book::of("hooks.example", &[&["127.0.0.1"]]);
    let poster = WebhookPoster::with(&settings, book, AMPLE);
    post(&poster, &format!("https://hooks.example:{}/", receiver.address.port())).await
}

#[tokio::test]
async fn an_authority_of_the_settings_is_trusted() {
    let own = authority();
    assert_eq!(post_to("hooks.example", &own, own.roots()).await, Ok(200));
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let (own, other) = (authority(), authority());
    assert_eq!(post_to("hooks.example", &other, own.roots()).await, unreachable("tls"));
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let own = authority();
    assert_eq!(post_to("other.example", &own, own.roots()).await, unreachable("tls"));
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_not_spoken_to_without() {
    let receiver = Receiver::answering(OK).await;
    let settings = Webhooks { roots: authority().roots(), ..loopback() };
    let url = format!("https://{}/", receiver.address);
    // It waits for a request that never ends, or answers something that is no handshake.
    let poster = WebhookPoster::with(&settings, Arc::new(Book::default()), SHORT);
    let posted = post(&poster, &url).await;
    assert!(posted == unreachable("timeout") || posted == unreachable("tls"), "{posted:?}");
}
