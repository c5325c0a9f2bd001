//! Where snapshots lie: a folder a shard, named by the last log index that they cover. A name
//! ending in `.part` is unfinished and means nothing.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_core::ids::ShardId;

use super::format;
use crate::error::StorageError;
use crate::store::Shard;
use crate::types::SnapshotMeta;

const WHOLE: &str = "snapshot";
const PART: &str = "part";

/// A snapshot's file, open for reading. Reading goes on even if a newer snapshot takes the file's
/// place meanwhile.
#[derive(Debug)]
pub struct SnapshotFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Received and not installed yet: removed if nobody installs it.
    temporary: bool,
}

impl SnapshotFile {
    /// Opens a snapshot.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let file = File::open(path).map_err(StorageError::file("open", path))?;
        let bytes = file.metadata().map_err(StorageError::file("read", path))?.len();
        Ok(Self { path: path.to_owned(), file, bytes, temporary: false })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads what lies at `offset` into `buffer`, and answers how many bytes there were; 0 at the
    /// end. Blocks.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StorageError> {
        self.file.read_at(buffer, offset).map_err(StorageError::file("read", &self.path))
    }

    /// Another handle of the same file, to copy it even when its name is gone.
    pub(super) fn reader(&self) -> Result<File, StorageError> {
        self.file.try_clone().map_err(StorageError::file("open", &self.path))
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        if self.temporary {
            // Once it is installed the name is gone, and this does nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A snapshot that is being received, under a temporary name. It is removed if it is dropped
/// unfinished.
#[derive(Debug)]
pub struct IncomingSnapshot {
    path: PathBuf,
    file: File,
    bytes: u64,
    finished: bool,
}

impl IncomingSnapshot {
    pub(crate) fn create(folder: &Path) -> Result<Self, StorageError> {
        let path = part_path(folder, "incoming")?;
        let file = File::create_new(&path).map_err(StorageError::file("create", &path))?;
        Ok(Self { path, file, bytes: 0, finished: false })
    }

    /// Bytes received so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends what was received. Blocks.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write(&mut self, chunk: &[u8]) -> Result<(), StorageError> {
        self.file.write_all(chunk).map_err(StorageError::file("write", &self.path))?;
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    /// Hands the file over, to be installed: that checks it, puts it on disk and names it.
    ///
    /// # Errors
    /// If it cannot be opened again.
    pub fn finish(mut self) -> Result<SnapshotFile, StorageError> {
        let mut file = SnapshotFile::open(&self.path)?;
        file.temporary = true;
        self.finished = true;
        Ok(file)
    }
}

impl Drop for IncomingSnapshot {
    fn drop(&mut self) {
        if !self.finished {
            // A leftover is removed at the next start as well.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The folder of a shard's snapshots.
pub(crate) fn folder(snapshots: &Path, shard: ShardId) -> PathBuf {
    snapshots.join(format!("{:05}", shard.0))
}

/// A fresh temporary name.
pub(super) fn part_path(folder: &Path, what: &str) -> Result<PathBuf, StorageError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    std::fs::create_dir_all(folder).map_err(StorageError::file("create", folder))?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(folder.join(format!("{what}-{}-{count}.{PART}", std::process::id())))
}

/// The name of a finished snapshot: sorts by what it covers.
pub(super) fn whole_path(folder: &Path, meta: &SnapshotMeta) -> PathBuf {
    let (index, term) =
        meta.last_log_id.map_or((0, 0), |log_id| (log_id.index, log_id.committed_leader_id().term));
    folder.join(format!("{index:020}-{term:010}.{WHOLE}"))
}

/// Gives a synced file its name, durably.
pub(super) fn publish(part: &Path, whole: &Path) -> Result<(), StorageError> {
    std::fs::rename(part, whole).map_err(StorageError::file("rename", part))?;
    if let Some(folder) = whole.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Puts a folder's names on disk, and its own name in the folder above.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    for path in [Some(folder), folder.parent()].into_iter().flatten() {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(StorageError::file("sync", path))?;
    }
    Ok(())
}

/// Removes every file that has no finished name, in all shards.
pub(crate) fn clear_leftovers(snapshots: &Path) -> Result<(), StorageError> {
    std::fs::create_dir_all(snapshots).map_err(StorageError::file("create", snapshots))?;
    for folder in list(snapshots)? {
        if !folder.is_dir() {
            continue;
        }
        for file in list(&folder)? {
            if file.extension().is_some_and(|extension| extension == PART) {
                std::fs::remove_file(&file).map_err(StorageError::file("remove", &file))?;
            }
        }
    }
    Ok(())
}

/// Removes all finished snapshots of a folder but one.
pub(crate) fn keep_only(folder: &Path, kept: &Path) -> Result<(), StorageError> {
    for file in finished(folder)? {
        if file != kept {
            std::fs::remove_file(&file).map_err(StorageError::file("remove", &file))?;
        }
    }
    Ok(())
}

/// The newest snapshot of a shard that is whole. Files are checked once, when first asked for;
/// one that is damaged is passed over and removed, for the state itself is in the database.
pub(crate) fn current(
    folder: &Path,
    shard: &Shard,
) -> Result<Option<(SnapshotMeta, SnapshotFile)>, StorageError> {
    let mut known = shard.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        *known = Some(newest(folder, shard.id)?);
    }
    match known.as_ref().and_then(Option::as_ref) {
        Some((meta, path)) => Ok(Some((meta.clone(), SnapshotFile::open(path)?))),
        None => Ok(None),
    }
}

fn newest(folder: &Path, shard: ShardId) -> Result<Option<(SnapshotMeta, PathBuf)>, StorageError> {
    let mut files = finished(folder)?;
    files.sort_unstable();
    for path in files.into_iter().rev() {
        match format::check(&path, shard) {
            Ok(meta) => return Ok(Some((meta, path))),
            Err(error) => {
                tracing::warn!(%error, "passing over a damaged snapshot");
                std::fs::remove_file(&path).map_err(StorageError::file("remove", &path))?;
            }
        }
    }
    Ok(None)
}

fn finished(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let is_whole = |path: &PathBuf| path.extension().is_some_and(|extension| extension == WHOLE);
    Ok(list(folder)?.into_iter().filter(is_whole).collect())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(StorageError::File { operation: "list", path: folder.to_owned(), source });
        }
    };
    entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(StorageError::file("list", folder))
}
