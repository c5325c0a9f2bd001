//! Posts events to tenants' endpoints: signed as Standard Webhooks prescribes, to addresses that are
//! allowed, within bounds, and once: whether to try again is decided by who asks.
//!
//! - `signature` what proves that it is ours;
//! - `address` which addresses are allowed, `names` how a host becomes only such ones;
//! - `client` how it is sent, `answer` and `failure` what comes back.
//!
//! Nothing that a receiver says is passed on but its status and `Retry-After`; a reason is a word
//! of `failure`. No URL is logged: its query may hold a secret.

mod address;
mod answer;
mod client;
mod failure;
mod names;
pub(crate) mod signature;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::carrier::{NotPosted, Poster, Posting};
use countersign_api::event::webhook_body;
use countersign_core::webhook::TRIED_FOR_MS;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Request};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use self::address::Reach;
use self::names::{Door, LookUps, Names, POSTS_FOR, SystemNames};
use crate::config::Webhooks;
use crate::delivery::retry_after::retry_after;

/// How long a post may take.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Until there is a connection: name, TCP and TLS together.
    connect: Duration,
    /// All in all.
    whole: Duration,
}

/// The longest that an endpoint may tell us to wait: by then the event is given up.
const AFTER_MAX: Duration = Duration::from_millis(TRIED_FOR_MS.unsigned_abs());

const BOUNDS: Bounds = Bounds { connect: Duration::from_secs(5), whole: Duration::from_secs(10) };

/// Posts over HTTP.
pub(crate) struct WebhookPoster {
    https: Way,
    http: Way,
    whole: Duration,
}

/// One scheme's way out.
struct Way {
    door: Door,
    /// `None` if it could not be built.
    client: Option<Client>,
}

impl WebhookPoster {
    /// Posts as far as the settings allow. Loads the system's trusted certificates.
    pub(crate) fn new(settings: &Webhooks) -> Self {
        Self::with(settings, Arc::new(SystemNames), BOUNDS)
    }

    fn with(settings: &Webhooks, names: Arc<dyn Names>, bounds: Bounds) -> Self {
        let reach = Arc::new(Reach {
            allow_private: settings.allow_private,
            allow_networks: settings.allow_networks.clone(),
        });
        let names = LookUps::new(names);
        let https = Door { reach: Arc::clone(&reach), encrypted: true };
        let http = Door { reach, encrypted: false };
        Self {
            https: Way {
                client: client::encrypted(
                    https.clone(),
                    Arc::clone(&names),
                    bounds.connect,
                    &settings.roots,
                ),
                door: https,
            },
            http: Way { client: client::plain(http.clone(), names, bounds.connect), door: http },
            whole: bounds.whole,
        }
    }

    /// The way to a URL, if it may be gone.
    fn way(&self, url: &Url) -> Result<&Client, &'static str> {
        let way = match url.scheme() {
            "https" => &self.https,
            "http" => &self.http,
            _ => return Err(failure::URL),
        };
        // The parser has turned every spelling of an IPv4 address (WHATWG URL section 3.5: octal,
        // hexadecimal, one number, full-width digits) into the address. The client connects to
        // these without asking for a name.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(failure::URL),
        };
        if let Some(address) = literal {
            way.door.admit(address).map_err(names::NoAddress::word)?;
        }
        way.client.as_ref().ok_or(failure::TLS)
    }

    fn request(client: &Client, url: Url, posting: &Posting) -> Result<Request, &'static str> {
        let id = posting.id.to_string();
        let timestamp = posting.now.unix_seconds();
        // The same over all attempts: the fields have an order.
        let body = webhook_body(&posting.event).to_string().into_bytes();
        let signature = signature::sign(&posting.secrets, &id, timestamp, &body);
        client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, timestamp)
            .header(signature::SIGNATURE, signature.ok_or(failure::UNSIGNED)?)
            .body(body)
            .build()
            .map_err(|_| failure::URL)
    }

    async fn post_once(&self, posting: &Posting) -> Result<u16, NotPosted> {
        let deadline = Instant::now() + self.whole;
        let url = Url::parse(&posting.url).map_err(|_| unreachable_for(failure::URL))?;
        let client = self.way(&url).map_err(unreachable_for)?;
        let request = Self::request(client, url, posting).map_err(unreachable_for)?;
        let answer =
            timeout_at(deadline, POSTS_FOR.scope(posting.tenant.clone(), client.execute(request)))
                .await
                .map_err(|_| unreachable_for(failure::TIMEOUT))?
                .map_err(|error| unreachable_for(failure::word(&error)))?;
        let status = answer.status();
        let after = retry_after(answer.headers(), posting.now, AFTER_MAX);
        answer::drain(answer, deadline).await;
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(NotPosted::Refused { status: status.as_u16(), after })
        }
    }
}

impl Poster for WebhookPoster {
    fn post<'a>(&'a self, posting: &'a Posting) -> BoxFuture<'a, Result<u16, NotPosted>> {
        self.post_once(posting).boxed()
    }
}

fn unreachable_for(word: &'static str) -> NotPosted {
    NotPosted::Unreachable { reason: word.to_owned() }
}
