//! A tenant as a row to decide about. Shard 0 only.

use countersign_core::decision::{Decision, Work, Worked};
use countersign_core::ids::TenantId;
use countersign_core::proposal::Change;
use countersign_core::reply::Refusal;
use countersign_core::tenant::{self, TenantCommand, TenantEvent, TenantReply, TenantState};
use countersign_core::time::Timestamp;

use crate::desk::Desk;
use crate::gateway::GatewayError;
use crate::ports::{Replica, ReplicaError, Versioned};
use crate::row_actor::{Request, Row};

/// A tenant's identity.
#[derive(Clone)]
pub(crate) struct TenantRow(pub(crate) TenantId);

impl Row for TenantRow {
    const KIND: &'static str = "tenant";
    type State = Option<TenantState>;
    type Event = TenantEvent;
    type Question = TenantCommand;
    type Reply = TenantReply;

    fn load(&self, replica: &dyn Replica) -> Result<Versioned<Self::State>, ReplicaError> {
        replica.tenant(&self.0)
    }

    fn prepare(
        &self,
        _state: &Self::State,
        _request: &Request<TenantCommand>,
        _desk: &Desk,
        _now: Timestamp,
    ) -> Result<Option<Work>, GatewayError> {
        Ok(None)
    }

    fn decide(
        &self,
        state: &Self::State,
        request: &Request<TenantCommand>,
        _worked: Option<Worked>,
        desk: &Desk,
        _now: Timestamp,
    ) -> Result<Decision<TenantReply, TenantEvent>, GatewayError> {
        // What a tenant has is compared with the time of every shard: its moments are real time.
        Ok(desk.with_context(desk.clock(), request.caller.key, |context| {
            tenant::decide(&self.0, state.as_ref(), &request.question, context)
        }))
    }

    fn change(&self, events: Vec<TenantEvent>) -> Change {
        Change::Tenant { id: self.0.clone(), events }
    }

    fn evolve(&self, state: &mut Self::State, change: &Change, at: Timestamp) {
        if let Change::Tenant { events, .. } = change {
            for event in events {
                tenant::evolve(state, &self.0, event, at);
            }
        }
    }

    fn exists(state: &Self::State) -> bool {
        state.is_some()
    }

    fn refusal(reply: &TenantReply) -> Option<&Refusal> {
        match reply {
            TenantReply::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
