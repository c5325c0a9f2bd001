//! The links between nodes, each in one direction, and what a test does to them.
//!
//! Every connection is dialled through here, so the dialling side holds both directions of it: what
//! it writes goes its own way, what it reads came the other. A switch acts on connections that stand
//! and on those that are still to be made.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use countersign::{Dial, Stream, TcpDial};
use futures::future::BoxFuture;

use super::wire::Wire;

/// How bytes go from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// At once.
    Free,
    /// Not at all: they wait, and are lost only with their connection.
    Cut,
    /// This many a second on each connection.
    Slow(u32),
}

/// One direction between two nodes.
#[derive(Default)]
pub(super) struct Link(Mutex<State>);

struct State {
    passage: Passage,
    /// How often connections were broken.
    breaks: u64,
    carried: u64,
    waiting: Vec<Waker>,
    /// Connections that were given up while the link was cut: the other side does not hear of it.
    given_up: Vec<Box<dyn Stream>>,
}

impl Default for State {
    fn default() -> Self {
        let (waiting, given_up) = (Vec::new(), Vec::new());
        Self { passage: Passage::Free, breaks: 0, carried: 0, waiting, given_up }
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, passage: Passage) {
        let (waiting, given_up) = {
            let mut state = self.state();
            state.passage = passage;
            let given_up = match passage {
                Passage::Cut => Vec::new(),
                Passage::Free | Passage::Slow(_) => std::mem::take(&mut state.given_up),
            };
            (std::mem::take(&mut state.waiting), given_up)
        };
        drop(given_up);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn break_off(&self) {
        let waiting = {
            let mut state = self.state();
            state.breaks += 1;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How often connections over this link were broken.
    pub(super) fn breaks(&self) -> u64 {
        self.state().breaks
    }

    /// Whether nothing goes over it.
    pub(super) fn is_cut(&self) -> bool {
        self.state().passage == Passage::Cut
    }

    /// Waits until something goes over it; with how many bytes a second, `None` for any number.
    ///
    /// # Errors
    /// If connections were broken since there were `breaks` of it.
    pub(super) fn poll_passable(
        &self,
        breaks: u64,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<u32>>> {
        let mut state = self.state();
        if state.breaks != breaks {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match state.passage {
            Passage::Free => Poll::Ready(Ok(None)),
            Passage::Slow(bytes) => Poll::Ready(Ok(Some(bytes))),
            Passage::Cut => {
                if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    pub(super) fn note_carried(&self, bytes: usize) {
        self.state().carried += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// Keeps a connection open that one side has given up, until the link is whole again.
    pub(super) fn keep(&self, stream: Box<dyn Stream>) {
        self.state().given_up.push(stream);
    }
}

/// All links of a cluster. Nodes are named by their places. Clones are the same.
#[derive(Clone, Default)]
pub struct Links(Arc<Inner>);

#[derive(Default)]
struct Inner {
    places: Mutex<BTreeMap<String, usize>>,
    links: Mutex<BTreeMap<(usize, usize), Arc<Link>>>,
}

impl Links {
    /// A node's peers reach it at `address`.
    pub fn settle(&self, place: usize, address: &str) {
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(address.to_owned(), place);
    }

    fn place(&self, address: &str) -> Option<usize> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner).get(address).copied()
    }

    fn link(&self, from: usize, to: usize) -> Arc<Link> {
        let mut links = self.0.links.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(links.entry((from, to)).or_default())
    }

    /// Nothing more arrives at `to` that `from` says. What was said waits.
    pub fn cut(&self, from: usize, to: usize) {
        self.link(from, to).set(Passage::Cut);
    }

    /// Neither hears the other.
    pub fn part(&self, one: usize, other: usize) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Each connection carries so many bytes a second from `from` to `to`.
    pub fn slow(&self, from: usize, to: usize, bytes_a_second: u32) {
        self.link(from, to).set(Passage::Slow(bytes_a_second.max(1)));
    }

    /// What `from` said arrives at `to`, late or not, and what it says from now on.
    pub fn heal(&self, from: usize, to: usize) {
        self.link(from, to).set(Passage::Free);
    }

    /// Breaks the connections that stand between two nodes. What was under way on them is lost.
    pub fn break_off(&self, one: usize, other: usize) {
        self.link(one, other).break_off();
        self.link(other, one).break_off();
    }

    /// All links are as new.
    pub fn heal_all(&self) {
        let links: Vec<Arc<Link>> = {
            let links = self.0.links.lock().unwrap_or_else(PoisonError::into_inner);
            links.values().cloned().collect()
        };
        links.iter().for_each(|link| link.set(Passage::Free));
    }

    /// How many bytes went from `from` to `to`, over all connections so far.
    pub fn carried(&self, from: usize, to: usize) -> u64 {
        self.link(from, to).state().carried
    }
}

/// How the node at one place reaches the others.
pub struct LinkDial {
    links: Links,
    from: usize,
}

impl LinkDial {
    /// For the node at `from`.
    pub const fn new(links: Links, from: usize) -> Self {
        Self { links, from }
    }
}

impl Dial for LinkDial {
    fn dial<'a>(
        &'a self,
        node: u64,
        address: &'a str,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let Some(to) = self.links.place(address) else {
                return TcpDial.dial(node, address).await;
            };
            let out = self.links.link(self.from, to);
            let back = self.links.link(to, self.from);
            // No connection is made over a link that is cut in either direction.
            for link in [&out, &back] {
                poll_fn(|context| link.poll_passable(link.breaks(), context)).await?;
            }
            let stream = TcpDial.dial(node, address).await?;
            let wire: Box<dyn Stream> = Box::new(Wire::new(stream, out, back));
            Ok(wire)
        })
    }
}
