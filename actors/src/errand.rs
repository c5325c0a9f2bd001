//! Work that a led shard does by itself, for as long as it is led: carrying messages out, telling
//! webhooks.
//!
//! Each errand is an actor under the shard's supervisor, so that its failure is seen and its work
//! begun anew, and so that it ends with the shard. It is told nothing: its one message begins the
//! work, and the work watches for what there is to do. It ends in one of three ways: asked to finish
//! it begins nothing more, records what is under way and ends by itself; dropped with its shard it
//! ends wherever it is; failed it is begun anew, see [`Restarts`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument;

use crate::desk::Desk;
use crate::ports::ReplicaError;
use crate::{courier, herald};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Carries messages to people.
    Courier,
    /// Tells webhooks what happened.
    Herald,
}

impl Errand {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Courier, Self::Herald];

    /// The word in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Courier => "courier",
            Self::Herald => "herald",
        }
    }

    fn run(self, desk: Arc<Desk>, stop: Stop) -> BoxFuture<'static, Result<(), ReplicaError>> {
        match self {
            Self::Courier => courier::run(desk, stop).boxed(),
            Self::Herald => herald::run(desk, stop).boxed(),
        }
    }
}

/// How far an errand may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leave {
    /// It goes on.
    Work,
    /// It begins nothing more, and finishes what it has begun.
    Finish,
    /// It does nothing more: the shard is led by somebody else.
    Nothing,
}

/// How an errand learns that it shall end.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<Leave>);

impl Stop {
    /// Whether nothing more is to be begun. Asked immediately before anything leaves, since a dropped
    /// actor ends only when it gets to run.
    pub(crate) fn requested(&self) -> bool {
        *self.0.borrow() != Leave::Work
    }

    /// Returns once [`Self::requested`].
    pub(crate) async fn wait(&mut self) {
        // An error says that the shard is gone, and this actor with it.
        let _ = self.0.wait_for(|leave| *leave != Leave::Work).await;
    }
}

/// The actor.
struct ErrandActor;

/// What the actor works with.
struct Orders {
    errand: Errand,
    desk: Arc<Desk>,
    stop: Stop,
}

impl Actor for ErrandActor {
    type Msg = ();
    type State = Orders;
    type Arguments = Orders;

    // Nothing that can fail: a failure here would reach no supervisor.
    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        orders: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(orders)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        (): Self::Msg,
        orders: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let span = tracing::info_span!(
            "errand",
            kind = orders.errand.as_str(),
            shard = %orders.desk.replica.shard()
        );
        let work = orders.errand.run(Arc::clone(&orders.desk), orders.stop.clone());
        work.instrument(span).await?;
        myself.stop(None);
        Ok(())
    }
}

/// The errands of one led shard.
pub(crate) struct Errands {
    leave: watch::Sender<Leave>,
    running: Mutex<Vec<(Errand, ActorCell)>>,
}

impl Errands {
    pub(crate) fn new() -> Self {
        Self { leave: watch::Sender::new(Leave::Work), running: Mutex::default() }
    }

    /// Begins an errand under `supervisor`, unless the shard is being given up or nothing ever leaves
    /// it.
    pub(crate) fn start(
        &self,
        errand: Errand,
        desk: &Arc<Desk>,
        supervisor: ActorCell,
    ) -> Result<(), SpawnErr> {
        let mut running = self.running();
        if *self.leave.borrow() != Leave::Work || desk.replica.outbox().is_none() {
            return Ok(());
        }
        let stop = Stop(self.leave.subscribe());
        let orders = Orders { errand, desk: Arc::clone(desk), stop };
        let (actor, _starting) = ActorRuntime::<ErrandActor>::spawn_linked_instant(
            None,
            ErrandActor,
            orders,
            supervisor,
        )?;
        // An error says that it has ended already; then its supervisor is told.
        let _ = actor.cast(());
        running.push((errand, actor.get_cell()));
        Ok(())
    }

    /// An actor ended; which errand it was at, if it was one of these.
    pub(crate) fn forget(&self, actor: ActorId) -> Option<Errand> {
        let mut running = self.running();
        let place = running.iter().position(|(_, cell)| cell.get_id() == actor)?;
        Some(running.swap_remove(place).0)
    }

    /// Ends them now, whatever they are at.
    pub(crate) fn close(&self) {
        // First the word, so that one that runs at this very moment lets nothing out any more.
        self.leave.send_replace(Leave::Nothing);
        for (_, actor) in self.running().drain(..) {
            actor.kill();
        }
    }

    /// Has nothing more begun, and waits until all that was begun is recorded; `false` if that was
    /// not so by `deadline`.
    pub(crate) async fn finished(&self, deadline: Instant) -> bool {
        self.leave.send_if_modified(|leave| {
            let working = *leave == Leave::Work;
            *leave = (*leave).max(Leave::Finish);
            working
        });
        let actors: Vec<ActorCell> =
            self.running().iter().map(|(_, actor)| actor.clone()).collect();
        for actor in actors {
            let wait = deadline.saturating_duration_since(Instant::now());
            if actor.wait(Some(wait)).await.is_err() {
                return false;
            }
        }
        true
    }

    fn running(&self) -> MutexGuard<'_, Vec<(Errand, ActorCell)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first pause before an errand that failed is begun anew.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// An errand that worked for this long has its earlier failures forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// How long to wait before an errand that failed is begun anew: longer each time, so that what fails
/// for good costs little.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restarts {
    begun: Instant,
    failures: u32,
}

impl Restarts {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), failures: 0 }
    }

    /// It begins.
    pub(crate) fn begun(&mut self) {
        self.begun = Instant::now();
    }

    /// It failed; when it is begun anew.
    pub(crate) fn pause(&mut self) -> Duration {
        if self.begun.elapsed() >= FORGIVEN_AFTER {
            self.failures = 0;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_again_and_again_is_begun_ever_more_rarely() {
        let mut restarts = Restarts::new();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            restarts.begun();
            pauses.push(restarts.pause());
        }
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert_eq!((pauses[0], pauses[1]), (FIRST_PAUSE, 2 * FIRST_PAUSE));
        assert_eq!(pauses[11], LONGEST_PAUSE);
        restarts.begun();
        tokio::time::advance(FORGIVEN_AFTER).await;
        assert_eq!(restarts.pause(), FIRST_PAUSE, "it had worked for a while");
    }

    #[test]
    fn one_that_runs_at_the_very_moment_of_its_end_knows_it() {
        let errands = Errands::new();
        let stop = Stop(errands.leave.subscribe());
        assert!(!stop.requested());
        errands.close();
        assert!(stop.requested(), "before its actor is told");
    }
}
