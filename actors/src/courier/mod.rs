//! Carries a shard's messages to people, while this node leads the shard.
//!
//! The rows of the outbox are the queue, and they are written in the commit that made the code; the
//! courier only looks at them, hands messages to the [`crate::carrier::Carrier`] and records what
//! became of each. So a message is sent at least once whatever dies in between, and under one number:
//! - before each attempt this node confirms that it leads and reads row and user again, so what is
//!   recorded as sent is never sent again, and a void or dead code never leaves (see [`attempt`]);
//! - attempts and delays are in memory, within a bound, and are forgotten with the leadership; only
//!   the end goes into the log (see [`record`]);
//! - what finds no room in memory stays in the store (see [`pouch`] and [`rounds`]).
//!
//! It never logs or counts by a destination, a code, a user or a tenant.

mod attempt;
mod pouch;
mod record;
mod rounds;

use std::sync::Arc;
use std::time::Duration;

use countersign_core::message::Channel;
use countersign_core::outbox::{MessageOutcome, OutboxKey, OutboxRow};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use self::attempt::{Attempt, EXPIRED, attempt, end_without_sending};
use self::pouch::{Held, Pouch, Taken};
use self::record::{Ending, Recorder};
use self::rounds::{Rounds, Taker};
use crate::backoff::{Patience, doubled, part_of};
use crate::desk::Desk;
use crate::errand::Stop;
use crate::ports::{Outbox, ReplicaError};

/// How often the whole store is looked at, whatever was heard.
const ROUND: Duration = Duration::from_secs(5);
/// How often those are looked for that died in the store, while any are there that are not held.
const BURIAL: Duration = Duration::from_secs(1);
/// What is drawn from after the first failure.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The most that is drawn from.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// The longest delay that a provider may ask for: far more than any code lives.
const LONGEST_AFTER: Duration = Duration::from_secs(3_600);
/// How long a message waits for which something is missing.
const UNREADY_PAUSE: Duration = Duration::from_secs(5);
/// The longest that a provider is left alone, whatever it said.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The shortest, so that a provider that is about to be asked again is not asked in a circle.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// Carries messages until it is told to stop.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), ReplicaError> {
    match desk.replica.outbox() {
        Some(outbox) => Courier::new(&desk, outbox, stop).work().await,
        None => Ok(()),
    }
}

struct Courier<'a> {
    desk: &'a Desk,
    outbox: &'a dyn Outbox,
    stop: Stop,
    sms: Rounds,
    email: Rounds,
    hands: Hands<'a>,
    sending: FuturesUnordered<BoxFuture<'a, (OutboxKey, Attempt)>>,
    patience: Patience,
    /// Nothing is begun before: this node was not sure that it leads.
    unsure_until: Option<Instant>,
    /// When the whole store is looked at next.
    next_round: Instant,
    /// When those that died in the store are looked for next.
    next_burial: Instant,
}

impl<'a> Courier<'a> {
    fn new(desk: &'a Desk, outbox: &'a dyn Outbox, stop: Stop) -> Self {
        Self {
            desk,
            outbox,
            stop,
            sms: Rounds::default(),
            email: Rounds::default(),
            hands: Hands::new(desk),
            sending: FuturesUnordered::new(),
            patience: Patience::default(),
            unsure_until: None,
            next_round: Instant::now() + ROUND,
            next_burial: Instant::now(),
        }
    }

    async fn work(mut self) -> Result<(), ReplicaError> {
        let mut put = self.outbox.messages_put();
        let (mut news, mut heard) = (true, true);
        loop {
            let stopping = self.stop.requested();
            if !stopping {
                self.look(std::mem::take(&mut news)).await?;
                self.begin();
            }
            self.hands.recorder.propose(stopping);
            if stopping && self.sending.is_empty() && self.hands.recorder.is_idle() {
                return Ok(());
            }
            let wake = self.wake(stopping);
            tokio::select! {
                Some((key, attempt)) = self.sending.next() => self.came_back(key, attempt),
                settled = self.hands.recorder.settled() => self.settled(&settled),
                changed = put.changed(), if heard && !stopping => {
                    // An error says that nothing will be heard any more: only the rounds are left.
                    heard = changed.is_ok();
                    news = true;
                }
                () = self.stop.wait(), if !stopping => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Looks for messages to take: new ones, dead ones, and those that went back to the store.
    async fn look(&mut self, news: bool) -> Result<(), ReplicaError> {
        let now = Instant::now();
        let round = now >= self.next_round;
        if round {
            self.next_round = now + ROUND;
        }
        for (channel, rounds) in [(Channel::Sms, &mut self.sms), (Channel::Email, &mut self.email)]
        {
            if news {
                rounds.put();
            }
            if round {
                rounds.begin_again();
            }
            if self.hands.pouch.takes_new(channel) {
                rounds.look_for_new(channel, self.outbox, &mut self.hands).await?;
            }
            if self.hands.pouch.wants_more(channel) {
                rounds.look_for_left(channel, self.outbox, &mut self.hands).await?;
            }
        }
        self.bury(now)?;
        for channel in self.hands.put_back.drain(..) {
            match channel {
                Channel::Sms => self.sms.left(),
                Channel::Email => self.email.left(),
            }
        }
        Ok(())
    }

    /// Ends messages whose codes have died.
    fn bury(&mut self, now: Instant) -> Result<(), ReplicaError> {
        let today = self.desk.now();
        while let Some(key) = self.hands.pouch.dead(today) {
            match self.outbox.message(&key)? {
                Some(row) => self.hands.end_untried(&row)?,
                None => self.hands.pouch.remove(&key),
            }
        }
        if self.is_behind() && now >= self.next_burial {
            self.next_burial = now + BURIAL;
            rounds::bury_the_dead(today, self.outbox, &mut self.hands)?;
        }
        Ok(())
    }

    fn is_behind(&self) -> bool {
        self.sms.is_behind() || self.email.is_behind()
    }

    /// Begins the attempts that are due.
    fn begin(&mut self) {
        let now = Instant::now();
        if self.unsure_until.is_some_and(|until| now < until) {
            return;
        }
        while let Some(key) = self.hands.pouch.due(now) {
            self.hands.pouch.away(&key);
            let (desk, outbox, stop) = (self.desk, self.outbox, self.stop.clone());
            let attempt = async move { (key, attempt(desk, outbox, key, &stop).await) };
            self.sending.push(attempt.boxed());
        }
    }

    fn came_back(&mut self, key: OutboxKey, attempt: Attempt) {
        let (now, pouch) = (Instant::now(), &mut self.hands.pouch);
        match attempt {
            Attempt::Ended { outcome, asked } => {
                if asked {
                    pouch.tried(&key);
                }
                self.hands.end(&key, outcome);
            }
            Attempt::Again { reason, after } => {
                pouch.tried(&key);
                let attempts = pouch.look_up(&key).map_or(1, |held| held.attempts);
                let entropy = self.desk.ports.entropy.as_ref();
                let delay = part_of(doubled(FIRST_DELAY, attempts, LONGEST_DELAY), entropy);
                let delay = after.map_or(delay, |after| after.clamp(delay, LONGEST_AFTER));
                pouch.back(&key, now + delay);
                tracing::info!(delivery = %key.delivery, attempts, reason, ?delay, "not sent yet");
            }
            Attempt::Closed { reopens_in } => {
                if let Some(held) = pouch.look_up(&key) {
                    pouch
                        .pause(held.channel, now + reopens_in.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
                }
                pouch.back(&key, now);
            }
            Attempt::Settled => pouch.remove(&key),
            Attempt::Stopped => pouch.back(&key, now),
            Attempt::Unready => pouch.back(&key, now + UNREADY_PAUSE),
            Attempt::Unsure => {
                pouch.back(&key, now);
                // Those that began together fail together; that is one failure.
                if self.unsure_until.is_none_or(|until| until <= now) {
                    let pause = self.patience.pause(self.desk.ports.entropy.as_ref());
                    self.unsure_until = Some(now + pause);
                }
                return;
            }
        }
        self.patience.restored();
        self.unsure_until = None;
    }

    fn settled(&mut self, endings: &[Ending]) {
        for ending in endings {
            record::tell(ending);
            self.hands.pouch.remove(&ending.key);
            #[cfg(feature = "sabotage")]
            if let Some(row) = crate::sabotage::forgets_outcome(&ending.key) {
                self.hands.take(&row, true);
            }
        }
    }

    /// When there is something to do, if nothing happens before.
    fn wake(&self, stopping: bool) -> Instant {
        let record = self.hands.recorder.due();
        if stopping {
            return record.unwrap_or(self.next_round);
        }
        let unsure = self.unsure_until;
        let attempt = self.hands.pouch.next_due();
        let attempt = attempt.map(|due| unsure.map_or(due, |until| due.max(until)));
        let dies = self.hands.pouch.dies_first().map(|key| {
            let left = key.expires_at.millis_since(self.desk.now());
            Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        let burial = self.is_behind().then_some(self.next_burial);
        [record, attempt, dies, burial].into_iter().flatten().fold(self.next_round, Instant::min)
    }
}

/// What the courier holds.
struct Hands<'a> {
    desk: &'a Desk,
    pouch: Pouch,
    recorder: Recorder<'a>,
    /// Channels of which a message went back to the store.
    put_back: Vec<Channel>,
}

impl<'a> Hands<'a> {
    fn new(desk: &'a Desk) -> Self {
        let options = &desk.options;
        let pouch = Pouch::new(options.sends_waiting, options.sends_per_shard);
        Self { desk, pouch, recorder: Recorder::new(desk), put_back: Vec::new() }
    }

    /// What became of a message that is held.
    fn end(&mut self, key: &OutboxKey, outcome: MessageOutcome) {
        self.pouch.ended(key);
        let Some(held) = self.pouch.look_up(key) else { return };
        let took = self.desk.now().millis_since(held.issued_at);
        let took = Duration::from_millis(u64::try_from(took).unwrap_or(0));
        let Held { channel, attempts, .. } = held;
        self.recorder.note(Ending { key: *key, channel, outcome, attempts, took });
    }

    /// Ends a message that is held and whose code has died, or was void before.
    fn end_untried(&mut self, row: &OutboxRow) -> Result<(), ReplicaError> {
        let user = self.desk.replica.user(&row.user)?.value;
        let outcome = end_without_sending(row, &user, self.desk.now());
        let expired = || MessageOutcome::Failed { reason: EXPIRED.to_owned() };
        self.end(&row.key(), outcome.unwrap_or_else(expired));
        Ok(())
    }
}

impl Taker for Hands<'_> {
    fn holds(&self, key: &OutboxKey) -> bool {
        self.pouch.holds(key)
    }

    fn take(&mut self, row: &OutboxRow, new: bool) -> bool {
        match self.pouch.take(row, new, Instant::now()) {
            Taken::In => true,
            Taken::Instead => {
                self.put_back.push(row.channel);
                true
            }
            Taken::NoRoom => false,
        }
    }

    fn bury(&mut self, row: &OutboxRow) -> Result<bool, ReplicaError> {
        if !self.recorder.has_room() {
            return Ok(false);
        }
        self.pouch.take_ended(row);
        self.end_untried(row)?;
        Ok(true)
    }
}
