//! Connections to one address: plain HTTP/1.1, kept open, each used by one request at a time.
//!
//! Written on hyper's connections and not on a client library, because the load shares its machine
//! with what it measures: what a request costs here is missing there. It also tells apart what such
//! libraries fold together: a request that was certainly not received, and one that may have been.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_millis(500);
/// For how long an address that could not be reached is passed over while others can be asked.
const DOWN: Duration = Duration::from_millis(250);

/// One address of the API and the open connections to it.
pub(super) struct Address {
    base: String,
    /// What is dialled, `host:port`.
    endpoint: String,
    host: HeaderValue,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    born: Instant,
    /// Milliseconds after `born` until which it counts as down.
    down_until_ms: AtomicU64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was not sent: nothing happened.
    Refused(String),
    /// The connection broke after it was sent: it may have happened.
    Cut(String),
}

impl Address {
    /// The address `base`, `http://host` or `http://host:port`, without a connection yet.
    pub(super) fn new(base: &str) -> anyhow::Result<Self> {
        let authority = base.strip_prefix("http://").unwrap_or(base);
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        let host = HeaderValue::try_from(authority)
            .map_err(|_| anyhow::anyhow!("{base} cannot stand in a header"))?;
        Ok(Self {
            base: base.to_owned(),
            endpoint: if has_port { authority.to_owned() } else { format!("{authority}:80") },
            host,
            idle: Mutex::default(),
            born: Instant::now(),
            down_until_ms: AtomicU64::new(0),
        })
    }

    /// As it was given.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether nothing is known against asking it.
    pub(super) fn seems_up(&self) -> bool {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        now_ms >= self.down_until_ms.load(Ordering::Relaxed)
    }

    /// Passes it over for a moment.
    pub(super) fn mark_down(&self) {
        let until = self.born.elapsed() + DOWN;
        let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.down_until_ms.store(until_ms, Ordering::Relaxed);
    }

    /// Sends a request whose URI is a path, and reads the whole answer.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Fault> {
        request.headers_mut().insert(HOST, self.host.clone());
        // An idle connection may have been closed meanwhile; then the request was not sent on it.
        while let Some(mut connection) = self.take_idle() {
            if connection.ready().await.is_err() {
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => return self.read(response, connection).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Fault::Cut(innermost(error.error()))),
                },
            }
        }
        let mut connection = self.open().await?;
        match connection.try_send_request(request).await {
            Ok(response) => self.read(response, connection).await,
            Err(mut error) => {
                let unsent = error.take_message().is_some();
                let reason = innermost(error.error());
                Err(if unsent { Fault::Refused(reason) } else { Fault::Cut(reason) })
            }
        }
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        connection: SendRequest<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Fault> {
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| Fault::Cut(innermost(&error)))?;
        if !connection.is_closed() {
            self.idle().push(connection);
        }
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, Fault> {
        let refused = |error: &dyn std::error::Error| Fault::Refused(innermost(error));
        let stream = timeout(CONNECT, TcpStream::connect(&self.endpoint))
            .await
            .map_err(|_| Fault::Refused("no connection in time".to_owned()))?
            .map_err(|error| refused(&error))?;
        stream.set_nodelay(true).map_err(|error| refused(&error))?;
        let (send, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| refused(&error))?;
        // Ends with its connection; an error reaches whoever waits for an answer.
        tokio::spawn(connection);
        Ok(send)
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle().pop()
    }

    // A panic elsewhere leaves the list whole.
    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Full<Bytes>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The innermost cause, which says more than "connection error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
