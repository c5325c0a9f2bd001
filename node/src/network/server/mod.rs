//! What other nodes ask of this one: the listener, one task a connection, and who may come in.
//!
//! Every connection proves which node is at its other end before anything is read from it, and that
//! node must be a member with that key. Who is refused is counted. A client without a certificate may
//! ask one thing: to join.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use countersign_core::secret::Secret;
use countersign_storage::{NodeId, Store};
use futures::future::BoxFuture;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(super) use self::service::Failure;
use self::service::{Door, Guest};
use self::strangers::Strangers;
use super::call::{Answer, Call};
use super::contact::Contact;
use super::credentials::{CredentialHolder, CredentialsError};
use super::identity::{self, PeerIdentity};
use super::join;
use super::peers::{AddressBook, CONNECTION_WINDOW, FRAME, STREAM_WINDOW};
use super::refused::Refused;
use super::snapshot::Receptions;
use super::wire::{JoinGrant, JoinRefusal, JoinRequest};
use crate::raft::Groups;

mod raft;
mod service;
mod strangers;

/// Connections of members at once. A cluster of seven needs two dozen, and a few more for snapshots.
const CONNECTIONS: usize = 256;
/// How long TLS may take, from a stranger.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// How long a client may stay that is not known to be a member.
const UNPROVEN_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections at once of which it is not known that a member is at the other end: they must not
/// take the members' places.
const STRANGERS: usize = 64;
/// How long a connection that is being closed may still take for its last answers.
const GOAWAY_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests at once on one connection. Forwarded questions take one each.
const REQUESTS: u32 = 4_096;
/// A connection on which nothing came for so long is asked whether it lives,
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// and given up if it does not answer within this.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);
/// After a failed accept: the system lacks descriptors or memory, and trying at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Answers what other nodes ask beside Raft. A future of it is dropped if the asker gives up.
pub(crate) trait Answerer: Send + Sync + 'static {
    /// Answers a call of a node that has proved who it is.
    fn answer(&self, from: NodeId, call: Call) -> BoxFuture<'_, Answer>;

    /// Takes a node into the cluster, which has proved the cluster's secret.
    fn admit(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinGrant, JoinRefusal>>;
}

/// Whether this node has room on its disk for entries of the log.
pub(crate) type TakesEntries = Arc<dyn Fn() -> bool + Send + Sync>;

/// What the server works with.
pub(crate) struct PeerServing {
    /// Who this node is, and the authority it checks others by.
    pub(crate) credentials: CredentialHolder,
    /// The cluster's secret; nobody can join here without.
    pub(crate) cluster_secret: Option<Secret>,
    /// Its Raft groups.
    pub(crate) groups: Groups,
    /// Where snapshots are received into.
    pub(crate) store: Arc<Store>,
    /// What was heard from leaders is noted here.
    pub(crate) contact: Contact,
    /// Answers what is not Raft's.
    pub(crate) answerer: Arc<dyn Answerer>,
    /// Who belongs to the cluster.
    pub(crate) book: Arc<dyn AddressBook>,
    /// Whether there is room for entries.
    pub(crate) takes_entries: TakesEntries,
    /// Set once this node has asked the others whether its disk is an older copy. Before, it neither
    /// votes nor takes entries.
    pub(crate) checked: watch::Receiver<bool>,
    /// Before this no votes are given: this node may have promised a leader's lease that it does
    /// not remember.
    pub(crate) votes_from: Instant,
}

/// The running server.
pub(crate) struct PeerServer {
    task: JoinHandle<()>,
}

impl PeerServer {
    /// Serves other nodes on a listener, until stopped.
    ///
    /// # Errors
    /// If this node has no certificate yet.
    pub(crate) fn start(
        listener: TcpListener,
        serving: PeerServing,
    ) -> Result<Self, CredentialsError> {
        let held = serving.credentials.in_use().ok_or(CredentialsError::None)?;
        let own = held.identity.clone();
        let door = Arc::new(Door {
            own,
            serving,
            receptions: Receptions::default(),
            places: Semaphore::new(CONNECTIONS),
            strangers: Strangers::new(STRANGERS),
        });
        Ok(Self { task: tokio::spawn(accept(listener, door)) })
    }

    /// Ends all connections at once.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // Its connections end with it.
        let _ = self.task.await;
    }
}

async fn accept(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a peer's connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(Box::pin(serve(stream, Arc::clone(&door))));
    }
}

/// One connection, from its first byte to its last.
async fn serve(stream: TcpStream, door: Arc<Door>) {
    let Some(held) = door.serving.credentials.in_use() else { return };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let tls = Arc::clone(&held.server);
    // Until a member has proved itself, a newer connection may take this one's place.
    let stranger = door.strangers.enter();
    let agreed = tokio::select! {
        agreed = timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream)) => agreed,
        () = stranger.evicted() => return,
    };
    let Ok(Ok(stream)) = agreed else {
        Refused::Handshake.count();
        if let Ok(Err(error)) = agreed {
            tracing::debug!(%error, "a peer's handshake failed");
        }
        return;
    };
    let guest = match recognize(&stream, &door) {
        Ok(guest) => guest,
        Err(refused) => {
            refused.count();
            tracing::warn!(reason = refused.reason(), "a peer was refused");
            return;
        }
    };
    let node = guest.node();
    let standing = guest.standing(&*door.serving.book);
    if let (Some(node), Err(refused)) = (node, standing) {
        tracing::warn!(node, reason = refused.reason(), "this peer will be refused");
    }
    // A member has a place of its own; anybody else stays among the strangers, and not for long.
    let (stranger, _place) = if standing.is_ok() {
        let Ok(place) = door.places.try_acquire() else {
            Refused::Busy.count();
            return;
        };
        drop(stranger);
        (None, Some(place))
    } else {
        (Some(stranger), None)
    };
    let close = Arc::new(Notify::new());
    let guest = Arc::new(guest);
    let answering = {
        let (door, close) = (Arc::clone(&door), Arc::clone(&close));
        service_fn(move |request| {
            let (door, guest) = (Arc::clone(&door), Arc::clone(&guest));
            let close = Arc::clone(&close);
            async move { Ok::<_, std::convert::Infallible>(door.answer(&guest, request, &close).await) }
        })
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE_EVERY)
        .keep_alive_timeout(ALIVE_WITHIN)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(REQUESTS)
        // Requests whose askers gave up while this node stood still.
        .max_pending_accept_reset_streams(REQUESTS as usize)
        .serve_connection(TokioIo::new(stream), answering);
    let mut connection = std::pin::pin!(connection);
    let stay = async {
        match &stranger {
            None => std::future::pending().await,
            Some(stranger) => tokio::select! {
                () = stranger.evicted() => {}
                () = sleep(UNPROVEN_TIMEOUT) => {}
            },
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = close.notified() => {
            connection.as_mut().graceful_shutdown();
            timeout(GOAWAY_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
        () = stay => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(node, %error, "a peer's connection broke");
    }
}

/// Who is at the other end.
fn recognize(stream: &TlsStream<TcpStream>, door: &Door) -> Result<Guest, Refused> {
    let (_, session) = stream.get_ref();
    let Some(certificate) = session.peer_certificates().and_then(<[_]>::first) else {
        let binding = join::binding(session).map_err(|_| Refused::Handshake)?;
        return Ok(Guest::Stranger(binding));
    };
    // TLS has verified it against the cluster's authority.
    let identity = PeerIdentity::of_certificate(certificate).map_err(|_| Refused::Nameless)?;
    let own = &door.own;
    if identity.cluster_id != own.cluster_id {
        return Err(Refused::ForeignCluster);
    }
    if identity.node_id == own.node_id {
        return Err(Refused::OwnId);
    }
    let key = identity::key_of_certificate(certificate).map_err(|_| Refused::Nameless)?;
    Ok(Guest::Node { id: identity.node_id, key, greeted: AtomicBool::new(false) })
}
