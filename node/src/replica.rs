//! The actors' port to one shard's log and rows, for one term of leadership.
//!
//! A replica is made when this node has won a shard and dies with that term: every proposal
//! carries the term as a fence, so that what was decided in one term is never written in another,
//! even if this node leads both.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::{Outbox, Replica, ReplicaError, Versioned};
use countersign_core::ids::{ShardId, TenantId, UserHash, UserId, UserKey};
use countersign_core::proposal::{AnswerKey, Applied, KeptAnswer, LogCommand};
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use countersign_storage::{Rows, StorageError, TypeConfig};
use futures::FutureExt;
use futures::future::BoxFuture;
use openraft::LinearizerOption;
use openraft::errors::{
    ClientWriteError, Fatal, ForwardToLeader, LinearizableReadError, RaftError,
};
use openraft::impls::ProgressResponder;
use openraft::type_config::alias::CommittedLeaderIdOf;

use crate::raft::Group;
use crate::shard_time::ShardTimes;

/// How long a barrier may wait for a quorum's word.
const BARRIER_WAIT: Duration = Duration::from_secs(1);

/// This node's replica of one shard, in one term.
pub(crate) struct ShardReplica {
    shard: ShardId,
    group: Group,
    rows: Rows,
    fence: CommittedLeaderIdOf<TypeConfig>,
    /// Known where decisions are made.
    times: Option<ShardTimes>,
}

impl ShardReplica {
    /// The replica of a shard that this node leads under `fence`.
    pub(crate) const fn new(
        shard: ShardId,
        group: Group,
        rows: Rows,
        fence: CommittedLeaderIdOf<TypeConfig>,
    ) -> Self {
        Self { shard, group, rows, fence, times: None }
    }

    /// The same, for those who decide: it knows the shard's time, and whether a lease can be
    /// trusted.
    pub(crate) fn deciding(self, times: ShardTimes) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The shard's rows, as applied here.
    pub(crate) const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// For those who hold it behind the port.
    pub(crate) fn into_port(self) -> Arc<dyn Replica> {
        Arc::new(self)
    }

    async fn write(&self, command: LogCommand) -> Result<Applied, ReplicaError> {
        let (responder, answer) = ProgressResponder::complete_only();
        self.group
            .write(command)
            .with_leader(self.fence)
            .responder(responder)
            .await
            .map_err(|error| self.fatal(&error))?;
        let written = answer
            .await
            .map_err(|_| self.unavailable("the Raft group stopped before it answered"))?;
        written.map(|response| response.data).map_err(|error| match error {
            ClientWriteError::ForwardToLeader(to) => self.not_leader(&to),
            // It was in our log and may yet commit under another leader.
            ClientWriteError::LogEntryDiscarded(_) => {
                self.unavailable("leadership was lost before the entry was committed")
            }
            error => self.unavailable(&error.to_string()),
        })
    }

    async fn confirm(&self) -> Result<(), ReplicaError> {
        // A quorum's word that is younger than the leader's lease is good enough: followers keep
        // to the lease and elect nobody meanwhile. Without one a round of heartbeats asks for it.
        let option = match &self.times {
            Some(times) => times.clock().lease(),
            None => LinearizerOption::new(None, true),
        };
        let option = option.with_wait_timeout(BARRIER_WAIT);
        match self.group.ensure_linearizable(option).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                Err(self.not_leader(&to))
            }
            Err(RaftError::APIError(error)) => Err(self.unavailable(&error.to_string())),
            Err(RaftError::Fatal(error)) => Err(self.fatal(&error)),
        }
    }

    const fn not_leader(&self, to: &ForwardToLeader<TypeConfig>) -> ReplicaError {
        ReplicaError::NotLeader { shard: self.shard, leader: to.leader_id }
    }

    fn unavailable(&self, reason: &str) -> ReplicaError {
        ReplicaError::Unavailable { shard: self.shard, reason: reason.to_owned() }
    }

    fn fatal(&self, error: &Fatal<TypeConfig>) -> ReplicaError {
        self.unavailable(&error.to_string())
    }

    fn versioned<T>(
        &self,
        row: Result<(u64, T), StorageError>,
    ) -> Result<Versioned<T>, ReplicaError> {
        row.map(|(version, value)| Versioned { version, value }).map_err(|error| self.store(&error))
    }

    /// The store's failure, as the port tells it.
    pub(crate) fn store(&self, error: &StorageError) -> ReplicaError {
        ReplicaError::Store { shard: self.shard, reason: error.to_string() }
    }
}

impl Replica for ShardReplica {
    fn shard(&self) -> ShardId {
        self.shard
    }

    fn propose(&self, command: LogCommand) -> BoxFuture<'_, Result<Applied, ReplicaError>> {
        self.write(command).boxed()
    }

    fn barrier(&self) -> BoxFuture<'_, Result<(), ReplicaError>> {
        self.confirm().boxed()
    }

    fn user(&self, key: &UserKey) -> Result<Versioned<UserState>, ReplicaError> {
        self.versioned(self.rows.user(key))
    }

    fn user_by_hash(
        &self,
        tenant: &TenantId,
        hash: UserHash,
    ) -> Result<Option<UserId>, ReplicaError> {
        self.rows.user_by_hash(tenant, hash).map_err(|error| self.store(&error))
    }

    fn tenant(&self, id: &TenantId) -> Result<Versioned<Option<TenantState>>, ReplicaError> {
        self.versioned(self.rows.tenant(id))
    }

    fn system(&self) -> Result<Versioned<SystemState>, ReplicaError> {
        self.versioned(self.rows.system())
    }

    fn answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, ReplicaError> {
        self.rows.answer(key).map_err(|error| self.store(&error))
    }

    fn last_now(&self) -> Timestamp {
        match &self.times {
            Some(times) => times.earliest(self.shard),
            None => self.rows.last_now(),
        }
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        Some(self)
    }
}
