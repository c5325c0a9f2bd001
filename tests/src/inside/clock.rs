//! A clock that goes wrong when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use countersign::WallClock;
use countersign_actors::ports::Clock;
use countersign_core::time::Timestamp;

/// The wall clock, and how wrong it is.
#[derive(Debug, Default)]
pub struct SkewedClock {
    skew_ms: AtomicI64,
}

impl SkewedClock {
    /// Is wrong by so many milliseconds from now on; behind if negative.
    pub fn skew(&self, milliseconds: i64) {
        self.skew_ms.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        WallClock.now().plus_millis(self.skew_ms.load(Ordering::SeqCst))
    }
}
