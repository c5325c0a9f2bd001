//! Building a snapshot, off the async threads and beside running applies.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use openraft::storage::RaftSnapshotBuilder;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;

use super::files::{self, SnapshotFile};
use super::format::{FRAME_BYTES, Frame, FrameWriter, Row, RowFamily};
use crate::database::{Database, Family, View};
use crate::error::StorageError;
use crate::keys;
use crate::records::{self, ShardHead};
use crate::store::{Shard, Store};
use crate::types::{Snapshot, SnapshotMeta, TypeConfig};

type Built = Result<Option<(SnapshotMeta, SnapshotFile)>, StorageError>;

/// Builds one snapshot, of the state as it was when the builder was made.
pub struct SnapshotBuilder(Builder);

impl SnapshotBuilder {
    pub(crate) const fn new(builder: Builder) -> Self {
        Self(builder)
    }
}

/// A view that waits on a thread of its own until the snapshot is wanted: a RocksDB view borrows
/// its database, so it lives on the stack of that thread.
pub(crate) struct Builder {
    begin: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Built>>,
}

impl Builder {
    /// Takes the view now. Returns once it is taken.
    pub(crate) async fn begin(
        store: Arc<Store>,
        shard: Arc<Shard>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (begin, wanted) = oneshot::channel();
        let (taken, wait) = oneshot::channel();
        let thread = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let view = store.database.view();
            // Openraft waits for this before it applies on.
            let _ = taken.send(());
            match wanted.blocking_recv() {
                Ok(()) => match build(&store, &shard, &view) {
                    Err(error) if error.is_full_disk() => {
                        // An error would end the shard here, and it can do without a new snapshot.
                        tracing::warn!(shard = %shard.id, %error, "no room for a snapshot");
                        older(&store, &shard).map(Some)
                    }
                    built => built.map(Some),
                },
                Err(_) => Ok(None),
            }
        });
        // If the runtime is ending there is no view, and building will say so.
        let _ = wait.await;
        Self { begin: Some(begin), thread: Some(thread) }
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let (Some(begin), Some(thread)) = (self.0.begin.take(), self.0.thread.take()) else {
            return Err(io::Error::other("this builder has built its snapshot already"));
        };
        begin.send(()).map_err(|()| StorageError::Closed)?;
        let built = thread.await.map_err(io::Error::other)??;
        let (meta, snapshot) = built.ok_or(StorageError::Closed)?;
        Ok(Snapshot { meta, snapshot })
    }
}

fn build(
    store: &Store,
    shard: &Shard,
    view: &View<'_>,
) -> Result<(SnapshotMeta, SnapshotFile), StorageError> {
    let database = &store.database;
    let key = keys::single(shard.id, keys::state::HEAD);
    let head: ShardHead = match database.get_in_view(view, Family::State, &key)? {
        Some(bytes) => records::decode("head", shard.id, &bytes)?,
        None => ShardHead::default(),
    };
    let meta =
        SnapshotMeta { last_log_id: head.last_applied, last_membership: head.membership.clone() };
    let folder = store.snapshot_folder(shard.id);
    let part = files::part_path(&folder, "build")?;
    let built = write(database, shard, view, &head, &meta, &part)
        .and_then(|()| publish(shard, &folder, &part, meta));
    // Once it is published the name is gone, and this does nothing. A leftover is removed at the
    // next start as well.
    let _ = std::fs::remove_file(&part);
    built
}

/// The snapshot that there is, or else one that covers nothing: openraft only takes note of what a
/// built snapshot covers, and asks for a new one when it is due again.
fn older(store: &Store, shard: &Shard) -> Result<(SnapshotMeta, SnapshotFile), StorageError> {
    let folder = store.snapshot_folder(shard.id);
    match files::current(&folder, shard)? {
        Some(current) => Ok(current),
        None => Ok((SnapshotMeta::default(), SnapshotFile::open(&folder)?)),
    }
}

/// Puts what was built in the place of an older snapshot. If a newer one was installed meanwhile,
/// that one stays and is the answer: the log before it may be gone already.
fn publish(
    shard: &Shard,
    folder: &Path,
    part: &Path,
    meta: SnapshotMeta,
) -> Result<(SnapshotMeta, SnapshotFile), StorageError> {
    fail::fail_point!("storage::snapshot_before_rename");
    let mut known = shard.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(Some((newer, path))) = known.as_ref()
        && newer.last_log_id > meta.last_log_id
    {
        return Ok((newer.clone(), SnapshotFile::open(path)?));
    }
    let whole = files::whole_path(folder, &meta);
    files::publish(part, &whole)?;
    *known = Some(Some((meta.clone(), whole.clone())));
    // Before the lock is let go: afterwards there may be a newer one, which must stay.
    files::keep_only(folder, &whole)?;
    Ok((meta, SnapshotFile::open(&whole)?))
}

fn write(
    database: &Database,
    shard: &Shard,
    view: &View<'_>,
    head: &ShardHead,
    meta: &SnapshotMeta,
    part: &Path,
) -> Result<(), StorageError> {
    let mut writer = FrameWriter::create(part)?;
    writer.write(&Frame::Header { shard: shard.id, meta: meta.clone() })?;
    let (from, to) = keys::shard_range(shard.id);
    let (mut rows, mut bytes, mut count) = (Vec::new(), 0, 0);
    for family in RowFamily::ALL {
        for row in database.walk_view(view, family.family(), &from, &to)? {
            let (key, value) = row.map_err(StorageError::database("read the state"))?;
            bytes += key.len() + value.len();
            count += 1;
            let key = key.get(from.len()..).unwrap_or_default().to_vec();
            rows.push(Row { family, key, value: value.into_vec() });
            if bytes >= FRAME_BYTES {
                writer.write(&Frame::Rows(std::mem::take(&mut rows)))?;
                bytes = 0;
            }
        }
    }
    if !rows.is_empty() {
        writer.write(&Frame::Rows(rows))?;
    }
    writer.write(&Frame::End { rows: count, state_hash: head.state_hash })?;
    writer.finish()
}
