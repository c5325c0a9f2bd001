//! What became of messages, on its way into the log: in batches, one after the other, and again for
//! as long as it is not known to have arrived. Settling twice is settling once.

use std::time::Duration;

use countersign_core::message::Channel;
use countersign_core::outbox::{MessageOutcome, OutboxKey, Settlement};
use countersign_core::proposal::{Applied, LogCommand};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::attempt::EXPIRED;
use crate::backoff::Patience;
use crate::desk::Desk;
use crate::metrics;

/// Outcomes in one entry of the log at most.
pub(super) const BATCH: usize = 64;
/// How long an outcome waits for others.
const LINGER: Duration = Duration::from_millis(20);
/// Outcomes of messages that were not tried that may wait; each that was tried has its place anyway.
const WAITING_MAX: usize = 4 * BATCH;

/// What became of a message.
pub(super) struct Ending {
    pub(super) key: OutboxKey,
    pub(super) channel: Channel,
    pub(super) outcome: MessageOutcome,
    pub(super) attempts: u32,
    /// From its making to here.
    pub(super) took: Duration,
}

/// The outcomes of one courier that are not recorded yet.
pub(super) struct Recorder<'a> {
    desk: &'a Desk,
    waiting: Vec<Ending>,
    /// When what waits is proposed.
    due: Option<Instant>,
    under_way: Option<(Vec<Ending>, BoxFuture<'a, bool>)>,
    patience: Patience,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(desk: &'a Desk) -> Self {
        Self {
            desk,
            waiting: Vec::new(),
            due: None,
            under_way: None,
            patience: Patience::default(),
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none()
    }

    /// Whether there is room for outcomes of messages that were not tried.
    pub(super) const fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX
    }

    pub(super) fn note(&mut self, ending: Ending) {
        self.waiting.push(ending);
        self.due.get_or_insert_with(|| Instant::now() + LINGER);
    }

    /// When there is something to propose; `None` while something is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.under_way.is_none())
    }

    /// Proposes what is due, or all that waits if there is no time left to wait for more.
    pub(super) fn propose(&mut self, at_once: bool) {
        let now = Instant::now();
        // While the log does not answer, nothing comes before its time.
        let early = (at_once || self.waiting.len() >= BATCH) && !self.patience.is_tried();
        let due = self.due().is_some_and(|due| early || due <= now);
        if !due || self.waiting.is_empty() {
            return;
        }
        let batch: Vec<Ending> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        self.due = (!self.waiting.is_empty()).then_some(now);
        let outcomes =
            batch.iter().map(|one| (one.key, one.outcome.clone(), one.attempts)).collect();
        let settlement = Settlement { now: self.desk.now(), outcomes };
        self.under_way = Some((batch, settle(self.desk, settlement).boxed()));
    }

    /// Waits for what is under way; the messages that are settled now. Never returns while nothing is
    /// under way.
    pub(super) async fn settled(&mut self) -> Vec<Ending> {
        let Some((_, proposed)) = &mut self.under_way else { return std::future::pending().await };
        let recorded = proposed.await;
        let batch = self.under_way.take().map_or_else(Vec::new, |(batch, _)| batch);
        if recorded {
            self.patience.restored();
            return batch;
        }
        // It may have been recorded or not: once more, before all else.
        self.waiting.splice(..0, batch);
        self.due = Some(Instant::now() + self.patience.pause(self.desk.ports.entropy.as_ref()));
        Vec::new()
    }
}

/// Whether the outcomes are known to be in the log and applied.
async fn settle(desk: &Desk, settlement: Settlement) -> bool {
    #[cfg(feature = "sabotage")]
    crate::sabotage::before_record();
    let command = LogCommand::Settle(Box::new(settlement));
    match timeout(desk.options.propose_timeout, desk.replica.propose(command)).await {
        Ok(Ok(Applied::Noted)) => true,
        Ok(Ok(other)) => {
            tracing::error!(?other, "the log answered outcomes of messages with something else");
            false
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "outcomes of messages are not recorded yet");
            false
        }
        Err(_) => {
            tracing::warn!("the log did not confirm outcomes of messages in time");
            false
        }
    }
}

/// Tells of a message whose outcome is in the log: once, however often it was proposed.
pub(super) fn tell(ending: &Ending) {
    let outcome = match &ending.outcome {
        MessageOutcome::Sent { .. } => "sent",
        MessageOutcome::Failed { reason } if reason == EXPIRED => "expired",
        MessageOutcome::Failed { .. } => "failed",
        MessageOutcome::Superseded => "superseded",
    };
    metrics::message_settled(ending.channel, outcome);
    let (delivery, channel) = (ending.key.delivery, ending.channel.as_str());
    match &ending.outcome {
        MessageOutcome::Sent { .. } => {
            metrics::message_sent(ending.channel, ending.took);
            tracing::debug!(%delivery, channel, attempts = ending.attempts, "sent");
        }
        MessageOutcome::Failed { reason } => {
            tracing::warn!(%delivery, channel, attempts = ending.attempts, reason, "not sent");
        }
        MessageOutcome::Superseded => tracing::debug!(%delivery, channel, "not needed any more"),
    }
}
