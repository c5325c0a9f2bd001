//! The actors' port to one shard's group, for one term: like the node's own.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::{Replica, ReplicaError, Versioned};
use countersign_core::ids::{ShardId, TenantId, UserHash, UserId, UserKey};
use countersign_core::proposal::{AnswerKey, Applied, KeptAnswer, LogCommand};
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use futures::FutureExt;
use futures::future::BoxFuture;
use openraft::LinearizerOption;
use openraft::errors::{ClientWriteError, LinearizableReadError, RaftError};
use openraft::impls::ProgressResponder;

use crate::disk::Disk;
use crate::raft::{Fence, Group};
use crate::sabotage::Sabotage;

/// How long a barrier may wait for a quorum's word.
const BARRIER_WAIT: Duration = Duration::from_secs(1);

/// One node's replica of one shard, in one term.
pub(crate) struct ShardReplica {
    /// Which shard.
    pub(crate) shard: ShardId,
    /// Its group.
    pub(crate) group: Group,
    /// Its rows.
    pub(crate) disk: Arc<Disk>,
    /// The term.
    pub(crate) fence: Fence,
    /// What it does wrong.
    pub(crate) sabotage: Sabotage,
}

impl ShardReplica {
    async fn write(&self, command: LogCommand) -> Result<Applied, ReplicaError> {
        let (responder, answer) = ProgressResponder::complete_only();
        self.group
            .write(command)
            .with_leader(self.fence)
            .responder(responder)
            .await
            .map_err(|error| self.unavailable(&error.to_string()))?;
        if self.sabotage == Sabotage::ReplyBeforeCommit {
            let (version, last_now) = self.disk.read(self.shard, |volume| {
                (volume.last().map_or(0, |last| last.index), volume.machine.last_now)
            });
            return Ok(Applied::Done { version, at: last_now });
        }
        let written = answer.await.map_err(|_| self.unavailable("the group stopped"))?;
        written.map(|response| response.data).map_err(|error| match error {
            ClientWriteError::ForwardToLeader(to) => {
                ReplicaError::NotLeader { shard: self.shard, leader: to.leader_id }
            }
            error => self.unavailable(&error.to_string()),
        })
    }

    async fn confirm(&self) -> Result<(), ReplicaError> {
        if self.sabotage == Sabotage::UnconfirmedLeader {
            return Ok(());
        }
        let option = LinearizerOption::new(None, true).with_wait_timeout(BARRIER_WAIT);
        match self.group.ensure_linearizable(option).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                Err(ReplicaError::NotLeader { shard: self.shard, leader: to.leader_id })
            }
            Err(error) => Err(self.unavailable(&error.to_string())),
        }
    }

    fn unavailable(&self, reason: &str) -> ReplicaError {
        ReplicaError::Unavailable { shard: self.shard, reason: reason.to_owned() }
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
        Ok(self.disk.read(self.shard, |volume| {
            let row = volume.machine.users.get(key).cloned().unwrap_or_default();
            Versioned { version: row.version, value: row.state }
        }))
    }

    fn user_by_hash(
        &self,
        tenant: &TenantId,
        hash: UserHash,
    ) -> Result<Option<UserId>, ReplicaError> {
        Ok(self.disk.read(self.shard, |volume| {
            let fits = |key: &&UserKey| key.tenant == *tenant && key.hash() == hash;
            volume.machine.users.keys().find(fits).map(|key| key.user.clone())
        }))
    }

    fn tenant(&self, _id: &TenantId) -> Result<Versioned<Option<TenantState>>, ReplicaError> {
        Ok(Versioned::default())
    }

    fn system(&self) -> Result<Versioned<SystemState>, ReplicaError> {
        Ok(Versioned::default())
    }

    fn answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, ReplicaError> {
        Ok(self.disk.read(self.shard, |volume| volume.machine.answers.get(key).cloned()))
    }

    fn last_now(&self) -> Timestamp {
        self.disk.read(self.shard, |volume| volume.machine.last_now)
    }
}
