//! The HTTP server around the API: binding with a clear word if it cannot, and ending well. When
//! told to stop it accepts no more connections, lets requests in flight finish, and closes idle
//! connections; what is not done by the deadline is cut off.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::Error;

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

impl Server {
    /// Serves `router` on a listener.
    ///
    /// # Errors
    /// If the listener does not know its address.
    pub(crate) fn start(listener: TcpListener, router: Router) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(|error| Error::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            reason: error.to_string(),
        })?;
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let until = async move {
                // An error means that the server was dropped without a word: stop as well.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            // An answer is one small write; waiting for more (Nagle) would add the peer's delayed
            // acknowledgement to it.
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                }
            });
            let served = axum::serve(listener, service).with_graceful_shutdown(until);
            if let Err(error) = served.await {
                tracing::error!(%error, "the HTTP server ended");
            }
        });
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
