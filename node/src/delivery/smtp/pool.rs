//! Connections between two messages.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::{Instant, timeout};

/// How many wait at most. More are opened while there is more to send.
const IDLE_MAX: usize = 4;
/// How long one waits: less than the patience of mail servers.
const IDLE_FOR: Duration = Duration::from_secs(30);
/// How long a waiting one has to show that it still stands.
const SHOW_WITHIN: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Pool {
    /// One that still stands.
    pub(super) async fn take(&self) -> Option<AsyncSmtpConnection> {
        while let Some(mut connection) = self.latest() {
            if timeout(SHOW_WITHIN, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps one whose conversation came to its end.
    pub(super) fn put(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push((connection, Instant::now()));
        }
    }

    /// The one that waits for the shortest time. Those that waited for too long are closed.
    fn latest(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_FOR);
        idle.pop().map(|(connection, _)| connection)
    }
}
