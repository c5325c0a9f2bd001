//! Which fault comes next: chosen by the seed alone.

use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fault::Fault;

/// Clocks are off by at most so many seconds, either way: two that are must agree still.
const SKEW_MAX_SECONDS: i64 = 2;
/// A clock that jumps ahead does so by at least and at most so many seconds.
const JUMP_SECONDS: std::ops::RangeInclusive<i64> = 3_600..=12 * 3_600;

/// One fault, with all that is random about it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What.
    pub fault: Fault,
    /// To which node; the further ones of this order where it concerns several.
    pub order: Vec<usize>,
    /// For how long.
    pub hold: Duration,
    /// How long nothing happens afterwards.
    pub calm: Duration,
    /// Of a clock that is off a little.
    pub skew_seconds: i64,
    /// Of a clock that jumps.
    pub jump_seconds: i64,
    /// Of a full disk: how many bytes are left.
    pub leave: u64,
    /// Whether the node that leads most is meant instead of the first of the order.
    pub leader: bool,
}

/// An endless row of faults.
pub struct Schedule {
    rng: ChaCha8Rng,
    faults: Vec<Fault>,
    /// Those of this round that have not come yet: every fault comes once a round.
    round: Vec<Fault>,
    nodes: usize,
}

impl Schedule {
    /// The schedule of a seed. `faults` must not be empty.
    pub fn new(seed: u64, faults: &[Fault], nodes: usize) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, faults: faults.to_vec(), round: Vec::new(), nodes }
    }
}

impl Iterator for Schedule {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.round.is_empty() {
            self.round = self.faults.clone();
            self.round.shuffle(&mut self.rng);
        }
        let fault = self.round.pop()?;
        let rng = &mut self.rng;
        let mut order: Vec<usize> = (0..self.nodes).collect();
        order.shuffle(rng);
        Some(Step {
            fault,
            order,
            hold: Duration::from_millis(rng.random_range(300..4_000)),
            calm: Duration::from_millis(rng.random_range(500..2_500)),
            skew_seconds: rng.random_range(-SKEW_MAX_SECONDS..=SKEW_MAX_SECONDS),
            jump_seconds: rng.random_range(JUMP_SECONDS),
            leave: [0, 8 << 20, 40 << 20][rng.random_range(0..3)],
            leader: rng.random_bool(0.6),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_again_and_each_kind_comes_in_its_round() {
        let take = |seed| {
            let schedule = Schedule::new(seed, &Fault::ALL, 3);
            schedule.take(Fault::ALL.len()).map(|step| format!("{step:?}")).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        let mut kinds: Vec<Fault> = Schedule::new(3, &Fault::ALL, 3)
            .take(Fault::ALL.len())
            .map(|step| step.fault)
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, Fault::ALL);
    }
}
