//! The HTTP contract, as far as the scenarios speak it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tokio::time::{Instant, sleep};

use crate::app::App;

static INSISTED: AtomicU64 = AtomicU64::new(0);

/// For how long what may be repeated is repeated.
const INSIST: Duration = Duration::from_secs(30);

/// A caller with an API key.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

/// What a node answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null if there is none.
    pub body: Value,
}

impl Answer {
    /// The problem's code, empty if it is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body of a success.
    ///
    /// # Panics
    /// If it is none.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }
}

/// Begins an HTTP client. It speaks to this machine in clear, but is not to be had without somebody
/// who could do TLS.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

impl Client {
    /// Speaks to the node at `url` with `key`.
    pub fn new(url: &str, key: &str) -> Self {
        let http =
            builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(256).build().unwrap();
        Self { http, url: url.to_owned(), key: key.to_owned() }
    }

    /// The same node with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// Whether the node says that it can serve.
    pub async fn is_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends a request. `None` if no answer came, so that it is unknown whether it took effect.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        idempotency_key: Option<&str>,
    ) -> Option<Answer> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let bytes = answer.bytes().await.ok()?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        };
        Some(Answer { status, body })
    }

    /// POST; see [`Client::send`].
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Answer> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// POST to a node that must answer.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, body).await.expect("an answer")
    }

    /// GET from a node that must answer.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await.expect("an answer")
    }

    /// DELETE on a node that must answer.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, None).await.expect("an answer")
    }

    /// PATCH on a node that must answer.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), None).await.expect("an answer")
    }

    /// PATCH, again with the same key for as long as the node says that it could not be done in time:
    /// a node may say so at any time, and a rig is no place to fall over it.
    pub async fn insist_patch(&self, path: &str, body: Value) -> Answer {
        let number = INSISTED.fetch_add(1, Ordering::Relaxed);
        let key = format!("insist-{}-{number}", std::process::id());
        let deadline = Instant::now() + INSIST;
        loop {
            let answer = self.send(Method::PATCH, path, Some(body.clone()), Some(&key)).await;
            let again = answer.as_ref().is_none_or(|answer| answer.status == 503);
            if !again || Instant::now() >= deadline {
                return answer.expect("an answer");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Takes over an app of eight digits and two minutes a step: long enough for a code to be tried
    /// again after a restart.
    pub async fn import(&self, user: &str, app: &App) -> Option<String> {
        let body = json!({ "secret": app.base32(), "digits": 8, "period": 120 });
        let path = format!("/v1/users/{user}/mfa/totp/import");
        let answer = self.try_post(&path, body).await?;
        Some(answer.ok()["id"].as_str().unwrap().to_owned())
    }

    /// Asks for a challenge. `None` if no answer came.
    pub async fn challenge(&self, user: &str) -> Option<String> {
        let body = json!({ "userId": user, "purpose": "LOGIN", "context": {} });
        let answer = self.try_post("/v1/mfa/challenges", body).await?;
        Some(answer.ok()["challenge"]["id"].as_str().expect("a challenge").to_owned())
    }

    /// Answers a challenge with a code. `None` if no answer came.
    pub async fn verify(&self, challenge: &str, factor: &str, code: &str) -> Option<Answer> {
        let body = json!({ "challengeId": challenge, "factorId": factor, "code": code });
        self.try_post("/v1/mfa/challenges/verify", body).await
    }

    /// Answers a challenge with a recovery code. `None` if no answer came.
    pub async fn recover(&self, challenge: &str, code: &str) -> Option<Answer> {
        let body = json!({ "challengeId": challenge, "recoveryCode": code });
        self.try_post("/v1/mfa/challenges/verify", body).await
    }
}
