//! What every provider is surrounded with: how long one message may take, how many may be under way,
//! a breaker, and numbers. So a provider that hangs costs a bounded time and bounded memory, and
//! nobody else anything.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::carrier::{Carried, NotCarried, Parcel};
use futures::future::BoxFuture;
use metrics::{counter, gauge, histogram};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::breaker::Breaker;
use super::refusal::{BUSY, Refusal, TIMEOUT};
use super::render::Rendered;

/// How long it may take until there is a connection.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a message may take, the connection included.
const WHOLE: Duration = Duration::from_secs(10);
/// How long a message waits for its turn. Together with [`WHOLE`] less than the courier's patience.
const TURN: Duration = Duration::from_secs(4);
/// How many messages may be under way to one provider: mail servers allow few connections of one
/// client, and a node has few processors.
const AT_ONCE: usize = 16;

/// Somebody who carries messages of one channel.
pub(super) trait Provider: Send + Sync + 'static {
    /// The word for it in metrics and log lines.
    fn name(&self) -> &'static str;

    /// Sends one message. May take for ever, and may be dropped at any time.
    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>>;
}

/// A provider within its bounds.
pub(super) struct Guarded {
    provider: Box<dyn Provider>,
    breaker: Arc<Breaker>,
    turns: Semaphore,
}

impl Guarded {
    pub(super) fn new(provider: Box<dyn Provider>) -> Self {
        gauge!("countersign_provider_open", "provider" => provider.name()).set(0.0);
        Self { provider, breaker: Breaker::new(), turns: Semaphore::new(AT_ONCE) }
    }

    pub(super) async fn carry(&self, parcel: &Parcel) -> Result<Carried, NotCarried> {
        let turn = timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            self.count("busy");
            return Err(Refusal::later(BUSY).not);
        };
        let pass = self.breaker.admit().map_err(|reopens_in| NotCarried::Closed { reopens_in })?;
        let words = match Rendered::of(parcel) {
            Ok(words) => words,
            Err(refusal) => return Err(refusal.not),
        };
        let begun = Instant::now();
        let outcome = timeout(WHOLE, self.provider.send(parcel, &words))
            .await
            .unwrap_or_else(|_| Err(Refusal::fault(TIMEOUT)));
        let name = self.provider.name();
        histogram!("countersign_provider_seconds", "provider" => name)
            .record(begun.elapsed().as_secs_f64());
        self.count(match &outcome {
            Ok(_) => "taken",
            Err(Refusal { fault: true, .. }) => "failed",
            Err(Refusal { not: NotCarried::Never { .. }, .. }) => "refused",
            Err(_) => "later",
        });
        let fault = outcome.as_ref().err().filter(|refusal| refusal.fault);
        let (failed, was_closed) = (fault.is_some(), self.breaker.is_closed());
        pass.used(failed);
        if let Some(refusal) = fault.filter(|_| was_closed && !self.breaker.is_closed()) {
            tracing::warn!(provider = name, reason = %refusal.not, "a provider fails; it is left alone for a while");
        }
        if !was_closed && self.breaker.is_closed() {
            tracing::info!(provider = name, "a provider works again");
        }
        let open = if self.breaker.is_closed() { 0.0 } else { 1.0 };
        gauge!("countersign_provider_open", "provider" => name).set(open);
        outcome.map_err(|refusal| refusal.not)
    }

    fn count(&self, outcome: &'static str) {
        let name = self.provider.name();
        counter!("countersign_provider_requests_total", "provider" => name, "outcome" => outcome)
            .increment(1);
    }
}

#[cfg(test)]
mod tests;
