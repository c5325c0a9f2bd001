//! Connections to other nodes: two to each, made when first needed, kept until they break.
//!
//! Control carries what is small and urgent: heartbeats, votes, forwarded questions. Bulk carries
//! entries. So no heartbeat waits behind entries. Snapshots get connections of their own.
//!
//! Nobody queues behind a node that is not there: a connection that breaks fails all that wait on
//! it at once, and a node that could not be reached a moment ago is not tried again before a
//! moment has passed. An address is looked up anew each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_storage::{DiskHistory, NodeId};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::body::{self, Sent};
use super::call::{Answer, Call, CallError};
use super::credentials::CredentialHolder;
use super::dial::Dial;
use super::identity::{self, PeerIdentity, PeerKey};
use super::refused::Refused;
use super::tls;
use super::wire::{self, CONTROL_BYTES, Hello, path};

/// How long TLS and HTTP/2 may take to agree.
const AGREE: Duration = Duration::from_secs(2);
/// For so long after a failed attempt nobody tries again.
const REST: Duration = Duration::from_millis(100);
/// A connection on which nothing came for so long is asked whether it lives,
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// and given up if it does not answer within this.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);
/// Bytes of one stream that may be under way and unread: what a slow reader holds in memory.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;
/// Bytes of one connection that may be under way and unread.
pub(super) const CONNECTION_WINDOW: u32 = 16 << 20;
/// Bytes of one HTTP/2 frame.
pub(super) const FRAME: u32 = 128 << 10;

/// Sends requests over one connection. Clones are the same connection.
pub(super) type Sender = http2::SendRequest<Sent>;

/// Which nodes there are: where, with which keys, and how far their disks have come.
pub(crate) trait AddressBook: Send + Sync + 'static {
    /// The address, `host:port`, where a node's peers reach it; `None` if it is not known, or not
    /// to be talked to.
    fn address(&self, node: NodeId) -> Option<String>;

    /// Whether a node of this number with this key belongs to the cluster. Asked for every
    /// connection, in both directions.
    ///
    /// # Errors
    /// Why it does not.
    fn check(&self, node: NodeId, key: &PeerKey) -> Result<(), Refused>;

    /// How far this node's disk has come.
    fn own_disk(&self) -> DiskHistory;

    /// Whether a node's disk has all that is remembered of it here. What it has is remembered then.
    fn is_sound(&self, node: NodeId, disk: &DiskHistory) -> bool;

    /// A member has refused this node for ever: it was removed, or its disk is an older copy.
    fn refused_by(&self, node: NodeId, refused: Refused);
}

/// Which of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// For what is small and urgent.
    Control,
    /// For entries.
    Bulk,
}

/// The other nodes. Clones are the same.
#[derive(Clone)]
pub(crate) struct Peers(Arc<Inner>);

struct Inner {
    own: NodeId,
    credentials: CredentialHolder,
    book: Arc<dyn AddressBook>,
    dial: Arc<dyn Dial>,
    places: Mutex<BTreeMap<(NodeId, Line), Place>>,
}

type Dialing = Shared<BoxFuture<'static, Result<Sender, Arc<str>>>>;

/// What is known of one connection.
enum Place {
    Dialing(Dialing),
    Ready(Sender),
    Failed { at: Instant, reason: Arc<str> },
}

impl Peers {
    /// Nobody is connected to yet.
    pub(crate) fn new(
        own: NodeId,
        credentials: CredentialHolder,
        book: Arc<dyn AddressBook>,
        dial: Arc<dyn Dial>,
    ) -> Self {
        Self(Arc::new(Inner { own, credentials, book, dial, places: Mutex::default() }))
    }

    /// This node's number.
    pub(crate) fn own(&self) -> NodeId {
        self.0.own
    }

    /// Asks a node, and waits at most `within` for its answer.
    ///
    /// # Errors
    /// If there is no answer; the kind of error says whether it may have been done.
    pub(crate) async fn call(
        &self,
        node: NodeId,
        call: &Call,
        within: Duration,
    ) -> Result<Answer, CallError> {
        let message = wire::encode(call).map_err(|error| not_sent(node, error))?;
        let answer = self.ask(node, path::CALL, message, within).await?;
        wire::decode(&answer).map_err(|error| unknown(node, error))
    }

    /// Sends one message on the control connection and waits for its answer.
    pub(super) async fn ask(
        &self,
        node: NodeId,
        path: &str,
        message: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let deadline = Instant::now() + within;
        if message.len() > CONTROL_BYTES {
            return Err(not_sent(node, "the message is larger than 1 MiB"));
        }
        let connected = timeout_at(deadline, self.connection(node, Line::Control)).await;
        let mut sender = connected
            .map_err(|_| not_sent(node, "no connection within the deadline"))?
            .map_err(|reason| not_sent(node, reason))?;
        let request = request(path, body::whole(message)).map_err(|error| not_sent(node, error))?;
        let answered = async {
            let response = match sender.try_send_request(request).await {
                Ok(response) => response,
                Err(mut error) => {
                    // Given back: it never went out.
                    let returned = error.take_message().is_some();
                    let failed = if returned { not_sent } else { unknown };
                    return Err(failed(node, error.into_error()));
                }
            };
            let response = accepted(node, response).await.inspect_err(|error| {
                if let Some(refused) = error.final_refusal() {
                    self.0.book.refused_by(node, refused);
                }
            })?;
            body::collect(response.into_body(), CONTROL_BYTES)
                .await
                .map_err(|error| unknown(node, error))
        };
        timeout_at(deadline, answered)
            .await
            .unwrap_or_else(|_| Err(unknown(node, "no answer within the deadline")))
    }

    /// Whether there is a connection to a node, or one could be made now.
    pub(crate) async fn is_reached(&self, node: NodeId) -> bool {
        self.connection(node, Line::Control).await.is_ok()
    }

    /// The connection to a node, or why there is none. Several who wait for the same one wait for
    /// the same attempt, which goes on if they give up.
    pub(super) async fn connection(&self, node: NodeId, line: Line) -> Result<Sender, Arc<str>> {
        let dialing = {
            let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
            match places.get(&(node, line)) {
                Some(Place::Ready(sender)) if !sender.is_closed() => return Ok(sender.clone()),
                Some(Place::Failed { at, reason }) if at.elapsed() < REST => {
                    return Err(Arc::clone(reason));
                }
                Some(Place::Dialing(dialing)) => dialing.clone(),
                _ => {
                    let dialing = self.dial(node, line);
                    places.insert((node, line), Place::Dialing(dialing.clone()));
                    dialing
                }
            }
        };
        dialing.await
    }

    /// Begins to connect.
    fn dial(&self, node: NodeId, line: Line) -> Dialing {
        let peers = self.clone();
        // A task: whoever waits may give up, and the next one finds the connection made.
        let task = tokio::spawn(async move {
            let made = peers.connect(node).await.map_err(Arc::<str>::from);
            let place = match &made {
                Ok(sender) => Place::Ready(sender.clone()),
                Err(reason) => Place::Failed { at: Instant::now(), reason: Arc::clone(reason) },
            };
            let mut places = peers.0.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.insert((node, line), place);
            made
        });
        let dialed = task.map(|ended| ended.unwrap_or_else(|_| Err("the attempt ended".into())));
        dialed.boxed().shared()
    }

    /// A connection of one's own, to the node and to no other. It lives while a sender is held or
    /// an answer awaited.
    pub(super) async fn connect(&self, node: NodeId) -> Result<Sender, String> {
        let address = self.0.book.address(node).ok_or("its address is not known")?;
        let held = self.0.credentials.in_use().ok_or("this node has no certificate yet")?;
        let wished = PeerIdentity::new(held.identity.cluster_id.clone(), node);
        let name = tls::server_name(&wished).map_err(|error| error.to_string())?;
        let stream = timeout(AGREE, self.0.dial.dial(node, &address))
            .await
            .map_err(|_| format!("{address}: no connection in time"))?
            .map_err(|error| format!("{address}: {error}"))?;
        let agreed = async {
            // The server's certificate must name exactly the node that is wished.
            let stream = TlsConnector::from(Arc::clone(&held.client)).connect(name, stream).await?;
            let (_, session) = stream.get_ref();
            let shown = session.peer_certificates().and_then(<[_]>::first);
            let shown = shown.ok_or_else(|| std::io::Error::other("it shows no certificate"))?;
            let key = identity::key_of_certificate(shown).map_err(std::io::Error::other)?;
            self.0.book.check(node, &key).map_err(|refused| {
                refused.count();
                std::io::Error::other(format!("it is not accepted: {}", refused.reason()))
            })?;
            handshake(stream).await
        };
        let (mut sender, connection) = timeout(AGREE, agreed)
            .await
            .map_err(|_| format!("{address}: no agreement in time"))?
            .map_err(|error| format!("{address}: {error}"))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(node, %error, "a connection to a peer broke");
            }
        });
        timeout(AGREE, self.greet(node, &mut sender))
            .await
            .map_err(|_| format!("{address}: no greeting in time"))?
            .map_err(|error| error.to_string())?;
        Ok(sender)
    }

    /// The first words on a connection: both sides see that the other's disk is no older copy.
    async fn greet(&self, node: NodeId, sender: &mut Sender) -> Result<(), CallError> {
        let book = &self.0.book;
        let hello = Hello { disk: book.own_disk(), refused: None };
        let answered = say(node, sender, &hello).await;
        match answered.as_ref().err().and_then(CallError::final_refusal) {
            Some(Refused::OlderDisk) => disk_refused(book.as_ref(), node, &hello.disk),
            Some(refused) => book.refused_by(node, refused),
            None => {}
        }
        let other = answered?.disk;
        if book.is_sound(node, &other) {
            return Ok(());
        }
        Refused::OlderDisk.count();
        // Without this the other node would go on trying.
        let told = say(node, sender, &Hello { refused: Some(other), ..hello }).await;
        tracing::warn!(node, ?told, "this node's disk is an older copy: it is refused");
        Err(not_sent(node, "its disk is an older copy"))
    }
}

/// Another node refused this disk for what was told of it. Where the disk has gone on since, the
/// other node may have heard that first, over another connection: then it is asked again.
pub(super) fn disk_refused(book: &dyn AddressBook, node: NodeId, told: &DiskHistory) {
    if book.own_disk() == *told {
        book.refused_by(node, Refused::OlderDisk);
    }
}

async fn say(node: NodeId, sender: &mut Sender, hello: &Hello) -> Result<Hello, CallError> {
    let message = wire::encode(hello).map_err(|error| not_sent(node, error))?;
    let request =
        request(path::HELLO, body::whole(message)).map_err(|error| not_sent(node, error))?;
    let response = sender.send_request(request).await.map_err(|error| not_sent(node, error))?;
    let response = accepted(node, response).await?;
    let answer = body::collect(response.into_body(), CONTROL_BYTES).await;
    let answer = answer.map_err(|error| not_sent(node, error))?;
    wire::decode(&answer).map_err(|error| not_sent(node, error))
}

/// Begins HTTP/2 on a stream.
pub(super) async fn handshake<S>(
    stream: S,
) -> std::io::Result<(Sender, http2::Connection<TokioIo<S>, Sent, TokioExecutor>)>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE_EVERY)
        .keep_alive_timeout(ALIVE_WITHIN)
        // A link that was cut without a word is noticed even if nothing is under way.
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(std::io::Error::other)
}

/// A request. The host means nothing between nodes: the certificate says who is spoken to.
pub(super) fn request(path: &str, body: Sent) -> Result<Request<Sent>, http::Error> {
    Request::post(format!("https://countersign.internal{path}")).body(body)
}

/// What was accepted; a refusal, with the words that came with it, otherwise.
pub(super) async fn accepted(
    node: NodeId,
    response: Response<Incoming>,
) -> Result<Response<Incoming>, CallError> {
    const WORDS: usize = 1 << 10;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let words = body::collect(response.into_body(), WORDS).await.unwrap_or_default();
    let words = format!("{status}: {}", String::from_utf8_lossy(&words));
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        return Err(unknown(node, words));
    }
    Err(CallError::Refused(format!("node {node}: {words}")))
}

fn not_sent<R: std::fmt::Display>(node: NodeId, reason: R) -> CallError {
    CallError::NotSent(format!("node {node}: {reason}"))
}

fn unknown<R: std::fmt::Display>(node: NodeId, reason: R) -> CallError {
    CallError::Unknown(format!("node {node}: {reason}"))
}
