//! Raft's requests, as a follower or voter gets them.
//!
//! A vote or an append is taken from the node that it speaks for, and from no other: the
//! certificate says who sent it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use countersign_core::ids::ShardId;
use countersign_storage::{NodeId, TypeConfig, Vote};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Frame, Incoming};
use metrics::counter;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendResult, TransferLeaderRequest, VoteRequest,
};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::service::{Door, Failure, Outcome, encoded};
use crate::network::body::{self, BodyError, Sent};
use crate::network::contact::{Contact, Heard};
use crate::network::frames::{self, FrameError, Frames};
use crate::network::identity::PeerKey;
use crate::network::peers::AddressBook;
use crate::network::raft::kind;
use crate::network::refused::Refused;
use crate::network::snapshot;
use crate::network::wire::{self, APPEND_BYTES, CONTROL_BYTES};
use crate::raft::Group;

type Append = AppendEntriesRequest<TypeConfig>;

/// Counts streams of appends that were opened: few where all is well, for each lasts as long as
/// its leader leads.
const STREAMS: &str = "countersign_peer_append_streams_total";
/// Answers that are ready at once leave together.
const TOGETHER: usize = 64;

/// Where a request arrived, and from whom.
pub(super) struct At<'a> {
    pub(super) door: &'a Door,
    pub(super) node: NodeId,
    pub(super) key: PeerKey,
    pub(super) shard: ShardId,
    pub(super) group: &'a Group,
    pub(super) close: &'a Arc<Notify>,
}

impl At<'_> {
    /// Answers one request of a kind.
    pub(super) async fn answer(self, kind: &str, body: Incoming) -> Outcome {
        if !*self.door.serving.checked.borrow() {
            return Err(Failure::Refused(Refused::NotChecked));
        }
        match kind {
            kind::APPEND => self.append(body).await,
            kind::STREAM => Ok(self.stream(body)),
            kind::VOTE => {
                let request = self.vote_request(body).await?;
                encoded(&self.group.vote(request).await.map_err(unable)?)
            }
            kind::PRE_VOTE => {
                let request = self.vote_request(body).await?;
                encoded(&self.group.pre_vote(request).await.map_err(unable)?)
            }
            kind::TRANSFER => {
                let request: TransferLeaderRequest<TypeConfig> = read(body).await?;
                self.speaks_for(request.from_leader())?;
                encoded(&self.group.handle_transfer_leader(request).await.map_err(unable)?)
            }
            kind::SNAPSHOT => {
                let serving = &self.door.serving;
                let receptions = &self.door.receptions;
                let reception = receptions.begin(self.shard);
                let reception = reception.ok_or(Failure::Refused(Refused::SnapshotUnderWay))?;
                if !(serving.takes_entries)() {
                    return Err(Failure::Refused(Refused::NoRoom));
                }
                let store = &serving.store;
                let (vote, snapshot) =
                    snapshot::receive(store, self.shard, self.node, body).await?;
                let installed = self.group.install_full_snapshot(vote, snapshot).await;
                drop(reception);
                encoded(&installed.map_err(unable)?)
            }
            _ => Err(Failure::Refused(Refused::UnknownRoute)),
        }
    }

    fn speaks_for(&self, vote: &Vote) -> Result<(), Failure> {
        if vote.leader_id.node_id == self.node {
            Ok(())
        } else {
            Err(Failure::Refused(Refused::Malformed))
        }
    }

    async fn vote_request(&self, body: Incoming) -> Result<VoteRequest<TypeConfig>, Failure> {
        let request: VoteRequest<TypeConfig> = read(body).await?;
        self.speaks_for(&request.vote)?;
        if Instant::now() < self.door.serving.votes_from {
            return Err(Failure::Refused(Refused::VotesPaused));
        }
        Ok(request)
    }

    /// One append: a heartbeat, as a rule.
    async fn append(&self, body: Incoming) -> Outcome {
        let request: Append = read(body).await?;
        self.speaks_for(&request.vote)?;
        if !request.entries.is_empty() && !(self.door.serving.takes_entries)() {
            return Err(Failure::Refused(Refused::NoRoom));
        }
        let heard = heard(self.node, &request);
        let answer = self.group.append_entries(request).await.map_err(unable)?;
        if answer.is_success() {
            self.door.serving.contact.note(self.shard, heard);
        }
        encoded(&answer)
    }

    /// Appends, answered one by one in their order, until either side has enough.
    fn stream(&self, body: Incoming) -> Response<Sent> {
        counter!(STREAMS).increment(1);
        let inbox = Arc::new(Inbox {
            node: self.node,
            shard: self.shard,
            contact: self.door.serving.contact.clone(),
            book: Arc::clone(&self.door.serving.book),
            key: self.key,
            takes_entries: Arc::clone(&self.door.serving.takes_entries),
            under_way: Mutex::default(),
            broken: AtomicBool::new(false),
            close: Arc::clone(self.close),
        });
        let taking = Arc::clone(&inbox);
        let requests = Frames::new(body, APPEND_BYTES).stream::<Append>();
        let requests =
            requests.scan((), move |(), request| std::future::ready(taking.take(request)));
        let answers = self.group.stream_append(requests).ready_chunks(TOGETHER);
        let closing = Arc::clone(&inbox);
        let frames = answers
            .map(move |answers| {
                let mut buffer = BytesMut::new();
                for answer in answers {
                    inbox.note(answer.as_ref().is_ok_and(Result::is_ok));
                    let answer: StreamAppendResult<TypeConfig> = answer.map_err(broken)?;
                    frames::write(&mut buffer, &answer, CONTROL_BYTES).map_err(broken)?;
                }
                Ok(Frame::data(buffer.freeze()))
            })
            .chain(stream::once(async move { closing.verdict() }).filter_map(std::future::ready));
        Response::new(StreamBody::new(frames).boxed_unsync())
    }
}

/// What arrives on a stream of appends, and what is known of those that are not answered yet.
struct Inbox {
    node: NodeId,
    shard: ShardId,
    contact: Contact,
    book: Arc<dyn AddressBook>,
    key: PeerKey,
    takes_entries: super::TakesEntries,
    under_way: Mutex<VecDeque<Heard>>,
    broken: AtomicBool,
    close: Arc<Notify>,
}

impl Inbox {
    /// A request, if it may go on to the group; none ends the stream.
    fn take(&self, request: Result<Append, FrameError>) -> Option<Append> {
        let refused = match request {
            Ok(request) => match self.refusal(&request) {
                Some(refused) => refused,
                None => {
                    let heard = heard(self.node, &request);
                    self.under_way.lock().unwrap_or_else(PoisonError::into_inner).push_back(heard);
                    return Some(request);
                }
            },
            Err(FrameError::Oversized(_)) => Refused::Oversized,
            Err(FrameError::Malformed(_)) => Refused::Malformed,
            Err(FrameError::Broken(_)) => {
                self.broken.store(true, Ordering::Release);
                return None;
            }
        };
        refused.count();
        self.broken.store(true, Ordering::Release);
        if refused != Refused::NoRoom {
            self.close.notify_one();
        }
        None
    }

    fn refusal(&self, request: &Append) -> Option<Refused> {
        if request.vote.leader_id.node_id != self.node {
            return Some(Refused::Malformed);
        }
        // Asked each time: a stream may last for months, a membership may end any day.
        if let Err(refused) = self.book.check(self.node, &self.key) {
            return Some(refused);
        }
        let no_room = !request.entries.is_empty() && !(self.takes_entries)();
        no_room.then_some(Refused::NoRoom)
    }

    /// The oldest request was answered.
    fn note(&self, accepted: bool) {
        let oldest = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(heard) = oldest.filter(|_| accepted) {
            self.contact.note(self.shard, heard);
        }
    }

    /// After the last answer: an error if the stream did not end of itself.
    fn verdict(&self) -> Option<Result<Frame<bytes::Bytes>, BodyError>> {
        let was = self.broken.load(Ordering::Acquire);
        was.then(|| Err(broken("what arrived was not accepted")))
    }
}

fn heard(leader: NodeId, request: &Append) -> Heard {
    let committed = request.leader_commit.map_or(0, |log_id| log_id.index);
    Heard { at: Instant::now(), leader, committed }
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Failure> {
    let bytes = body::collect(body, CONTROL_BYTES).await?;
    wire::decode(&bytes).map_err(|_| Failure::Refused(Refused::Malformed))
}

fn unable(error: impl std::fmt::Display) -> Failure {
    Failure::Unable(error.to_string())
}

fn broken(error: impl ToString) -> BodyError {
    BodyError::Broken(error.to_string())
}
