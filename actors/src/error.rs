//! What can go wrong with the service itself. What can go wrong with a question is
//! [`GatewayError`].

use countersign_core::ids::ShardId;
use thiserror::Error;

use crate::gateway::GatewayError;
use crate::ports::ReplicaError;

/// Why the actors could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// The root of the tree did not come up.
    #[error("the node supervisor did not start: {0}")]
    NodeSupervisor(String),
    /// A shard's supervisor did not come up.
    #[error("the supervisor of shard {shard} did not start: {reason}")]
    ShardSupervisor {
        /// Which shard.
        shard: ShardId,
        /// Why.
        reason: String,
    },
    /// The service is shutting down.
    #[error("shard {shard} is not taken on: the service is shutting down")]
    Stopping {
        /// Which shard.
        shard: ShardId,
    },
}

impl ServiceError {
    /// Whether doing the same again may succeed.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::NodeSupervisor(_) | Self::ShardSupervisor { .. } => true,
            Self::Stopping { .. } => false,
        }
    }
}

/// A replica's failure, as the asker sees it: a broken store is a fault, all else passes. A node
/// that does not lead has certainly done nothing; after all else that is not known.
impl From<ReplicaError> for GatewayError {
    fn from(error: ReplicaError) -> Self {
        match error {
            ReplicaError::NotLeader { leader, .. } => Self::NotLeading { leader },
            ReplicaError::Unavailable { .. } => Self::Unavailable(error.to_string()),
            ReplicaError::Store { .. } => Self::Internal(error.to_string()),
        }
    }
}
