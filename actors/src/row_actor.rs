//! The actor that decides about one row, and the way of every decision:
//!
//! 1. the answer kept for the request's idempotency key, if there is one;
//! 2. the row, from memory or from the replica, and the time;
//! 3. slow computing behind a gate; the actor waits meanwhile, so that the row stays serialised;
//! 4. the core's decision;
//! 5. the proposal. **The reply is released only after the log has applied it.** Where nothing is
//!    to be committed, it is released only after this node has confirmed that it still leads and
//!    that the row is the one that was decided on: a deposed leader never answers from memory.
//!
//! The row in memory is taken out while a decision is on its way and put back only once the
//! outcome is known. Whatever goes wrong in between (an error, a panic, being dropped), the next
//! question reads the row anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use countersign_core::decision::{Decision, Work, Worked};
use countersign_core::proposal::{Applied, Change, LogCommand, Proposal};
use countersign_core::reply::Refusal;
use countersign_core::time::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::desk::Desk;
use crate::gateway::{Caller, GatewayError};
use crate::idempotency::Keeping;
use crate::metrics;
use crate::ports::{Replica, ReplicaError, Versioned};
use crate::router::Seat;

/// A row that decisions are made about. It holds the row's identity, not its content.
pub(crate) trait Row: Clone + Send + Sync + 'static {
    /// The word for such rows in metrics.
    const KIND: &'static str;
    /// The row's content.
    type State: Send + Sync + 'static;
    /// A change of it.
    type Event: Send + 'static;
    /// What is asked.
    type Question: Send + Sync + 'static;
    /// What is answered.
    type Reply: Serialize + DeserializeOwned + Send + 'static;

    /// The row as applied here.
    fn load(&self, replica: &dyn Replica) -> Result<Versioned<Self::State>, ReplicaError>;

    /// The slow computing that has to come before the decision.
    fn prepare(
        &self,
        state: &Self::State,
        request: &Request<Self::Question>,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<Option<Work>, GatewayError>;

    /// The decision.
    fn decide(
        &self,
        state: &Self::State,
        request: &Request<Self::Question>,
        worked: Option<Worked>,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<Decision<Self::Reply, Self::Event>, GatewayError>;

    /// The events, as the log takes them.
    fn change(&self, events: Vec<Self::Event>) -> Change;

    /// Applies what the log has applied, in the same way.
    fn evolve(&self, state: &mut Self::State, change: &Change, at: Timestamp);

    /// Whether there is such a row.
    fn exists(state: &Self::State) -> bool;

    /// The refusal, if the reply is one.
    fn refusal(reply: &Self::Reply) -> Option<&Refusal>;

    /// Whether the reply is kept for a request that comes again. A refusal is as any answer is, even
    /// where nothing else is to be committed: repeated late, the request would be judged on what
    /// others have done since. Not kept is one that says when to come again, and one that is a
    /// fault of ours.
    fn is_kept(reply: &Self::Reply) -> bool {
        !Self::refusal(reply).is_some_and(passes)
    }
}

/// Whether a refusal says when to come again, or is a fault of ours.
pub(crate) const fn passes(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::TooManyAttempts { .. }
        | Refusal::TooManySends { .. }
        | Refusal::TooManyOpen { .. }
        | Refusal::DeliveryNotConfigured(_)
        | Refusal::Unreadable => true,
        Refusal::UserNotFound
        | Refusal::FactorNotFound
        | Refusal::ChallengeNotFound
        | Refusal::DeviceNotFound
        | Refusal::NotFound(_)
        | Refusal::NoPendingEnrollment
        | Refusal::MfaDisabled
        | Refusal::FactorNotAllowed(_)
        | Refusal::AuthenticatorNotAllowed(_)
        | Refusal::CountryNotAllowed(_)
        | Refusal::RecoveryCodesExist
        | Refusal::FactorLimitReached(_)
        | Refusal::FactorAlreadyEnrolled
        | Refusal::EnrollmentExpired
        | Refusal::EnrollmentReplaced
        | Refusal::ChallengeExpired
        | Refusal::CodeExpired
        | Refusal::InvalidCode { .. }
        | Refusal::NoCode { .. }
        | Refusal::CodeAlreadyUsed
        | Refusal::EmailNotVerified
        | Refusal::InvalidAssertion(_)
        | Refusal::AuthenticatorClockOff { .. }
        | Refusal::AuthenticatorIgnoredParameters
        | Refusal::Invalid { .. }
        | Refusal::Conflict(_)
        | Refusal::Forbidden(_) => false,
    }
}

/// A question and all that came with it.
#[derive(Debug)]
pub(crate) struct Request<Q> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// What.
    pub(crate) question: Q,
    /// Where the answer is kept, if it came with an idempotency key.
    pub(crate) keeping: Option<Keeping>,
    /// When the asker stops waiting.
    pub(crate) deadline: Instant,
}

/// The message: a request on its way.
pub(crate) struct Ask<R: Row> {
    pub(crate) request: Arc<Request<R::Question>>,
    /// How far the actor has come with it.
    pub(crate) progress: Arc<Progress>,
    pub(crate) seat: Seat,
    pub(crate) reply: RpcReplyPort<Result<R::Reply, GatewayError>>,
}

/// How far an actor has come with a request, for whoever learns nothing else of it because the
/// actor ended. It only ever says too much: `proposed` is set before anything is.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU8);

const TAKEN: u8 = 1;
const PROPOSED: u8 = 2;

impl Progress {
    /// Whether the request was taken up. One that was not may be sent again.
    pub(crate) fn taken(&self) -> bool {
        self.0.load(Ordering::Acquire) >= TAKEN
    }

    /// Whether something may have been changed for it.
    pub(crate) fn proposed(&self) -> bool {
        self.0.load(Ordering::Acquire) >= PROPOSED
    }

    fn set(&self, step: u8) {
        self.0.store(step, Ordering::Release);
    }
}

/// The actor.
pub(crate) struct RowActor<R>(std::marker::PhantomData<R>);

impl<R> RowActor<R> {
    pub(crate) const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<R: Row> Actor for RowActor<R> {
    type Msg = Ask<R>;
    type State = Decider<R>;
    type Arguments = Decider<R>;

    // Nothing that can fail: a failure here would reach no supervisor.
    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        decider: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(decider)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        decider: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Ask { request, progress, seat, reply } = message;
        progress.set(TAKEN);
        if reply.is_closed() || Instant::now() >= request.deadline {
            drop(seat);
            // Silence would be taken for the end of this actor.
            let late = GatewayError::Unavailable("the deadline passed while waiting".into());
            let _ = reply.send(Err(late));
            return Ok(());
        }
        let begun = Instant::now();
        // The actor runs on a task of its own, so it does not stand in the asker's span.
        let shard = decider.desk.replica.shard();
        let request_id = request.caller.request_id.as_str();
        let span = tracing::info_span!("decide", request_id, row = R::KIND, %shard);
        let answer = decider.answer(&request, &progress).instrument(span).await;
        metrics::decided(R::KIND, outcome::<R>(&answer), begun.elapsed());
        // First the seat, so that whoever has an answer also finds room for the next question.
        drop(seat);
        // An error says that the asker has gone.
        let _ = reply.send(answer);
        Ok(())
    }
}

fn outcome<R: Row>(answer: &Result<R::Reply, GatewayError>) -> &'static str {
    match answer {
        Ok(reply) => R::refusal(reply).map_or("done", metrics::outcome),
        Err(GatewayError::Unavailable(_)) => "unavailable",
        Err(GatewayError::NotLeading { .. }) => "not_leading",
        Err(GatewayError::OverloadedUser | GatewayError::Overloaded) => "overloaded",
        Err(GatewayError::IdempotencyKeyReused) => "idempotency_key_reused",
        Err(GatewayError::InvalidCursor) => "invalid_cursor",
        Err(GatewayError::Internal(_)) => "internal",
    }
}

/// What the actor keeps between two questions.
pub(crate) struct Decider<R: Row> {
    row: R,
    desk: Arc<Desk>,
    cached: Option<Versioned<R::State>>,
}

/// How one attempt to answer ended.
enum Step<T> {
    Answered(T),
    Again,
}

impl<R: Row> Decider<R> {
    pub(crate) const fn new(row: R, desk: Arc<Desk>) -> Self {
        Self { row, desk, cached: None }
    }

    async fn answer(
        &mut self,
        request: &Request<R::Question>,
        progress: &Progress,
    ) -> Result<R::Reply, GatewayError> {
        for _ in 0..self.desk.options.attempts.max(1) {
            if let Some(reply) = self.kept(request)? {
                return Ok(reply);
            }
            match self.attempt(request, progress).await? {
                Step::Answered(reply) => return Ok(reply),
                Step::Again => metrics::conflict(),
            }
            // What was proposed, if anything was, took no effect.
            progress.set(TAKEN);
        }
        Err(GatewayError::Unavailable("the row kept changing while it was decided on".into()))
    }

    fn kept(&self, request: &Request<R::Question>) -> Result<Option<R::Reply>, GatewayError> {
        match &request.keeping {
            Some(keeping) => keeping.find(&self.desk, self.desk.now()),
            None => Ok(None),
        }
    }

    async fn attempt(
        &mut self,
        request: &Request<R::Question>,
        progress: &Progress,
    ) -> Result<Step<R::Reply>, GatewayError> {
        // Out of memory until the outcome is known.
        let row = match self.cached.take() {
            Some(row) => row,
            None => self.row.load(self.desk.replica.as_ref())?,
        };
        let work = self.row.prepare(&row.value, request, &self.desk, self.desk.now())?;
        let worked = match work {
            Some(work) => {
                let gate = self.desk.gates.before(&work);
                Some(gate.run(|| work.run(), request.deadline).await?)
            }
            None => None,
        };
        // Read again: waiting before the gate may have taken long.
        let now = self.desk.now();
        let decision = self.row.decide(&row.value, request, worked, &self.desk, now)?;
        let keeping = request.keeping.as_ref().filter(|_| R::is_kept(&decision.reply));
        if decision.events.is_empty() && decision.audit.is_empty() && keeping.is_none() {
            return self.confirm(row, request, decision.reply).await;
        }
        let answer = keeping.map(|keeping| keeping.keep(&self.desk, &decision.reply, now));
        let proposal = Proposal {
            change: self.row.change(decision.events),
            expected_version: row.version,
            now,
            clock: self.desk.clock(),
            audit: decision.audit,
            answer: answer.transpose()?,
        };
        progress.set(PROPOSED);
        self.commit(row, proposal, decision.reply).await
    }

    /// Releases a reply that changes nothing, if it is still true.
    async fn confirm(
        &mut self,
        row: Versioned<R::State>,
        request: &Request<R::Question>,
        reply: R::Reply,
    ) -> Result<Step<R::Reply>, GatewayError> {
        self.desk.confirm_leadership(request.deadline).await?;
        let applied = self.row.load(self.desk.replica.as_ref())?;
        let unchanged = applied.version == row.version;
        self.cached = Some(applied);
        // An answer may have been committed by an earlier leader without a change of the row.
        if unchanged && self.kept(request)?.is_none() {
            return Ok(Step::Answered(reply));
        }
        Ok(Step::Again)
    }

    /// Proposes, and releases the reply once that is applied.
    async fn commit(
        &mut self,
        mut row: Versioned<R::State>,
        proposal: Proposal,
        reply: R::Reply,
    ) -> Result<Step<R::Reply>, GatewayError> {
        #[cfg(feature = "sabotage")]
        let proposal = crate::sabotage::change_password_long_ago(proposal);
        let change = proposal.change.clone();
        let types = proposal.audit.iter().map(|entry| entry.event_type.as_str());
        let alerts: Vec<&'static str> = types.filter_map(metrics::alert).collect();
        #[cfg(feature = "sabotage")]
        let proposal = crate::sabotage::keep_in_memory(proposal);
        #[cfg(feature = "sabotage")]
        if crate::sabotage::replies_first(
            &self.desk.replica,
            &proposal,
            R::refusal(&reply).is_some(),
        ) {
            return Ok(Step::Answered(reply));
        }
        let command = LogCommand::Propose(Box::new(proposal));
        let proposed = self.desk.replica.propose(command);
        let patience = self.desk.options.propose_timeout;
        #[cfg(feature = "sabotage")]
        let patience = crate::sabotage::patience(patience);
        let applied = timeout(patience, proposed).await.map_err(|_| {
            GatewayError::Unavailable("the log did not confirm the change in time".into())
        })??;
        match applied {
            Applied::Done { version, at } => {
                alerts.into_iter().for_each(metrics::alerted);
                self.row.evolve(&mut row.value, &change, at);
                row.version = version;
                // A row that does not exist has version 0 in the store, whatever was answered.
                self.cached = R::exists(&row.value).then_some(row);
                Ok(Step::Answered(reply))
            }
            // Both: somebody else was first. The row and the kept answer are read anew.
            Applied::Conflict { .. } | Applied::Repeated => Ok(Step::Again),
            Applied::Nothing | Applied::Maintained { .. } | Applied::Noted | Applied::Unknown => {
                Err(GatewayError::Internal(
                    "the log answered a decision with something else".into(),
                ))
            }
        }
    }
}
