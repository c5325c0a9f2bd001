//! How handlers ask: a question goes to the gateway, what comes back becomes an answer or a
//! problem.

use countersign_actors::gateway::{Caller, Question, Target};
use countersign_core::command::{Command, Query};
use countersign_core::ids::TenantId;
use countersign_core::tenant::{TenantCommand, TenantReply, TenantState};
use std::sync::Arc;

use crate::error::ApiError;
use crate::problem::{Code, Problem};
use crate::state::ApiState;
use crate::wire::Answer;

impl ApiState {
    /// Asks for something that may change a user.
    pub(crate) async fn command<A: Answer>(
        &self,
        caller: Caller,
        target: Target,
        command: Command,
    ) -> Result<A, Problem> {
        let reply = self.gateway.ask(caller, target, Question::Do(command)).await?;
        A::read(reply, self)
    }

    /// Asks for something that changes nothing.
    pub(crate) async fn query<A: Answer>(
        &self,
        caller: Caller,
        target: Target,
        query: Query,
    ) -> Result<A, Problem> {
        let reply = self.gateway.ask(caller, target, Question::Tell(query)).await?;
        A::read(reply, self)
    }

    /// Asks for a change of a tenant; `take` takes what the reply holds.
    pub(crate) async fn change_tenant<A>(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
        operation: &'static str,
        take: impl FnOnce(TenantReply) -> Option<A>,
    ) -> Result<A, Problem> {
        match self.gateway.change_tenant(caller, tenant, command).await? {
            TenantReply::Refused(refusal) => Err(refusal.into()),
            reply => take(reply).ok_or_else(|| ApiError::UnexpectedReply { operation }.into()),
        }
    }

    /// The caller's tenant. It exists, since its key does, unless it was removed just now.
    pub(crate) fn tenant(&self, id: &TenantId) -> Result<Arc<TenantState>, Problem> {
        let removed = || Problem::new(Code::Unauthenticated, "the API key's tenant was removed");
        self.directory.tenant(id).ok_or_else(removed)
    }
}
