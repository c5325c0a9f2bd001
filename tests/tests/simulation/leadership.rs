//! Watches one group on one node: the actors take the shard on once a quorum has confirmed the won
//! term, and drop it at once when it is lost. Like the node's own watch.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Service;
use countersign_core::ids::ShardId;
use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::vote::RaftLeaderId;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::disk::Disk;
use crate::raft::{Fence, Group};
use crate::replica::ShardReplica;
use crate::sabotage::Sabotage;
use crate::transcript::Transcript;

/// How long to wait before a won term is confirmed again, if a quorum did not answer.
const CONFIRM_AGAIN: Duration = Duration::from_millis(50);
/// How long one confirmation may take.
const CONFIRM: Duration = Duration::from_secs(1);

/// The watch of one group.
pub(crate) struct Watcher {
    /// Which node.
    pub(crate) node: u64,
    /// Which shard.
    pub(crate) shard: ShardId,
    /// Its group.
    pub(crate) group: Group,
    /// Its rows.
    pub(crate) disk: Arc<Disk>,
    /// Who decides.
    pub(crate) service: Service,
    /// Whether the actors answer for the shard.
    pub(crate) led: watch::Sender<bool>,
    /// What the node does wrong.
    pub(crate) sabotage: Sabotage,
    /// Where it is told.
    pub(crate) transcript: Transcript,
}

impl Watcher {
    /// Watches until the group stops.
    pub(crate) async fn run(self) {
        let mut changes = self.group.server_metrics();
        let mut serving: Option<Fence> = None;
        loop {
            let won = self.won();
            if serving != won {
                if serving.take().is_some() {
                    self.led.send_replace(false);
                    self.service.resign(self.shard);
                    self.note("ceased to lead");
                }
                serving = match won {
                    Some(fence) => self.take_on(fence).await,
                    None => None,
                };
                if serving != self.won() {
                    sleep(CONFIRM_AGAIN).await;
                    continue;
                }
            }
            if changes.changed().await.is_err() {
                self.led.send_replace(false);
                self.service.resign(self.shard);
                self.note("its group stopped");
                return;
            }
        }
    }

    fn won(&self) -> Option<Fence> {
        let metrics = self.group.server_metrics();
        let metrics = metrics.borrow_watched();
        let leads = metrics.state.is_leader() && metrics.vote.is_committed();
        let leader = metrics.vote.leader_id();
        (leads && leader.node_id == self.node).then(|| leader.to_committed())
    }

    async fn take_on(&self, fence: Fence) -> Option<Fence> {
        if self.sabotage != Sabotage::UnconfirmedLeader {
            let confirmed = self.group.ensure_linearizable(ReadPolicy::ReadIndex);
            timeout(CONFIRM, confirmed).await.ok()?.ok()?;
        }
        let replica = ShardReplica {
            shard: self.shard,
            group: self.group.clone(),
            disk: Arc::clone(&self.disk),
            fence,
            sabotage: self.sabotage,
        };
        self.service.lead(Arc::new(replica)).await.ok()?;
        self.led.send_replace(true);
        self.note("leads");
        Some(fence)
    }

    fn note(&self, what: &str) {
        self.transcript.note(format!("node {} {what}: shard {}", self.node, self.shard));
    }
}
