//! What the leader of a shard does from time to time, through its log as everything else: removes
//! what is past its time, and erases the users of removed tenants.
//!
//! A follower never cuts by its own clock: replicas would differ.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::{Clock, Replica};
use countersign_core::ids::ShardId;
use countersign_core::proposal::{Applied, LogCommand, RETAIN_EVERY_MS};
use countersign_core::time::Timestamp;
use countersign_storage::Store;
use tokio::time::Instant;

use crate::leadership::Led;
use crate::raft::Groups;
use crate::replica::ShardReplica;

/// How often each shard removes what is past its time.
const LOOK: Duration = Duration::from_millis(RETAIN_EVERY_MS.unsigned_abs());
/// How often removed tenants are looked for: their users should not outlive them by long.
const PURGE_LOOK: Duration = Duration::from_secs(60);
/// Users erased by one entry of the log.
const PURGE_PAGE: u32 = 256;

/// What retention works with.
pub(crate) struct Retention {
    /// Rows.
    pub(crate) store: Arc<Store>,
    /// Logs.
    pub(crate) groups: Groups,
    /// What this node leads.
    pub(crate) led: Led,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// For how many days audit rows are kept; 0 for ever.
    pub(crate) audit_days: u32,
}

impl Retention {
    /// Works until dropped.
    pub(crate) async fn run(self) {
        // Not at once: nothing is led yet.
        let first = Instant::now() + PURGE_LOOK;
        let mut retain = tokio::time::interval_at(first, LOOK);
        let mut purge = tokio::time::interval_at(first, PURGE_LOOK);
        loop {
            tokio::select! {
                _ = retain.tick() => self.retain_all().await,
                _ = purge.tick() => self.purge_all().await,
            }
        }
    }

    async fn retain_all(&self) {
        let command = LogCommand::Retain { now: self.clock.now(), audit_days: self.audit_days };
        for replica in self.replicas() {
            // Where nothing was ever decided there is nothing to remove.
            if self.store.rows(replica.shard()).last_now() == Timestamp::EPOCH {
                continue;
            }
            // One shard that cannot must not keep the others from it.
            self.to_the_end(replica.as_ref(), command.clone()).await;
        }
    }

    async fn purge_all(&self) {
        let removed = match self.store.rows(ShardId::SYSTEM).removed_tenants() {
            Ok(removed) => removed,
            Err(error) => return tracing::warn!(%error, "removed tenants cannot be listed"),
        };
        for tenant in removed {
            for replica in self.replicas() {
                // A tenant keeps its row for ever, so that its id is never given again. What has
                // no users left is not written about.
                let users = self.store.rows(replica.shard()).users_page(&tenant, None, 1);
                if users.is_ok_and(|users| users.is_empty()) {
                    continue;
                }
                let command = LogCommand::PurgeTenant { tenant: tenant.clone(), limit: PURGE_PAGE };
                self.to_the_end(replica.as_ref(), command).await;
            }
        }
    }

    /// Proposes a command again until it leaves nothing to do. A shard that cannot does the rest in
    /// the next round, or its next leader does.
    async fn to_the_end(&self, replica: &dyn Replica, command: LogCommand) {
        loop {
            match replica.propose(command.clone()).await {
                Ok(Applied::Maintained { more: true }) => tokio::task::yield_now().await,
                Ok(_) => return,
                Err(error) => return tracing::info!(%error, "retention stopped half way"),
            }
        }
    }

    /// The shards that this node leads now.
    fn replicas(&self) -> impl Iterator<Item = Arc<dyn Replica>> {
        self.groups.iter().filter(|(shard, _)| self.led.is_led(**shard)).filter_map(
            |(shard, group)| {
                let fence = group.as_leader().ok()?.to_committed_leader_id();
                let rows = self.store.rows(*shard);
                Some(ShardReplica::new(*shard, group.clone(), rows, fence).into_port())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use countersign_actors::gateway::{Caller, Gateway, Question, Target};
    use countersign_core::command::Command;
    use countersign_core::ids::TenantId;
    use countersign_core::tenant::TenantCommand;
    use countersign_core::time::DAY_MS;
    use countersign_core::user::Profile;

    use super::*;
    use crate::clock::WallClock;
    use crate::node::Node;

    /// A clock that stands where it was set.
    struct Set(Timestamp);

    impl Clock for Set {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    fn retention(node: &Node, clock: impl Clock, audit_days: u32) -> Retention {
        Retention {
            store: node.store(),
            groups: Arc::clone(node.groups()),
            led: node.led(),
            clock: Arc::new(clock),
            audit_days,
        }
    }

    fn caller(tenant: &TenantId) -> Caller {
        Caller {
            tenant: tenant.clone(),
            key: None,
            request_id: "test".to_owned(),
            address: None,
            idempotency: None,
        }
    }

    async fn with_users(dir: &std::path::Path, tenant: &TenantId) -> Node {
        let config = crate::Config { shards: 4, ..crate::Config::local(dir.to_owned(), [9; 32]) };
        let node = Node::start(config).await.unwrap();
        assert!(node.ready(Duration::from_secs(30)).await);
        let gateway: Arc<dyn Gateway> = node.gateway();
        let create = TenantCommand::Create { name: "Acme".to_owned(), key: None, root: false };
        gateway.change_tenant(caller(tenant), tenant.clone(), create).await.unwrap();
        for user in 0..20 {
            let target = Target::User(format!("user-{user}").parse().unwrap());
            let put = Question::Do(Command::PutProfile(Profile::default()));
            gateway.ask(caller(tenant), target, put).await.unwrap();
        }
        node
    }

    fn users(node: &Node, tenant: &TenantId) -> usize {
        let page = |shard| node.store().rows(shard).users_page(tenant, None, 100).unwrap().len();
        node.groups().keys().copied().map(page).sum()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_users_of_a_removed_tenant_are_erased_and_then_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let tenant: TenantId = "acme".parse().unwrap();
        let node = with_users(dir.path(), &tenant).await;
        let retention = retention(&node, WallClock, 0);
        retention.purge_all().await;
        assert_eq!(users(&node, &tenant), 20, "a tenant that is there keeps its users");
        let gateway = node.gateway();
        let removed = gateway.change_tenant(caller(&tenant), tenant.clone(), TenantCommand::Remove);
        removed.await.unwrap();
        retention.purge_all().await;
        assert_eq!(users(&node, &tenant), 0);
        let entries = node.store().statistics().entries_appended;
        retention.purge_all().await;
        assert_eq!(node.store().statistics().entries_appended, entries);
        node.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn old_audit_rows_are_cut_off_and_young_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let tenant: TenantId = "acme".parse().unwrap();
        let node = with_users(dir.path(), &tenant).await;
        let rows = || -> usize {
            let export =
                |shard| node.store().rows(shard).audit_export(&tenant, 1, 100).unwrap().1.len();
            node.groups().keys().copied().map(export).sum()
        };
        let before = rows();
        assert!(before > 0);
        retention(&node, WallClock, 1).retain_all().await;
        assert_eq!(rows(), before, "rows of today");
        let in_two_days = WallClock.now().plus_millis(2 * DAY_MS);
        retention(&node, Set(in_two_days), 0).retain_all().await;
        assert_eq!(rows(), before, "kept for ever");
        retention(&node, Set(in_two_days), 1).retain_all().await;
        assert_eq!(rows(), before, "one clock that is ahead ages nothing");
        // As many hours as a day and more take, by the steps that a shard's clock takes.
        for _ in 0..24 {
            retention(&node, Set(in_two_days), 1).retain_all().await;
        }
        assert_eq!(rows(), 0);
        node.stop().await;
    }
}
