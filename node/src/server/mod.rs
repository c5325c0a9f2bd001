//! The HTTP server around the API: binding with a clear word if it cannot, bounded in what strangers
//! can hold of it, and ending well. It speaks HTTP/1.1, and HTTP/2 to whoever begins with that (RFC
//! 9113 section 3.3).
//!
//! Connections are counted, all together so that a flood of them takes no file descriptor from the
//! store, and by address ([`addresses`]). Buffers are bounded, and whoever sends or reads too slowly is
//! let go ([`progress`]). When told to stop, the server accepts no more, lets requests in flight finish
//! and closes idle connections; what is not done by the deadline is cut off.

mod addresses;
mod connection;
mod progress;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use countersign_api::TrustedProxies;
use countersign_api::problem::Problem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::addresses::Addresses;
pub(crate) use self::progress::Patience;
use crate::error::Error;

/// The most connections, whatever the system would allow.
const CONNECTIONS_MAX: u64 = 16_384;
/// The fewest.
const CONNECTIONS_MIN: u64 = 64;
/// The most connections of one address over which no valid key came.
const ADDRESS_MAX: usize = 512;
/// File descriptors that are not for connections: tables, logs, the runtime.
const RESERVED: u64 = 768;
/// How many connections that are one too many are told so at once; the others are just closed.
const REFUSALS_MAX: usize = 32;
/// For how long.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

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

/// Where a listener listens.
///
/// # Errors
/// If it does not know.
pub(crate) fn local_address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|error| Error::Listen {
        address: SocketAddr::from(([0, 0, 0, 0], 0)),
        reason: error.to_string(),
    })
}

/// What strangers can hold of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Connections at once. More wait in the kernel's queue.
    pub(crate) connections: usize,
    /// Connections at once of one address over which no valid key came. More are refused.
    pub(crate) of_address: usize,
    /// Whose connections are not counted by address.
    pub(crate) trusted: TrustedProxies,
    /// How long things may take.
    pub(crate) patience: Patience,
}

impl Bounds {
    /// The bounds of a process that may have so many open files.
    pub(crate) fn within(open_files: u64, trusted: TrustedProxies) -> Self {
        let spare = open_files.saturating_sub(RESERVED).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
        let connections = usize::try_from(spare).unwrap_or(usize::MAX);
        // A quarter, so that three more addresses find room at the least.
        let of_address = (connections / 4).min(ADDRESS_MAX);
        Self { connections, of_address, trusted, patience: Patience::default() }
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
        let address = local_address(&listener)?;
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
    let told = Arc::new(Semaphore::new(REFUSALS_MAX));
    let addresses = Addresses::new(bounds.of_address, bounds.trusted);
    let stopping = stopped.clone();
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
        match addresses.count(peer.ip()) {
            Ok(counted) => {
                let connection = connection::Connection {
                    peer,
                    router: router.clone(),
                    patience: bounds.patience,
                    counted,
                    stopped: stopping.clone(),
                };
                tasks.spawn(async move {
                    connection.serve(stream).await;
                    drop(place);
                });
            }
            Err(addresses::TooMany) => {
                metrics::counter!("countersign_connections_refused_total").increment(1);
                if let Ok(permit) = Arc::clone(&told).try_acquire_owned() {
                    tasks.spawn(async move {
                        let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                        drop((permit, place));
                    });
                }
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// What a connection that is one too many is told.
static TOO_MANY: LazyLock<String> = LazyLock::new(|| {
    let problem = Problem::too_many_connections();
    let body = serde_json::to_string(&problem.body("req_none")).unwrap_or_default();
    let status = problem.code.status();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         x-request-id: req_none\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
});

/// Sends 429, then waits for the client to read it: closing at once would reset the connection.
async fn refuse(mut stream: TcpStream) {
    let told = async {
        stream.write_all(TOO_MANY.as_bytes()).await?;
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    if let Err(error) = told.await {
        tracing::debug!(%error, "a connection that was one too many ended");
    }
}

#[cfg(test)]
mod tests;
