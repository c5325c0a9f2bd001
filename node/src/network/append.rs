//! The path of every commit: a leader's entries to one follower, as one long HTTP/2 stream with
//! messages in both directions. Many are under way at once; answers come in the order of requests.
//!
//! HTTP/2's own task takes requests from openraft as soon as the connection has room: no task and
//! no channel stands between. Requests that are ready together leave together.
//!
//! A stream lasts as long as openraft reads its answers. Letting go of it takes the source of
//! requests away at once, even if the connection is stuck: openraft begins the next stream over
//! the same state, and a source that lived on would hold its lock.
//!
//! A stream of entry-less requests, which is what a heartbeat is, never opens one of these: it
//! goes over the control connection, where no entries are in its way.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use countersign_storage::TypeConfig;
use futures::task::AtomicWaker;
use futures::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use openraft::errors::RPCError;
use openraft::network::{RPCOption, RPCTypes};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, StreamAppendResult};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::body::BodyError;
use super::frames::{self, FrameError, Frames};
use super::peers::{self, Line};
use super::raft::{PeerLink, kind};
use super::wire::{APPEND_BYTES, CONTROL_BYTES};

type Append = AppendEntriesRequest<TypeConfig>;
type Answered = Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>;

/// The shortest time without any answer after which a stream with requests under way is given up.
/// An answer waits for the follower's disk, and to begin again would only send the same entries
/// to the same disk.
const STALL: Duration = Duration::from_secs(1);
/// Requests that are ready at once leave in one frame up to so many bytes.
const TOGETHER: usize = 64 << 10;

/// Sends the requests of `input`, and gives their answers in order. It ends with the input, with
/// an error, or with an answer that ends the leader's stream.
pub(super) fn answers<S>(
    link: PeerLink,
    input: S,
    option: RPCOption,
) -> impl Stream<Item = Answered> + Send + 'static
where
    S: Stream<Item = Append> + Send + Unpin + 'static,
{
    let at = At::Idle(input);
    stream::unfold(Some((link, option, at)), |state| async move {
        let (link, option, at) = state?;
        let (answer, at) = match at {
            At::Idle(mut input) => {
                let request = input.next().await?;
                if request.entries.is_empty() {
                    let answer = alone(&link, request, &option).await;
                    (answer, At::Idle(input))
                } else {
                    match open(&link, request, input, &option).await {
                        Ok(mut flow) => (flow.next(&link).await?, At::Flowing(Box::new(flow))),
                        Err(error) => return Some((Err(error), None)),
                    }
                }
            }
            At::Flowing(mut flow) => (flow.next(&link).await?, At::Flowing(flow)),
        };
        // openraft begins anew after anything but a match.
        let on = matches!(answer, Ok(Ok(_))).then_some((link, option, at));
        Some((answer, on))
    })
}

enum At<S> {
    /// Nothing but entry-less requests so far.
    Idle(S),
    /// The long stream is open.
    Flowing(Box<Flow<S>>),
}

/// An entry-less request over the control connection.
async fn alone(link: &PeerLink, request: Append, option: &RPCOption) -> Answered {
    let at = request.prev_log_id;
    let answer: AppendEntriesResponse<TypeConfig> =
        link.ask(RPCTypes::AppendEntries, kind::APPEND, &request, option).await?;
    if answer.is_conflict() && at.is_none() {
        // Nothing conflicts with the very beginning.
        return Err(link.unreachable("a conflict before the first entry was answered").into());
    }
    Ok(answer.into_stream_result(at, at))
}

/// Opens the long stream with its first request.
async fn open<S>(
    link: &PeerLink,
    first: Append,
    input: S,
    option: &RPCOption,
) -> Result<Flow<S>, RPCError<TypeConfig>>
where
    S: Stream<Item = Append> + Send + Unpin + 'static,
{
    let within = option.soft_ttl();
    let source = Arc::new(Source {
        input: Mutex::new(Some(input)),
        sent: AtomicU64::new(0),
        let_go: AtomicWaker::new(),
    });
    // From here on, letting go of this future or of the flow takes the input away.
    let hold = Hold(Arc::clone(&source));
    let setup = async {
        let mut sender = link
            .peers
            .connection(link.target, Line::Bulk)
            .await
            .map_err(|reason| link.unreachable(reason))?;
        let body = AppendBody { source, first: Some(first), ended: false }.boxed_unsync();
        let request = peers::request(&link.path(kind::STREAM), body)
            .map_err(|error| link.unreachable(error))?;
        let response =
            sender.send_request(request).await.map_err(|error| link.unreachable(error))?;
        let accepted = peers::accepted(link.target, response).await;
        let response = accepted.map_err(|error| link.unreachable(error))?;
        Ok::<_, RPCError<TypeConfig>>(Frames::new(response.into_body(), CONTROL_BYTES))
    };
    let answers = timeout(within, setup)
        .await
        .map_err(|_| link.timeout(RPCTypes::AppendEntries, within))??;
    let patience = within.max(STALL);
    let mut watch = interval_at(Instant::now() + patience / 2, patience / 2);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Flow { hold, answers, watch, patience, answered: 0, seen: (0, 0) })
}

/// The open stream, at the leader's end.
struct Flow<S> {
    hold: Hold<S>,
    answers: Frames,
    /// Looks twice in `patience` whether there is progress.
    watch: Interval,
    patience: Duration,
    answered: u64,
    /// What was answered and sent when last looked.
    seen: (u64, u64),
}

impl<S> Flow<S> {
    /// The next answer; `None` at the end.
    async fn next(&mut self, link: &PeerLink) -> Option<Answered> {
        loop {
            let answer = tokio::select! {
                biased;
                answer = self.answers.next::<StreamAppendResult<TypeConfig>>() => answer,
                _ = self.watch.tick() => {
                    if self.stalled() {
                        let timeout = link.timeout(RPCTypes::AppendEntries, self.patience);
                        return Some(Err(timeout.into()));
                    }
                    continue;
                }
            };
            return match answer {
                Ok(Some(answer)) => {
                    self.answered += 1;
                    Some(Ok(answer))
                }
                // Openraft is told of nothing where nothing was under way.
                Ok(None) if self.answered >= self.hold.0.sent.load(Ordering::Acquire) => None,
                Ok(None) => Some(Err(link.unreachable("it ended the stream early").into())),
                Err(error) => Some(Err(self.broken(link, error))),
            };
        }
    }

    /// Whether something was under way at the last look already, and nothing was answered since.
    fn stalled(&mut self) -> bool {
        let now = (self.answered, self.hold.0.sent.load(Ordering::Acquire));
        let (answered, sent) = std::mem::replace(&mut self.seen, now);
        sent > answered && now.0 == answered
    }

    fn broken(&self, link: &PeerLink, error: FrameError) -> RPCError<TypeConfig> {
        link.unreachable(error).into()
    }
}

/// Where the requests come from, shared by HTTP/2's task, which takes them, and the leader's end,
/// which takes the source away.
struct Source<S> {
    input: Mutex<Option<S>>,
    /// How many answers must come.
    sent: AtomicU64,
    let_go: AtomicWaker,
}

/// The leader's end of a [`Source`].
struct Hold<S>(Arc<Source<S>>);

impl<S> Drop for Hold<S> {
    fn drop(&mut self) {
        let input = self.0.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(input);
        self.0.let_go.wake();
    }
}

/// The requests, as the body of an HTTP/2 request.
struct AppendBody<S> {
    source: Arc<Source<S>>,
    first: Option<Append>,
    /// The input has ended.
    ended: bool,
}

impl<S> AppendBody<S> {
    fn write(&self, buffer: &mut BytesMut, request: Append) -> Result<(), BodyError> {
        let sent = write(buffer, request).map_err(|error| BodyError::Broken(error.to_string()))?;
        self.source.sent.fetch_add(sent, Ordering::AcqRel);
        Ok(())
    }
}

impl<S> Body for AppendBody<S>
where
    S: Stream<Item = Append> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut buffer = BytesMut::new();
        if let Some(first) = self.first.take()
            && let Err(error) = self.write(&mut buffer, first)
        {
            return Poll::Ready(Some(Err(error)));
        }
        // Before the source is looked at: letting go in between must wake this task.
        self.source.let_go.register(context.waker());
        let source = Arc::clone(&self.source);
        let mut ended = false;
        let mut input = source.input.lock().unwrap_or_else(PoisonError::into_inner);
        while buffer.len() < TOGETHER {
            let Some(requests) = input.as_mut() else {
                // Let go of: the peer is told that no more comes, and nobody awaits its answers.
                let gone = BodyError::Broken("the stream was let go of".to_owned());
                return Poll::Ready(Some(Err(gone)));
            };
            match requests.poll_next_unpin(context) {
                Poll::Ready(Some(request)) => {
                    if let Err(error) = self.write(&mut buffer, request) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Ready(None) => {
                    // A stream must not be polled after its end.
                    ended = true;
                    break;
                }
                Poll::Pending => break,
            }
        }
        drop(input);
        self.ended = ended;
        if buffer.is_empty() {
            return if ended { Poll::Ready(None) } else { Poll::Pending };
        }
        Poll::Ready(Some(Ok(Frame::data(buffer.freeze()))))
    }
}

/// Appends a request to the buffer, in halves if it is too large for one message. Returns how many
/// messages it became: each is answered.
fn write(buffer: &mut BytesMut, mut request: Append) -> Result<u64, FrameError> {
    match frames::write(buffer, &request, APPEND_BYTES) {
        Err(FrameError::Oversized(_) | FrameError::Malformed(_)) if request.entries.len() > 1 => {
            let rest = request.entries.split_off(request.entries.len() / 2);
            let second = Append {
                vote: request.vote,
                prev_log_id: request.entries.last().map(|entry| entry.log_id),
                entries: rest,
                leader_commit: request.leader_commit,
            };
            Ok(write(buffer, request)? + write(buffer, second)?)
        }
        written => written.map(|()| 1),
    }
}
