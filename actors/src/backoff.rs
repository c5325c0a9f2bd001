//! How long to wait before what failed is tried again. Every delay has chance in it, so that what
//! failed together does not come back together.

use std::time::Duration;

use crate::ports::EntropySource;

/// A random part of `most`: full jitter.
pub(crate) fn part_of(most: Duration, entropy: &dyn EntropySource) -> Duration {
    most.mul_f64(fraction(entropy))
}

/// `about`, give or take a fifth.
pub(crate) fn around(about: Duration, entropy: &dyn EntropySource) -> Duration {
    about.mul_f64(0.8 + 0.4 * fraction(entropy))
}

/// `first`, doubled with each failure after the first, at most `most`.
pub(crate) fn doubled(first: Duration, failures: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(most)
}

/// At least 0 and less than 1, in steps that a float has exactly.
fn fraction(entropy: &dyn EntropySource) -> f64 {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// Waits longer with each failure in a row: for the log, when it does not answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    failures: u32,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(200);
    const MOST: Duration = Duration::from_secs(5);

    /// It worked.
    pub(crate) const fn restored(&mut self) {
        self.failures = 0;
    }

    /// Whether it failed the last time.
    pub(crate) const fn is_tried(&self) -> bool {
        self.failures > 0
    }

    /// It failed; how long to wait.
    pub(crate) fn pause(&mut self, entropy: &dyn EntropySource) -> Duration {
        self.failures = self.failures.saturating_add(1);
        around(doubled(Self::FIRST, self.failures, Self::MOST), entropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are all the same.
    struct Constant(u8);

    impl EntropySource for Constant {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_stay_within_their_bounds_whatever_chance_says() {
        for byte in [0, 1, 127, 255] {
            let entropy = Constant(byte);
            assert!(part_of(SECOND, &entropy) <= SECOND);
            let around = around(SECOND, &entropy);
            assert!((SECOND * 4 / 5..=SECOND * 6 / 5).contains(&around), "{around:?}");
        }
        assert_eq!(part_of(SECOND, &Constant(0)), Duration::ZERO);
    }

    #[test]
    fn a_delay_doubles_up_to_its_bound() {
        let delay = |failures| doubled(SECOND, failures, 30 * SECOND).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6, 99].map(delay), [1, 2, 4, 8, 16, 30, 30]);
    }
}
