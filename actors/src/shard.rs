//! A shard that this node leads: its actors, and how a request gets to one and back.
//!
//! Mailboxes have no bound, so the bound is here, before anything is sent: a place in the shard,
//! then a seat at the row. A request keeps its place from the moment it comes in until it is
//! answered and no actor is at it any more, so a shard whose places are all free owes nobody an
//! answer: that is what retiring waits for.

use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use countersign_core::ids::{ShardId, TenantId, UserId, UserKey};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::tenant::{TenantCommand, TenantReply};
use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorId, ActorRuntime, SpawnErr};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::desk::Desk;
use crate::errand::{Errand, Errands};
use crate::gateway::{GatewayError, Question, Target};
use crate::metrics;
use crate::router::{NoSeat, Place, Router};
use crate::row_actor::{Ask, Decider, Progress, Request, Row, RowActor};
use crate::tenant_row::TenantRow;
use crate::user_row::UserRow;

/// How often a request that no actor took up is sent again.
const SENDINGS: usize = 3;

/// One led shard. It is closed once and never opened again; leading anew makes a new one.
pub(crate) struct Shard {
    desk: Arc<Desk>,
    users: Router<UserKey, Ask<UserRow>>,
    tenants: Router<TenantId, Ask<TenantRow>>,
    errands: Errands,
    places: Arc<Semaphore>,
    leaving: AtomicBool,
    retiring: AtomicBool,
    supervisor: OnceLock<ActorCell>,
}

impl Shard {
    pub(crate) fn new(desk: Desk) -> Self {
        let options = &desk.options;
        Self {
            users: Router::new(options.cached_per_shard, options.pending_per_row),
            tenants: Router::new(options.cached_per_shard, options.pending_per_row),
            places: Arc::new(Semaphore::new(options.pending_per_shard as usize)),
            errands: Errands::new(),
            leaving: AtomicBool::new(false),
            retiring: AtomicBool::new(false),
            supervisor: OnceLock::new(),
            desk: Arc::new(desk),
        }
    }

    pub(crate) fn id(&self) -> ShardId {
        self.desk.replica.shard()
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Says whose children the actors are. Called once, by the supervisor as it starts.
    pub(crate) fn supervised_by(&self, supervisor: ActorCell) {
        let _ = self.supervisor.set(supervisor);
    }

    pub(crate) fn supervisor(&self) -> Option<&ActorCell> {
        self.supervisor.get()
    }

    pub(crate) fn actors(&self) -> usize {
        self.users.len() + self.tenants.len()
    }

    /// Begins an errand.
    pub(crate) fn begin(&self, errand: Errand, supervisor: ActorCell) -> Result<(), SpawnErr> {
        self.errands.start(errand, &self.desk, supervisor)
    }

    /// Drops all actors now. Whoever waits gets [`GatewayError::Unavailable`] if something was
    /// proposed for it, else [`GatewayError::NotLeading`].
    pub(crate) fn close(&self) {
        self.errands.close();
        self.users.close();
        self.tenants.close();
        self.places.close();
        if let Some(supervisor) = self.supervisor.get() {
            supervisor.kill();
        }
    }

    /// Takes up nothing more, and waits until all that was taken up before is done with; `false` if
    /// that was not so by `deadline`.
    ///
    /// First the errands finish, while questions are still answered: a message on its way takes as
    /// long as its provider does. They have half of the time; what is under way then will be sent
    /// again, under the same number, by whoever leads next.
    pub(crate) async fn retired(&self, deadline: Instant) -> bool {
        self.leaving.store(true, Ordering::SeqCst);
        let now = Instant::now();
        let half = now + deadline.saturating_duration_since(now) / 2;
        if !self.errands.finished(half).await {
            tracing::warn!(shard = %self.id(), "given up before all that was on its way out was recorded");
        }
        // Before the wait: whoever has a place and saw no flag is waited for, see `place`.
        self.retiring.store(true, Ordering::SeqCst);
        let all = self.desk.options.pending_per_shard;
        timeout_at(deadline, self.places.acquire_many(all)).await.is_ok_and(|all| all.is_ok())
    }

    /// Whether it is being given up for good.
    pub(crate) fn leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Whether it takes up nothing any more.
    fn retiring(&self) -> bool {
        self.retiring.load(Ordering::SeqCst)
    }

    /// An actor ended, whatever the reason. Which errand it was at, if it was at one.
    pub(crate) fn forget(&self, actor: ActorId) -> Option<Errand> {
        self.users.forget(actor);
        self.tenants.forget(actor);
        self.errands.forget(actor)
    }

    /// Retires actors of which nothing was asked in the last `sweeps` sweeps.
    pub(crate) fn sweep(&self, sweeps: u64) {
        self.users.sweep(sweeps);
        self.tenants.sweep(sweeps);
    }

    pub(crate) async fn ask_tenant(
        &self,
        id: TenantId,
        request: Request<TenantCommand>,
    ) -> Result<TenantReply, GatewayError> {
        let place = self.place()?;
        self.converse(&self.tenants, &id, TenantRow(id.clone()), request, place).await
    }

    pub(crate) async fn ask_user(
        &self,
        target: Target,
        keep: impl FnOnce(&UserKey, Request<Question>) -> Request<Question>,
        request: Request<Question>,
    ) -> Result<Reply, GatewayError> {
        let place = self.place()?;
        let tenant = request.caller.tenant.clone();
        let user = match target {
            Target::User(user) => Some(user),
            Target::Challenge(_) => self.owner(&tenant, &target, request.deadline).await?,
        };
        let Some(user) = user else { return Ok(Reply::Refused(Refusal::ChallengeNotFound)) };
        let key = UserKey::new(tenant, user);
        let request = keep(&key, request);
        self.converse(&self.users, &key, UserRow(key.clone()), request, place).await
    }

    /// Whose challenge it is, by the hash in its id.
    async fn owner(
        &self,
        tenant: &TenantId,
        target: &Target,
        deadline: Instant,
    ) -> Result<Option<UserId>, GatewayError> {
        let Target::Challenge(id) = target else { return Ok(None) };
        let hash = self.desk.ports.vault.challenge_user(*id);
        let replica = self.desk.replica.as_ref();
        if let Some(user) = replica.user_by_hash(tenant, hash)? {
            return Ok(Some(user));
        }
        // Perhaps an earlier leader committed the user and this node has not applied it yet.
        self.desk.confirm_leadership(deadline).await?;
        Ok(replica.user_by_hash(tenant, hash)?)
    }

    /// A place in the shard. None is given once it retires, and whoever got one before that is
    /// waited for: the flag is set before the places are collected and read after one was taken.
    fn place(&self) -> Result<Place, GatewayError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        if self.retiring() || self.places.is_closed() {
            return Err(GatewayError::NotLeading { leader: None });
        }
        place.map(Arc::new).map_err(|_| {
            metrics::overloaded("shard");
            GatewayError::Overloaded
        })
    }

    /// Why a request got no answer from actors that were dropped.
    fn dropped(&self, progress: &Progress) -> GatewayError {
        if progress.proposed() {
            let text = format!("this node ceased to lead shard {}", self.id());
            return GatewayError::Unavailable(text);
        }
        GatewayError::NotLeading { leader: None }
    }

    /// Sends a request to its row's actor and waits for the answer, at most until its deadline.
    async fn converse<K: Clone + Eq + Hash, R: Row>(
        &self,
        router: &Router<K, Ask<R>>,
        key: &K,
        row: R,
        request: Request<R::Question>,
        place: Place,
    ) -> Result<R::Reply, GatewayError> {
        let request = Arc::new(request);
        for _ in 0..SENDINGS {
            let progress = Arc::new(Progress::default());
            let place = Arc::clone(&place);
            let (actor, seat) = match router.enter(key, place, || self.spawn(row.clone())) {
                Ok(entered) => entered,
                Err(NoSeat::Closed) => return Err(self.dropped(&progress)),
                Err(NoSeat::RowFull) => {
                    metrics::overloaded("row");
                    return Err(GatewayError::OverloadedUser);
                }
                Err(NoSeat::Spawn(error)) => {
                    return Err(GatewayError::Internal(format!("no actor could be made: {error}")));
                }
            };
            let ask = |reply| Ask {
                request: Arc::clone(&request),
                progress: Arc::clone(&progress),
                seat,
                reply,
            };
            let wait = request.deadline.saturating_duration_since(Instant::now());
            match actor.call(ask, Some(wait)).await {
                Ok(CallResult::Success(answer)) => return answer,
                Ok(CallResult::Timeout) => {
                    return Err(GatewayError::Unavailable("the decision took too long".into()));
                }
                Ok(CallResult::SenderError) | Err(_) => {}
            }
            // The actor ended. Its supervisor is told as well, but the next request, perhaps of
            // this very caller, must not wait for that.
            router.forget(actor.get_id());
            if router.closed() {
                return Err(self.dropped(&progress));
            }
            if Instant::now() >= request.deadline {
                return Err(GatewayError::Unavailable("the decision took too long".into()));
            }
            if progress.taken() {
                return Err(GatewayError::Internal("the actor failed while deciding".into()));
            }
            // It fell over another's request before it came to this one: nothing was done.
        }
        Err(GatewayError::Unavailable("the actors kept failing".into()))
    }

    /// Makes an actor without waiting for it to start: messages wait in its mailbox. Never named:
    /// the registry of names is one for the process.
    fn spawn<R: Row>(&self, row: R) -> Result<ractor::ActorRef<Ask<R>>, SpawnErr> {
        let Some(supervisor) = self.supervisor.get() else {
            return Err(SpawnErr::StartupFailed("the shard has no supervisor yet".into()));
        };
        let decider = Decider::new(row, Arc::clone(&self.desk));
        let (actor, _starting) = ActorRuntime::<RowActor<R>>::spawn_linked_instant(
            None,
            RowActor::new(),
            decider,
            supervisor.clone(),
        )?;
        Ok(actor)
    }
}
