//! Which endpoints there are, and what each of them has had: read from the directory every few
//! seconds, and from the records when an endpoint is seen for the first time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::system::FEATURE_OUTBOX;
use countersign_core::time::Timestamp;
use countersign_core::webhook::{Delivery, DeliveryState, TRIED_FOR_MS, Webhook};
use tokio::time::Instant;

use super::endpoint::{Endpoint, Report};
use super::posting::find;
use crate::desk::Desk;
use crate::gateway::AuditRow;
use crate::ports::{Outbox, ReplicaError};

/// Names an endpoint.
pub(super) type Key = (TenantId, WebhookId);

/// How often it is looked for records of endpoints that are gone.
const CLEAN_EVERY: Duration = Duration::from_secs(60);
/// For how long an endpoint must have been gone: this node may be the one that has not heard yet.
const GONE_FOR: Duration = Duration::from_secs(600);
/// Records and rows that are read at once.
const PAGE: usize = 64;
/// Pages of new rows that are read of one endpoint before it is another's turn.
const PAGES: usize = 4;
/// Deliveries in one report at most.
const REPORTED_MAX: usize = 64;
/// How long news wait for others.
const LINGER: Duration = Duration::from_millis(100);
/// How far the place runs ahead of the record at most, in rows and in time.
const PASSED_MAX: usize = 1_000;
const PASSED_FOR: Duration = Duration::from_secs(60);

/// The endpoints.
pub(super) struct Roll<'a> {
    desk: &'a Desk,
    outbox: &'a dyn Outbox,
    places: BTreeMap<Key, Place>,
    /// Since when endpoints with records are gone.
    gone: HashMap<Key, Instant>,
    next_cleaning: Instant,
}

/// An endpoint on the roll.
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    /// It was disabled.
    resting: bool,
    /// It has taken no new events, since too many wait.
    held_up: bool,
    reporting: bool,
    /// Since when there is something to report.
    news_since: Option<Instant>,
    passed_since: Option<Instant>,
    /// No report before: the log did not answer.
    not_before: Option<Instant>,
}

impl<'a> Roll<'a> {
    pub(super) fn new(desk: &'a Desk, outbox: &'a dyn Outbox) -> Self {
        Self {
            desk,
            outbox,
            places: BTreeMap::new(),
            gone: HashMap::new(),
            next_cleaning: Instant::now(),
        }
    }

    pub(super) fn place(&mut self, key: &Key) -> Option<&mut Place> {
        self.places.get_mut(key)
    }

    /// Whether nobody is to be told anything.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Reads the directory. Returns the endpoints that are gone for so long that what is on record of
    /// them may go too.
    pub(super) async fn refresh(&mut self) -> Result<Vec<Key>, ReplicaError> {
        let directory = self.desk.ports.directory.as_ref();
        if directory.system().feature_level() < FEATURE_OUTBOX {
            // Not every node would understand what is recorded.
            self.places.clear();
            return Ok(Vec::new());
        }
        let mut known = BTreeSet::new();
        for tenant in directory.tenants() {
            for webhook in &tenant.webhooks {
                let key = (tenant.id.clone(), webhook.id);
                match self.places.get_mut(&key) {
                    Some(place) => {
                        let woken = place.resting && webhook.disabled.is_none();
                        place.resting = webhook.disabled.is_some();
                        place.held_up |= woken;
                    }
                    None if webhook.disabled.is_none() => {
                        let place = self.load(&key, webhook).await?;
                        self.places.insert(key.clone(), place);
                    }
                    None => {}
                }
                known.insert(key);
            }
        }
        let before = self.places.len();
        self.places.retain(|key, _| known.contains(key));
        self.clean(&known, self.places.len() < before)
    }

    fn clean(&mut self, known: &BTreeSet<Key>, at_once: bool) -> Result<Vec<Key>, ReplicaError> {
        let now = Instant::now();
        if !at_once && now < self.next_cleaning {
            return Ok(Vec::new());
        }
        self.next_cleaning = now + CLEAN_EVERY;
        let recorded = self.outbox.webhooks()?;
        let unknown: BTreeSet<Key> =
            recorded.into_iter().filter(|key| !known.contains(key)).collect();
        self.gone.retain(|key, _| unknown.contains(key));
        for key in unknown {
            self.gone.entry(key).or_insert(now);
        }
        let over = self.gone.iter().filter(|(_, since)| now.duration_since(**since) >= GONE_FOR);
        Ok(over.map(|(key, _)| key.clone()).collect())
    }

    async fn load(&self, key: &Key, webhook: &Webhook) -> Result<Place, ReplicaError> {
        let position = match self.outbox.webhook_position(&key.0, key.1)? {
            Some(position) => position,
            None => self.outbox.events_before(&key.0, webhook.created_at)?,
        };
        let mut endpoint = Endpoint::new(position, self.desk.options.postings_per_webhook);
        let mut after = None;
        while let Some(records) = self.records(key, &mut after).await? {
            for delivery in records {
                let user = match delivery.state {
                    DeliveryState::Pending => self.user(key, delivery.sequence)?,
                    DeliveryState::Delivered | DeliveryState::Dead => None,
                };
                endpoint.recall(delivery, user);
            }
        }
        Ok(Place {
            endpoint,
            resting: false,
            held_up: true,
            reporting: false,
            news_since: None,
            passed_since: None,
            not_before: None,
        })
    }

    /// Some records of an endpoint after a place; `None` at the end.
    async fn records(
        &self,
        key: &Key,
        after: &mut Option<u64>,
    ) -> Result<Option<Vec<Delivery>>, ReplicaError> {
        let records = self.outbox.deliveries(&key.0, key.1, *after, PAGE)?;
        let Some(last) = records.last() else { return Ok(None) };
        *after = Some(last.sequence);
        tokio::task::yield_now().await;
        Ok(Some(records))
    }

    fn user(&self, key: &Key, sequence: u64) -> Result<Option<String>, ReplicaError> {
        Ok(self.outbox.event(&key.0, sequence)?.and_then(|event| event.pseudonym))
    }

    /// Looks for deliveries that were asked for again.
    pub(super) async fn recall_again(&mut self) -> Result<(), ReplicaError> {
        let keys: Vec<Key> = self.places.keys().cloned().collect();
        for key in keys {
            let mut after = None;
            while let Some(records) = self.records(&key, &mut after).await? {
                let Some(place) = self.places.get_mut(&key) else { break };
                for delivery in records {
                    if delivery.state == DeliveryState::Pending {
                        place.endpoint.recall_again(delivery);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads on in the chain, for every endpoint that has room. Whether there is more to read.
    pub(super) async fn read_on(&mut self) -> Result<bool, ReplicaError> {
        let (desk, outbox) = (self.desk, self.outbox);
        let mut more = false;
        for (key, place) in self.places.iter_mut().filter(|(_, place)| !place.resting) {
            let Some(tenant) = desk.ports.directory.tenant(&key.0) else { continue };
            let Some(webhook) = find(&tenant, key.1) else { continue };
            more |= place.read_on(desk, outbox, &key.0, webhook)?;
            tokio::task::yield_now().await;
        }
        Ok(more)
    }

    /// Whether an endpoint that had no room has some again.
    pub(super) fn has_room_again(&mut self) -> bool {
        let mut again = false;
        for place in self.places.values_mut().filter(|place| place.held_up && !place.resting) {
            if !place.endpoint.is_full() {
                place.held_up = false;
                again = true;
            }
        }
        again
    }

    /// The endpoint after a given one of which an event is due, of the tenants that have room.
    pub(super) fn due(
        &self,
        after: Option<&Key>,
        has_room: impl Fn(&TenantId) -> bool,
    ) -> Option<(Key, u64)> {
        let now = self.desk.now();
        let turns = self.places.iter().filter(|(key, _)| after.is_none_or(|after| *key > after));
        turns.chain(&self.places).find_map(|(key, place)| {
            let due = place.endpoint.due(now).filter(|_| !place.resting && has_room(&key.0));
            due.map(|sequence| (key.clone(), sequence))
        })
    }

    /// Reports that are to be made, `most` of them.
    pub(super) fn reports(&mut self, most: usize, at_once: bool) -> Vec<(Key, Report)> {
        let now = Instant::now();
        let is_due = |place: &Place| {
            let due = place.report_due();
            due.is_some_and(|due| due <= now || (at_once && place.is_willing()))
        };
        let due = self.places.iter_mut().filter(|(_, place)| is_due(place)).take(most);
        due.map(|(key, place)| {
            place.reporting = true;
            (key.clone(), place.endpoint.report(REPORTED_MAX))
        })
        .collect()
    }

    /// Whether anything is known that is not recorded.
    pub(super) fn has_news(&self) -> bool {
        self.places.values().any(|place| place.reporting || place.endpoint.news() > 0)
    }

    /// When there is something to do, if nothing happens before.
    pub(super) fn wake(
        &self,
        may_post: impl Fn(&TenantId) -> bool,
        may_report: bool,
    ) -> Option<Instant> {
        let (now, today) = (Instant::now(), self.desk.now());
        let at = |due: Timestamp| {
            now + Duration::from_millis(u64::try_from(due.millis_since(today)).unwrap_or(0))
        };
        let wakes = self.places.iter().flat_map(|(key, place)| {
            let due = place.endpoint.next_due().filter(|_| !place.resting && may_post(&key.0));
            [due.map(at), place.report_due().filter(|_| may_report)]
        });
        wakes.flatten().min()
    }
}

impl Place {
    fn read_on(
        &mut self,
        desk: &Desk,
        outbox: &dyn Outbox,
        tenant: &TenantId,
        webhook: &Webhook,
    ) -> Result<bool, ReplicaError> {
        let oldest = desk.now().plus_millis(-TRIED_FOR_MS);
        for _ in 0..PAGES {
            let rows = outbox.events(tenant, self.endpoint.position(), PAGE)?;
            let read = rows.len();
            for row in rows {
                if self.endpoint.is_full() {
                    self.held_up = true;
                    self.note_news();
                    return Ok(false);
                }
                match row.at >= oldest && gets(webhook, &row) {
                    true => {
                        self.endpoint.take(row.sequence, row.event_type, row.pseudonym, desk.now())
                    }
                    false => self.endpoint.pass(row.sequence),
                }
            }
            if read < PAGE {
                self.note_news();
                return Ok(false);
            }
        }
        self.note_news();
        Ok(true)
    }

    /// Something of the endpoint may have to be reported.
    pub(super) fn note_news(&mut self) {
        let now = Instant::now();
        match self.endpoint.news() {
            0 => self.news_since = None,
            _ => self.news_since = self.news_since.or(Some(now)),
        }
        match self.endpoint.passed() {
            None => self.passed_since = None,
            Some(_) => self.passed_since = self.passed_since.or(Some(now)),
        }
    }

    /// Nothing is posted to it until the directory says otherwise.
    pub(super) const fn rest(&mut self) {
        self.resting = true;
    }

    /// A report is recorded, or may not be; then not again before a time.
    pub(super) fn reported(&mut self, report: Report, not_before: Option<Instant>) {
        self.endpoint.reported(report, not_before.is_none());
        self.reporting = false;
        self.not_before = not_before;
        self.news_since = None;
        self.passed_since = None;
        self.note_news();
    }

    const fn is_willing(&self) -> bool {
        self.not_before.is_none() && self.news_since.is_some()
    }

    fn report_due(&self) -> Option<Instant> {
        if self.reporting {
            return None;
        }
        let full = self.endpoint.news() >= REPORTED_MAX;
        let news = self.news_since.map(|since| if full { since } else { since + LINGER });
        let far = self.endpoint.passed().is_some_and(|passed| passed >= PASSED_MAX);
        let passed = self.passed_since.map(|since| if far { since } else { since + PASSED_FOR });
        let due = [news, passed].into_iter().flatten().min()?;
        Some(self.not_before.map_or(due, |not_before| due.max(not_before)))
    }
}

/// Whether an endpoint gets a row: never one that tells of the endpoint itself, so that an endpoint
/// that fails does not make its own work.
fn gets(webhook: &Webhook, row: &AuditRow) -> bool {
    let about = || row.details.get("webhookId").is_some_and(|id| *id == webhook.id.to_string());
    webhook.wants(&row.event_type) && !(row.event_type.starts_with("mfa.webhook.") && about())
}
