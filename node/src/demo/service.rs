//! The service, as an application's server asks it: HTTP, JSON, and a key that no browser sees.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use countersign_core::secret::Secret;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::Error;

/// How long the service may take.
const WITHIN: Duration = Duration::from_secs(15);
/// What `dev` sets origins to, as long as nobody chose others.
const LOCAL: &str = "http://localhost:";

/// The service, with the key to it.
pub(super) struct Service {
    client: reqwest::Client,
    url: String,
    key: Secret,
}

/// Why it did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// No answer.
    #[error("the service does not answer: {0}")]
    Silent(String),
    /// A problem document (RFC 9457).
    #[error("the service refused ({status} {code}): {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// Its code.
        code: String,
        /// Its words.
        detail: String,
    },
    /// An answer to another question.
    #[error("the service's answer is not understood: {0}")]
    Odd(String),
}

/// What a sign-in needs beside the password.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sighting {
    /// Whether more than the password is needed.
    pub(super) mfa_required: bool,
    /// Why, or why not.
    pub(super) reason: String,
    /// Whether a factor has to be enrolled.
    pub(super) enrollment_required: bool,
    /// What has to be answered.
    pub(super) challenge: Option<Challenge>,
    /// There if nothing has.
    pub(super) tokens: Option<Tokens>,
}

/// A challenge.
#[derive(Debug, Deserialize)]
pub(super) struct Challenge {
    /// Its id.
    pub(super) id: String,
}

/// Tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    /// A JWT.
    pub(super) access_token: String,
}

/// What a user has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    /// Active factors of each type.
    pub(super) factors: BTreeMap<String, u32>,
    /// Unused recovery codes.
    pub(super) recovery_codes_remaining: u32,
    /// Browsers that are remembered.
    pub(super) trusted_device_count: u32,
    /// Until when codes are refused.
    pub(super) locked_until: Option<String>,
    /// Whether they are until somebody unlocks.
    pub(super) unlock_required: bool,
}

/// Why a browser is sent to the hosted pages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// To add a factor, at a sign-in that demands one or without.
    Enroll(Option<&'a str>),
    /// To answer a challenge.
    Challenge(&'a str),
    /// To look after factors.
    Manage,
}

/// What a browser brought back from there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// `COMPLETED` or `CANCELLED`.
    pub(super) status: String,
    /// Whose it is.
    pub(super) user_id: String,
    /// There if a challenge was answered.
    pub(super) tokens: Option<Tokens>,
    /// There if this browser is to be remembered.
    pub(super) device_token: Option<String>,
}

/// What a sign-in looks like from here.
#[derive(Clone, Debug, Default)]
pub(super) struct Browser {
    /// Where it comes from.
    pub(super) ip_address: Option<String>,
    /// What it calls itself.
    pub(super) user_agent: Option<String>,
    /// What it was given when it was remembered.
    pub(super) device_token: Option<String>,
}

impl Service {
    /// The service at `url`, of which the connection leads to `address`.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub(super) fn new(url: &str, address: SocketAddr, key: Secret) -> Result<Self, Error> {
        // The client takes the process's own provider and panics if there is none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(WITHIN)
            // The name is for cookies and passkeys; here it needs no resolver, and no proxy.
            .resolve("localhost", address)
            .no_proxy()
            .build()
            .map_err(|error| Error::Service(error.to_string()))?;
        Ok(Self { client, url: url.to_owned(), key })
    }

    /// Makes this address the origin of the default tenant's passkeys, if it still is one of this
    /// machine alone.
    pub(super) async fn settle(&self, url: &str) -> Result<(), Trouble> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Settings {
            rp_id: String,
            origins: Vec<String>,
        }
        let Settings { rp_id, origins } = self.ask(Method::GET, "settings", None).await?;
        let chosen = rp_id != "localhost" || !origins.iter().all(|one| one.starts_with(LOCAL));
        if chosen || !url.starts_with(LOCAL) || origins == [url] {
            return Ok(());
        }
        let change = json!({ "origins": [url] });
        self.ask::<Value>(Method::PATCH, "settings", Some(change)).await.map(drop)
    }

    /// Makes a user known.
    pub(super) async fn introduce(&self, user: &str, email: &str) -> Result<(), Trouble> {
        // A real application says so only once a mail to this address was answered.
        let body = json!({ "email": email, "emailVerified": true });
        self.ask::<Value>(Method::PUT, &format!("users/{user}"), Some(body)).await.map(drop)
    }

    /// What a user has.
    pub(super) async fn status(&self, user: &str) -> Result<Status, Trouble> {
        self.ask(Method::GET, &format!("users/{user}/mfa/status"), None).await
    }

    /// The password was right: asks what else is needed. `purpose` is `LOGIN` or `STEP_UP`.
    pub(super) async fn sighted(
        &self,
        user: &str,
        purpose: &str,
        browser: &Browser,
    ) -> Result<Sighting, Trouble> {
        let Browser { ip_address, user_agent, device_token } = browser;
        let context =
            [("ipAddress", ip_address), ("userAgent", user_agent), ("deviceToken", device_token)];
        let context: BTreeMap<&str, &String> =
            context.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
        let body = json!({ "userId": user, "purpose": purpose, "context": context });
        self.ask(Method::POST, "mfa/challenges", Some(body)).await
    }

    /// A link that leads one browser to the hosted pages, once.
    pub(super) async fn link(
        &self,
        user: &str,
        purpose: Purpose<'_>,
        return_url: &str,
    ) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Link {
            url: String,
        }
        let (name, challenge) = match purpose {
            Purpose::Enroll(challenge) => ("ENROLL", challenge),
            Purpose::Challenge(challenge) => ("CHALLENGE", Some(challenge)),
            Purpose::Manage => ("MANAGE", None),
        };
        let mut body = json!({ "userId": user, "purpose": name, "returnUrl": return_url });
        if let Some(challenge) = challenge {
            body["challengeId"] = json!(challenge);
        }
        let link: Link = self.ask(Method::POST, "portal/sessions", Some(body)).await?;
        Ok(link.url)
    }

    /// What a browser did there, for the code that it brought back.
    pub(super) async fn outcome(&self, code: &str) -> Result<Outcome, Trouble> {
        self.ask(Method::POST, "portal/results", Some(json!({ "code": code }))).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        let silent = |error: reqwest::Error| Trouble::Silent(error.without_url().to_string());
        let mut request = self
            .client
            .request(method, format!("{}/v1/{path}", self.url))
            .bearer_auth(self.key.expose_str());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(silent)?;
        let status = answer.status();
        let text = answer.bytes().await.map_err(silent)?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), &text));
        }
        serde_json::from_slice(&text).map_err(|error| Trouble::Odd(error.to_string()))
    }
}

fn refused(status: u16, text: &[u8]) -> Trouble {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
        detail: String,
    }
    match serde_json::from_slice(text) {
        Ok(Problem { code, detail }) => Trouble::Refused { status, code, detail },
        Err(error) => Trouble::Odd(format!("{status}, {error}")),
    }
}
