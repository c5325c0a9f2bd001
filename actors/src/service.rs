//! The actors' front door: what this node leads, and what is asked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::reply::Reply;
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_core::vault::Vault;
use ractor::{Actor, ActorRef};
use tokio::time::Instant;
use tracing::Instrument;

use crate::carrier::{Carrier, Poster, Steward};
use crate::desk::Desk;
use crate::error::ServiceError;
use crate::gate::Gates;
use crate::gateway::{Caller, GatewayError, Question, Target};
use crate::idempotency::Keeping;
use crate::node_supervisor::{LedShards, NodeSupervisor, start_shard};
use crate::options::Options;
use crate::ports::{Clock, Directory, EntropySource, Replica};
use crate::row_actor::Request;
use crate::shard::Shard;

/// What a kept answer is sealed for.
const KEPT_ANSWER: &str = "kept answer";

/// The longest that anybody waits, however long was asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

fn deadline(within: Duration) -> Instant {
    Instant::now() + within.min(LONGEST_WAIT)
}

/// What the actors need of the world, for all shards alike.
#[derive(Clone)]
pub struct Ports {
    /// Tenants and the cluster, as applied.
    pub directory: Arc<dyn Directory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn EntropySource>,
    /// Sealing.
    pub vault: Arc<dyn Vault>,
    /// Carries messages.
    pub carrier: Arc<dyn Carrier>,
    /// Posts events.
    pub poster: Arc<dyn Poster>,
    /// Does what couriers have no right to.
    pub steward: Arc<dyn Steward>,
}

/// A handle on the node's actors; clones are the same service.
///
/// It knows only this node. Who leads a shard, and where to send a question whose shard is led
/// elsewhere, is for the caller to know.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    ports: Ports,
    gates: Arc<Gates>,
    shards: Arc<LedShards>,
    root: ActorRef<()>,
    stopping: AtomicBool,
}

/// A shard that is given up for good, however its retirement ends: one that takes up nothing any
/// more must not stay.
struct Retiring<'a> {
    shards: &'a LedShards,
    led: Arc<Shard>,
}

impl Drop for Retiring<'_> {
    fn drop(&mut self) {
        self.shards.remove_this(&self.led);
    }
}

impl Service {
    /// Starts the tree. It leads nothing yet.
    ///
    /// # Errors
    /// If the root does not start.
    pub async fn start(options: Options, ports: Ports) -> Result<Self, ServiceError> {
        let shards = Arc::new(LedShards::default());
        let (root, _) = NodeSupervisor::spawn(None, NodeSupervisor, Arc::clone(&shards))
            .await
            .map_err(|error| ServiceError::NodeSupervisor(error.to_string()))?;
        let gates = Arc::new(Gates::new(options.gate_permits, options.gate_queue));
        let stopping = AtomicBool::new(false);
        Ok(Self { inner: Arc::new(Inner { options, ports, gates, shards, root, stopping }) })
    }

    /// Takes on a shard that this node leads now. If it was led before, the earlier actors are
    /// dropped first: what they remember is of an earlier term.
    ///
    /// # Errors
    /// If the shard's supervisor does not start, or the service is shutting down.
    pub async fn lead(&self, replica: Arc<dyn Replica>) -> Result<(), ServiceError> {
        let shard = replica.shard();
        self.resign(shard);
        let desk = Desk {
            options: self.inner.options.clone(),
            ports: self.inner.ports.clone(),
            gates: Arc::clone(&self.inner.gates),
            replica,
        };
        let led = start_shard(desk, self.inner.root.get_cell()).await?;
        self.inner.shards.put(led);
        // Checked last, so that a shutdown at the same time finds the shard or is seen here.
        if self.inner.stopping.load(Ordering::SeqCst) {
            self.resign(shard);
            return Err(ServiceError::Stopping { shard });
        }
        tracing::info!(%shard, "leading");
        Ok(())
    }

    /// Gives a shard up in order, before its leadership is handed to another node: what is asked
    /// from now on gets [`GatewayError::NotLeading`], what was asked before is waited for at most
    /// `within`, then the shard is dropped; likewise if whoever retires it stops waiting. Returns
    /// whether everything was answered in time; at once if the shard is not led here.
    pub async fn retire(&self, shard: ShardId, within: Duration) -> bool {
        let Some(led) = self.inner.shards.find(shard) else { return true };
        let retiring = Retiring { shards: &self.inner.shards, led };
        let answered = retiring.led.retired(deadline(within)).await;
        drop(retiring);
        tracing::info!(%shard, answered, "retired");
        answered
    }

    /// Drops a shard that this node ceased to lead: its actors end now, whatever they are at, and
    /// whoever waits for one gets [`GatewayError::Unavailable`] if the outcome is open, else
    /// [`GatewayError::NotLeading`]. Does nothing if it was not led.
    pub fn resign(&self, shard: ShardId) {
        self.inner.shards.remove(shard);
    }

    /// Whether the shard was taken on and not dropped.
    pub fn leads(&self, shard: ShardId) -> bool {
        self.inner.shards.find(shard).is_some()
    }

    /// How many actors a shard has; 0 if it is not led here.
    pub fn actors(&self, shard: ShardId) -> usize {
        self.inner.shards.find(shard).map_or(0, |shard| shard.actors())
    }

    /// Asks about a user of a shard that this node leads, and waits for the answer at most
    /// `within`. What changes the user is committed before this returns; after
    /// [`GatewayError::Unavailable`] and [`GatewayError::Internal`] it may or may not be; after
    /// all else it is certainly not.
    ///
    /// The shard must be the user's: the hash of [`UserKey`] names it, or the hash that
    /// [`Vault::challenge_user`] finds in a challenge's id.
    ///
    /// # Errors
    /// Every [`GatewayError`]; `NotLeading` if this node does not lead the shard or is giving it
    /// away.
    pub async fn ask(
        &self,
        shard: ShardId,
        caller: Caller,
        target: Target,
        question: Question,
        within: Duration,
    ) -> Result<Reply, GatewayError> {
        let span = tracing::info_span!("ask", request_id = %caller.request_id, %shard);
        let asked = async {
            let led = self.led(shard)?;
            let deadline = deadline(within);
            // A question that changes nothing keeps no answer.
            let idempotency = caller.idempotency.filter(|_| matches!(question, Question::Do(_)));
            let asked_by = caller.key;
            let keep = |key: &UserKey, request: Request<Question>| {
                let keeping = idempotency.map(|idempotency| Keeping {
                    key: idempotency.answer_key(&key.tenant, &format!("user:{}", key.user)),
                    request: idempotency.asked_by(asked_by),
                    row: key.seal_context(KEPT_ANSWER),
                });
                Request { keeping, ..request }
            };
            let request = Request { caller, question, keeping: None, deadline };
            led.ask_user(target, keep, request).await
        };
        asked.instrument(span).await
    }

    /// Changes a tenant; shard 0 must be led here. Otherwise like [`Service::ask`].
    ///
    /// # Errors
    /// Every [`GatewayError`]; `NotLeading` if this node does not lead shard 0 or is giving it
    /// away.
    pub async fn change_tenant(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
        within: Duration,
    ) -> Result<TenantReply, GatewayError> {
        let shard = ShardId::SYSTEM;
        let span = tracing::info_span!("change_tenant", request_id = %caller.request_id, %shard);
        let asked = async {
            let led = self.led(shard)?;
            let deadline = deadline(within);
            // Bound to the caller's tenant, as the request was: a root key may change another.
            let keeping = caller.idempotency.map(|idempotency| Keeping {
                key: idempotency.answer_key(&caller.tenant, &format!("tenant:{tenant}")),
                request: idempotency.asked_by(caller.key),
                row: [KEPT_ANSWER, caller.tenant.as_str(), "", tenant.as_str()]
                    .join("\0")
                    .into_bytes(),
            });
            let request = Request { caller, question: command, keeping, deadline };
            led.ask_tenant(tenant, request).await
        };
        asked.instrument(span).await
    }

    /// Refuses what is asked from now on, waits at most `within` for what was asked before, then
    /// drops all shards. Returns whether everything was answered in time.
    pub async fn shutdown(&self, within: Duration) -> bool {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let deadline = deadline(within);
        let led = self.inner.shards.all();
        let retired = futures::future::join_all(led.iter().map(|shard| shard.retired(deadline)));
        let drained = retired.await.into_iter().all(|answered| answered);
        for shard in self.inner.shards.all() {
            self.resign(shard.id());
        }
        // An error says that it has ended already.
        let _ = self.inner.root.stop_and_wait(None, Some(within.max(Duration::from_secs(1)))).await;
        drained
    }

    fn led(&self, shard: ShardId) -> Result<Arc<Shard>, GatewayError> {
        let not_leading = GatewayError::NotLeading { leader: None };
        if self.inner.stopping.load(Ordering::SeqCst) {
            return Err(not_leading);
        }
        self.inner.shards.find(shard).ok_or(not_leading)
    }
}
