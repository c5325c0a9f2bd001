//! Points in time, as the log keeps them.
//!
//! The core never reads a clock: every `Timestamp` here was stamped by the leader that made a
//! decision and was carried by the log. Formatting as RFC 3339 is the API's affair.

use serde::{Deserialize, Serialize};

/// Milliseconds in a second, minute, hour and day.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A point in time: milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch; zero for anything before it.
    pub fn unix_seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(SECOND_MS)).unwrap_or(0)
    }

    /// This point moved by `millis`, held at the ends of the range.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to here; negative if `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from here until `later`, rounded up and at least 1: the unit of `Retry-After`
    /// (RFC 9110 section 10.2.3).
    pub fn seconds_until(self, later: Self) -> u64 {
        let millis = later.0.saturating_sub(self.0).max(1);
        u64::try_from(millis).unwrap_or(1).div_ceil(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_time_is_rounded_up_and_never_zero() {
        let now = Timestamp::from_millis(10_000);
        assert_eq!(now.seconds_until(Timestamp::from_millis(10_001)), 1);
        assert_eq!(now.seconds_until(Timestamp::from_millis(11_001)), 2);
        assert_eq!(now.seconds_until(Timestamp::from_millis(9_000)), 1);
    }
}
