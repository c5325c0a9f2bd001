//! The mark of a data directory that was used: a file that says in which format. Where it stands,
//! a database must be there; one that is gone is damage, and is never made anew.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::StorageError;

const NAME: &str = "FORMAT";
const TEXT: &str = "countersign store 2\n";

/// Whether the directory was used before.
///
/// # Errors
/// If it was used by a release whose format this one does not know, or its database is gone.
pub(crate) fn used(dir: &Path, database: &Path) -> Result<bool, StorageError> {
    let path = dir.join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) if text == TEXT => {}
        Ok(text) => {
            let reason =
                format!("its format is {:?}, but this release knows {TEXT:?}", text.trim());
            return Err(StorageError::Damaged { path, reason });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(StorageError::File { operation: "read", path, source }),
    }
    // RocksDB takes a folder without this file for an empty one.
    let current = database.join("CURRENT");
    if !current.exists() {
        let reason = "the directory was used before, but this file is gone".to_owned();
        return Err(StorageError::Damaged { path: current, reason });
    }
    Ok(true)
}

/// Marks a directory whose database has just been made; on disk when this returns.
pub(crate) fn mark(dir: &Path) -> Result<(), StorageError> {
    let path = dir.join(NAME);
    File::create(&path)
        .and_then(|mut file| file.write_all(TEXT.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| File::open(dir)?.sync_all())
        .map_err(StorageError::file("write", &path))
}
