//! The HTTP client that providers are asked with. It follows no redirect, asks no proxy and nothing
//! of the environment, keeps no cookie, and reads no answer beyond a bound.

use std::time::Duration;

use countersign_core::time::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder, StatusCode, Url, retry};
use rustls::crypto::ring;

use crate::config::SmsSettings;
use crate::delivery::provider::CONNECT_WITHIN;
use crate::delivery::refusal::{CONNECT, LOST, PROTOCOL, Refusal, TIMEOUT, TLS, is_tls};
use crate::delivery::retry_after::retry_after;
use crate::error::Error;

/// The most bytes that are kept of an answer.
const ANSWER_MAX: usize = 64 << 10;
/// The most header fields of one.
const FIELDS_MAX: usize = 100;
/// For how long a connection waits for the next message.
const IDLE_FOR: Duration = Duration::from_secs(30);
/// How many do.
const IDLE_MAX: usize = 4;
/// The longest that a provider may tell us to wait: by then every code is dead.
const AFTER_MAX: Duration = Duration::from_secs(300);

/// A form, as `application/x-www-form-urlencoded` has it.
pub(super) const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

pub(super) struct Client {
    inner: reqwest::Client,
}

/// What came back.
pub(super) struct Answer {
    /// The status.
    pub(super) status: StatusCode,
    /// When to come again, if that was said.
    pub(super) after: Option<Duration>,
    /// What stood in it; `None` if it did not come to its end, or not within the bound.
    pub(super) body: Option<Vec<u8>>,
}

impl Client {
    pub(super) fn new(settings: &SmsSettings) -> Result<Self, Error> {
        // The client takes the process's own provider and panics if there is none. If somebody
        // chose one before, that one stays.
        let _ = ring::default_provider().install_default();
        let untrusting =
            |error: reqwest::Error| Error::Trust { key: "sms.url", reason: error.to_string() };
        let roots = settings.roots.iter().map(|root| Certificate::from_der(root));
        let roots = roots.collect::<Result<Vec<_>, _>>().map_err(untrusting)?;
        let encrypted = settings.url.0.scheme() == "https";
        let builder = reqwest::Client::builder();
        let builder = if encrypted {
            builder.https_only(true).tls_certs_merge(roots)
        } else {
            // It never speaks TLS, so it trusts nobody.
            builder.tls_certs_only([])
        };
        let inner = builder
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            // Whether and when to try again is the courier's affair.
            .retry(retry::never())
            .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .http1_max_headers(FIELDS_MAX)
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_MAX)
            .build()
            .map_err(untrusting)?;
        Ok(Self { inner })
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.inner.post(url)
    }
}

/// Sends a request and reads the answer.
pub(super) async fn ask(request: RequestBuilder, now: Timestamp) -> Result<Answer, Refusal> {
    let mut answer = request.send().await.map_err(|error| Refusal::fault(word(&error)))?;
    let (status, after) = (answer.status(), retry_after(answer.headers(), now, AFTER_MAX));
    let mut read = Vec::new();
    let body = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if read.len() + chunk.len() <= ANSWER_MAX => {
                read.extend_from_slice(&chunk);
            }
            Ok(None) => break Some(read),
            Ok(Some(_)) | Err(_) => break None,
        }
    };
    Ok(Answer { status, after, body })
}

impl Answer {
    /// What a status means where it is all that there is to go by. `reason` is the provider's own
    /// word for it, if it has one.
    pub(super) fn refusal(&self, reason: Option<String>) -> Refusal {
        let reason = reason.unwrap_or_else(|| format!("http_{}", self.status.as_u16()));
        if is_passing(self.status) {
            Refusal::fault_until(reason, self.after)
        } else {
            Refusal::never(reason)
        }
    }

    /// The same for a provider that knows us by credentials: those are wrong for every message.
    pub(super) fn refusal_by_account(&self, reason: Option<String>) -> Refusal {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
                let status = format!("http_{}", self.status.as_u16());
                Refusal::fault_until(reason.unwrap_or(status), self.after)
            }
            _ => self.refusal(reason),
        }
    }

    /// The answer as what a provider's documents say it is.
    pub(super) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }
}

/// Whether a status says that another time may go better (RFC 9110 section 15.5.9 and 15.6, RFC 8470
/// section 5.2, RFC 6585 section 4).
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The word for why there is no answer. Never the URL, nor what came over the line.
fn word(error: &reqwest::Error) -> &'static str {
    if is_tls(error) {
        TLS
    } else if error.is_timeout() {
        TIMEOUT
    } else if error.is_connect() {
        CONNECT
    } else if error.is_builder() {
        PROTOCOL
    } else {
        LOST
    }
}

/// A form's bytes.
pub(super) fn form(fields: &[(impl AsRef<str>, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An address below another: the base may have a path of its own.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only an address without a host has no path, and none such is configured.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_below_another_keeps_its_path_and_query() {
        for (base, expected) in [
            ("https://h", "https://h/a/b.json"),
            ("https://h/", "https://h/a/b.json"),
            ("https://h/base", "https://h/base/a/b.json"),
            ("https://h/base/?k=v", "https://h/base/a/b.json?k=v"),
        ] {
            let url = below(&Url::parse(base).unwrap(), &["a", "b.json"]);
            assert_eq!(url.as_str(), expected, "{base}");
        }
    }
}
