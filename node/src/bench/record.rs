//! What was measured: a histogram for each kind of operation, and counts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::args::Scenario;
use super::failure::Failure;
use super::operation::{Done, Kind};

/// The longest time that a histogram tells apart, microseconds.
const LONGEST_US: u64 = 600_000_000;
/// Wrong answers that are kept to be shown; the first ends the run, others may be on their way.
const WRONG_MAX: usize = 10;

/// Everything that the workers saw while measuring.
pub(super) struct Record {
    histograms: BTreeMap<Kind, Histogram<u64>>,
    /// Operations without a result, by what they met.
    pub(super) errors: BTreeMap<String, u64>,
    /// Wrong answers, from the warm-up too.
    pub(super) wrong: Vec<String>,
    /// Challenges that were created without being measured.
    pub(super) challenges_unmeasured: u64,
    /// When the last measured operation ended.
    pub(super) last_end: Option<Instant>,
    /// What the last error said.
    pub(super) last_error: Option<String>,
}

impl Record {
    /// Nothing yet.
    pub(super) fn new() -> anyhow::Result<Self> {
        let histograms = Kind::ALL
            .into_iter()
            .map(|kind| Ok((kind, Histogram::new_with_bounds(1, LONGEST_US, 3)?)))
            .collect::<Result<_, hdrhistogram::CreationError>>()
            .context("the histograms")?;
        Ok(Self {
            histograms,
            errors: BTreeMap::new(),
            wrong: Vec::new(),
            challenges_unmeasured: 0,
            last_end: None,
            last_error: None,
        })
    }

    /// Takes in a measured success that had begun `late` after it was due.
    pub(super) fn done(&mut self, done: &Done, late: Duration, end: Instant) {
        self.count(done.kind, done.took + late);
        for (kind, took) in done.parts.iter().flatten() {
            self.count(*kind, *took);
        }
        self.challenges_unmeasured += u64::from(done.challenge_unmeasured);
        self.last_end = self.last_end.max(Some(end));
    }

    /// Takes in a failure. An error is counted if it was `measured`; a wrong answer always.
    pub(super) fn failed(&mut self, failure: &Failure, measured: bool) {
        match failure.label() {
            None if self.wrong.len() < WRONG_MAX => self.wrong.push(failure.to_string()),
            None => {}
            Some(_) if !measured => {}
            Some(label) => {
                *self.errors.entry(label.to_owned()).or_default() += 1;
                self.last_error = Some(failure.to_string());
            }
        }
    }

    fn count(&mut self, kind: Kind, took: Duration) {
        if let Some(histogram) = self.histograms.get_mut(&kind) {
            histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US));
        }
    }

    /// Every kind that occurred.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (Kind, &Histogram<u64>)> {
        self.histograms
            .iter()
            .map(|(kind, histogram)| (*kind, histogram))
            .filter(|(_, h)| !h.is_empty())
    }

    /// Operations that are the scenario's own, not parts of others.
    pub(super) fn completed(&self, scenario: Scenario) -> u64 {
        self.kinds().filter(|(kind, _)| kind.stands_alone(scenario)).map(|(_, h)| h.len()).sum()
    }
}
