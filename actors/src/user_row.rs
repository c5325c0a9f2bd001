//! A user as a row to decide about.

use countersign_core::command::Command;
use countersign_core::context::Surroundings;
use countersign_core::decide;
use countersign_core::decision::{Decision, Work, Worked};
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::ids::UserKey;
use countersign_core::proposal::Change;
use countersign_core::query;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;

use crate::desk::Desk;
use crate::gateway::{GatewayError, Question};
use crate::ports::{Replica, ReplicaError, Versioned};
use crate::row_actor::{Request, Row};

/// A user's identity.
#[derive(Clone)]
pub(crate) struct UserRow(pub(crate) UserKey);

impl UserRow {
    /// Runs `f` with what surrounds the user.
    fn surrounded<T>(
        &self,
        request: &Request<Question>,
        desk: &Desk,
        now: Timestamp,
        f: impl FnOnce(&Surroundings<'_>) -> T,
    ) -> Result<T, GatewayError> {
        let tenant = desk.tenant(&self.0.tenant)?;
        let signing_key = desk.signing_key()?;
        let address = match &request.question {
            Question::Do(Command::CreateChallenge { context, .. }) => context.ip_address,
            _ => None,
        };
        let failures_from_address = address
            .map_or(0, |address| desk.ports.directory.failures_from(&self.0.tenant, address, now));
        Ok(f(&Surroundings { tenant: &tenant, signing_key: &signing_key, failures_from_address }))
    }
}

impl Row for UserRow {
    const KIND: &'static str = "user";
    type State = UserState;
    type Event = UserEvent;
    type Question = Question;
    type Reply = Reply;

    fn load(&self, replica: &dyn Replica) -> Result<Versioned<UserState>, ReplicaError> {
        replica.user(&self.0)
    }

    fn prepare(
        &self,
        state: &UserState,
        request: &Request<Question>,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<Option<Work>, GatewayError> {
        let Question::Do(command) = &request.question else { return Ok(None) };
        self.surrounded(request, desk, now, |around| {
            desk.with_context(now, request.caller.key, |context| {
                decide::prepare(state, command, around, context)
            })
        })
    }

    fn decide(
        &self,
        state: &UserState,
        request: &Request<Question>,
        worked: Option<Worked>,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<Decision<Reply, UserEvent>, GatewayError> {
        self.surrounded(request, desk, now, |around| match &request.question {
            Question::Do(command) => desk.with_context(now, request.caller.key, |context| {
                decide::decide(&self.0, state, command, worked, around, context)
            }),
            Question::Tell(query) => {
                Decision::reply(query::answer(&self.0, state, query, around, now))
            }
        })
    }

    fn change(&self, events: Vec<UserEvent>) -> Change {
        Change::User { key: self.0.clone(), events }
    }

    fn evolve(&self, state: &mut UserState, change: &Change, at: Timestamp) {
        if let Change::User { events, .. } = change {
            evolve_all(state, events, at);
        }
    }

    fn exists(state: &UserState) -> bool {
        state.exists()
    }

    fn refusal(reply: &Reply) -> Option<&Refusal> {
        match reply {
            Reply::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
