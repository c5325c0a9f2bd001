//! The gateway: from the API to whoever can answer, on whichever node.
//!
//! ```text
//! API ── gateway ─┬─ route    to the leader of a user's shard: here or one hop further
//!                 ├─ reading  lists: how far to read, then this node's own rows
//!                 └─ health   what this node knows of the cluster
//! peers ── answer ── here     what this node's own parts do when called
//! ```

mod answer;
mod health;
pub(crate) mod here;
mod reading;
mod redelivery;
pub(crate) mod route;

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{
    AuditFilter, AuditHead, AuditRow, Caller, DeliveryRow, Gateway, GatewayError, HandOver, Health,
    NodeRemoval, Page, PolicyPreview, Question, Target,
};
use countersign_actors::ports::Clock;
use countersign_core::command::Command;
use countersign_core::ids::{DeliveryId, ShardId, TenantId, UserKey, WebhookId};
use countersign_core::reply::{Reply, UserView};
use countersign_core::statistics::{Statistics, Window};
use countersign_core::tenant::{TenantCommand, TenantReply, TenantState};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use self::answer::Answering;
pub(crate) use self::here::Here;
pub(crate) use self::reading::Reading;
pub(crate) use self::route::Route;
use crate::cluster::currency::Currency;
use crate::cluster::elections::Vacancies;
use crate::cluster::liveness::Liveness;
use crate::geoip::GeoIp;
use crate::listing::{LOOKS_FOR, Listing};
use crate::network::{Answer, Call, Changed, ClusterChange, Peers};
use crate::shard_time::ShardTimes;

/// How long a node that was asked to hand over may take.
const HAND_OVER: Duration = Duration::from_secs(8);

/// Answers through any node of the cluster.
pub(crate) struct ClusterGateway {
    /// This node's own parts.
    pub(crate) here: Arc<Here>,
    /// To whoever leads.
    pub(crate) route: Route,
    /// Before lists.
    pub(crate) reading: Reading,
    /// Reads over all shards.
    pub(crate) listing: Listing,
    /// Whether tenants and keys are up to date.
    pub(crate) currency: Currency,
    /// Who is there.
    pub(crate) liveness: Liveness,
    /// Which shards had a leader when.
    pub(crate) vacancies: Vacancies,
    /// The others.
    pub(crate) peers: Peers,
    /// Tells where addresses are.
    pub(crate) geoip: Option<Arc<GeoIp>>,
    /// `clu_…`.
    pub(crate) cluster_id: String,
    /// How long a question may take.
    pub(crate) deadline: Duration,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// How far the shards' times are.
    pub(crate) times: ShardTimes,
    /// Whether the node is ending.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl ClusterGateway {
    fn by(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// The whole deadline, for the call to carry; each sending shortens it.
    fn within_ms(&self) -> u64 {
        millis(self.deadline)
    }

    async fn ask_leader(
        &self,
        caller: Caller,
        target: Target,
        mut question: Question,
    ) -> Result<Reply, GatewayError> {
        if let (Some(geoip), Question::Do(Command::CreateChallenge { context, .. })) =
            (&self.geoip, &mut question)
        {
            geoip.fill(context);
        }
        let shard = self.here.book.shard_of(&caller.tenant, &target);
        let call = Call::Ask { caller, target, question, within_ms: self.within_ms() };
        match self.route.send(shard, call, self.by()).await? {
            Answer::Reply(reply) => reply,
            _ => Err(strange()),
        }
    }

    async fn change_cluster(&self, change: ClusterChange) -> Result<Changed, GatewayError> {
        let call = Call::ChangeCluster { change, within_ms: self.within_ms() };
        match self.route.send(ShardId::SYSTEM, call, self.by()).await? {
            Answer::Changed(changed) => changed,
            _ => Err(strange()),
        }
    }

    async fn every_shard(&self) -> Result<(), GatewayError> {
        self.reading.catch_up(self.here.groups.keys().copied(), self.by()).await
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A peer answered another question than was asked: its version is another.
fn strange() -> GatewayError {
    GatewayError::Internal("a peer's answer does not fit the question".to_owned())
}

impl Gateway for ClusterGateway {
    fn ask(
        &self,
        caller: Caller,
        target: Target,
        question: Question,
    ) -> BoxFuture<'_, Result<Reply, GatewayError>> {
        self.ask_leader(caller, target, question).boxed()
    }

    fn change_tenant(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
    ) -> BoxFuture<'_, Result<TenantReply, GatewayError>> {
        async move {
            let call = Call::ChangeTenant { caller, tenant, command, within_ms: self.within_ms() };
            match self.route.send(ShardId::SYSTEM, call, self.by()).await? {
                Answer::Tenant(reply) => reply,
                _ => Err(strange()),
            }
        }
        .boxed()
    }

    fn users(
        &self,
        tenant: TenantId,
        query: Option<String>,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<UserView>, GatewayError>> {
        async move {
            self.every_shard().await?;
            self.listing.users(tenant, query, cursor, limit).await
        }
        .boxed()
    }

    fn audit(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<AuditRow>, GatewayError>> {
        async move {
            match &filter.user {
                Some(user) => {
                    let key = UserKey::new(tenant.clone(), user.clone());
                    let shard = key.hash().shard(self.here.book.shards());
                    self.reading.catch_up([shard], self.by()).await?;
                }
                None => self.every_shard().await?,
            }
            self.listing.audit(tenant, filter, cursor, limit).await
        }
        .boxed()
    }

    fn audit_heads(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<AuditHead>, GatewayError>> {
        async move {
            self.every_shard().await?;
            self.listing.heads(tenant).await
        }
        .boxed()
    }

    fn current(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        async {
            if self.currency.is_current() {
                return Ok(());
            }
            self.currency.wait(self.by()).await
        }
        .boxed()
    }

    fn webhook_deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<DeliveryRow>, GatewayError>> {
        async move {
            self.every_shard().await?;
            self.listing.deliveries(tenant, webhook, cursor, limit).await
        }
        .boxed()
    }

    fn redeliver(
        &self,
        caller: Caller,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> BoxFuture<'_, Result<bool, GatewayError>> {
        async move {
            let shards = self.here.book.shards();
            let Some((shard, _)) = redelivery::place(webhook, delivery, shards) else {
                return Ok(false);
            };
            let within_ms = self.within_ms();
            let call = Call::Redeliver { tenant: caller.tenant, webhook, delivery, within_ms };
            match self.route.send(shard, call, self.by()).await? {
                Answer::Redelivered(found) => found,
                _ => Err(strange()),
            }
        }
        .boxed()
    }

    fn statistics(
        &self,
        tenant: TenantId,
        window: Window,
    ) -> BoxFuture<'_, Result<Statistics, GatewayError>> {
        async move {
            self.every_shard().await?;
            Ok(self.here.store.activity(&tenant, window, self.clock.now()))
        }
        .boxed()
    }

    fn preview(
        &self,
        current: Arc<TenantState>,
        next: TenantState,
    ) -> BoxFuture<'_, Result<PolicyPreview, GatewayError>> {
        async move {
            self.every_shard().await?;
            self.listing.preview(current, next, self.clock.now(), LOOKS_FOR).await
        }
        .boxed()
    }

    fn remove_node(
        &self,
        _caller: Caller,
        node: u64,
    ) -> BoxFuture<'_, Result<NodeRemoval, GatewayError>> {
        async move {
            match self.change_cluster(ClusterChange::Remove { id: node }).await? {
                Changed::Removed => Ok(NodeRemoval::Removed),
                Changed::Unknown => Ok(NodeRemoval::Unknown),
                Changed::Refused(reason) => Ok(NodeRemoval::Refused(reason)),
                _ => Err(strange()),
            }
        }
        .boxed()
    }

    fn hand_over(
        &self,
        _caller: Caller,
        node: u64,
    ) -> BoxFuture<'_, Result<HandOver, GatewayError>> {
        async move {
            let call = Call::HandOver { within_ms: millis(HAND_OVER) };
            let answer = if node == self.here.book.own() {
                self.here.perform(call).await
            } else {
                let called = self.peers.call(node, &call, HAND_OVER).await;
                called.map_err(|error| GatewayError::Unavailable(error.to_string()))?
            };
            match answer {
                Answer::HandedOver { moved, kept } => Ok(HandOver { moved, kept }),
                _ => Err(strange()),
            }
        }
        .boxed()
    }

    fn set_time(
        &self,
        caller: Caller,
        shard: ShardId,
    ) -> BoxFuture<'_, Result<Option<i64>, GatewayError>> {
        async move {
            if !self.here.groups.contains_key(&shard) {
                return Ok(None);
            }
            let call = Call::SetTime { shard, by: caller.key, within_ms: self.within_ms() };
            match self.route.send(shard, call, self.by()).await? {
                Answer::TimeSet(set) => set.map(Some),
                _ => Err(strange()),
            }
        }
        .boxed()
    }

    fn health(&self) -> Health {
        self.health_now()
    }

    fn stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}
