//! A user as a row to decide about.

use std::net::IpAddr;

use countersign_core::command::Command;
use countersign_core::context::{Surroundings, TrafficCounter};
use countersign_core::decide;
use countersign_core::decision::{Decision, Work, Worked};
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::ids::{TenantId, UserKey};
use countersign_core::portal::PortalReply;
use countersign_core::proposal::Change;
use countersign_core::query;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::sending::{Lane, Traffic};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;

use crate::desk::Desk;
use crate::gateway::{GatewayError, Question};
use crate::ports::{Directory, Replica, ReplicaError, Versioned};
use crate::row_actor::{Request, Row, passes};

/// A user's identity.
#[derive(Clone)]
pub(crate) struct UserRow(pub(crate) UserKey);

impl UserRow {
    /// Runs `f` with what surrounds the user.
    fn surrounded<T>(
        &self,
        state: &UserState,
        request: &Request<Question>,
        desk: &Desk,
        f: impl FnOnce(&Surroundings<'_>) -> T,
    ) -> Result<T, GatewayError> {
        let tenant = desk.tenant(&self.0.tenant)?;
        let signing_key = desk.signing_key()?;
        let directory = desk.ports.directory.as_ref();
        let address = address(state, request);
        let clock = desk.clock();
        let failures_from_address =
            address.map_or(0, |address| directory.failures_from(&self.0.tenant, address, clock));
        let pressure =
            directory.pressure(&self.0.tenant, state.pseudonym, address, request.caller.key, clock);
        let traffic = Counted { directory, tenant: &self.0.tenant };
        Ok(f(&Surroundings {
            tenant: &tenant,
            signing_key: &signing_key,
            browser_address: request.caller.address,
            failures_from_address,
            pressure,
            channels: desk.channels(),
            traffic: &traffic,
        }))
    }
}

/// Where the person is: where a browser on the hosted pages is, else as far as the request or the
/// challenge that it answers tells.
fn address(state: &UserState, request: &Request<Question>) -> Option<IpAddr> {
    let Question::Do(command) = &request.question else { return None };
    let command = match command {
        Command::Portal(portal) => {
            let act = portal.act()?;
            let seen = portal.address(state, request.caller.address);
            if seen.is_some() {
                return seen;
            }
            act
        }
        command => command,
    };
    match command {
        Command::CreateChallenge { context, .. } => context.ip_address,
        command => state.challenge(command.challenge()?)?.context.ip_address,
    }
}

/// A tenant's traffic, as this node applied it.
struct Counted<'a> {
    directory: &'a dyn Directory,
    tenant: &'a TenantId,
}

impl TrafficCounter for Counted<'_> {
    fn traffic(&self, lane: &Lane, now: Timestamp) -> Traffic {
        self.directory.traffic(self.tenant, lane, now)
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
        self.surrounded(state, request, desk, |around| {
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
        let mut decision =
            self.surrounded(state, request, desk, |around| match &request.question {
                Question::Do(command) => desk.with_context(now, request.caller.key, |context| {
                    decide::decide(&self.0, state, command, worked, around, context)
                }),
                Question::Tell(query) => {
                    Decision::reply(query::answer(&self.0, state, query, around, now))
                }
            })?;
        decision.reply = decision.reply.by_real_time(now.millis_since(desk.clock()));
        Ok(decision)
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

    fn is_kept(reply: &Reply) -> bool {
        match reply {
            // Whoever holds no session holds no API key either: what strangers send must cost no
            // write, and whoever has to be verified first comes again with the same form.
            Reply::Portal(reply) => !matches!(**reply, PortalReply::Refused(_)),
            _ => !Self::refusal(reply).is_some_and(passes),
        }
    }
}
