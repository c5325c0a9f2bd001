//! What the leader of a shard does from time to time, through its log as everything else: cuts
//! old rows off the audit chain, and erases the users of removed tenants.
//!
//! A follower never cuts by its own clock: replicas would differ.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::{Clock, Replica, ReplicaError};
use countersign_core::ids::ShardId;
use countersign_core::proposal::{Applied, LogCommand};
use countersign_core::time::{DAY_MS, Timestamp};
use countersign_storage::Store;

use crate::leadership::Led;
use crate::raft::Groups;
use crate::replica::ShardReplica;

/// How often each shard is looked at.
const LOOK: Duration = Duration::from_hours(1);
/// How often removed tenants are looked for: their users should not outlive them by long.
const PURGE_LOOK: Duration = Duration::from_mins(1);
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
        let mut trim = tokio::time::interval(LOOK);
        let mut purge = tokio::time::interval(PURGE_LOOK);
        loop {
            tokio::select! {
                _ = trim.tick() => self.trim_all().await,
                _ = purge.tick() => self.purge_all().await,
            }
        }
    }

    async fn trim_all(&self) {
        if self.audit_days == 0 {
            return;
        }
        let before = oldest_kept(self.clock.now(), self.audit_days);
        for replica in self.replicas() {
            let command = LogCommand::TrimAudit { before };
            if self.to_the_end(replica.as_ref(), command).await.is_err() {
                return;
            }
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
                if self.to_the_end(replica.as_ref(), command).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Proposes a command again until it leaves nothing to do.
    async fn to_the_end(
        &self,
        replica: &dyn Replica,
        command: LogCommand,
    ) -> Result<(), ReplicaError> {
        loop {
            match replica.propose(command.clone()).await {
                Ok(Applied::Maintained { more: true }) => tokio::task::yield_now().await,
                Ok(_) => return Ok(()),
                Err(error) => {
                    // The next round, or the next leader, does the rest.
                    tracing::info!(%error, "retention stopped half way");
                    return Err(error);
                }
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

/// The oldest time to keep.
fn oldest_kept(now: Timestamp, days: u32) -> Timestamp {
    now.plus_millis(-i64::from(days).saturating_mul(DAY_MS))
}
