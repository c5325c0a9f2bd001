//! A shard's state from the leader to a follower, over a connection of its own.
//!
//! A head says which leader and which state; then come pieces of at most 256 KiB, each with its
//! length and CRC-32; an empty piece, with the length and CRC-32 of everything, is the end. TCP's
//! checksum is weak and TLS covers only the wire: this one covers what was read from the disk and
//! what is handed to the other disk. At both ends a few pieces are in memory and no more.
//!
//! The follower writes to a temporary file, which goes when its owner goes. Only a whole one is
//! handed on to be installed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use countersign_core::ids::ShardId;
use countersign_storage::{
    NodeId, Snapshot, SnapshotFile, SnapshotMeta, StorageError, Store, TypeConfig, Vote,
};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use openraft::errors::StreamingError;
use openraft::network::{RPCOption, RPCTypes};
use openraft::raft::SnapshotResponse;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::body::{self, BodyError};
use super::frames::FrameBuffer;
use super::peers;
use super::raft::{PeerLink, kind};
use super::refused::Refused;
use super::server::Failure;
use super::wire::{self, CONTROL_BYTES};

/// Bytes of state in one piece.
const PIECE: usize = 256 << 10;
/// Pieces read ahead of the network.
const AHEAD: usize = 2;
/// Length and CRC-32 before each piece.
const PIECE_HEAD: usize = 8;
/// Length and CRC-32 of everything, after the empty piece.
const END: usize = 12;
/// How long installing may take after the last piece was sent. The connection's own pings tell of
/// a follower that is gone.
const INSTALL: Duration = Duration::from_secs(600);

/// Sends a snapshot and waits until it is installed. Dropping this ends the transfer.
///
/// # Errors
/// If the follower cannot be reached, refuses, or takes nothing for the option's soft TTL.
pub(super) async fn send(
    link: &PeerLink,
    vote: Vote,
    snapshot: Snapshot,
    option: &RPCOption,
) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
    let unreachable = |reason: String| StreamingError::from(link.unreachable(reason));
    let head = encode_head(&vote, &snapshot.meta).map_err(unreachable)?;
    let (pieces, mut ready) = mpsc::channel(AHEAD);
    // Changes with every piece that the network took.
    let (taken, mut progress) = watch::channel(Progress::Sending(0));
    let mut sender = link.peers.connect(link.target).await.map_err(unreachable)?;
    let reading = spawn_blocking(move || read_out(&snapshot.snapshot, head, &pieces));
    let frames = futures::stream::poll_fn(move |context| {
        let piece = futures::ready!(ready.poll_recv(context));
        taken.send_modify(|progress| progress.advance(piece.is_some()));
        std::task::Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    });
    let request =
        peers::request(&link.path(kind::SNAPSHOT), StreamBody::new(frames).boxed_unsync())
            .map_err(|error| unreachable(error.to_string()))?;
    let answered = async {
        let sent = sender.send_request(request).await;
        let response = sent.map_err(|error| unreachable(error.to_string()))?;
        let accepted = peers::accepted(link.target, response).await;
        let response = accepted.map_err(|error| unreachable(error.to_string()))?;
        let bytes = body::collect(response.into_body(), CONTROL_BYTES).await;
        let bytes = bytes.map_err(|error| unreachable(error.to_string()))?;
        wire::decode(&bytes).map_err(|error| unreachable(error.to_string()))
    };
    let stalled = async {
        loop {
            let patience = match *progress.borrow_and_update() {
                Progress::Sending(_) => option.soft_ttl(),
                Progress::Sent => INSTALL,
            };
            tokio::select! {
                changed = progress.changed() => if changed.is_err() {
                    // The body was let go of: what is left is the answer.
                    sleep_until(Instant::now() + INSTALL).await;
                    return INSTALL;
                },
                () = sleep_until(Instant::now() + patience) => return patience,
            }
        }
    };
    let answer = tokio::select! {
        answer = answered => answer,
        waited = stalled => Err(link.timeout(RPCTypes::InstallSnapshot, waited).into()),
    };
    // Ends with its channel.
    drop(reading);
    answer
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    Sending(u64),
    Sent,
}

impl Progress {
    const fn advance(&mut self, more: bool) {
        *self = match self {
            Self::Sending(pieces) if more => Self::Sending(pieces.wrapping_add(1)),
            _ => Self::Sent,
        };
    }
}

fn encode_head(vote: &Vote, meta: &SnapshotMeta) -> Result<Bytes, String> {
    let mut head = BytesMut::new();
    super::frames::write(&mut head, &(vote, meta), CONTROL_BYTES)
        .map_err(|error| error.to_string())?;
    Ok(head.freeze())
}

/// Reads a snapshot's file into pieces, until it ends or nobody wants more.
fn read_out(file: &SnapshotFile, head: Bytes, pieces: &mpsc::Sender<Result<Bytes, BodyError>>) {
    let send = |piece| pieces.blocking_send(piece).is_ok();
    if !send(Ok(head)) {
        return;
    }
    let (mut offset, mut whole) = (0_u64, crc32fast::Hasher::new());
    loop {
        let mut piece = BytesMut::zeroed(PIECE_HEAD + PIECE);
        let read = piece.get_mut(PIECE_HEAD..).map_or(Ok(0), |room| file.read_at(offset, room));
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                send(Err(BodyError::Broken(error.to_string())));
                return;
            }
        };
        piece.truncate(PIECE_HEAD + read);
        let (sum, length) = (
            crc32fast::hash(piece.get(PIECE_HEAD..).unwrap_or_default()),
            u32::try_from(read).unwrap_or(0),
        );
        whole.update(piece.get(PIECE_HEAD..).unwrap_or_default());
        if let Some(place) = piece.first_chunk_mut::<4>() {
            *place = length.to_be_bytes();
        }
        if let Some(place) = piece.get_mut(4..PIECE_HEAD) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
        offset += read as u64;
        if read == 0 {
            piece.put_u64(offset);
            piece.put_u32(whole.finalize());
            send(Ok(piece.freeze()));
            return;
        }
        if !send(Ok(piece.freeze())) {
            return;
        }
    }
}

/// Which shards are receiving a snapshot now: one at a time each, so that a leader that was deposed
/// half way cannot fill the disk beside its successor.
#[derive(Clone, Debug, Default)]
pub(super) struct Receptions(Arc<Mutex<BTreeSet<ShardId>>>);

/// The right to receive one shard's snapshot, until dropped.
#[derive(Debug)]
pub(super) struct Reception {
    all: Receptions,
    shard: ShardId,
}

impl Receptions {
    /// The right to receive a snapshot, unless one is being received.
    pub(super) fn begin(&self, shard: ShardId) -> Option<Reception> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shard);
        fresh.then(|| Reception { all: self.clone(), shard })
    }
}

impl Drop for Reception {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.shard);
    }
}

/// Receives a snapshot from the leader that it speaks for into a temporary file. Dropping this, or what it returns, removes the file.
///
/// # Errors
/// If it breaks off, or is not what it should be.
pub(super) async fn receive(
    store: &Store,
    shard: ShardId,
    leader: NodeId,
    body: Incoming,
) -> Result<(Vote, Snapshot), Failure> {
    let mut source = Source { body, buffer: BytesMut::new() };
    let (vote, meta): (Vote, SnapshotMeta) = source.head().await?;
    if vote.leader_id.node_id != leader {
        return Err(Failure::Refused(Refused::Malformed));
    }
    let mut file = store.receive_snapshot(shard).map_err(disk)?;
    let mut whole = crc32fast::Hasher::new();
    loop {
        let (length, sum) = source.piece_head().await?;
        if length == 0 {
            break;
        }
        let piece = source.take(length).await?;
        if crc32fast::hash(&piece) != sum {
            return Err(Failure::Refused(Refused::Malformed));
        }
        whole.update(&piece);
        // The disk may be slow; the runtime's threads must not wait for it.
        let written = spawn_blocking(move || file.write(&piece).map(|()| file)).await;
        file = written.map_err(|error| Failure::Unable(error.to_string()))?.map_err(disk)?;
    }
    let mut end = source.take(END).await?;
    if end.get_u64() != file.bytes() || end.get_u32() != whole.finalize() {
        return Err(Failure::Refused(Refused::Malformed));
    }
    let snapshot = file.finish().map_err(disk)?;
    Ok((vote, Snapshot { meta, snapshot }))
}

fn disk(error: StorageError) -> Failure {
    Failure::Unable(error.to_string())
}

/// What arrives.
struct Source {
    body: Incoming,
    buffer: BytesMut,
}

impl Source {
    async fn more(&mut self) -> Result<(), Failure> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Some(chunk) = frame.data_ref() {
                    self.buffer.extend_from_slice(chunk);
                }
                Ok(())
            }
            Some(Err(error)) => Err(Failure::Unable(format!("the transfer broke off: {error}"))),
            None => Err(Failure::Unable("the transfer ended early".to_owned())),
        }
    }

    async fn head(&mut self) -> Result<(Vote, SnapshotMeta), Failure> {
        let mut frames = FrameBuffer::default();
        loop {
            match frames.next(CONTROL_BYTES) {
                Ok(Some(head)) => {
                    self.buffer = frames.rest();
                    return Ok(head);
                }
                Ok(None) => {}
                Err(_) => return Err(Failure::Refused(Refused::Malformed)),
            }
            self.more().await?;
            frames.push(&self.buffer.split().freeze());
        }
    }

    async fn piece_head(&mut self) -> Result<(usize, u32), Failure> {
        let mut head = self.take(PIECE_HEAD).await?;
        let length = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
        if length > PIECE {
            return Err(Failure::Refused(Refused::Oversized));
        }
        Ok((length, head.get_u32()))
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, Failure> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }
}
