//! One endpoint, as far as one shard is concerned: which events it has not taken yet, whose turn it
//! is among them, and what of all that is not recorded yet. No clock, no waiting: pure.
//!
//! Events of one user are posted in the order of the chain: the next one waits until the one before
//! is delivered or dead. One that is sent again on request has had its turn and keeps nobody waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use countersign_core::time::{DAY_MS, Timestamp};
use countersign_core::webhook::{Delivery, DeliveryState};

use super::schedule::{self, Tried};
use crate::carrier::NotPosted;
use crate::ports::EntropySource;

/// Undelivered events after which no new ones are taken up.
pub(super) const OPEN_MAX: usize = 100;

/// An endpoint.
pub(super) struct Endpoint {
    /// Up to here the chain was read.
    position: u64,
    /// Up to here that is recorded.
    recorded: u64,
    /// Rows that were read since.
    passed: usize,
    open: BTreeMap<u64, Open>,
    lanes: HashMap<String, BTreeSet<u64>>,
    news: BTreeMap<u64, Delivery>,
    away: usize,
    at_once: usize,
    failing: bool,
    delivered_at: Option<Timestamp>,
    next: Option<(Timestamp, u64)>,
}

/// An event that was not delivered yet.
struct Open {
    delivery: Delivery,
    /// The pseudonym of whose event it is, if its order matters.
    lane: Option<String>,
    away: bool,
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) position: Option<u64>,
    pub(super) deliveries: Vec<Delivery>,
}

impl Endpoint {
    /// An endpoint whose events up to `position` are on record; `at_once` of them are posted at once.
    pub(super) fn new(position: u64, at_once: usize) -> Self {
        Self {
            position,
            recorded: position,
            passed: 0,
            open: BTreeMap::new(),
            lanes: HashMap::new(),
            news: BTreeMap::new(),
            away: 0,
            at_once: at_once.max(1),
            failing: false,
            delivered_at: None,
            next: None,
        }
    }

    /// Takes in what is on record of a delivery.
    pub(super) fn recall(&mut self, delivery: Delivery, user: Option<String>) {
        match delivery.state {
            DeliveryState::Pending => self.open(delivery, user),
            DeliveryState::Delivered => {
                self.delivered_at = self.delivered_at.max(delivery.last_attempt_at);
            }
            DeliveryState::Dead => {}
        }
    }

    /// Takes in a delivery that is on record as waiting and was perhaps asked for again.
    pub(super) fn recall_again(&mut self, delivery: Delivery) {
        let sequence = delivery.sequence;
        if let Some(open) = self.open.get_mut(&sequence) {
            if delivery.since > open.delivery.since {
                open.delivery = delivery;
                self.news.remove(&sequence);
            }
        } else if self.news.get(&sequence).is_none_or(|news| delivery.since > news.since) {
            self.news.remove(&sequence);
            self.open(delivery, None);
        }
        self.choose_next();
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Whether no new events are taken up.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= OPEN_MAX
    }

    /// A row of the chain was read that the endpoint does not get.
    pub(super) const fn pass(&mut self, sequence: u64) {
        self.position = sequence;
        self.passed += 1;
    }

    /// A row of the chain was read that the endpoint gets.
    pub(super) fn take(
        &mut self,
        sequence: u64,
        event_type: String,
        user: Option<String>,
        now: Timestamp,
    ) {
        self.pass(sequence);
        let delivery = Delivery {
            sequence,
            event_type,
            state: DeliveryState::Pending,
            attempts: 0,
            since: now,
            last_attempt_at: None,
            next_attempt_at: Some(now),
            last_status: None,
            last_error: None,
        };
        self.news.insert(sequence, delivery.clone());
        self.open(delivery, user);
    }

    fn open(&mut self, delivery: Delivery, lane: Option<String>) {
        let sequence = delivery.sequence;
        if let Some(user) = &lane {
            self.lanes.entry(user.clone()).or_default().insert(sequence);
        }
        self.open.insert(sequence, Open { delivery, lane, away: false });
        self.choose_next();
    }

    /// An event that may be posted at `now`, the one that has been due for longest.
    pub(super) fn due(&self, now: Timestamp) -> Option<u64> {
        self.next.filter(|(due, _)| *due <= now).map(|(_, sequence)| sequence)
    }

    /// When the next event may be posted, as long as nothing comes back before.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.next.map(|(due, _)| due)
    }

    fn choose_next(&mut self) {
        // One that just failed is asked by one posting at a time: it must not fill the shard's hands.
        let at_once = if self.failing { 1 } else { self.at_once };
        let ready = self.open.iter().filter(|(sequence, open)| {
            let first = |user: &String| self.lanes.get(user).and_then(BTreeSet::first);
            !open.away && open.lane.as_ref().is_none_or(|user| first(user) == Some(*sequence))
        });
        let due = |open: &Open| open.delivery.next_attempt_at.unwrap_or(open.delivery.since);
        let next = ready.map(|(sequence, open)| (due(open), *sequence)).min();
        self.next = next.filter(|_| self.away < at_once);
    }

    /// An event is being posted, until [`Self::tried`], [`Self::lost`] or [`Self::back`].
    pub(super) fn away(&mut self, sequence: u64) {
        if let Some(open) = self.open.get_mut(&sequence)
            && !std::mem::replace(&mut open.away, true)
        {
            self.away += 1;
        }
        self.choose_next();
    }

    /// An event was not posted after all.
    pub(super) fn back(&mut self, sequence: u64) {
        if let Some(open) = self.open.get_mut(&sequence)
            && std::mem::replace(&mut open.away, false)
        {
            self.away -= 1;
        }
        self.choose_next();
    }

    /// An event was posted at `now`.
    pub(super) fn tried(
        &mut self,
        sequence: u64,
        answer: &Result<u16, NotPosted>,
        now: Timestamp,
        entropy: &dyn EntropySource,
    ) -> Option<Tried> {
        let open = self.open.get_mut(&sequence)?;
        let tried = schedule::note(&mut open.delivery, answer, now, entropy);
        self.news.insert(sequence, open.delivery.clone());
        self.failing = tried != Tried::Delivered;
        match tried {
            Tried::Delivered => {
                self.delivered_at = self.delivered_at.max(Some(now));
                self.close(sequence);
            }
            Tried::Dead => self.close(sequence),
            Tried::Failed => self.back(sequence),
        }
        Some(tried)
    }

    /// An event is not in the chain any more: there is nothing to post.
    pub(super) fn lost(&mut self, sequence: u64) {
        if let Some(open) = self.open.get_mut(&sequence) {
            open.delivery.state = DeliveryState::Dead;
            open.delivery.next_attempt_at = None;
            open.delivery.last_error = Some("event_removed".to_owned());
            self.news.insert(sequence, open.delivery.clone());
            self.close(sequence);
        }
    }

    fn close(&mut self, sequence: u64) {
        if let Some(open) = self.open.remove(&sequence) {
            self.away -= usize::from(open.away);
            if let Some(user) = open.lane
                && let Some(lane) = self.lanes.get_mut(&user)
            {
                lane.remove(&sequence);
                if lane.is_empty() {
                    self.lanes.remove(&user);
                }
            }
        }
        self.choose_next();
    }

    /// Whether nothing was delivered in the day before `now`.
    pub(super) fn delivers_nothing(&self, now: Timestamp) -> bool {
        self.delivered_at.is_none_or(|at| now.millis_since(at) >= DAY_MS)
    }

    /// Deliveries that are not recorded as they are.
    pub(super) fn news(&self) -> usize {
        self.news.len()
    }

    /// Rows that were read and passed since the position was recorded; `None` if it is recorded.
    pub(super) fn passed(&self) -> Option<usize> {
        (self.position > self.recorded).then_some(self.passed)
    }

    /// What is to be recorded, `most` deliveries of it at most. It counts as on its way until
    /// [`Self::reported`].
    pub(super) fn report(&mut self, most: usize) -> Report {
        let rest = self.news.keys().nth(most).copied();
        let rest = rest.map_or_else(BTreeMap::new, |first| self.news.split_off(&first));
        let deliveries = std::mem::replace(&mut self.news, rest).into_values().collect();
        // What was read and is not in this report is on no record at all: the place stays before it.
        let unrecorded = self.news.range(self.recorded + 1..).next();
        let position = unrecorded.map_or(self.position, |(sequence, _)| sequence - 1);
        Report { position: (position > self.recorded).then_some(position), deliveries }
    }

    /// A report is recorded, or may not be; then it is to be made again.
    pub(super) fn reported(&mut self, report: Report, recorded: bool) {
        if recorded {
            if let Some(position) = report.position {
                self.recorded = self.recorded.max(position);
                self.passed = 0;
            }
            return;
        }
        for delivery in report.deliveries {
            // What has become of it since is newer.
            self.news.entry(delivery.sequence).or_insert(delivery);
        }
    }
}
