//! The root of the tree: it watches the shards' supervisors and restarts one that fails while its
//! shard is led. A restart drops the shard's actors; rows are read anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::ids::ShardId;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::desk::Desk;
use crate::error::ServiceError;
use crate::metrics;
use crate::shard::Shard;
use crate::shard_supervisor::ShardSupervisor;

/// The shards that this node leads.
#[derive(Default)]
pub(crate) struct LedShards(Mutex<HashMap<ShardId, Arc<Shard>>>);

impl LedShards {
    pub(crate) fn find(&self, id: ShardId) -> Option<Arc<Shard>> {
        self.lock().get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Shard>> {
        self.lock().values().cloned().collect()
    }

    /// Puts a shard in; what was there under its id is dropped.
    pub(crate) fn put(&self, shard: Arc<Shard>) {
        let earlier = self.lock().insert(shard.id(), shard);
        if let Some(earlier) = earlier {
            earlier.close();
        }
    }

    /// Takes out this very shard, not one that took its place, and drops its actors.
    pub(crate) fn remove_this(&self, shard: &Arc<Shard>) {
        let mut shards = self.lock();
        if shards.get(&shard.id()).is_some_and(|current| Arc::ptr_eq(current, shard)) {
            shards.remove(&shard.id());
        }
        drop(shards);
        shard.close();
    }

    /// Takes a shard out and drops its actors.
    pub(crate) fn remove(&self, id: ShardId) {
        let shard = self.lock().remove(&id);
        if let Some(shard) = shard {
            shard.close();
        }
    }

    /// Puts `new` in the place of `old`, if `old` is still there.
    fn replace(&self, old: &Arc<Shard>, new: Arc<Shard>) {
        let mut shards = self.lock();
        let unused = match shards.get_mut(&old.id()) {
            Some(current) if Arc::ptr_eq(current, old) => std::mem::replace(current, new),
            _ => new,
        };
        drop(shards);
        unused.close();
    }

    fn supervised_by(&self, supervisor: ActorId) -> Option<Arc<Shard>> {
        let is_it = |shard: &&Arc<Shard>| {
            shard.supervisor().is_some_and(|cell| cell.get_id() == supervisor)
        };
        self.lock().values().find(is_it).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ShardId, Arc<Shard>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a shard's supervisor under `parent`.
pub(crate) async fn start_shard(desk: Desk, parent: ActorCell) -> Result<Arc<Shard>, ServiceError> {
    let shard = Arc::new(Shard::new(desk));
    match ShardSupervisor::spawn_linked(None, ShardSupervisor, Arc::clone(&shard), parent).await {
        Ok(_) => Ok(shard),
        Err(error) => {
            let reason = error.to_string();
            Err(ServiceError::ShardSupervisor { shard: shard.id(), reason })
        }
    }
}

/// The root. It is told nothing, it only watches.
pub(crate) struct NodeSupervisor;

impl Actor for NodeSupervisor {
    type Msg = ();
    type State = Arc<LedShards>;
    type Arguments = Arc<LedShards>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        shards: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(shards)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        shards: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let ended = match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                metrics::actor_failed();
                tracing::error!(actor = %actor.get_id(), %error, "a shard's supervisor failed");
                actor
            }
            SupervisionEvent::ActorTerminated(actor, ..) => actor,
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {
                return Ok(());
            }
        };
        // A shard that was resigned is not found: its end was wanted.
        let Some(old) = shards.supervised_by(ended.get_id()) else { return Ok(()) };
        old.close();
        // One that is given away takes up nothing new, not even after a failure.
        if old.leaving() {
            shards.remove_this(&old);
            return Ok(());
        }
        let desk = Desk::clone(old.desk());
        match start_shard(desk, myself.get_cell()).await {
            Ok(new) => shards.replace(&old, new),
            Err(error) => tracing::error!(%error, "a shard is led but has no actors"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gate::Gates;
    use crate::options::Options;
    use crate::ports::Replica;
    use crate::service::Ports;
    use crate::testing::{
        FixedDirectory, FixedVault, ManualClock, MemoryReplica, Nowhere, SeededSource,
    };

    const LONG: Duration = Duration::from_secs(60);

    async fn until(fits: impl Fn() -> bool) {
        let reached = async {
            while !fits() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, reached).await.unwrap();
    }

    async fn led() -> (ActorRef<()>, Arc<LedShards>, Arc<Shard>) {
        let desk = Desk {
            options: Options::default(),
            ports: Ports {
                directory: Arc::new(FixedDirectory::new()),
                clock: Arc::new(ManualClock::new(countersign_core::time::Timestamp::EPOCH)),
                entropy: Arc::new(SeededSource::new(1)),
                vault: Arc::new(FixedVault),
                carrier: Arc::new(Nowhere),
                poster: Arc::new(Nowhere),
                steward: Arc::new(Nowhere),
            },
            replica: MemoryReplica::new(ShardId(3)) as Arc<dyn Replica>,
            gates: Arc::new(Gates::new(1, 1)),
        };
        let shards = Arc::new(LedShards::default());
        let (root, _) =
            NodeSupervisor::spawn(None, NodeSupervisor, Arc::clone(&shards)).await.unwrap();
        let shard = start_shard(desk, root.get_cell()).await.unwrap();
        shards.put(Arc::clone(&shard));
        (root, shards, shard)
    }

    #[tokio::test]
    async fn a_supervisor_that_ends_while_its_shard_is_led_is_started_anew() {
        let (root, shards, first) = led().await;
        first.supervisor().unwrap().kill();
        until(|| !Arc::ptr_eq(&shards.find(ShardId(3)).unwrap(), &first)).await;
        let second = shards.find(ShardId(3)).unwrap();
        assert_ne!(second.supervisor().unwrap().get_id(), first.supervisor().unwrap().get_id());
        assert_eq!(root.get_children().len(), 1);
    }

    #[tokio::test]
    async fn a_supervisor_that_ends_while_its_shard_retires_is_not_started_anew() {
        let (root, shards, shard) = led().await;
        assert!(shard.retired(tokio::time::Instant::now() + LONG).await);
        shard.supervisor().unwrap().kill();
        until(|| shards.find(ShardId(3)).is_none()).await;
        until(|| root.get_children().is_empty()).await;
    }

    #[tokio::test]
    async fn a_supervisor_whose_shard_was_resigned_stays_ended() {
        let (root, shards, shard) = led().await;
        shards.remove(ShardId(3));
        shard.supervisor().unwrap().wait(Some(LONG)).await.unwrap();
        until(|| root.get_children().is_empty()).await;
        assert!(shards.find(ShardId(3)).is_none());
    }
}
