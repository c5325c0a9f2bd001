//! A node's wall clock: simulated time, many times as fast, and as wrong as the seed wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign_actors::ports::Clock;
use countersign_core::time::Timestamp;

/// Wall-clock milliseconds in one of the network's: half a minute, a time step, passes in 1.5 s.
pub(crate) const SPEED: i64 = 20;
/// When every run begins.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// The clock. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct SkewedClock {
    offset_ms: Arc<AtomicI64>,
}

impl SkewedClock {
    /// Sets how far it is ahead (or behind, if negative) from here on.
    pub(crate) fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap();
        let offset_ms = self.offset_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(BEGIN_MS + elapsed_ms * SPEED + offset_ms)
    }
}
