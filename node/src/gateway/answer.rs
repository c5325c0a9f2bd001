//! The peers' door: what other nodes call, this node's own parts do.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use countersign_storage::NodeId;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use tokio::time::Instant;

use super::here::Here;
use super::route::Route;
use crate::cluster::disks::Disks;
use crate::cluster::liveness::Liveness;
use crate::network::{
    Answer, Answerer, Call, Changed, ClusterChange, JoinGrant, JoinRefusal, JoinRequest,
};

/// How long an admission may take.
const ADMISSION: Duration = Duration::from_secs(10);

/// Answers peers, and those who want to become one.
pub(crate) struct Answering {
    /// This node's own parts.
    pub(crate) here: Arc<Here>,
    /// To the leader of shard 0, who admits.
    pub(crate) route: Route,
    /// Who was heard of.
    pub(crate) liveness: Liveness,
    /// How far their disks have come.
    pub(crate) disks: Disks,
}

impl Answerer for Answering {
    fn answer(&self, from: NodeId, call: Call) -> BoxFuture<'_, Answer> {
        self.liveness.heard(from);
        if let Call::RememberDisk(mark) = call {
            self.disks.remember(from, mark);
            return ready(Answer::Remembered).boxed();
        }
        if let Call::ReadIndex { shards } = &call
            && shards.contains(&ShardId::SYSTEM)
        {
            self.here.currency.asked_by(from);
        }
        self.here.perform(call).boxed()
    }

    fn admit(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinGrant, JoinRefusal>> {
        async move {
            let change = ClusterChange::Admit(Box::new(request));
            let call = Call::ChangeCluster { change, within_ms: super::millis(ADMISSION) };
            let sent = self.route.send(ShardId::SYSTEM, call, Instant::now() + ADMISSION).await;
            match sent {
                Ok(Answer::Changed(Ok(Changed::Admitted(grant)))) => Ok(*grant),
                Ok(Answer::Changed(Ok(Changed::NotAdmitted(refusal)))) => Err(refusal),
                Ok(Answer::Changed(Err(error))) | Err(error) => Err(later(&error)),
                Ok(_) => Err(JoinRefusal::Unavailable("an unexpected answer".to_owned())),
            }
        }
        .boxed()
    }
}

fn later(error: &GatewayError) -> JoinRefusal {
    JoinRefusal::Unavailable(error.to_string())
}
