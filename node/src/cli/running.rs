//! From a started node to the end of the process: the first signal ends it in order, the second
//! at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;
use crate::node::Node;

/// The signals that end a node.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Listens for signals from here on. Called before a node is started, so that one that comes
/// meanwhile is not lost.
pub(super) fn signals() -> Result<Signals, Error> {
    let listen = |kind| signal(kind).map_err(|error| Error::Service(error.to_string()));
    Ok(Signals {
        terminate: listen(SignalKind::terminate())?,
        interrupt: listen(SignalKind::interrupt())?,
    })
}

/// Waits for a signal, then ends the node.
///
/// # Errors
/// If the node was taken out of its cluster meanwhile, or its disk is an older copy of itself.
pub(super) async fn until_stopped(node: Node, mut signals: Signals) -> Result<(), Error> {
    let mut ended = Ok(());
    tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "ending in order; a second signal ends at once");
        }
        error = node.expelled() => ended = Err(error),
    }
    tell_service_manager(sd_notify::NotifyState::Stopping);
    tokio::select! {
        () = Box::pin(node.stop()) => tracing::info!("ended in order"),
        signal = signals.next() => {
            // Everything that was answered is on disk: ending here is a crash that was asked for.
            tracing::warn!(signal, "ended at once");
            std::process::exit(i32::from(crate::error::EXIT_FAILED));
        }
    }
    ended
}

/// Tells systemd, if it started this process and wants to know (`Type=notify`).
pub(super) fn tell_service_manager(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
