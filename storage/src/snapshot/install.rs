//! Putting a snapshot in the place of a shard's state.
//!
//! The order makes it atomic: the file is checked, put on disk under its name, and a marker is
//! synced that names it; then the shard's rows are deleted and the snapshot's written, batch by
//! batch; the last batch writes the shard's head and removes the marker. Whoever opens the store
//! and finds a marker does the second half over from its start, so a crash at any point leaves
//! either the old state or, after the next start, the new one.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use countersign_core::ids::ShardId;

use super::files::{self, SnapshotFile};
use super::format::{self, Frame, FrameReader, RowFamily};
use crate::apply::HASHED;
use crate::continuity;
use crate::database::{Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::records::{self, Installing, ShardHead};
use crate::state_hash::StateHash;
use crate::store::{Shard, Store};
use crate::types::SnapshotMeta;

/// Bytes of rows that are written at once.
const BATCH_BYTES: usize = 256 << 10;

/// Installs a snapshot that came from a leader. Blocks; on disk when it returns.
pub(crate) fn install(
    store: &Arc<Store>,
    shard: &Shard,
    meta: &SnapshotMeta,
    snapshot: &SnapshotFile,
) -> Result<(), StorageError> {
    let folder = store.snapshot_folder(shard.id);
    let whole = files::whole_path(&folder, meta);
    let mut known = shard.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
    if snapshot.path() != whole {
        take_in(shard.id, meta, snapshot, &folder, &whole)?;
    }
    mark(&store.database, shard.id, &whole)?;
    let head = replace(&store.database, shard.id, &whole)?;
    *known = Some(Some((meta.clone(), whole.clone())));
    // Before the lock is let go: afterwards there may be a newer one, which must stay.
    files::keep_only(&folder, &whole)?;
    drop(known);
    shard.batches.store(0, Ordering::Relaxed);
    shard.hashes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    // Ordering duty: what every node knows in memory comes before the applied index. Whoever waits
    // for that index takes tenants, keys and policies for current as soon as it shows.
    if shard.id == ShardId::SYSTEM {
        store.directory.reload(&store.database)?;
    }
    store.directory.load_signs(&store.database, shard.id)?;
    shard.activity().catch_up(&store.database, shard.id, &head.audit)?;
    shard.publish(head);
    shard.call_out(true, true);
    Ok(())
}

/// Does over what a crash interrupted.
pub(crate) fn finish_interrupted(
    database: &Database,
    snapshots: &Path,
) -> Result<(), StorageError> {
    for (shard, marker) in interrupted(database)? {
        let folder = files::folder(snapshots, shard);
        let whole = folder.join(&marker.file);
        tracing::info!(%shard, file = %whole.display(), "installing a snapshot over again");
        replace(database, shard, &whole)?;
        files::keep_only(&folder, &whole)?;
    }
    Ok(())
}

fn interrupted(database: &Database) -> Result<Vec<(ShardId, Installing)>, StorageError> {
    let mut found = Vec::new();
    for row in database.walk(Family::Meta, &[], &keys::shard_range(keys::NODE).0)? {
        let (key, value) = row.map_err(StorageError::database("look for interrupted work"))?;
        if let [high, low, keys::meta::INSTALLING] = *key {
            let shard = ShardId(u16::from_be_bytes([high, low]));
            found.push((shard, records::decode("install marker", shard, &value)?));
        }
    }
    Ok(found)
}

/// Checks the received file, copies it or takes it over, and gives it its name.
fn take_in(
    shard: ShardId,
    meta: &SnapshotMeta,
    snapshot: &SnapshotFile,
    folder: &Path,
    whole: &Path,
) -> Result<(), StorageError> {
    let inside = snapshot.path().parent() == Some(folder);
    let part = if inside && snapshot.path().extension().is_some_and(|one| one == "part") {
        snapshot.path().to_owned()
    } else {
        let part = files::part_path(folder, "copy")?;
        let mut from = snapshot.reader()?;
        let mut to = File::create(&part).map_err(StorageError::file("create", &part))?;
        io::copy(&mut from, &mut to).map_err(StorageError::file("write", &part))?;
        part
    };
    let checked = format::check(&part, shard).and_then(|found| {
        let same = found == *meta;
        same.then_some(()).ok_or_else(|| StorageError::Snapshot {
            path: part.clone(),
            reason: "it does not cover what its sender says".to_owned(),
        })
    });
    if let Err(error) = checked {
        // A leftover is removed at the next start as well.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    File::open(&part)
        .and_then(|file| file.sync_all())
        .map_err(StorageError::file("sync", &part))?;
    fail::fail_point!("storage::install_before_rename");
    files::publish(&part, whole)
}

fn mark(database: &Database, shard: ShardId, whole: &Path) -> Result<(), StorageError> {
    let file = whole.file_name().map(|name| name.to_string_lossy().into_owned());
    let marker = Installing { file: file.unwrap_or_default() };
    let mut batch = database.batch();
    let key = keys::single(shard, keys::meta::INSTALLING);
    batch.put(Family::Meta, &key, &records::encode("install marker", &marker)?)?;
    batch.write()?;
    database.sync()?;
    fail::fail_point!("storage::install_marked");
    Ok(())
}

/// Deletes the shard's rows and writes the snapshot's; the head comes last.
fn replace(database: &Database, shard: ShardId, whole: &Path) -> Result<ShardHead, StorageError> {
    let (mut reader, found, _) = FrameReader::open(whole)?;
    if found != shard {
        return Err(reader.wrong(&format!("it is one of shard {found}, not of shard {shard}")));
    }
    let (from, to) = keys::shard_range(shard);
    let mut batch = database.batch();
    for family in RowFamily::ALL {
        batch.delete_range(family.family(), &from, &to)?;
    }
    batch.write()?;
    fail::fail_point!("storage::install_cleared");
    let head_key = keys::single(shard, keys::state::HEAD);
    let mut head_row = None;
    let mut sum = StateHash::default();
    let mut batch = database.batch();
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Header { .. } => return Err(reader.wrong("it has two headers")),
            Frame::Rows(rows) => {
                for row in rows {
                    let key = [from.as_slice(), &row.key].concat();
                    if row.family == RowFamily::State && key == head_key {
                        head_row = Some(row.value);
                        continue;
                    }
                    if row.family != RowFamily::Audit
                        && row.key.first().is_some_and(|kind| HASHED.contains(kind))
                    {
                        sum.add(&key, &row.value);
                    }
                    batch.put(row.family.family(), &key, &row.value)?;
                }
                if batch.bytes() >= BATCH_BYTES {
                    std::mem::replace(&mut batch, database.batch()).write()?;
                    fail::fail_point!("storage::install_half");
                }
            }
            Frame::End { state_hash, .. } if state_hash != sum => {
                return Err(reader.wrong("its rows do not add up to its state hash"));
            }
            Frame::End { .. } => {}
        }
    }
    batch.write()?;
    fail::fail_point!("storage::install_before_head");
    let mut batch = database.batch();
    let head = match &head_row {
        Some(bytes) => records::decode("head", shard, bytes)?,
        None => ShardHead::default(),
    };
    if let Some(bytes) = &head_row {
        batch.put(Family::State, &head_key, bytes)?;
    }
    batch.delete(Family::Meta, &keys::single(shard, keys::meta::INSTALLING))?;
    // What was applied before is replaced with all else, and so is its count: a batch that is
    // missing from it is missing no more.
    continuity::begin_again(&mut batch, shard)?;
    batch.write()?;
    database.sync()?;
    Ok(head)
}
