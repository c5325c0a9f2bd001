//! What goes on over one connection, and when it has gone on too slowly.
//!
//! Three things are told apart: a request head that is due, an answer that is being sent, and a
//! connection that rests between two requests. Each has a time of its own. How long a request may
//! take to be read and decided is not judged here: the API answers 503 once its own deadline passes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// From the opening of a connection to its first whole request head, and for each later head from
    /// its first byte on.
    pub(crate) head: Duration,
    /// Between two requests.
    pub(crate) rest: Duration,
    /// Without a byte of an answer being taken.
    pub(crate) stall: Duration,
    /// How often the rate is looked at.
    pub(crate) window: Duration,
    /// Bytes of answers that must be taken in such a time.
    pub(crate) least: u64,
    /// For any one answer.
    pub(crate) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            // Longer than the 60 seconds after which common load balancers let go, so that it is they
            // who close a connection and never the server under a request that is on its way.
            rest: Duration::from_secs(75),
            stall: Duration::from_secs(15),
            window: Duration::from_secs(30),
            // A kibibyte a second: less than any line that a page could be used over.
            least: 30 * 1024,
            answer: Duration::from_secs(300),
        }
    }
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No request came in time.
    Idle,
    /// A request head was begun and not ended in time.
    SlowHead,
    /// An answer is not taken.
    Stalled,
}

impl Verdict {
    /// Its name in the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::SlowHead => "slow_head",
            Self::Stalled => "answer_not_read",
        }
    }
}

/// One connection's activity. Cloning shares it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

struct State {
    patience: Patience,
    /// When the connection opened, or rested last.
    resting_since: Instant,
    /// Whether a request was read whole.
    asked: bool,
    /// Whether it is an HTTP/2 connection: bytes that come while nothing is asked are no head then.
    http2: bool,
    /// Since when bytes of a head have come.
    head_since: Option<Instant>,
    /// Requests that are being decided.
    deciding: usize,
    /// When each answer that is being sent was begun.
    answers: Vec<(u64, Instant)>,
    last_answer: u64,
    /// Whether the last write was not taken.
    blocked: bool,
    /// When something was taken last, or sending began.
    taken_at: Instant,
    /// Bytes taken.
    taken: u64,
    /// Since when the rate is counted, and what had been taken then.
    window: Option<(Instant, u64)>,
    /// Whether what was not taken is thrown away at the end.
    abort: bool,
}

impl State {
    fn sends(&self) -> bool {
        self.blocked || !self.answers.is_empty()
    }

    /// After a change: begins or ends the times that follow from it.
    fn settle(&mut self, sent_before: bool, now: Instant) {
        match (sent_before, self.sends()) {
            (false, true) => {
                self.taken_at = now;
                self.window = Some((now, self.taken));
            }
            (true, false) => {
                self.window = None;
                self.resting_since = now;
            }
            _ => {}
        }
    }

    /// What is wrong now, else when to look again.
    fn judge(&mut self, now: Instant) -> Result<Instant, Verdict> {
        let patience = self.patience;
        if self.sends() {
            let oldest = self.answers.iter().map(|(_, begun)| *begun).min().unwrap_or(now);
            let (since, before) = *self.window.get_or_insert((now, self.taken));
            let (stalled, late) = (self.taken_at + patience.stall, oldest + patience.answer);
            if now >= stalled || now >= late {
                return Err(Verdict::Stalled);
            }
            if now >= since + patience.window {
                if self.taken - before < patience.least {
                    return Err(Verdict::Stalled);
                }
                self.window = Some((now, self.taken));
            }
            let rated = self.window.map_or(now, |(since, _)| since + patience.window);
            return Ok(stalled.min(late).min(rated));
        }
        if self.deciding > 0 {
            return Ok(now + patience.stall);
        }
        if !self.asked {
            let until = self.resting_since + patience.head;
            let verdict = if self.head_since.is_some() { Verdict::SlowHead } else { Verdict::Idle };
            return if now >= until { Err(verdict) } else { Ok(until) };
        }
        let rested = self.resting_since + patience.rest;
        match self.head_since.map(|since| since + patience.head) {
            Some(until) if now >= until => Err(Verdict::SlowHead),
            _ if now >= rested => Err(Verdict::Idle),
            Some(until) => Ok(until.min(rested)),
            None => Ok(rested),
        }
    }
}

impl Activity {
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self(Arc::new(Mutex::new(State {
            patience,
            resting_since: now,
            asked: false,
            http2: false,
            head_since: None,
            deciding: 0,
            answers: Vec::new(),
            last_answer: 0,
            blocked: false,
            taken_at: now,
            taken: 0,
            window: None,
            abort: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State, Instant)) {
        let now = Instant::now();
        let mut state = self.state();
        let sent_before = state.sends();
        change(&mut state, now);
        state.settle(sent_before, now);
    }

    /// What is wrong now, else when to look again.
    pub(super) fn judge(&self, now: Instant) -> Result<Instant, Verdict> {
        self.state().judge(now)
    }

    /// Throws away at the end what was not taken, instead of leaving it to the kernel.
    pub(super) fn abort(&self) {
        self.state().abort = true;
    }

    /// A request was read.
    pub(super) fn asked(&self, http2: bool) -> Deciding {
        self.change(|state, _| {
            state.asked = true;
            state.http2 = http2;
            state.head_since = None;
            state.deciding += 1;
        });
        Deciding { activity: Some(self.clone()) }
    }

    fn read(&self) {
        self.change(|state, now| {
            let head_due = state.deciding == 0 && !state.sends() && !state.http2;
            if head_due && state.head_since.is_none() {
                state.head_since = Some(now);
            }
        });
    }

    fn wrote(&self, taken: usize) {
        self.change(|state, now| {
            state.blocked = false;
            state.taken_at = now;
            state.taken += taken as u64;
        });
    }

    fn blocked(&self) {
        self.change(|state, _| state.blocked = true);
    }
}

/// A request that is being decided, until dropped.
pub(super) struct Deciding {
    activity: Option<Activity>,
}

impl Deciding {
    /// It is decided: here is the answer.
    pub(super) fn answering<B>(mut self, body: B) -> Answering<B> {
        let sending = self.activity.take().map(|activity| {
            let mut number = 0;
            activity.change(|state, now| {
                state.deciding -= 1;
                state.last_answer += 1;
                number = state.last_answer;
                state.answers.push((number, now));
            });
            Sending { activity, number }
        });
        Answering { body, _sending: sending }
    }
}

impl Drop for Deciding {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.change(|state, now| {
                state.deciding -= 1;
                state.resting_since = now;
            });
        }
    }
}

/// That an answer is being sent, until dropped.
struct Sending {
    activity: Activity,
    number: u64,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.activity.change(|state, _| state.answers.retain(|(number, _)| *number != self.number));
    }
}

/// The body of an answer: the server drops it once it has taken all of it.
pub(super) struct Answering<B> {
    body: B,
    _sending: Option<Sending>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that tells what is read and taken.
pub(super) struct Watched {
    stream: TcpStream,
    activity: Activity,
}

impl Watched {
    pub(super) const fn new(stream: TcpStream, activity: Activity) -> Self {
        Self { stream, activity }
    }

    fn told(&self, written: Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(taken)) => self.activity.wrote(*taken),
            Poll::Pending => self.activity.blocked(),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Otherwise the kernel keeps the unread bytes for long after the process has closed the socket.
        if self.activity.state().abort
            && let Err(error) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "SO_LINGER could not be set; the kernel discards unread data later");
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.told(written)
    }

    /// Without it every answer would be copied into one buffer.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience() -> Patience {
        Patience {
            head: SECOND * 10,
            rest: SECOND * 75,
            stall: SECOND * 15,
            window: SECOND * 30,
            least: 3_000,
            answer: SECOND * 100,
        }
    }

    async fn after(seconds: u32, activity: &Activity) -> Result<(), Verdict> {
        tokio::time::advance(SECOND * seconds).await;
        activity.judge(Instant::now()).map(drop)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_head_is_due_at_once_and_a_later_one_from_its_first_byte() {
        let activity = Activity::new(patience(), Instant::now());
        assert_eq!(after(9, &activity).await, Ok(()));
        assert_eq!(after(1, &activity).await, Err(Verdict::Idle));
        let activity = Activity::new(patience(), Instant::now());
        activity.read();
        assert_eq!(after(10, &activity).await, Err(Verdict::SlowHead));
        // Whoever has asked may rest.
        let activity = Activity::new(patience(), Instant::now());
        activity.read();
        drop(activity.asked(false).answering(()));
        assert_eq!(after(74, &activity).await, Ok(()));
        activity.read();
        assert_eq!(after(1, &activity).await, Err(Verdict::Idle));
        drop(activity.asked(false).answering(()));
        activity.read();
        assert_eq!(after(9, &activity).await, Ok(()));
        assert_eq!(after(1, &activity).await, Err(Verdict::SlowHead));
    }

    #[tokio::test(start_paused = true)]
    async fn http_2_may_say_something_without_asking() {
        let activity = Activity::new(patience(), Instant::now());
        drop(activity.asked(true).answering(()));
        activity.read();
        assert_eq!(after(74, &activity).await, Ok(()));
        assert_eq!(after(1, &activity).await, Err(Verdict::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_takes_as_long_as_it_takes() {
        let activity = Activity::new(patience(), Instant::now());
        let deciding = activity.asked(false);
        assert_eq!(after(500, &activity).await, Ok(()));
        drop(deciding);
        assert_eq!(after(74, &activity).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_which_nothing_is_taken_is_given_up() {
        let activity = Activity::new(patience(), Instant::now());
        let answer = activity.asked(false).answering(());
        assert_eq!(after(14, &activity).await, Ok(()));
        activity.wrote(100_000);
        assert_eq!(after(14, &activity).await, Ok(()));
        assert_eq!(after(1, &activity).await, Err(Verdict::Stalled));
        drop(answer);
        // The body is in the buffer whole, and the buffer is not taken.
        activity.blocked();
        assert_eq!(after(15, &activity).await, Err(Verdict::Stalled));
        activity.wrote(10);
        assert_eq!(after(74, &activity).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_byte_by_byte_is_given_up() {
        let activity = Activity::new(patience(), Instant::now());
        let _answer = activity.asked(false).answering(());
        activity.wrote(2_000);
        for _ in 0..2 {
            assert_eq!(after(10, &activity).await, Ok(()));
            activity.wrote(100);
        }
        assert_eq!(after(10, &activity).await, Err(Verdict::Stalled));
        // Fast enough by the window, and yet without end.
        let activity = Activity::new(patience(), Instant::now());
        let _answer = activity.asked(false).answering(());
        for _ in 0..9 {
            activity.wrote(2_000);
            assert_eq!(after(10, &activity).await, Ok(()));
        }
        activity.wrote(2_000);
        assert_eq!(after(10, &activity).await, Err(Verdict::Stalled));
    }
}
