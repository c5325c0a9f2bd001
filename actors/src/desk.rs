//! What an actor has at hand while it decides: its shard's replica, the ports, the gates.

use std::sync::Arc;

use countersign_core::context::Context;
use countersign_core::entropy::Entropy;
use countersign_core::ids::{KeyId, TenantId};
use countersign_core::message::{Channel, Channels};
use countersign_core::system::FEATURE_OUTBOX;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::gate::Gates;
use crate::gateway::GatewayError;
use crate::options::Options;
use crate::ports::{EntropySource, Replica, ReplicaError};
use crate::service::Ports;

/// One a shard, shared by its actors.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) options: Options,
    pub(crate) ports: Ports,
    pub(crate) replica: Arc<dyn Replica>,
    pub(crate) gates: Arc<Gates>,
}

impl Desk {
    /// The time of a decision: the clock's, but never earlier than the shard's own, so that a slow
    /// clock on a new leader reopens nothing.
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now().max(self.replica.last_now())
    }

    /// Returns once this node has confirmed that it leads and has applied all that was committed
    /// before. A node that cannot confirm it may be deposed; since nothing was proposed, whoever
    /// leads instead may be asked.
    pub(crate) async fn confirm_leadership(&self, deadline: Instant) -> Result<(), GatewayError> {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::skips_barrier() {
            return Ok(());
        }
        let elsewhere = |leader| Err(GatewayError::NotLeading { leader });
        match timeout_at(deadline, self.replica.barrier()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ReplicaError::NotLeader { leader, .. })) => elsewhere(leader),
            Ok(Err(ReplicaError::Unavailable { .. })) => elsewhere(None),
            Ok(Err(error @ ReplicaError::Store { .. })) => Err(error.into()),
            Err(_) => Err(GatewayError::Unavailable("leadership was not confirmed".into())),
        }
    }

    /// The tenant. One that this node has not heard of yet may have been made a moment ago on
    /// another, so the asker is told to come again.
    pub(crate) fn tenant(&self, id: &TenantId) -> Result<Arc<TenantState>, GatewayError> {
        let tenant = self.ports.directory.tenant(id);
        tenant.ok_or_else(|| GatewayError::Unavailable(format!("tenant {id} is not known here")))
    }

    /// Which channels can be used: a provider is configured here, and every node of the cluster
    /// understands what is written for a message.
    pub(crate) fn channels(&self) -> Channels {
        let carrier = self.ports.carrier.as_ref();
        let understood = self.ports.directory.system().feature_level() >= FEATURE_OUTBOX;
        let can = |channel| understood && carrier.carries(channel);
        Channels { sms: can(Channel::Sms), email: can(Channel::Email) }
    }

    /// The `kid` of the key that signs tokens now.
    pub(crate) fn signing_key(&self) -> Result<String, GatewayError> {
        let system = self.ports.directory.system();
        let key = system.signing_key().map(|key| key.kid.clone());
        key.ok_or_else(|| GatewayError::Unavailable("no signing key is known here".into()))
    }

    /// Real time, as far as this node knows it.
    pub(crate) fn clock(&self) -> Timestamp {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::takes_shard_time() {
            return self.now();
        }
        self.ports.clock.now()
    }

    /// Runs `f` with the context of a decision at `now`.
    pub(crate) fn with_context<T>(
        &self,
        now: Timestamp,
        actor: Option<KeyId>,
        f: impl FnOnce(&mut Context<'_>) -> T,
    ) -> T {
        let mut entropy = Tap(self.ports.entropy.as_ref());
        f(&mut Context {
            now,
            clock: self.clock(),
            entropy: &mut entropy,
            vault: self.ports.vault.as_ref(),
            actor,
            feature_level: self.ports.directory.system().feature_level(),
        })
    }
}

/// The node's randomness, as a decision takes it.
struct Tap<'a>(&'a dyn EntropySource);

impl Entropy for Tap<'_> {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }
}
