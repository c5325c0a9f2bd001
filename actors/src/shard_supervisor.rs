//! The parent of a shard's actors, for as long as this node leads the shard.
//!
//! Restart policy for its children: none at once. A row's actor that fails is forgotten, and the
//! next request to the row makes a new one, which reads the row anew. A failing row thus costs
//! nothing while nobody asks for it, and cannot spin. An errand that fails is begun anew after a
//! pause that grows with each failure.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::errand::{Errand, Restarts};
use crate::metrics;
use crate::shard::Shard;

/// Sweeps in one idle time: an actor is retired after a whole one and at most a quarter more.
const SWEEPS: u32 = 4;

/// What the supervisor is told.
pub(crate) enum ShardMessage {
    /// Retire who is idle.
    Sweep,
    /// Begin an errand.
    Begin(Errand),
}

/// The supervisor.
pub(crate) struct ShardSupervisor;

/// What it watches over.
pub(crate) struct Charge {
    shard: Arc<Shard>,
    courier: Restarts,
    herald: Restarts,
}

impl Charge {
    fn restarts(&mut self, errand: Errand) -> &mut Restarts {
        match errand {
            Errand::Courier => &mut self.courier,
            Errand::Herald => &mut self.herald,
        }
    }

    fn begin(&mut self, errand: Errand, myself: &ActorRef<ShardMessage>) {
        self.restarts(errand).begun();
        if let Err(error) = self.shard.begin(errand, myself.get_cell()) {
            tracing::error!(shard = %self.shard.id(), errand = errand.as_str(), %error, "an errand could not be begun");
            self.begin_again(errand, myself);
        }
    }

    fn begin_again(&mut self, errand: Errand, myself: &ActorRef<ShardMessage>) {
        let pause = self.restarts(errand).pause();
        // Ends by itself with the supervisor.
        let _timer = myself.send_after(pause, move || ShardMessage::Begin(errand));
    }
}

impl Actor for ShardSupervisor {
    type Msg = ShardMessage;
    type State = Charge;
    type Arguments = Arc<Shard>;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        shard: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        shard.supervised_by(myself.get_cell());
        Ok(Charge { shard, courier: Restarts::new(), herald: Restarts::new() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        charge: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        for errand in Errand::ALL {
            charge.begin(errand, &myself);
        }
        let period = (charge.shard.desk().options.idle / SWEEPS).max(Duration::from_millis(1));
        // Ends by itself with the supervisor.
        let _timer = myself.send_interval(period, || ShardMessage::Sweep);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        charge: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ShardMessage::Sweep => charge.shard.sweep(u64::from(SWEEPS)),
            ShardMessage::Begin(errand) => charge.begin(errand, &myself),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        charge: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                metrics::actor_failed();
                let shard = charge.shard.id();
                if let Some(errand) = charge.shard.forget(actor.get_id()) {
                    tracing::error!(%shard, errand = errand.as_str(), %error, "an errand failed; it will be begun anew");
                    charge.begin_again(errand, &myself);
                } else {
                    tracing::error!(%shard, actor = %actor.get_id(), %error, "an actor failed; its row will be read anew");
                }
            }
            SupervisionEvent::ActorTerminated(actor, ..) => {
                charge.shard.forget(actor.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
