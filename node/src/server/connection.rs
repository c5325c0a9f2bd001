//! One connection from its first byte to its end.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Response, Version, header};
use countersign_api::KeySeen;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt;

use super::addresses::Counted;
use super::progress::{Activity, Answering, Patience, Verdict, Watched};

/// What is kept of a request head, and of an answer beyond the body that it shares.
const BUFFER: usize = 32 * 1024;
/// What the kernel keeps of answers that are not taken yet. It doubles this.
const KERNEL_BUFFER: usize = 64 * 1024;
/// How long the kernel tries to get rid of what nobody takes, after the process has forgotten it.
const KERNEL_PATIENCE: Duration = Duration::from_secs(30);
/// Requests at once over one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Bytes of bodies that may be on their way at once over one HTTP/2 connection, and of one request:
/// as many as a body may have.
const WINDOW: u32 = 256 * 1024;
/// See [`WINDOW`].
const STREAM_WINDOW: u32 = 64 * 1024;
/// How long an HTTP/2 connection that is let go may take to hear of it.
const GOAWAY_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) router: Router,
    pub(super) patience: Patience,
    /// That it counts for its address, until a valid key came over it.
    pub(super) counted: Option<Counted>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Connection {
    /// Serves it to its end.
    pub(super) async fn serve(self, stream: TcpStream) {
        let Self { peer, router, patience, counted, mut stopped } = self;
        settle(&stream);
        let activity = Activity::new(patience, Instant::now());
        let key_seen = KeySeen::default();
        let counted = Arc::new(Mutex::new(counted));
        let service = {
            let activity = activity.clone();
            service_fn(move |request: Request<Incoming>| {
                let deciding = activity.asked(request.version() == Version::HTTP_2);
                let mut request = request.map(Body::new);
                name_host(&mut request);
                request.extensions_mut().insert(ConnectInfo(peer));
                request.extensions_mut().insert(key_seen.clone());
                let (router, key_seen) = (router.clone(), key_seen.clone());
                let counted = Arc::clone(&counted);
                async move {
                    let response: Result<Response<Body>, std::convert::Infallible> =
                        router.oneshot(request).await;
                    if key_seen.seen() {
                        counted.lock().unwrap_or_else(PoisonError::into_inner).take();
                    }
                    let answering = |body| -> Answering<Body> { deciding.answering(body) };
                    response.map(|response| response.map(answering))
                }
            })
        };
        let builder = builder();
        let io = TokioIo::new(Watched::new(stream, activity.clone()));
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut told = pin!(stopped.wait_for(|stopped| *stopped));
        let mut leaving = false;
        let mut due = Instant::now() + patience.head;
        let mut look = pin!(tokio::time::sleep_until(due));
        let mut farewell = None;
        let ended = poll_fn(|context| {
            // An error means that the server was dropped without a word: stop as well.
            if !leaving && told.as_mut().poll(context).is_ready() {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(Ok(ended));
            }
            loop {
                let now = Instant::now();
                let next = match activity.judge(now) {
                    Ok(next) => next,
                    // A client of HTTP/2 is told which requests were not looked at.
                    Err(Verdict::Idle) if farewell.is_none_or(|until| now < until) => {
                        let until = *farewell.get_or_insert_with(|| {
                            tell(Verdict::Idle);
                            connection.as_mut().graceful_shutdown();
                            now + GOAWAY_TIMEOUT
                        });
                        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                            return Poll::Ready(Ok(ended));
                        }
                        until
                    }
                    Err(verdict) => return Poll::Ready(Err(verdict)),
                };
                // Only ever earlier; what was moved to later is found out when it is due.
                if next < due || look.is_elapsed() {
                    due = next;
                    look.as_mut().reset(due);
                }
                if look.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        });
        match ended.await {
            // The client went away or sent invalid HTTP: too common for more than a debug line.
            Ok(Err(error)) => tracing::debug!(%error, "a connection ended"),
            Ok(Ok(())) => {}
            Err(verdict) => {
                if verdict != Verdict::Idle {
                    tell(verdict);
                }
                if verdict == Verdict::Stalled {
                    activity.abort();
                }
            }
        }
    }
}

fn tell(verdict: Verdict) {
    let reason = verdict.as_str();
    metrics::counter!("countersign_connections_closed_total", "reason" => reason).increment(1);
    tracing::debug!(reason, "a connection is closed");
}

/// HTTP/2 names the host beside the path; whoever reads requests looks for the header (RFC 9113 section
/// 8.3.1).
fn name_host(request: &mut Request) {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if let Some(host) = authority.and_then(|text| HeaderValue::from_str(&text).ok()) {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
}

/// Asks the kernel for what the bounds need. Nothing of it is needed for right answers.
pub(super) fn settle(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    // An answer is one small write; waiting for more (Nagle) would add the peer's delayed
    // acknowledgement to it.
    let set = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_send_buffer_size(KERNEL_BUFFER))
        .and_then(|()| socket.set_tcp_user_timeout(Some(KERNEL_PATIENCE)));
    if let Err(error) = set {
        tracing::debug!(%error, "socket options could not be set");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(BUFFER)
        // How long a head may take is judged by what goes on over the connection.
        .header_read_timeout(None)
        .timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(16 * 1024)
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .max_send_buf_size(BUFFER)
        // A stream that is reset right after it was opened costs its work nevertheless.
        .max_pending_accept_reset_streams(STREAMS as usize / 4)
        .max_local_error_reset_streams(STREAMS as usize);
    builder
}
