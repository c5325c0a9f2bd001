//! From a started node to the end of the process: the first SIGTERM or SIGINT ends it in order, the
//! second at once. SIGHUP has files read again, and ends only what a person tries out in a terminal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;
use crate::node::Node;

/// The signals that a node listens to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.hangup.recv() => HANGUP,
        }
    }

    /// The next that ends a node.
    async fn next_end(&mut self) -> &'static str {
        loop {
            let signal = self.next().await;
            if signal != HANGUP {
                return signal;
            }
        }
    }
}

const HANGUP: &str = "SIGHUP";

/// Listens for signals from here on. Called before a node is started, so that one that comes
/// meanwhile is not lost.
pub(super) fn signals() -> Result<Signals, Error> {
    let listen = |kind| signal(kind).map_err(|error| Error::Service(error.to_string()));
    Ok(Signals {
        terminate: listen(SignalKind::terminate())?,
        interrupt: listen(SignalKind::interrupt())?,
        hangup: listen(SignalKind::hangup())?,
    })
}

/// Waits for a signal that ends a node, then ends it. With SIGHUP `reload` is called, and the node
/// reads its files again; without it SIGHUP is the end of the terminal, and so of the node.
///
/// # Errors
/// If the node was taken out of its cluster meanwhile, or its disk is an older copy of itself.
pub(super) async fn until_stopped(
    node: Node,
    mut signals: Signals,
    reload: Option<&(dyn Fn() + Sync)>,
) -> Result<(), Error> {
    let mut ended = Ok(());
    loop {
        tokio::select! {
            signal = signals.next() => {
                if let Some(reload) = reload.filter(|_| signal == HANGUP) {
                    reload();
                    node.reload().await;
                    continue;
                }
                tracing::info!(signal, "ending in order; a second signal ends at once");
            }
            error = node.expelled() => ended = Err(error),
        }
        break;
    }
    tell_service_manager(sd_notify::NotifyState::Stopping);
    tokio::select! {
        () = Box::pin(node.stop()) => tracing::info!("ended in order"),
        signal = signals.next_end() => {
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
