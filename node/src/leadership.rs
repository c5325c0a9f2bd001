//! Who leads what, and since when this node may act on it.
//!
//! One task a shard watches its Raft group. When this node has won the shard, and has applied
//! everything that was committed before, the actors take the shard on; when it has lost it, they
//! drop it at once. In between nobody answers for the shard here. Each won term is taken on
//! separately, even if the same node wins twice in a row.
//!
//! A shard can also be handed over: the actors finish what they have begun and take up nothing new,
//! and only then is the leadership transferred. So a planned change of leaders fails no request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Service;
use countersign_actors::gateway::GatewayError;
use countersign_actors::ports::{Clock, Replica};
use countersign_core::ids::{KeyId, ShardId};
use countersign_core::proposal::{Applied, LogCommand, TimeSetting};
use countersign_storage::{NodeId, Store, TypeConfig};
use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::metrics::{RaftMetrics, RaftServerMetrics};
use openraft::type_config::alias::CommittedLeaderIdOf;
use openraft::vote::RaftLeaderId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::TOLERANCE_MS;
use crate::raft::{Group, Groups};
use crate::replica::ShardReplica;
use crate::shard_time::ShardTimes;

/// How long to wait before a won term is confirmed again, if a quorum did not answer.
const CONFIRM_AGAIN: Duration = Duration::from_millis(50);

/// How long decisions under way may take before a shard is handed over all the same.
const FINISH: Duration = Duration::from_secs(2);
/// How long the next leader may take to show itself.
const SUCCESSION: Duration = Duration::from_secs(2);
/// How long the next leader may take to have all entries.
const READY: Duration = Duration::from_millis(700);
/// Wishes to hand over that may wait for one shard.
const WISHES: usize = 4;

type Fence = CommittedLeaderIdOf<TypeConfig>;

/// What this node leads, as its actors know it.
pub(crate) struct Leadership {
    places: BTreeMap<ShardId, Place>,
    tasks: JoinSet<()>,
}

/// For whoever asks what is led here, or wishes it led elsewhere.
#[derive(Clone)]
pub(crate) struct Led(Arc<BTreeMap<ShardId, Place>>);

/// One shard, from outside its watcher.
#[derive(Clone)]
struct Place {
    led: watch::Receiver<bool>,
    recovered: watch::Receiver<bool>,
    wishes: mpsc::Sender<Wish>,
}

/// What is wished of a shard while it is led here.
enum Wish {
    /// That another node lead it.
    HandOver { to: NodeId, done: oneshot::Sender<bool> },
    /// That its time be set right.
    SetTime { by: Option<KeyId>, done: oneshot::Sender<Result<i64, GatewayError>> },
}

impl Leadership {
    /// Starts to watch all groups.
    pub(crate) fn start(
        store: &Arc<Store>,
        groups: &Groups,
        service: &Service,
        times: &ShardTimes,
    ) -> Self {
        let mut leadership = Self { places: BTreeMap::new(), tasks: JoinSet::new() };
        for (shard, group) in groups.iter() {
            let (led, watched) = watch::channel(false);
            let (wishes, wished) = mpsc::channel(WISHES);
            let watcher = Watcher {
                shard: *shard,
                group: group.clone(),
                store: Arc::clone(store),
                service: service.clone(),
                times: times.clone(),
                led,
                wished,
            };
            leadership.tasks.spawn(watcher.run());
            let (recovered, recovering) = watch::channel(false);
            leadership.tasks.spawn(recover(group.clone(), recovered));
            let place = Place { led: watched, recovered: recovering, wishes };
            leadership.places.insert(*shard, place);
        }
        leadership
    }

    /// For whoever asks what is led here.
    pub(crate) fn led(&self) -> Led {
        Led(Arc::new(self.places.clone()))
    }

    /// Stops watching. What is led stays led.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Led {
    /// Whether the actors of this node answer for the shard.
    pub(crate) fn is_led(&self, shard: ShardId) -> bool {
        self.0.get(&shard).is_some_and(|place| *place.led.borrow())
    }

    /// The shards that the actors of this node answer for.
    pub(crate) fn all(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.0.iter().filter(|(_, place)| *place.led.borrow()).map(|(shard, _)| *shard)
    }

    /// Hands a shard over: nothing new is taken up, what is under way is finished, and `to` is
    /// asked to lead. Whether another node leads it then. A shard that is not led here is not
    /// handed over.
    pub(crate) async fn hand_over(&self, shard: ShardId, to: NodeId) -> bool {
        let Some(place) = self.0.get(&shard).filter(|place| *place.led.borrow()) else {
            return false;
        };
        let (done, answer) = oneshot::channel();
        let wished = place.wishes.send(Wish::HandOver { to, done }).await;
        wished.is_ok() && answer.await.unwrap_or(false)
    }

    /// Sets the time of a shard right that is led here. By how many milliseconds it was set back.
    ///
    /// # Errors
    /// If it is not led here, or its decisions could not be finished first.
    pub(crate) async fn set_time(
        &self,
        shard: ShardId,
        by: Option<KeyId>,
    ) -> Result<i64, GatewayError> {
        let elsewhere = || GatewayError::NotLeading { leader: None };
        let place = self.0.get(&shard).filter(|place| *place.led.borrow());
        let place = place.ok_or_else(elsewhere)?;
        let (done, answer) = oneshot::channel();
        place.wishes.send(Wish::SetTime { by, done }).await.map_err(|_| elsewhere())?;
        answer.await.unwrap_or_else(|_| Err(elsewhere()))
    }

    /// Waits until the actors of this node answer for the shard; `false` if that was not so by
    /// `deadline`.
    pub(crate) async fn wait(&self, shard: ShardId, deadline: Instant) -> bool {
        let Some(mut led) = self.0.get(&shard).map(|place| place.led.clone()) else { return false };
        let waited = timeout_at(deadline, led.wait_for(|led| *led)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// Whether this node has applied what was committed when it started.
    pub(crate) fn caught_up(&self, shard: ShardId) -> bool {
        self.0.get(&shard).is_some_and(|place| *place.recovered.borrow())
    }
}

/// Says once that the group's state is at least what it was before the restart.
async fn recover(group: Group, recovered: watch::Sender<bool>) {
    if group.wait_for_recovery(None).await.is_ok() {
        recovered.send_replace(true);
        // The receivers would take a dropped sender for an end.
        recovered.closed().await;
    }
}

struct Watcher {
    shard: ShardId,
    group: Group,
    store: Arc<Store>,
    service: Service,
    times: ShardTimes,
    led: watch::Sender<bool>,
    wished: mpsc::Receiver<Wish>,
}

impl Watcher {
    async fn run(mut self) {
        let mut changes = self.group.server_metrics();
        let mut serving: Option<Fence> = None;
        loop {
            let won = self.won(&changes.borrow_watched());
            if serving != won {
                if serving.take().is_some() {
                    self.led.send_replace(false);
                    self.service.resign(self.shard);
                    tracing::info!(shard = %self.shard, "ceased to lead");
                }
                serving = match won {
                    Some(fence) => self.take_on(fence).await,
                    None => None,
                };
                // Things may have changed meanwhile; a lost confirmation is asked for again.
                if serving != self.won(&changes.borrow_watched()) {
                    tokio::time::sleep(CONFIRM_AGAIN).await;
                    continue;
                }
            }
            let changed = tokio::select! {
                changed = changes.changed() => changed,
                Some(wish) = self.wished.recv() => {
                    match (serving.take(), wish) {
                        (Some(fence), Wish::HandOver { to, done }) => {
                            let _ = done.send(self.hand_over(fence, to).await);
                        }
                        // Right already: nothing that is under way need end.
                        (Some(fence), Wish::SetTime { done, .. })
                            if self.times.ahead_ms(self.shard) <= TOLERANCE_MS =>
                        {
                            serving = Some(fence);
                            let _ = done.send(Ok(0));
                        }
                        (Some(fence), Wish::SetTime { by, done }) => {
                            let _ = done.send(self.set_time(fence, by).await);
                        }
                        (None, _) => {}
                    }
                    continue;
                }
            };
            if changed.is_err() {
                // Watching ends before the groups do, so this one ended by itself: its store or
                // a fault of its own. The node says so and is not ready any more.
                tracing::error!(shard = %self.shard, "the Raft group stopped; restart this node");
                self.led.send_replace(false);
                self.service.resign(self.shard);
                return;
            }
        }
    }

    /// The term that this node has won, if it leads.
    ///
    /// Read from the very metrics whose changes are waited for: openraft publishes its other ones
    /// a moment later, and a win that is read there may be missed for good.
    fn won(&self, metrics: &RaftServerMetrics<TypeConfig>) -> Option<Fence> {
        let leads = metrics.state.is_leader() && metrics.vote.is_committed();
        let leader = metrics.vote.leader_id();
        let own = *leader.node_id() == metrics.id;
        (leads && own).then(|| leader.to_committed())
    }

    /// Gives the shard away, in order. Whether somebody else leads it then; if not, the loop takes it
    /// on again.
    async fn hand_over(&self, fence: Fence, to: NodeId) -> bool {
        // What is on its way out is finished first, and questions are answered meanwhile; the actors
        // refuse by themselves what comes after.
        if !self.service.retire(self.shard, FINISH).await {
            tracing::warn!(shard = %self.shard, "handed over before all decisions were finished");
        }
        self.led.send_replace(false);
        if !self.prepare(to).await {
            tracing::info!(shard = %self.shard, to, "not handed over yet: the node is behind");
            return false;
        }
        if let Err(error) = self.group.trigger().transfer_leader(to).await {
            tracing::info!(shard = %self.shard, %error, "not handed over yet");
            return false;
        }
        // Somebody else, or this node again in a later term: if the other did not take over.
        let settled = |metrics: &RaftMetrics<TypeConfig>| {
            let leader = metrics.vote.leader_id().to_committed();
            metrics.vote.is_committed() && leader != fence && metrics.current_leader.is_some()
        };
        let settled = self.group.wait(Some(SUCCESSION)).metrics(settled, "a leader").await;
        let moved = match settled {
            Ok(metrics) => metrics.current_leader != Some(metrics.id),
            Err(_) => false,
        };
        match moved {
            true => tracing::info!(shard = %self.shard, to, "handed over"),
            // Nothing is lost by it: this node leads on, or whoever is elected. Whoever wished it
            // tries again, and says so if it does not come about in time.
            false => tracing::info!(shard = %self.shard, to, "not handed over yet: no answer"),
        }
        moved
    }

    /// Sets the shard's time back to real time; the loop takes the shard on again.
    ///
    /// Ordering duty: no decision that was stamped with the old time may come after this in the log,
    /// or the time would be there again. So all decisions are finished first and the actors are gone.
    async fn set_time(&self, fence: Fence, by: Option<KeyId>) -> Result<i64, GatewayError> {
        let finished = self.service.retire(self.shard, FINISH).await;
        self.led.send_replace(false);
        self.service.resign(self.shard);
        if !finished {
            let text = "decisions under way were not finished in time; ask again";
            return Err(GatewayError::Unavailable(text.to_owned()));
        }
        let rows = self.store.rows(self.shard);
        let replica = ShardReplica::new(self.shard, self.group.clone(), rows, fence);
        let (from, to) = (self.times.earliest(self.shard), self.times.clock().now());
        let setting = TimeSetting { from, to, by };
        match replica.propose(LogCommand::SetTime(Box::new(setting))).await? {
            Applied::Done { .. } => {
                let back_ms = from.millis_since(to);
                tracing::info!(shard = %self.shard, back_ms, "the shard's time was set right");
                Ok(back_ms)
            }
            _ => Ok(0),
        }
    }

    /// Makes sure that a node can lead: it must have put an entry of this very term on its disk, and
    /// all that came before. Openraft refuses a transfer to one that has written nothing since it
    /// started, and the shard would be without a leader until the lease has ended.
    async fn prepare(&self, to: NodeId) -> bool {
        let Ok(Ok(written)) = timeout(READY, self.group.write_blank()).await else { return false };
        let index = written.log_id.index;
        let has_it = |metrics: &RaftMetrics<TypeConfig>| {
            let matched = metrics.replication.as_ref().and_then(|all| all.get(&to).cloned());
            matched.flatten().is_some_and(|matched| matched.index >= index)
        };
        self.group
            .wait(Some(READY))
            .metrics(has_it, "the next leader has all entries")
            .await
            .is_ok()
    }

    /// Lets the actors answer, once this node has confirmed with a quorum that it leads and has
    /// applied all that was committed up to the beginning of its term.
    async fn take_on(&self, fence: Fence) -> Option<Fence> {
        // Nothing is stamped with a clock that was not compared with a majority's.
        if !self.times.clock().may_stamp() {
            tracing::debug!(shard = %self.shard, "leadership not taken: clock not yet compared with a majority");
            return None;
        }
        let confirmed = timeout(SUCCESSION, self.group.ensure_linearizable(ReadPolicy::ReadIndex));
        match confirmed.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::debug!(shard = %self.shard, %error, "leadership not confirmed yet");
                return None;
            }
            Err(_) => return None,
        }
        let rows = self.store.rows(self.shard);
        let replica = ShardReplica::new(self.shard, self.group.clone(), rows, fence);
        let replica = replica.deciding(self.times.clone());
        match self.service.lead(replica.into_port()).await {
            Ok(()) => {
                self.led.send_replace(true);
                Some(fence)
            }
            Err(error) => {
                tracing::error!(shard = %self.shard, %error, "the shard was won but not taken on");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_actors::ports::ReplicaError;
    use countersign_core::time::Timestamp;
    use countersign_storage::Vote;
    use openraft::raft::AppendEntriesRequest;

    use super::*;
    use crate::node::Node;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_new_term_is_taken_on_anew_and_the_old_one_can_write_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let config = crate::Config::local(dir.path().to_owned(), [9; 32]);
        let node = Node::start(config).await.unwrap();
        assert!(node.ready(Duration::from_secs(30)).await);
        let shard = ShardId(3);
        let group = node.groups()[&shard].clone();
        let replica = || {
            let fence = group.as_leader().unwrap().to_committed_leader_id();
            (fence, ShardReplica::new(shard, group.clone(), node.store().rows(shard), fence))
        };
        let command = || LogCommand::TrimAudit { before: Timestamp::EPOCH };
        let (first, old) = replica();
        old.propose(command()).await.unwrap();

        // Another node claims a later term, and is never heard of again.
        let claim = AppendEntriesRequest {
            vote: Vote::new_committed(first.term + 1, 2),
            prev_log_id: None,
            entries: Vec::new(),
            leader_commit: None,
        };
        group.append_entries(claim).await.unwrap();
        let refused = old.propose(command()).await;
        assert!(matches!(refused, Err(ReplicaError::NotLeader { .. })), "{refused:?}");
        let won_again = group.wait(Some(Duration::from_secs(30)));
        won_again
            .metrics(
                |metrics| {
                    metrics.state.is_leader()
                        && metrics.vote.is_committed()
                        && metrics.vote.leader_id().term > first.term + 1
                },
                "another term",
            )
            .await
            .unwrap();
        let refused = old.propose(command()).await;
        assert!(matches!(refused, Err(ReplicaError::NotLeader { .. })), "{refused:?}");
        let (second, new) = replica();
        assert!(second > first);
        new.propose(command()).await.unwrap();
        // The actors answer again, for the new term.
        assert!(node.led().wait(shard, Instant::now() + Duration::from_secs(30)).await);
        node.stop().await;
    }
}
