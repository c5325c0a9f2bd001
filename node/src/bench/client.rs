//! HTTP as a careful application does it: the addresses in turn, the next one when a node cannot
//! be reached or answers 503, the same idempotency key over all tries of one request, one deadline
//! around them.
//!
//! Plain HTTP/1.1 with connections kept open. Must never put a body into an error: it may hold a
//! secret.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use countersign_core::secret::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use super::failure::Failure;
use super::supply::FLIGHT_MS;
use super::wire::Problem;

/// How long one try may take before the next address is asked.
const TRY: Duration = Duration::from_secs(3);
/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_millis(500);
/// The longest pause after all addresses were tried.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// The way to the server. Cheap to share, safe to use from all workers.
pub(super) struct Client {
    http: reqwest::Client,
    bases: Vec<String>,
    next_base: AtomicUsize,
    /// Names this run in user ids and idempotency keys.
    run: String,
    next_key: AtomicU64,
    retries: AtomicU64,
}

/// What to ask for.
pub(super) struct Request<'a> {
    /// Its name in reports.
    pub(super) operation: &'static str,
    /// Which user it concerns.
    pub(super) subject: &'a str,
    pub(super) method: Method,
    pub(super) path: &'a str,
}

/// What came back.
pub(super) struct Answer {
    operation: &'static str,
    subject: String,
    status: StatusCode,
    request_id: String,
    body: Vec<u8>,
}

impl Client {
    /// A client for these addresses, which names its users and requests after `run`.
    pub(super) fn new(
        bases: &[String],
        key: &Secret,
        run: String,
        connections: usize,
    ) -> anyhow::Result<Self> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose_str()))
            .map_err(|_| anyhow::anyhow!("the key cannot stand in a header"))?;
        bearer.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(concat!("countersign-bench/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .http1_only()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT)
            .timeout(TRY)
            .pool_max_idle_per_host(connections)
            .build()
            .context("the HTTP client")?;
        Ok(Self {
            http,
            bases: bases.to_vec(),
            next_base: AtomicUsize::new(0),
            run,
            next_key: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        })
    }

    /// The addresses.
    pub(super) fn bases(&self) -> &[String] {
        &self.bases
    }

    /// The name of this run.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Tries beyond the first, so far.
    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Sends a request without a body.
    pub(super) async fn send(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.try_all(request, None).await
    }

    /// Sends a request with a JSON body.
    pub(super) async fn send_json(
        &self,
        request: &Request<'_>,
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body)
            .map_err(|error| unanswered(request.operation, &error.to_string()))?;
        self.try_all(request, Some(body)).await
    }

    /// One plain GET to one address, without retries: for what is asked of each node.
    pub(super) async fn get_once(&self, url: &str) -> reqwest::Result<Response> {
        self.http.get(url).send().await
    }

    async fn try_all(
        &self,
        request: &Request<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        let deadline = Instant::now() + Duration::from_millis(FLIGHT_MS.unsigned_abs());
        let first = self.next_base.fetch_add(1, Ordering::Relaxed);
        let number = self.next_key.fetch_add(1, Ordering::Relaxed);
        let idempotency_key = format!("{}-{number}", self.run);
        let mut pause = Duration::from_millis(20);
        let mut tries = 0;
        loop {
            let base = &self.bases[(first + tries) % self.bases.len()];
            let reason = match timeout_at(
                deadline,
                self.try_one(base, request, body.clone(), &idempotency_key),
            )
            .await
            {
                Ok(Ok(Tried::Answered(answer))) => return Ok(answer),
                Ok(Ok(Tried::Unavailable(wait, reason))) => {
                    pause = pause.max(wait);
                    reason
                }
                Ok(Err(error)) => describe(&error),
                Err(_) => "the deadline passed".to_owned(),
            };
            tries += 1;
            // Every address was asked: give them a moment.
            if tries % self.bases.len() == 0 {
                let pause_now = pause.min(PAUSE_MAX);
                if Instant::now() + pause_now >= deadline {
                    return Err(unanswered(request.operation, &format!("{reason}, at {base}")));
                }
                sleep(pause_now).await;
                pause = pause.saturating_mul(2);
            } else if Instant::now() >= deadline {
                return Err(unanswered(request.operation, &format!("{reason}, at {base}")));
            }
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn try_one(
        &self,
        base: &str,
        request: &Request<'_>,
        body: Option<Vec<u8>>,
        idempotency_key: &str,
    ) -> reqwest::Result<Tried> {
        let mut builder =
            self.http.request(request.method.clone(), format!("{base}{}", request.path));
        if request.method != Method::GET {
            builder = builder.header("Idempotency-Key", idempotency_key);
        }
        if let Some(body) = body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = builder.send().await?;
        let status = response.status();
        let wait = header(&response, RETRY_AFTER.as_str()).parse().unwrap_or(0);
        let request_id = header(&response, "x-request-id").to_owned();
        let body = response.bytes().await?.to_vec();
        if matches!(status.as_u16(), 502..=504) {
            let code = serde_json::from_slice::<Problem>(&body).map(|problem| problem.code);
            let reason = format!("{} {}", status.as_u16(), code.unwrap_or_default());
            return Ok(Tried::Unavailable(Duration::from_secs(wait), reason));
        }
        let subject = request.subject.to_owned();
        let operation = request.operation;
        Ok(Tried::Answered(Answer { operation, subject, status, request_id, body }))
    }
}

enum Tried {
    Answered(Answer),
    /// The request may be retried after that time.
    Unavailable(Duration, String),
}

impl Answer {
    /// The body, if the status is `expected`.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: u16) -> Result<T, Failure> {
        self.status(expected)?;
        serde_json::from_slice(&self.body).map_err(|error| {
            self.wrong(format!("{expected}, but not as promised: {}", place(&error)))
        })
    }

    /// Nothing but the status, which must be `expected`.
    pub(super) fn status(&self, expected: u16) -> Result<(), Failure> {
        if self.status.as_u16() == expected {
            return Ok(());
        }
        let problem = serde_json::from_slice::<Problem>(&self.body).ok();
        match (self.status.as_u16(), problem) {
            (429, Some(Problem { code, .. }))
                if matches!(code.as_str(), "rate_limited" | "overloaded_user") =>
            {
                Err(Failure::TurnedAway { operation: self.operation, code })
            }
            (status, Some(problem)) => Err(self.wrong(format!(
                "{status} {} ({}) instead of {expected}",
                problem.code, problem.detail
            ))),
            (status, None) => Err(self.wrong(format!("{status} instead of {expected}"))),
        }
    }

    /// The problem document, if the status is `expected` and its code is `code`.
    pub(super) fn problem(&self, expected: u16, code: &str) -> Result<Problem, Failure> {
        let problem: Problem = self.json(expected)?;
        if problem.code == code {
            Ok(problem)
        } else {
            Err(self.wrong(format!("{expected} {} instead of {code}", problem.code)))
        }
    }

    /// A wrong answer: what came, and what should have come.
    pub(super) fn wrong(&self, found: String) -> Failure {
        Failure::Wrong {
            operation: self.operation,
            subject: self.subject.clone(),
            found,
            request_id: self.request_id.clone(),
        }
    }

    /// A wrong answer unless `holds`.
    pub(super) fn check(&self, holds: bool, demand: &str) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(self.wrong(format!("not so: {demand}"))) }
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Where a body is not as promised. serde's own words may quote a value, which may be a secret; only
/// those that name a missing field are passed on.
fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        return text;
    }
    let kind = if error.is_data() { "a field of another type" } else { "no JSON" };
    format!("{kind} at line {} column {}", error.line(), error.column())
}

fn unanswered(operation: &'static str, reason: &str) -> Failure {
    Failure::Unanswered { operation, reason: reason.to_owned() }
}

/// The innermost cause, which says more than "error sending request for url".
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
