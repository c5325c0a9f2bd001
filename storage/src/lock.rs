//! Keeps a second process out of the data directory. RocksDB has a lock of its own, but cannot
//! say who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::StorageError;

const NAME: &str = "LOCK.countersign";

/// The lock; it is given back when dropped, or by the kernel when the process ends.
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `dir`.
    pub(crate) fn take(dir: &Path) -> Result<Self, StorageError> {
        let path = dir.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StorageError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder);
                let known = read.is_ok() && !holder.trim().is_empty();
                return Err(StorageError::Locked {
                    dir: dir.to_owned(),
                    holder: if known { holder.trim().to_owned() } else { "unknown".to_owned() },
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StorageError::File { operation: "lock", path, source });
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StorageError::file("write", &path))?;
        Ok(Self { _file: file })
    }
}
