//! A clock that goes wrong when it is told to.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use countersign::{SystemClock, WallClock};
use countersign_actors::ports::Clock;
use countersign_core::time::Timestamp;

/// The wall clock, and how wrong it is.
#[derive(Debug, Default)]
pub struct SkewedClock {
    skew_ms: AtomicI64,
    suspended_ms: AtomicU64,
}

impl SkewedClock {
    /// Is wrong by so many milliseconds from now on; behind if negative.
    pub fn skew(&self, milliseconds: i64) {
        self.skew_ms.store(milliseconds, Ordering::SeqCst);
    }

    /// The machine was suspended for so long: elapsed time goes on, while the clocks that processes
    /// count short times by stood.
    pub fn suspend(&self, milliseconds: u64) {
        self.suspended_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        WallClock.now().plus_millis(self.skew_ms.load(Ordering::SeqCst))
    }
}

impl SystemClock for SkewedClock {
    fn elapsed(&self) -> Duration {
        let suspended = Duration::from_millis(self.suspended_ms.load(Ordering::SeqCst));
        WallClock.elapsed() + suspended
    }
}
