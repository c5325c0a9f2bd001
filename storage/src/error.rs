//! Everything that can go wrong in the store, named by what was being done and to what.

use std::io;
use std::path::PathBuf;

use countersign_core::codec::CodecError;
use countersign_core::ids::ShardId;
use thiserror::Error;

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
pub enum StorageError {
    /// Another process has the directory.
    #[error(
        "the data directory {dir} is in use by process {holder}; two processes must never share one"
    )]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// The holder's process id, `unknown` if it left none.
        holder: String,
    },
    /// The operating system refused.
    #[error("cannot {operation} {path}: {source}")]
    File {
        /// What was attempted.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// RocksDB refused while running.
    #[error("the database cannot {operation}: {reason}")]
    Database {
        /// What was attempted.
        operation: &'static str,
        /// RocksDB's answer.
        reason: String,
    },
    /// There is no room to open the database.
    #[error(
        "the disk that holds {path} is full. Nothing was lost. Make room on it and start again: \
         {reason}"
    )]
    DiskFull {
        /// The database's folder.
        path: PathBuf,
        /// RocksDB's answer.
        reason: String,
    },
    /// The data on disk is not what was written.
    #[error(
        "the data in {path} is damaged: {reason}. Nothing was changed. Move this directory away \
         and let the node join the cluster anew, or restore a backup"
    )]
    Damaged {
        /// The file, or the data directory if RocksDB names none.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A stored value cannot be read.
    #[error("the stored {what} of shard {shard} cannot be read: {source}")]
    Row {
        /// Which kind of row.
        what: &'static str,
        /// Whose.
        shard: ShardId,
        /// The codec's answer.
        source: CodecError,
    },
    /// A value is too large to be stored.
    #[error("a {what} cannot be stored: {source}")]
    Encode {
        /// Which kind of row.
        what: &'static str,
        /// The codec's answer.
        source: CodecError,
    },
    /// The log has a hole where none may be.
    #[error("the log of shard {shard} lacks entry {index}")]
    Hole {
        /// Which log.
        shard: ShardId,
        /// The first missing index.
        index: u64,
    },
    /// A snapshot is not one, or not one of this shard.
    #[error("the snapshot {path} cannot be used: {reason}")]
    Snapshot {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl StorageError {
    /// Whether the same call may succeed later without anybody's help.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::File { .. } | Self::DiskFull { .. } => true,
            Self::Database { .. }
            | Self::Damaged { .. }
            | Self::Row { .. }
            | Self::Encode { .. }
            | Self::Hole { .. }
            | Self::Snapshot { .. }
            | Self::Closed => false,
        }
    }

    /// Whether there was no room for a file.
    pub(crate) fn is_full_disk(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::DiskFull { .. } => true,
            Self::File { source, .. } => {
                matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            }
            _ => false,
        }
    }

    /// For `map_err` on opening RocksDB.
    pub(crate) fn opening(folder: &std::path::Path) -> impl FnOnce(rocksdb::Error) -> Self {
        let path = folder.to_owned();
        move |error| {
            let reason = error.into_string();
            // RocksDB's kinds do not tell a full disk from a missing file; its text does, in the
            // system's own words (ENOSPC, EDQUOT).
            match ["No space left on device", "Disk quota exceeded"]
                .iter()
                .any(|text| reason.contains(text))
            {
                true => Self::DiskFull { path, reason },
                false => Self::Damaged { path, reason },
            }
        }
    }

    /// For `map_err` on a call to RocksDB.
    pub(crate) fn database(operation: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |error| match error.kind() {
            // RocksDB's text names the file.
            rocksdb::ErrorKind::Corruption => {
                Self::Damaged { path: PathBuf::from("the database"), reason: error.into_string() }
            }
            _ => Self::Database { operation, reason: error.into_string() },
        }
    }

    /// For `map_err` on a call to the file system.
    pub(crate) fn file(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }
}

impl From<StorageError> for io::Error {
    fn from(error: StorageError) -> Self {
        Self::other(error)
    }
}
