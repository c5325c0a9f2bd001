//! What this node's own parts do when they are called, be it by this node's API or by a peer: one
//! place for both, so that every node answers alike. Nothing here asks another node to do it.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Service;
use countersign_actors::gateway::{Caller, GatewayError, Question, Target};
use countersign_core::ids::{KeyId, ShardId, TenantId};
use countersign_core::reply::Reply;
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_storage::Store;
use futures::future::join_all;
use openraft::async_runtime::WatchReceiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::redelivery::Redelivery;
use crate::clock::NodeClock;
use crate::cluster::balancer::Balancer;
use crate::cluster::book::Book;
use crate::cluster::currency::{BOUND, Currency};
use crate::cluster::disk::Room;
use crate::cluster::liveness::Liveness;
use crate::cluster::registry::Registry;
use crate::leadership::Led;
use crate::network::{Answer, Call, Changed, ClusterChange, Peers};
use crate::raft::Groups;

/// How long a question waits here for this node to take on a shard that it has won.
const TAKING_ON: Duration = Duration::from_millis(500);
/// How often such a question looks whether this node still has it.
const LOOK: Duration = Duration::from_millis(5);
/// How much longer than [`BOUND`] a change of tenants waits for a node that does not answer.
const SLACK: Duration = Duration::from_millis(300);

/// This node's own parts.
pub(crate) struct Here {
    /// Who decides.
    pub(crate) service: Service,
    /// Which shards they answer for.
    pub(crate) led: Led,
    /// All groups.
    pub(crate) groups: Groups,
    /// Rows.
    pub(crate) store: Arc<Store>,
    /// Who belongs to the cluster.
    pub(crate) registry: Registry,
    /// Gives leaderships away.
    pub(crate) balancer: Balancer,
    /// Whether tenants, keys and policies are up to date here.
    pub(crate) currency: Currency,
    /// Who is there.
    pub(crate) liveness: Liveness,
    /// What time it is here.
    pub(crate) clock: NodeClock,
    /// The others.
    pub(crate) peers: Peers,
    /// Where they are.
    pub(crate) book: Book,
    /// How much room the disk has.
    pub(crate) room: watch::Receiver<Room>,
    /// Set while this node does not want to lead.
    pub(crate) resting: watch::Receiver<bool>,
    /// Asks this node to lead nothing for a while.
    pub(crate) rest: watch::Sender<Option<Instant>>,
}

/// For how long a node that was asked to hand over leads nothing.
const REST: Duration = Duration::from_secs(60);

impl Here {
    /// Does what a call asks.
    pub(crate) async fn perform(&self, call: Call) -> Answer {
        let within = Duration::from_millis(call.within_ms());
        match call {
            Call::Ask { caller, target, question, .. } => {
                let shard = self.book.shard_of(&caller.tenant, &target);
                Answer::Reply(self.ask(shard, caller, target, question, within).await)
            }
            Call::ChangeTenant { caller, tenant, command, .. } => {
                Answer::Tenant(self.change_tenant(caller, tenant, command, within).await)
            }
            Call::ChangeCluster { change, .. } => {
                Answer::Changed(self.change_cluster(change, within).await)
            }
            Call::ReadIndex { shards } => Answer::Indexes(self.read_indexes(shards).await),
            Call::WaitApplied { shard, index, .. } => {
                Answer::Applied(self.wait_applied(shard, index, within).await)
            }
            Call::HandOver { .. } => {
                self.rest.send_replace(Some(Instant::now() + REST));
                let (moved, kept) = self.balancer.give_all_away().await;
                Answer::HandedOver { moved, kept }
            }
            Call::SetTime { shard, by, .. } => {
                Answer::TimeSet(self.set_time(shard, by, within).await)
            }
            Call::Redeliver { tenant, webhook, delivery, .. } => {
                let asked = Redelivery { tenant, webhook, delivery };
                Answer::Redelivered(self.redeliver(asked, within).await)
            }
            // Noted by whoever knows who asked.
            Call::RememberDisk(_) => Answer::Remembered,
            Call::Members => Answer::Members(self.book.members()),
            Call::Ping => Answer::Pong {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                resting: *self.resting.borrow(),
                wall: self.clock.wall(),
                agreed: self.clock.agreed(),
            },
        }
    }

    async fn ask(
        &self,
        shard: ShardId,
        caller: Caller,
        target: Target,
        question: Question,
        within: Duration,
    ) -> Result<Reply, GatewayError> {
        let deadline = Instant::now() + within;
        if matches!(question, Question::Do(_)) {
            self.writable()?;
        }
        self.taken_on(shard, deadline).await?;
        // The decision rests on the tenant's policy as it is known here.
        self.currency.wait(deadline).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        self.service.ask(shard, caller, target, question, left).await
    }

    async fn change_tenant(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
        within: Duration,
    ) -> Result<TenantReply, GatewayError> {
        let deadline = Instant::now() + within;
        self.writable()?;
        self.taken_on(ShardId::SYSTEM, deadline).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        let reply = self.service.change_tenant(caller, tenant, command, left).await?;
        if !matches!(reply, TenantReply::Refused(_)) {
            self.spread().await;
        }
        Ok(reply)
    }

    async fn change_cluster(
        &self,
        change: ClusterChange,
        within: Duration,
    ) -> Result<Changed, GatewayError> {
        let deadline = Instant::now() + within;
        self.writable()?;
        self.taken_on(ShardId::SYSTEM, deadline).await?;
        let changed = timeout(within, self.registry.change(change)).await.map_err(|_| {
            GatewayError::Unavailable("the change of the cluster took too long".to_owned())
        })??;
        self.spread().await;
        Ok(changed)
    }

    async fn set_time(
        &self,
        shard: ShardId,
        by: Option<KeyId>,
        within: Duration,
    ) -> Result<i64, GatewayError> {
        let deadline = Instant::now() + within;
        self.writable()?;
        self.taken_on(shard, deadline).await?;
        timeout(within, self.led.set_time(shard, by)).await.map_err(|_| {
            GatewayError::Unavailable("the shard's time could not be set in time".to_owned())
        })?
    }

    /// Refuses what would be written while the disk is nearly full.
    pub(super) fn writable(&self) -> Result<(), GatewayError> {
        match *self.room.borrow() {
            Room::Enough => Ok(()),
            Room::Low | Room::Out => Err(GatewayError::Unavailable(format!(
                "the disk of node {} is nearly full; nothing is written until there is room",
                self.book.own()
            ))),
        }
    }

    /// Waits a little if this node has won the shard and its actors have not taken it on yet.
    pub(super) async fn taken_on(
        &self,
        shard: ShardId,
        deadline: Instant,
    ) -> Result<(), GatewayError> {
        let until = deadline.min(Instant::now() + TAKING_ON);
        loop {
            if self.led.is_led(shard) {
                return Ok(());
            }
            let leader = self.leader(shard);
            let other = leader.filter(|node| *node != self.book.own());
            // Not longer than it leads: it may be about to give the shard away.
            if leader.is_none() || other.is_some() || Instant::now() >= until {
                return Err(GatewayError::NotLeading { leader: other });
            }
            self.led.wait(shard, until.min(Instant::now() + LOOK)).await;
        }
    }

    /// Who leads a shard, as far as this node knows.
    pub(crate) fn leader(&self, shard: ShardId) -> Option<u64> {
        let metrics = self.groups.get(&shard)?.server_metrics();
        let metrics = metrics.borrow_watched();
        metrics.current_leader
    }

    /// The index up to which each shard must be read to see all that was answered before. Only for
    /// shards that this node leads, with a quorum's word for it.
    pub(crate) async fn read_indexes(&self, shards: Vec<ShardId>) -> Vec<(ShardId, Option<u64>)> {
        let read = shards.into_iter().map(|shard| async move {
            let Some(group) = self.groups.get(&shard) else { return (shard, None) };
            // The same lease that questions rest on; see `crate::replica`.
            let option = self.clock.lease().with_wait_timeout(BOUND);
            let read = timeout(BOUND, group.get_read_linearizer(option)).await;
            let index = match read {
                Ok(Ok(read)) => Some(read.read_log_id().index()),
                Ok(Err(_)) | Err(_) => None,
            };
            (shard, index)
        });
        join_all(read).await
    }

    /// Waits until this node has applied an entry of a shard.
    pub(crate) async fn wait_applied(&self, shard: ShardId, index: u64, within: Duration) -> bool {
        let mut applied = self.store.applied(shard);
        let waited = timeout(within, applied.wait_for(|applied| *applied >= index)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// Returns once every other node has applied what this one has of shard 0, or cannot be trusted
    /// by anybody since: see [`crate::cluster::currency`].
    async fn spread(&self) {
        let index = self.store.rows(ShardId::SYSTEM).last_applied();
        let begun = Instant::now();
        let within_ms = u64::try_from(BOUND.as_millis()).unwrap_or(u64::MAX);
        let call = Call::WaitApplied { shard: ShardId::SYSTEM, index, within_ms };
        let told = self.to_be_told().into_iter().map(|node| {
            let call = &call;
            async move {
                let answer = self.peers.call(node, call, BOUND + SLACK).await;
                if !matches!(answer, Ok(Answer::Applied(true))) {
                    sleep_until(begun + BOUND + SLACK).await;
                }
            }
        });
        join_all(told).await;
    }

    /// The nodes that may count themselves up to date without what is committed now.
    fn to_be_told(&self) -> Vec<u64> {
        let Some(group) = self.groups.get(&ShardId::SYSTEM) else { return Vec::new() };
        let metrics = group.server_metrics();
        let metrics = metrics.borrow_watched();
        let members = metrics.membership_config.membership();
        let own = self.book.own();
        let others = members.nodes().map(|(id, _)| *id).filter(|id| *id != own);
        others.filter(|id| self.currency.may_be_current(*id)).collect()
    }
}
