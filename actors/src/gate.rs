//! The bounded gate before slow computing: as many hashes at once as there are cores, a short
//! queue before them, and a refusal beyond it. Argon2 takes tens of milliseconds and 19 MiB, so
//! it must never run on an async thread, and never without a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::decision::{Work, Worked};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::gateway::GatewayError;
use crate::metrics;

/// The gate. One a node.
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

impl Gate {
    /// A gate with `permits` places (at least 1) and room for `queue` to wait.
    pub(crate) fn new(permits: usize, queue: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(permits.max(1))),
            waiting: AtomicUsize::new(0),
            queue,
        }
    }

    /// Does `work` on a thread of its own once it is its turn.
    pub(crate) async fn run(&self, work: Work, deadline: Instant) -> Result<Worked, GatewayError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _place = Place::take(self)?;
                timeout_at(deadline, Arc::clone(&self.permits).acquire_owned())
                    .await
                    .map_err(|_| GatewayError::Unavailable("waiting for the hashing gate".into()))?
                    .map_err(|_| GatewayError::Internal("the hashing gate is closed".into()))?
            }
        };
        // The permit goes along: an asker that is dropped frees its place only when the hash ends.
        let task = tokio::task::spawn_blocking(move || {
            let worked = work.run();
            drop(permit);
            worked
        });
        task.await.map_err(|_| GatewayError::Internal("a hash computation failed".into()))
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a Gate);

impl<'a> Place<'a> {
    fn take(gate: &'a Gate) -> Result<Self, GatewayError> {
        let taken = gate.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting < gate.queue).then_some(waiting + 1)
        });
        if taken.is_err() {
            metrics::overloaded("gate");
            return Err(GatewayError::Overloaded);
        }
        metrics::gate_changed(1.0);
        Ok(Self(gate))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        metrics::gate_changed(-1.0);
    }
}
