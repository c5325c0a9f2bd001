//! The HTTP clients that post. One speaks TLS and one does not, since each lets other addresses
//! through its [`Door`].
//!
//! Neither follows a redirect, asks a proxy or the environment, or keeps a cookie: a receiver
//! answers and has no say about where anything goes.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, retry};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;

use super::names::{CheckedNames, Door, LookUps};

/// How long a connection stays open for the next event.
const IDLE_FOR: Duration = Duration::from_secs(15);
/// How many a host.
const IDLE_MAX: usize = 2;
/// The most header fields of an answer.
const FIELDS_MAX: usize = 100;

/// A client for https. `None` if this machine has no certificates to trust: then nothing can be
/// reached by it.
pub(super) fn encrypted(
    door: Door,
    names: Arc<LookUps>,
    connect_within: Duration,
    roots: &[CertificateDer<'static>],
) -> Option<Client> {
    let built = roots
        .iter()
        .map(|root| Certificate::from_der(root))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|roots| {
            base(door, names, connect_within).https_only(true).tls_certs_merge(roots).build()
        });
    built
        .inspect_err(|error| {
            tracing::warn!(%error, "no webhook can be reached by https: trusted certificates");
        })
        .ok()
}

/// A client for http.
pub(super) fn plain(door: Door, names: Arc<LookUps>, connect_within: Duration) -> Option<Client> {
    // It never speaks TLS, so it trusts nobody.
    let built = base(door, names, connect_within).tls_certs_only([]).build();
    built.inspect_err(|error| tracing::warn!(%error, "no webhook can be reached by http")).ok()
}

fn base(door: Door, names: Arc<LookUps>, connect_within: Duration) -> ClientBuilder {
    // The client takes the process's own provider and panics if there is none. If somebody chose
    // one before, that one stays.
    let _ = ring::default_provider().install_default();
    Client::builder()
        .dns_resolver(CheckedNames { names, door })
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        // Whether and when to try again is the sender's affair.
        .retry(retry::never())
        .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .http1_max_headers(FIELDS_MAX)
        .connect_timeout(connect_within)
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE_MAX)
}
