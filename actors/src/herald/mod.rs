//! Tells a shard's audit events to the tenants' webhooks, while this node leads the shard.
//!
//! The chain of audit rows is the queue: nothing is put anywhere for an endpoint, the herald reads the
//! chain on from the place that is on record for it. For each event that the endpoint gets a record is
//! kept in the log of how its delivery stands; a record and the place that covers it come in one
//! entry. So every event is posted at least once whatever dies in between, and under one number.
//!
//! - [`roll`]: which endpoints there are, reading on, what is to be recorded when;
//! - [`endpoint`] and [`schedule`]: whose turn it is, when it is tried again, when given up;
//! - [`posting`]: one attempt.
//!
//! Where no tenant has a webhook it looks into the directory every two seconds, and does nothing else.
//! It never logs or counts by a URL, a user or a tenant, and never holds a secret but for one posting.

mod endpoint;
mod posting;
mod roll;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use countersign_core::ids::{DeliveryId, TenantId};
use countersign_core::outbox::HeraldReport;
use countersign_core::proposal::{Applied, LogCommand};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use self::endpoint::Report;
use self::posting::{Posted, post};
use self::roll::{Key, Roll};
use self::schedule::Tried;
use crate::backoff::Patience;
use crate::desk::Desk;
use crate::errand::Stop;
use crate::metrics;
use crate::ports::{Outbox, ReplicaError};

/// How often the directory is read.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long rows wait for others before the chain is read on.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Reading on takes at most one part in so many of the time.
const READING_SHARE: u32 = 50;
/// How often it is looked for what was asked for again.
const AGAIN_EVERY: Duration = Duration::from_secs(1);
/// Reports under way at once.
const REPORTS_MAX: usize = 8;
/// How long it is waited for an endpoint to be disabled.
const STEWARD_PATIENCE: Duration = Duration::from_secs(30);

/// Tells webhooks until it is told to stop.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), ReplicaError> {
    match desk.replica.outbox() {
        Some(outbox) => Herald::new(&desk, outbox, stop).work().await,
        None => Ok(()),
    }
}

struct Herald<'a> {
    desk: &'a Desk,
    outbox: &'a dyn Outbox,
    stop: Stop,
    roll: Roll<'a>,
    posting: FuturesUnordered<BoxFuture<'a, (Key, u64, Posted)>>,
    /// How many of them are of each tenant.
    posting_of: BTreeMap<TenantId, usize>,
    reporting: FuturesUnordered<BoxFuture<'a, (Key, Report, bool)>>,
    /// What is done about whole endpoints, at most one thing each.
    chores: FuturesUnordered<BoxFuture<'a, Key>>,
    about: BTreeSet<Key>,
    /// Whose turn it was last.
    turn: Option<Key>,
    log: Patience,
    patience: Patience,
    /// Nothing is posted before: this node was not sure that it leads.
    unsure_until: Option<Instant>,
    next_look: Instant,
    read_at: Option<Instant>,
    /// The chain is not read on before.
    rested_at: Instant,
    again_at: Option<Instant>,
    /// It is not looked for them before.
    again_rested_at: Instant,
}

impl<'a> Herald<'a> {
    fn new(desk: &'a Desk, outbox: &'a dyn Outbox, stop: Stop) -> Self {
        let now = Instant::now();
        Self {
            desk,
            outbox,
            stop,
            roll: Roll::new(desk, outbox),
            posting: FuturesUnordered::new(),
            posting_of: BTreeMap::new(),
            reporting: FuturesUnordered::new(),
            chores: FuturesUnordered::new(),
            about: BTreeSet::new(),
            turn: None,
            log: Patience::default(),
            patience: Patience::default(),
            unsure_until: None,
            next_look: now,
            read_at: None,
            rested_at: now,
            again_at: None,
            again_rested_at: now,
        }
    }

    async fn work(mut self) -> Result<(), ReplicaError> {
        let mut applied = Watched::new(self.outbox.applied());
        let mut redelivered = Watched::new(self.outbox.redelivered());
        loop {
            let stopping = self.stop.requested();
            if !stopping {
                self.look().await?;
                self.begin();
            }
            self.report(stopping);
            if stopping && self.posting.is_empty() && !self.roll.has_news() {
                return Ok(());
            }
            let listening = !stopping && !self.roll.is_empty();
            let wake = self.wake(stopping);
            tokio::select! {
                Some((key, sequence, posted)) = self.posting.next() => {
                    self.came_back(&key, sequence, posted);
                }
                Some((key, report, recorded)) = self.reporting.next() => {
                    self.reported(&key, report, recorded);
                }
                Some(key) = self.chores.next() => { self.about.remove(&key); }
                () = applied.changed(), if listening && self.read_at.is_none() => {
                    self.read_at = Some((Instant::now() + DEBOUNCE).max(self.rested_at));
                }
                () = redelivered.changed(), if listening && self.again_at.is_none() => {
                    self.again_at = Some((Instant::now() + DEBOUNCE).max(self.again_rested_at));
                }
                () = self.stop.wait(), if !stopping => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Reads what is due to be read: the directory, the records, the chain.
    async fn look(&mut self) -> Result<(), ReplicaError> {
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            for key in self.roll.refresh().await? {
                self.forget(key);
            }
        }
        if self.again_at.is_some_and(|at| at <= now) {
            self.roll.recall_again().await?;
            self.again_at = None;
            // Many that are asked for one after the other are looked for together.
            self.again_rested_at = Instant::now() + AGAIN_EVERY;
        }
        if self.roll.has_room_again() {
            self.read_at = Some(self.read_at.map_or(now, |at| at.min(now)).max(self.rested_at));
        }
        if self.read_at.is_some_and(|at| at <= now) {
            let more = self.roll.read_on().await?;
            let done = Instant::now();
            self.rested_at = done + READING_SHARE * done.duration_since(now);
            self.read_at = more.then_some(done);
        }
        Ok(())
    }

    /// Begins the postings that are due, each endpoint in its turn.
    fn begin(&mut self) {
        if self.unsure_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        while self.posting.len() < self.desk.options.postings_per_shard.max(1) {
            let due = self.roll.due(self.turn.as_ref(), |tenant| self.has_room(tenant));
            let Some((key, sequence)) = due else { return };
            if let Some(place) = self.roll.place(&key) {
                place.endpoint.away(sequence);
            }
            self.turn = Some(key.clone());
            *self.posting_of.entry(key.0.clone()).or_default() += 1;
            let (desk, outbox, stop) = (self.desk, self.outbox, self.stop.clone());
            let posting = async move {
                let posted = post(desk, outbox, (&key.0, key.1), sequence, &stop).await;
                (key, sequence, posted)
            };
            self.posting.push(posting.boxed());
        }
    }

    /// Whether more may be posted to a tenant's endpoints.
    fn has_room(&self, tenant: &TenantId) -> bool {
        let posting = self.posting_of.get(tenant).copied().unwrap_or(0);
        posting < self.desk.options.postings_per_tenant.max(1)
    }

    fn came_back(&mut self, key: &Key, sequence: u64, posted: Posted) {
        if let Some(posting) = self.posting_of.get_mut(&key.0) {
            *posting -= 1;
            if *posting == 0 {
                self.posting_of.remove(&key.0);
            }
        }
        if matches!(posted, Posted::Unsure) {
            // Those that began together fail together; that is one failure.
            let now = Instant::now();
            if self.unsure_until.is_none_or(|until| until <= now) {
                let pause = self.patience.pause(self.desk.ports.entropy.as_ref());
                self.unsure_until = Some(now + pause);
            }
        } else {
            self.patience.restored();
            self.unsure_until = None;
        }
        let now = self.desk.now();
        // One that left the roll meanwhile is gone for good.
        let Some(place) = self.roll.place(key) else { return };
        match posted {
            Posted::Unsure | Posted::Stopped => place.endpoint.back(sequence),
            Posted::Withheld => {
                place.endpoint.back(sequence);
                place.rest();
            }
            Posted::Lost => place.endpoint.lost(sequence),
            Posted::Answered(answer) => {
                let entropy = self.desk.ports.entropy.as_ref();
                let tried = place.endpoint.tried(sequence, &answer, now, entropy);
                let useless = place.endpoint.delivers_nothing(now);
                let delivery = DeliveryId::of_event(key.1, self.desk.replica.shard(), sequence);
                match (tried, &answer) {
                    (Some(Tried::Delivered), _) => metrics::webhook_attempted("delivered"),
                    (Some(Tried::Failed), Err(error)) => {
                        metrics::webhook_attempted("failed");
                        tracing::debug!(webhook = %key.1, %delivery, %error, "not delivered yet");
                    }
                    (Some(Tried::Dead), Err(error)) => {
                        metrics::webhook_attempted("dead");
                        tracing::warn!(webhook = %key.1, %delivery, %error, "not delivered: given up");
                    }
                    _ => {}
                }
                if tried == Some(Tried::Dead) && useless {
                    self.disable(key.clone());
                }
            }
        }
        if let Some(place) = self.roll.place(key) {
            place.note_news();
        }
    }

    /// Has an endpoint disabled that has failed for too long.
    fn disable(&mut self, key: Key) {
        if !self.about.insert(key.clone()) {
            return;
        }
        tracing::warn!(webhook = %key.1, "nothing was delivered for a day: it is to be disabled");
        let steward = self.desk.ports.steward.as_ref();
        let chore = async move {
            let disabled = steward.disable_webhook(key.0.clone(), key.1);
            // Late or lost, it is asked for again with the next failure.
            let _ = timeout(STEWARD_PATIENCE, disabled).await;
            key
        };
        self.chores.push(chore.boxed());
    }

    /// Has the records of an endpoint removed that is gone.
    fn forget(&mut self, key: Key) {
        if !self.about.insert(key.clone()) {
            return;
        }
        let desk = self.desk;
        let chore = async move {
            let (tenant, webhook) = key.clone();
            let command = LogCommand::ForgetWebhook { tenant, webhook };
            // A bounded number goes at once. Whatever comes of it, as long as there are records it is
            // asked for again.
            while recorded(desk, command.clone()).await == Some(Applied::Maintained { more: true })
            {
            }
            key
        };
        self.chores.push(chore.boxed());
    }

    fn report(&mut self, at_once: bool) {
        let most = REPORTS_MAX.saturating_sub(self.reporting.len());
        for (key, report) in self.roll.reports(most, at_once) {
            let desk = self.desk;
            let recording = async move {
                let command = LogCommand::Herald(Box::new(HeraldReport {
                    now: desk.now(),
                    tenant: key.0.clone(),
                    webhook: key.1,
                    position: report.position,
                    deliveries: report.deliveries.clone(),
                }));
                let recorded = recorded(desk, command).await.is_some();
                (key, report, recorded)
            };
            self.reporting.push(recording.boxed());
        }
    }

    fn reported(&mut self, key: &Key, report: Report, recorded: bool) {
        let not_before = if recorded {
            self.log.restored();
            None
        } else {
            Some(Instant::now() + self.log.pause(self.desk.ports.entropy.as_ref()))
        };
        if let Some(place) = self.roll.place(key) {
            place.reported(report, not_before);
        }
    }

    /// When there is something to do, if nothing happens before.
    fn wake(&self, stopping: bool) -> Instant {
        let now = Instant::now();
        let may_report = self.reporting.len() < REPORTS_MAX;
        if stopping {
            // What ends it comes by itself, but for a report that is made again.
            return self.roll.wake(|_| false, may_report).unwrap_or(now + LOOK_EVERY);
        }
        let unsure = self.unsure_until.filter(|until| *until > now);
        let may_post = self.posting.len() < self.desk.options.postings_per_shard.max(1);
        let may_post = |tenant: &TenantId| may_post && unsure.is_none() && self.has_room(tenant);
        let roll = self.roll.wake(may_post, may_report);
        let times = [roll, self.read_at, self.again_at, unsure];
        times.into_iter().flatten().fold(self.next_look, Instant::min)
    }
}

/// Puts a command into the log; `None` if it is not known to be there and applied.
async fn recorded(desk: &Desk, command: LogCommand) -> Option<Applied> {
    match timeout(desk.options.propose_timeout, desk.replica.propose(command)).await {
        Ok(Ok(applied)) => Some(applied),
        Ok(Err(error)) => {
            tracing::debug!(%error, "what is known of deliveries is not recorded yet");
            None
        }
        Err(_) => {
            tracing::warn!("the log did not confirm what is known of deliveries in time");
            None
        }
    }
}

/// A number whose changes are waited for.
struct Watched(Option<watch::Receiver<u64>>);

impl Watched {
    const fn new(receiver: watch::Receiver<u64>) -> Self {
        Self(Some(receiver))
    }

    /// Never returns once there is nobody who could change it.
    async fn changed(&mut self) {
        if let Some(receiver) = &mut self.0 {
            if receiver.changed().await.is_ok() {
                return;
            }
            self.0 = None;
        }
        std::future::pending().await
    }
}
