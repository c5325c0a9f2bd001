//! The wall clock. The only place that reads it: everything else is told the time, so that tests
//! can tell another.

use std::time::SystemTime;

use countersign_actors::ports::Clock;
use countersign_core::time::Timestamp;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is as good as none: the epoch, from where every shard's own last
        // time takes over.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_the_present_and_does_not_stand() {
        let first = WallClock.now();
        // 2025-01-01T00:00:00Z.
        assert!(first.millis() > 1_735_689_600_000);
        while WallClock.now() == first {
            std::hint::spin_loop();
        }
    }
}
