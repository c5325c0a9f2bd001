//! The gateway of a house with one node: every question goes to this node's own actors, once they
//! answer for its shard. It waits for that within the request's deadline and then asks once: a
//! question whose outcome is unknown is never asked again behind the caller's back.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Service;
use countersign_actors::gateway::{
    AuditFilter, AuditHead, AuditRow, Caller, Gateway, GatewayError, Health, NodeHealth, Page,
    Question, ShardHealth, Target,
};
use countersign_core::command::Command;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::reply::{Reply, UserView};
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_core::vault::Vault;
use futures::FutureExt;
use futures::future::BoxFuture;
use openraft::async_runtime::WatchReceiver;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::geoip::GeoIp;
use crate::leadership::Led;
use crate::listing::Listing;
use crate::raft::Groups;

/// Answers from this node alone.
pub(crate) struct LocalGateway {
    /// How many shards there are.
    pub(crate) shards: u16,
    /// Who decides.
    pub(crate) service: Service,
    /// Which shards they answer for.
    pub(crate) led: Led,
    /// Reads over all shards.
    pub(crate) listing: Listing,
    /// The groups, for health.
    pub(crate) groups: Groups,
    /// Finds the user in a challenge's id.
    pub(crate) vault: Arc<dyn Vault>,
    /// Tells where addresses are.
    pub(crate) geoip: Option<GeoIp>,
    /// `clu_…`.
    pub(crate) cluster_id: String,
    /// This node's number.
    pub(crate) node_id: u64,
    /// How long a question may take.
    pub(crate) deadline: Duration,
    /// Whether the node is ending.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl LocalGateway {
    fn shard_of(&self, tenant: &TenantId, target: &Target) -> ShardId {
        match target {
            Target::User(user) => UserKey::new(tenant.clone(), user.clone()).hash(),
            Target::Challenge(id) => self.vault.challenge_user(*id),
        }
        .shard(self.shards)
    }

    /// Waits until the shard is led here, and says how much time is left.
    async fn led(&self, shard: ShardId) -> Result<Duration, GatewayError> {
        let deadline = Instant::now() + self.deadline;
        if !self.led.is_led(shard) && !self.led.wait(shard, deadline).await {
            return Err(GatewayError::Unavailable(format!("shard {shard} has no leader")));
        }
        Ok(deadline.saturating_duration_since(Instant::now()))
    }

    async fn ask_here(
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
        let shard = self.shard_of(&caller.tenant, &target);
        let within = self.led(shard).await?;
        self.service.ask(shard, caller, target, question, within).await
    }

    fn shard_health(&self, shard: ShardId, group: &crate::raft::Group) -> ShardHealth {
        let metrics = group.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        // A leader that does not answer yet is none to whoever asks.
        let leads = metrics.current_leader == Some(self.node_id);
        let answers = !leads || self.led.is_led(shard);
        ShardHealth {
            id: shard,
            leader: metrics.current_leader.filter(|_| answers),
            term: metrics.current_term,
            last_applied: metrics.last_applied.map_or(0, |log_id| log_id.index),
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            caught_up: self.led.caught_up(shard),
        }
    }

    fn node_health(&self) -> Vec<NodeHealth> {
        let Some(group) = self.groups.get(&ShardId::SYSTEM) else { return Vec::new() };
        let metrics = group.server_metrics();
        let metrics = metrics.borrow_watched();
        let state = |id| if id == self.node_id { "UP" } else { "UNKNOWN" };
        metrics
            .membership_config
            .nodes()
            .map(|(id, node)| NodeHealth {
                id: *id,
                name: node.name.clone(),
                api_address: node.api_address.clone(),
                peer_address: node.peer_address.clone(),
                state: state(*id).to_owned(),
            })
            .collect()
    }
}

impl Gateway for LocalGateway {
    fn ask(
        &self,
        caller: Caller,
        target: Target,
        question: Question,
    ) -> BoxFuture<'_, Result<Reply, GatewayError>> {
        self.ask_here(caller, target, question).boxed()
    }

    fn change_tenant(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
    ) -> BoxFuture<'_, Result<TenantReply, GatewayError>> {
        async move {
            let within = self.led(ShardId::SYSTEM).await?;
            self.service.change_tenant(caller, tenant, command, within).await
        }
        .boxed()
    }

    fn users(
        &self,
        tenant: TenantId,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<UserView>, GatewayError>> {
        self.listing.users(tenant, cursor, limit).boxed()
    }

    fn audit(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<AuditRow>, GatewayError>> {
        self.listing.audit(tenant, filter, cursor, limit).boxed()
    }

    fn audit_heads(&self) -> BoxFuture<'_, Result<Vec<AuditHead>, GatewayError>> {
        async { Ok(self.listing.heads()) }.boxed()
    }

    fn health(&self) -> Health {
        Health {
            cluster_id: self.cluster_id.clone(),
            nodes: self.node_health(),
            shards: self
                .groups
                .iter()
                .map(|(shard, group)| self.shard_health(*shard, group))
                .collect(),
            stopping: *self.stopping.borrow(),
        }
    }
}
