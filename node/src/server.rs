//! The HTTP server around the API: binding with a clear word if it cannot, bounded in what strangers
//! can hold of it, and ending well.
//!
//! Connections are counted, so that a flood of them takes no file descriptor from the store, and
//! one that sends no request is closed. When told to stop, the server accepts no more, lets
//! requests in flight finish and closes idle connections; what is not done by the deadline is cut
//! off.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use crate::error::Error;

/// How long a connection may be without a whole request head: while one is being sent, and between
/// two. Longer than the 60 seconds after which common load balancers let go, so that it is they
/// who close a connection and never the server under a request that is on its way.
const HEAD: Duration = Duration::from_secs(75);
/// The most connections, whatever the system would allow.
const CONNECTIONS_MAX: u64 = 16_384;
/// The fewest.
const CONNECTIONS_MIN: u64 = 64;
/// File descriptors that are not for connections: tables, logs, the runtime.
const RESERVED: u64 = 768;

/// An API that is being served.
pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Takes an address, so that whoever else uses it is found before anything is started.
///
/// # Errors
/// If it is taken, or cannot be listened on.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Error::AddressInUse { address },
        _ => Error::Listen { address, reason: error.to_string() },
    })
}

/// What strangers can hold of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Connections at once. More wait in the kernel's queue.
    pub(crate) connections: usize,
    /// How long a connection may be without a whole request head.
    pub(crate) head: Duration,
}

impl Bounds {
    /// The bounds of a process that may have so many open files.
    pub(crate) fn within(open_files: u64) -> Self {
        let spare = open_files.saturating_sub(RESERVED).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
        Self { connections: usize::try_from(spare).unwrap_or(usize::MAX), head: HEAD }
    }
}

impl Server {
    /// Serves `router` on a listener.
    ///
    /// # Errors
    /// If the listener does not know its address.
    pub(crate) fn start(
        listener: TcpListener,
        router: Router,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(|error| Error::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            reason: error.to_string(),
        })?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, router, bounds, stopped));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, waits for requests in flight, at most until `deadline` from now.
    pub(crate) async fn stop(self, deadline: Duration) {
        let _ = self.stop.send(true);
        let mut task = self.task;
        if tokio::time::timeout(deadline, &mut task).await.is_err() {
            tracing::warn!(?deadline, "requests were still running at the deadline; cut off");
            task.abort();
        }
    }
}

/// Accepts until told to stop, then waits for what is under way. Dropping it cuts everything off.
async fn serve(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        let accepted = async {
            // The place comes first: without one a connection waits in the kernel's queue.
            let place = Arc::clone(&places).acquire_owned().await;
            (Listener::accept(&mut listener).await, place)
        };
        let ((stream, peer), place) = tokio::select! {
            accepted = accepted => accepted,
            // An error means that the server was dropped without a word: stop as well.
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let connection = converse(stream, peer, router.clone(), bounds.head, graceful.watcher());
        tasks.spawn(async move {
            connection.await;
            drop(place);
        });
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Serves one connection to its end.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head: Duration,
    watcher: Watcher,
) {
    // An answer is one small write; waiting for more (Nagle) would add the peer's delayed
    // acknowledgement to it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        // The peer went away or spoke nonsense: its affair, and too frequent to be told.
        tracing::debug!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn server(connections: usize, head: Duration) -> Server {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        let router = Router::new().route("/", get(peer));
        Server::start(listener, router, Bounds { connections, head }).unwrap()
    }

    async fn answer(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn handlers_know_the_peer() {
        let server = server(8, HEAD).await;
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let own = stream.local_addr().unwrap().to_string();
        assert!(answer(&mut stream).await.ends_with(&own));
        server.stop(Duration::from_secs(5)).await;
    }

    #[tokio::test]
    async fn a_connection_beyond_the_bound_waits_for_one_to_end() {
        let server = server(1, HEAD).await;
        let mut first = TcpStream::connect(server.address()).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut begun = [0; 12];
        first.read_exact(&mut begun).await.unwrap();
        let mut second = TcpStream::connect(server.address()).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        let early = second.read_to_string(&mut text);
        assert!(tokio::time::timeout(Duration::from_millis(200), early).await.is_err());
        drop(first);
        second.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        server.stop(Duration::from_secs(5)).await;
    }

    #[tokio::test]
    async fn a_connection_that_sends_no_request_is_closed() {
        let server = server(8, Duration::from_millis(50)).await;
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut text = String::new();
        // Ends when the server closes it.
        stream.read_to_string(&mut text).await.unwrap();
        assert!(!text.starts_with("HTTP/1.1 200"), "{text}");
        server.stop(Duration::from_secs(5)).await;
    }

    #[test]
    fn the_store_keeps_its_file_descriptors() {
        assert_eq!(Bounds::within(1_024).connections, 256);
        assert_eq!(Bounds::within(256).connections, 64);
        assert_eq!(Bounds::within(1 << 20).connections, 16_384);
    }
}
