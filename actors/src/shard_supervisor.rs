//! The parent of a shard's actors, for as long as this node leads the shard.
//!
//! Restart policy for its children: none at once. A row's actor that fails is forgotten, and the
//! next request to the row makes a new one, which reads the row anew. A failing row thus costs
//! nothing while nobody asks for it, and cannot spin.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::metrics;
use crate::shard::Shard;

/// Sweeps in one idle time: an actor is retired after a whole one and at most a quarter more.
const SWEEPS: u32 = 4;

/// What the supervisor is told.
pub(crate) enum ShardMessage {
    /// Retire who is idle.
    Sweep,
}

/// The supervisor. Its state is the shard.
pub(crate) struct ShardSupervisor;

impl Actor for ShardSupervisor {
    type Msg = ShardMessage;
    type State = Arc<Shard>;
    type Arguments = Arc<Shard>;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        shard: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        shard.supervised_by(myself.get_cell());
        Ok(shard)
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        shard: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let period = (shard.desk().options.idle / SWEEPS).max(Duration::from_millis(1));
        // Ends by itself with the supervisor.
        let _timer = myself.send_interval(period, || ShardMessage::Sweep);
        Ok(())
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        shard: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ShardMessage::Sweep => shard.sweep(u64::from(SWEEPS)),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        shard: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                metrics::actor_failed();
                tracing::error!(shard = %shard.id(), actor = %actor.get_id(), %error, "an actor failed; its row will be read anew");
                shard.forget(actor.get_id());
            }
            SupervisionEvent::ActorTerminated(actor, ..) => shard.forget(actor.get_id()),
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
