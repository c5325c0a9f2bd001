//! HTTP as a careful application does it: the addresses in turn, the next one when a node cannot
//! be reached or answers 503, the same idempotency key over all tries of one request, one deadline
//! around them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_core::secret::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, Response, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::answer::{Answer, header};
use super::connections::{Address, Fault};
use super::failure::Failure;
use super::interruptions::{Interruption, Waits};
use super::supply::FLIGHT_MS;
use super::wire::Problem;

/// How long one try may take before the next address is asked.
const TRY: Duration = Duration::from_secs(3);
/// The longest pause after all addresses were tried.
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// The first one.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// Under which a write is sent again.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What all bodies are.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The way to the server. Cheap to share, safe to use from all workers.
pub(super) struct Client {
    addresses: Vec<Address>,
    next_address: AtomicUsize,
    bearer: HeaderValue,
    /// Names this run in user ids and idempotency keys.
    run: String,
    next_key: AtomicU64,
    refused: AtomicU64,
    cut: AtomicU64,
    unavailable: AtomicU64,
    late: AtomicU64,
    waits: Waits,
}

/// Why requests were sent again, each time counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct SentAgain {
    /// Nobody took the connection: the request had not been sent.
    pub(super) refused: u64,
    /// The connection broke while the answer was awaited.
    pub(super) cut: u64,
    /// 502, 503 or 504.
    pub(super) unavailable: u64,
    /// No answer in time.
    pub(super) late: u64,
}

impl SentAgain {
    /// All of them.
    pub(super) const fn total(self) -> u64 {
        self.refused + self.cut + self.unavailable + self.late
    }

    /// What came after `before`.
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            refused: self.refused - before.refused,
            cut: self.cut - before.cut,
            unavailable: self.unavailable - before.unavailable,
            late: self.late - before.late,
        }
    }
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

impl Client {
    /// A client for these addresses, which names its users and requests after `run`.
    pub(super) fn new(bases: &[String], key: &Secret, run: String) -> anyhow::Result<Self> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose_str()))
            .map_err(|_| anyhow::anyhow!("the key cannot stand in a header"))?;
        bearer.set_sensitive(true);
        Ok(Self {
            addresses: bases.iter().map(|base| Address::new(base)).collect::<Result<_, _>>()?,
            next_address: AtomicUsize::new(0),
            bearer,
            run,
            next_key: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            unavailable: AtomicU64::new(0),
            late: AtomicU64::new(0),
            waits: Waits::default(),
        })
    }

    /// The addresses.
    pub(super) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The name of this run.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Tries beyond the first, so far.
    pub(super) fn sent_again(&self) -> SentAgain {
        SentAgain {
            refused: self.refused.load(Ordering::Relaxed),
            cut: self.cut.load(Ordering::Relaxed),
            unavailable: self.unavailable.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
        }
    }

    /// What interrupted the service after `since`.
    pub(super) fn interruptions(&self, since: Instant) -> Vec<Interruption> {
        self.waits.since(since)
    }

    /// Sends a request without a body.
    pub(super) async fn send(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.ask(request, None).await
    }

    /// Sends a request with a JSON body.
    pub(super) async fn send_json(
        &self,
        request: &Request<'_>,
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body)
            .map_err(|error| unanswered(request.operation, &error.to_string()))?;
        self.ask(request, Some(Bytes::from(body))).await
    }

    /// One plain GET to one address, without retries: for what is asked of each node.
    pub(super) async fn get_once(
        &self,
        address: &Address,
        path: &'static str,
    ) -> Result<Response<Bytes>, String> {
        let mut request = http::Request::new(Full::default());
        *request.uri_mut() = Uri::from_static(path);
        match timeout(TRY, address.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(Fault::Refused(reason) | Fault::Cut(reason))) => Err(reason),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    async fn ask(&self, request: &Request<'_>, body: Option<Bytes>) -> Result<Answer, Failure> {
        let started = Instant::now();
        let mut disturbed = false;
        let outcome = self.try_all(request, body, &mut disturbed).await;
        self.waits.note(started, Instant::now(), disturbed, outcome.is_ok());
        outcome
    }

    async fn try_all(
        &self,
        request: &Request<'_>,
        body: Option<Bytes>,
        disturbed: &mut bool,
    ) -> Result<Answer, Failure> {
        let deadline = Instant::now() + Duration::from_millis(FLIGHT_MS.unsigned_abs());
        let mut turn = self.next_address.fetch_add(1, Ordering::Relaxed);
        let prepared = self
            .prepare(request, body)
            .map_err(|error| unanswered(request.operation, &error.to_string()))?;
        let mut pause = PAUSE_MIN;
        let mut tries = 0;
        loop {
            let place = self.place(turn);
            turn = place + 1;
            tries += 1;
            let address = &self.addresses[place];
            let by = deadline.min(Instant::now() + TRY);
            let (count, disturbs, reason) =
                match timeout_at(by, address.send(prepared.clone())).await {
                    Ok(Ok(response)) if !matches!(response.status().as_u16(), 502..=504) => {
                        return Ok(Answer::new(request.operation, request.subject, response));
                    }
                    Ok(Ok(response)) => {
                        let seconds = header(&response, RETRY_AFTER.as_str()).parse().unwrap_or(0);
                        pause = pause.max(Duration::from_secs(seconds));
                        let problem = serde_json::from_slice::<Problem>(response.body());
                        let code = problem.map(|problem| problem.code).unwrap_or_default();
                        (&self.unavailable, true, format!("{} {code}", response.status().as_u16()))
                    }
                    Ok(Err(Fault::Refused(reason))) => {
                        address.mark_down();
                        (&self.refused, false, reason)
                    }
                    Ok(Err(Fault::Cut(reason))) => (&self.cut, true, reason),
                    Err(_) => {
                        address.mark_down();
                        (&self.late, true, "no answer in time".to_owned())
                    }
                };
            *disturbed |= disturbs;
            // As many tries as there are addresses: give them a moment.
            let rest = if tries % self.addresses.len() == 0 {
                pause.min(PAUSE_MAX)
            } else {
                Duration::ZERO
            };
            if Instant::now() + rest >= deadline {
                let reason = format!("{reason}, at {}", address.base());
                return Err(unanswered(request.operation, &reason));
            }
            if !rest.is_zero() {
                sleep(rest).await;
                pause = pause.saturating_mul(2);
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The address whose turn it is, or the next one that seems up.
    fn place(&self, turn: usize) -> usize {
        let count = self.addresses.len();
        (turn..turn + count)
            .map(|turn| turn % count)
            .find(|place| self.addresses[*place].seems_up())
            .unwrap_or(turn % count)
    }

    fn prepare(
        &self,
        request: &Request<'_>,
        body: Option<Bytes>,
    ) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(request.path)
            .header(AUTHORIZATION, self.bearer.clone());
        if request.method != Method::GET {
            let number = self.next_key.fetch_add(1, Ordering::Relaxed);
            builder = builder.header(IDEMPOTENCY_KEY, format!("{}-{number}", self.run));
        }
        if body.is_some() {
            builder = builder.header(CONTENT_TYPE, JSON);
        }
        builder.body(body.map(Full::new).unwrap_or_default())
    }
}

fn unanswered(operation: &'static str, reason: &str) -> Failure {
    Failure::Unanswered { operation, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
