//! What may be asked on a connection, and by whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_core::ids::ShardId;
use countersign_core::secret::Secret;
use countersign_storage::NodeId;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{Notify, Semaphore};

use super::PeerServing;
use super::raft;
use super::strangers::Strangers;
use crate::network::authority;
use crate::network::body::{self, BodyError, Sent};
use crate::network::identity::{PeerIdentity, PeerKey};
use crate::network::join::{self, Binding};
use crate::network::peers::{AddressBook, disk_refused};
use crate::network::refused::Refused;
use crate::network::snapshot::Receptions;
use crate::network::wire::{self, CONTROL_BYTES, Hello, JOIN_BYTES, JoinRefusal, path};

/// What every connection's requests go to.
pub(super) struct Door {
    pub(super) own: PeerIdentity,
    pub(super) serving: PeerServing,
    pub(super) receptions: Receptions,
    /// Places for connections of members.
    pub(super) places: Semaphore,
    /// All other connections.
    pub(super) strangers: Strangers,
}

/// Who is at the other end of a connection.
pub(super) enum Guest {
    /// A node, by its certificate.
    Node {
        /// Its number.
        id: NodeId,
        /// The key that it proved to hold.
        key: PeerKey,
        /// Whether its first words were heard.
        greeted: AtomicBool,
    },
    /// Somebody without a certificate, and what ties a proof to this connection.
    Stranger(Binding),
}

impl Guest {
    pub(super) const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Node { id, .. } => Some(*id),
            Self::Stranger(_) => None,
        }
    }

    /// Whether a member is at the other end, or why not.
    pub(super) fn standing(&self, book: &dyn AddressBook) -> Result<(), Refused> {
        match self {
            Self::Node { id, key, .. } => book.check(*id, key),
            Self::Stranger(_) => Err(Refused::Anonymous),
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
        let (node, key) = match guest {
            Guest::Stranger(binding) if asked == path::JOIN_PROOF => {
                return self.prove(binding, request.into_body()).await;
            }
            Guest::Stranger(binding) if asked == path::JOIN => {
                return self.join(binding, request.into_body()).await;
            }
            Guest::Stranger(_) => return refuse(Refused::Anonymous),
            Guest::Node { id, key, greeted } => {
                // Asked each time: a node that was taken out may have been connected before.
                self.serving.book.check(*id, key).map_err(Failure::Refused)?;
                if asked == path::HELLO {
                    let answer = self.hello(*id, request.into_body()).await?;
                    greeted.store(true, Ordering::Release);
                    return Ok(answer);
                }
                if !greeted.load(Ordering::Acquire) {
                    return refuse(Refused::NotGreeted);
                }
                (*id, *key)
            }
        };
        if asked == path::CALL {
            return self.call(node, request.into_body()).await;
        }
        let kind = asked.strip_prefix(path::RAFT).and_then(|rest| rest.split_once('/'));
        let Some((shard, kind)) = kind else { return refuse(Refused::UnknownRoute) };
        let shard = shard.parse().ok().map(ShardId);
        let group = shard.and_then(|shard| Some((shard, self.serving.groups.get(&shard)?)));
        let Some((shard, group)) = group else { return refuse(Refused::UnknownRoute) };
        let kind = kind.to_owned();
        let at = raft::At { door: self, node, key, shard, group, close };
        at.answer(&kind, request.into_body()).await
    }

    async fn call(&self, node: NodeId, body: Incoming) -> Outcome {
        let bytes = body::collect(body, CONTROL_BYTES).await?;
        let call = wire::decode(&bytes).map_err(|_| Failure::Refused(Refused::Malformed))?;
        let answer = self.serving.answerer.answer(node, call).await;
        encoded(&answer)
    }

    /// A node's first words: that its disk is no older copy.
    async fn hello(&self, node: NodeId, body: Incoming) -> Outcome {
        let bytes = body::collect(body, CONTROL_BYTES).await?;
        let hello: Hello =
            wire::decode(&bytes).map_err(|_| Failure::Refused(Refused::Malformed))?;
        let book = &self.serving.book;
        if let Some(told) = &hello.refused {
            disk_refused(book.as_ref(), node, told);
            return Err(Failure::Unable("this node's disk is an older copy".to_owned()));
        }
        if !book.is_sound(node, &hello.disk) {
            tracing::warn!(node, "this node's disk is an older copy: it is refused");
            return Err(Failure::Refused(Refused::OlderDisk));
        }
        encoded(&Hello { disk: book.own_disk(), refused: None })
    }

    fn secret(&self) -> Result<&Secret, Failure> {
        let secret = self.serving.cluster_secret.as_ref();
        secret
            .ok_or_else(|| Failure::Unable("this node was not told the cluster secret".to_owned()))
    }

    /// Proves the cluster secret to whoever has just proved it.
    async fn prove(&self, binding: &Binding, body: Incoming) -> Outcome {
        let secret = self.secret()?;
        let bytes = body::collect(body, JOIN_BYTES).await?;
        let proof = join::proof_for(secret, binding, &bytes);
        Ok(ok(proof.ok_or(Failure::Refused(Refused::WrongSecret))?))
    }

    async fn join(&self, binding: &Binding, body: Incoming) -> Outcome {
        let secret = self.secret()?;
        let bytes = body::collect(body, JOIN_BYTES).await?;
        let asked = join::asked(secret, binding, &bytes);
        let request = asked.map_err(Failure::Refused)?;
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
        Refused::VotesPaused
        | Refused::NotChecked
        | Refused::NoRoom
        | Refused::SnapshotUnderWay => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    }
}

/// Whether whoever is refused so has nothing more to say.
const fn closes(refused: Refused) -> bool {
    matches!(
        refused,
        Refused::Anonymous
            | Refused::Malformed
            | Refused::Oversized
            | Refused::WrongSecret
            | Refused::KeyNotProved
            | Refused::UnknownNode
            | Refused::OtherKey
            | Refused::OlderDisk
            | Refused::NotGreeted
    )
}
