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
    /// What a report is under way about, and since when each is tried.
    reporting: BTreeMap<u64, Timestamp>,
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
            reporting: BTreeMap::new(),
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
        } else if self.unrecorded_since(sequence).is_none_or(|since| delivery.since > since) {
            self.news.remove(&sequence);
            self.open(delivery, None);
        }
        self.choose_next();
    }

    /// Since when a delivery is tried that is not on record as it is.
    fn unrecorded_since(&self, sequence: u64) -> Option<Timestamp> {
        let news = self.news.get(&sequence).map(|news| news.since);
        news.or_else(|| self.reporting.get(&sequence).copied())
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
        let deliveries: Vec<Delivery> =
            std::mem::replace(&mut self.news, rest).into_values().collect();
        self.reporting = deliveries.iter().map(|one| (one.sequence, one.since)).collect();
        // What was read and is not in this report is on no record at all: the place stays before it.
        let unrecorded = self.news.range(self.recorded + 1..).next();
        let position = unrecorded.map_or(self.position, |(sequence, _)| sequence - 1);
        Report { position: (position > self.recorded).then_some(position), deliveries }
    }

    /// A report is recorded, or may not be; then it is to be made again.
    pub(super) fn reported(&mut self, report: Report, recorded: bool) {
        self.reporting.clear();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Middle;

    impl EntropySource for Middle {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(127);
        }
    }

    const START: Timestamp = Timestamp::from_millis(1_000 * DAY_MS);
    const TAKEN: Result<u16, NotPosted> = Ok(200);
    const REFUSED: Result<u16, NotPosted> = Err(NotPosted::Refused { status: 503, after: None });

    fn endpoint(users: &[&str]) -> Endpoint {
        let mut endpoint = Endpoint::new(0, 8);
        for (sequence, user) in (1..).zip(users) {
            let user = (!user.is_empty()).then(|| (*user).to_owned());
            endpoint.take(sequence, "mfa.factor.enrolled".to_owned(), user, START);
        }
        endpoint
    }

    /// All that may be posted at `now`, each as posting begins.
    fn begin(endpoint: &mut Endpoint, now: Timestamp) -> Vec<u64> {
        let mut begun = Vec::new();
        while let Some(sequence) = endpoint.due(now) {
            endpoint.away(sequence);
            begun.push(sequence);
        }
        begun
    }

    fn places(report: &Report) -> Vec<u64> {
        report.deliveries.iter().map(|delivery| delivery.sequence).collect()
    }

    #[test]
    fn of_each_user_one_event_at_a_time_and_of_nobody_any() {
        let mut endpoint = endpoint(&["bob", "bob", "ann", "", "", "ann"]);
        assert_eq!(begin(&mut endpoint, START), [1, 3, 4, 5]);
        endpoint.tried(1, &TAKEN, START, &Middle);
        assert_eq!(begin(&mut endpoint, START), [2]);
        endpoint.tried(3, &REFUSED, START, &Middle);
        let soon = START.plus_millis(60_000);
        assert!(begin(&mut endpoint, START).is_empty(), "6 waits for 3");
        assert_eq!(endpoint.next_due(), None, "one at a time while it fails, and three are away");
        for sequence in [2, 4, 5] {
            endpoint.tried(sequence, &TAKEN, START, &Middle);
        }
        assert!(begin(&mut endpoint, START).is_empty());
        assert_eq!(begin(&mut endpoint, soon), [3]);
        endpoint.tried(3, &TAKEN, soon, &Middle);
        assert_eq!(begin(&mut endpoint, soon), [6]);
    }

    #[test]
    fn one_that_died_or_was_lost_keeps_nobody_waiting() {
        let mut endpoint = endpoint(&["bob", "bob", "bob"]);
        endpoint.away(1);
        let gone = Err(NotPosted::Refused { status: 410, after: None });
        assert_eq!(endpoint.tried(1, &gone, START, &Middle), Some(Tried::Dead));
        assert_eq!(begin(&mut endpoint, START), [2]);
        endpoint.lost(2);
        assert_eq!(begin(&mut endpoint, START), [3]);
        let report = endpoint.report(64);
        assert_eq!(report.deliveries[1].last_error.as_deref(), Some("event_removed"));
        assert!(endpoint.delivers_nothing(START));
    }

    #[test]
    fn one_that_was_not_posted_after_all_is_due_again() {
        let mut endpoint = endpoint(&["bob"]);
        assert_eq!(begin(&mut endpoint, START), [1]);
        endpoint.back(1);
        endpoint.back(1);
        assert_eq!(begin(&mut endpoint, START), [1]);
    }

    #[test]
    fn a_report_covers_no_place_whose_record_is_not_in_it() {
        let mut endpoint = endpoint(&["a", "b", "c", "d", "e"]);
        endpoint.pass(9);
        let first = endpoint.report(2);
        assert_eq!((places(&first), first.position), (vec![1, 2], Some(2)));
        endpoint.reported(first, true);
        // A change of what is on record, and then what is not on record yet.
        endpoint.tried(1, &TAKEN, START, &Middle);
        let second = endpoint.report(2);
        assert_eq!((places(&second), second.position), (vec![1, 3], Some(3)));
        endpoint.reported(second.clone(), false);
        let again = endpoint.report(2);
        assert_eq!(again, second, "it may not be recorded");
        endpoint.reported(again, true);
        let last = endpoint.report(64);
        assert_eq!((places(&last), last.position), (vec![4, 5], Some(9)));
        endpoint.reported(last, true);
        assert_eq!((endpoint.news(), endpoint.passed()), (0, None));
    }

    #[test]
    fn a_report_that_failed_does_not_undo_what_happened_since() {
        let mut endpoint = endpoint(&["bob"]);
        let report = endpoint.report(64);
        endpoint.tried(1, &TAKEN, START, &Middle);
        endpoint.reported(report, false);
        let again = endpoint.report(64);
        assert_eq!(again.deliveries[0].state, DeliveryState::Delivered);
    }

    #[test]
    fn what_is_asked_for_again_has_had_its_turn() {
        let mut endpoint = Endpoint::new(5, 8);
        let old = Delivery {
            sequence: 3,
            event_type: "mfa.factor.enrolled".to_owned(),
            state: DeliveryState::Pending,
            attempts: 0,
            since: START,
            last_attempt_at: None,
            next_attempt_at: Some(START),
            last_status: None,
            last_error: None,
        };
        endpoint.recall_again(old.clone());
        endpoint.recall_again(old.clone());
        endpoint.take(6, "mfa.factor.enrolled".to_owned(), Some("bob".to_owned()), START);
        assert_eq!(begin(&mut endpoint, START), [3, 6]);
        endpoint.tried(3, &TAKEN, START, &Middle);
        // On record it still waits, since that it was delivered is on its way there.
        endpoint.recall_again(old.clone());
        assert!(begin(&mut endpoint, START).is_empty());
        let report = endpoint.report(64);
        endpoint.recall_again(old.clone());
        assert!(begin(&mut endpoint, START).is_empty());
        endpoint.reported(report, true);
        let later = START.plus_millis(1);
        endpoint.recall_again(Delivery { since: later, next_attempt_at: Some(later), ..old });
        assert_eq!(begin(&mut endpoint, later), [3], "asked for once more");
    }

    #[test]
    fn an_endpoint_is_useless_once_it_took_nothing_for_a_day() {
        let mut endpoint = endpoint(&["a", "b"]);
        assert!(endpoint.delivers_nothing(START));
        endpoint.tried(1, &TAKEN, START, &Middle);
        let day = Duration::from_secs(24 * 3_600).as_millis() as i64;
        assert!(!endpoint.delivers_nothing(START.plus_millis(day - 1)));
        assert!(endpoint.delivers_nothing(START.plus_millis(day)));
    }
}
