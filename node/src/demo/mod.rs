//! Harbour Books, a sample application: what `countersign dev` serves at `/`, and no other node.
//!
//! It signs people up and in with email and password, and leaves the second factor to the service,
//! as any application would: over HTTP, with a key, from its own server ([`service`]), sending the
//! browser to the hosted pages and taking it back with a code. It shows what an integration is
//! made of, so it never reaches into the node that it runs in, and never sees a factor or a secret.
//!
//! Its accounts are in memory and gone at the end. Passwords are hashed all the same: samples are
//! copied.

mod accounts;
mod home;
mod pages;
mod service;
mod signing;
mod tokens;
mod tour;
mod visitor;
mod visits;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use countersign_core::secret::Secret;

use self::accounts::Accounts;
use self::service::Service;
use self::visits::Visits;
use crate::error::Error;

/// Where browsers reach a node that listens at `address`. Passkeys are bound to a name, and of the
/// names of this machine browsers trust one without TLS: `localhost` (Secure Contexts section 3.1).
pub(crate) fn url(address: SocketAddr) -> String {
    let ip = address.ip();
    if ip.is_loopback() || ip.is_unspecified() {
        return format!("http://localhost:{}", address.port());
    }
    format!("http://{address}")
}

/// Where this machine itself reaches it.
pub(crate) fn loopback(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// The sample application.
pub(crate) struct Harbour {
    /// Where browsers reach it.
    url: String,
    service: Service,
    accounts: Accounts,
    visits: Visits,
}

/// Everything that it answers.
///
/// # Errors
/// If there can be no HTTP client.
pub(crate) fn router(url: &str, address: SocketAddr, key: Secret) -> Result<Router, Error> {
    let harbour = Arc::new(Harbour {
        url: url.to_owned(),
        service: Service::new(url, address, key)?,
        accounts: Accounts::default(),
        visits: Visits::default(),
    });
    Ok(Router::new()
        .route("/", get(home::show))
        .route("/sign-up", get(signing::sign_up_page).post(signing::sign_up))
        .route("/sign-in", get(signing::sign_in_page).post(signing::sign_in))
        .route("/sign-out", post(signing::sign_out))
        .route("/set-up", post(home::set_up))
        .route("/security", post(home::security))
        .route("/order", post(home::order))
        .route("/back", get(signing::back))
        .route("/harbour.css", get(style))
        .layer(from_fn_with_state(Arc::clone(&harbour), visitor::at_home))
        .with_state(harbour))
}

/// Lets the passkeys of the default tenant work at this address, unless somebody chose others.
///
/// # Errors
/// If the service does not answer.
pub(crate) async fn settle(url: &str, address: SocketAddr, key: Secret) -> Result<(), Error> {
    let service = Service::new(url, address, key)?;
    service.settle(url).await.map_err(|trouble| Error::Service(trouble.to_string()))
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, include_str!("../../templates/demo/harbour.css")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_given_the_name_that_passkeys_work_with() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for local in ["127.0.0.1:8080", "0.0.0.0:8080", "[::1]:8080", "[::]:8080"] {
            assert_eq!(url(at(local)), "http://localhost:8080");
        }
        assert_eq!(url(at("192.168.1.7:8080")), "http://192.168.1.7:8080");
        assert_eq!(loopback(at("0.0.0.0:8080")), at("127.0.0.1:8080"));
        assert_eq!(loopback(at("[::]:8080")), at("[::1]:8080"));
    }
}
