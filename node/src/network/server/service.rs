//! What may be asked on a connection, and by whom.

use std::sync::Arc;

use countersign_core::ids::ShardId;
use countersign_storage::NodeId;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{Notify, Semaphore};

use super::PeerServing;
use super::raft;
use crate::network::authority;
use crate::network::body::{self, BodyError, Sent};
use crate::network::identity::PeerIdentity;
use crate::network::join::{self, Binding};
use crate::network::refused::Refused;
use crate::network::snapshot::Receptions;
use crate::network::wire::{self, CONTROL_BYTES, JOIN_BYTES, JoinRefusal, path};

/// What every connection's requests go to.
pub(super) struct Door {
    pub(super) own: PeerIdentity,
    pub(super) serving: PeerServing,
    pub(super) receptions: Receptions,
    pub(super) guests: Semaphore,
}

/// Who is at the other end of a connection.
pub(super) enum Guest {
    /// A node, by its certificate.
    Node(NodeId),
    /// Somebody without a certificate, and what ties a proof to this connection.
    Stranger(Binding),
}

impl Guest {
    pub(super) const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Node(node) => Some(*node),
            Self::Stranger(_) => None,
        }
    }
}

/// Why a request is not answered.
pub(in crate::network) enum Failure {
    /// It should not have been made. Counted.
    Refused(Refused),
    /// Nothing was done with it, through no fault of the peer's.
    Unable(String),
    /// It was done, and its answer cannot be given.
    Lost(String),
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Oversized => Self::Refused(Refused::Oversized),
            BodyError::Broken(reason) => Self::Unable(reason),
        }
    }
}

pub(super) type Outcome = Result<Response<Sent>, Failure>;

impl Door {
    /// Answers one request. `close` is told if the connection is better closed.
    pub(super) async fn answer(
        &self,
        guest: &Guest,
        request: Request<Incoming>,
        close: &Arc<Notify>,
    ) -> Response<Sent> {
        match self.outcome(guest, request, close).await {
            Ok(response) => response,
            Err(Failure::Refused(refused)) => {
                refused.count();
                tracing::debug!(node = guest.node(), reason = refused.reason(), "refused a peer");
                if closes(refused) {
                    close.notify_one();
                }
                plain(status(refused), refused.reason())
            }
            Err(Failure::Unable(reason)) => plain(StatusCode::SERVICE_UNAVAILABLE, &reason),
            // The one status that does not say that nothing was done.
            Err(Failure::Lost(reason)) => plain(StatusCode::INTERNAL_SERVER_ERROR, &reason),
        }
    }

    async fn outcome(
        &self,
        guest: &Guest,
        request: Request<Incoming>,
        close: &Arc<Notify>,
    ) -> Outcome {
        let refuse = |refused| Err(Failure::Refused(refused));
        if request.method() != Method::POST {
            return refuse(Refused::UnknownRoute);
        }
        let asked = request.uri().path();
        let node = match guest {
            Guest::Stranger(binding) if asked == path::JOIN => {
                return self.join(binding, request.into_body()).await;
            }
            Guest::Stranger(_) => return refuse(Refused::Anonymous),
            Guest::Node(node) => *node,
        };
        // Asked each time: a node that was taken out may have been connected before.
        if !(self.serving.admits)(node) {
            return refuse(Refused::Removed);
        }
        if asked == path::CALL {
            return self.call(node, request.into_body()).await;
        }
        let kind = asked.strip_prefix(path::RAFT).and_then(|rest| rest.split_once('/'));
        let Some((shard, kind)) = kind else { return refuse(Refused::UnknownRoute) };
        let shard = shard.parse().ok().map(ShardId);
        let group = shard.and_then(|shard| Some((shard, self.serving.groups.get(&shard)?)));
        let Some((shard, group)) = group else { return refuse(Refused::UnknownRoute) };
        let kind = kind.to_owned();
        let at = raft::At { door: self, node, shard, group, close };
        at.answer(&kind, request.into_body()).await
    }

    async fn call(&self, node: NodeId, body: Incoming) -> Outcome {
        let bytes = body::collect(body, CONTROL_BYTES).await?;
        let call = wire::decode(&bytes).map_err(|_| Failure::Refused(Refused::Malformed))?;
        let answer = self.serving.answerer.answer(node, call).await;
        encoded(&answer)
    }

    async fn join(&self, binding: &Binding, body: Incoming) -> Outcome {
        let Some(secret) = &self.serving.cluster_secret else {
            return Err(Failure::Unable("this node was not told the cluster secret".to_owned()));
        };
        let bytes = body::collect(body, JOIN_BYTES).await?;
        let asked = join::asked(secret, binding, &bytes);
        let asked = asked.map_err(|_| Failure::Refused(Refused::Malformed))?;
        let request = asked.ok_or(Failure::Refused(Refused::WrongSecret))?;
        // Before anything is committed about it.
        let answer = if authority::is_public_key(&request.public_key) {
            self.serving.answerer.admit(request).await
        } else {
            Err(JoinRefusal::Invalid("its public key is not an ECDSA P-256 key".to_owned()))
        };
        let bytes = join::answered(secret, binding, &answer);
        Ok(ok(bytes.map_err(|error| Failure::Lost(error.to_string()))?))
    }
}

/// A value as an answer.
pub(super) fn encoded<T: serde::Serialize>(value: &T) -> Outcome {
    let bytes = wire::encode(value).map_err(|error| Failure::Lost(error.to_string()))?;
    if bytes.len() > CONTROL_BYTES {
        return Err(Failure::Lost("the answer is larger than 1 MiB".to_owned()));
    }
    Ok(ok(bytes))
}

fn ok(bytes: Vec<u8>) -> Response<Sent> {
    Response::new(body::whole(bytes))
}

fn plain(status: StatusCode, words: &str) -> Response<Sent> {
    let mut response = Response::new(body::whole(words.to_owned()));
    *response.status_mut() = status;
    response
}

const fn status(refused: Refused) -> StatusCode {
    match refused {
        Refused::UnknownRoute => StatusCode::NOT_FOUND,
        Refused::Malformed => StatusCode::BAD_REQUEST,
        Refused::Oversized => StatusCode::PAYLOAD_TOO_LARGE,
        Refused::WrongSecret => StatusCode::UNAUTHORIZED,
        Refused::VotesPaused | Refused::NoRoom | Refused::SnapshotUnderWay => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::FORBIDDEN,
    }
}

/// Whether whoever is refused so has nothing more to say.
const fn closes(refused: Refused) -> bool {
    matches!(
        refused,
        Refused::Anonymous | Refused::Malformed | Refused::Oversized | Refused::WrongSecret
    )
}
