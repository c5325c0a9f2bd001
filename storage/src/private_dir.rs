//! Directories that only the owner may enter, whatever the umask was: everything below is out of
//! others' reach then.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use crate::error::StorageError;

const PRIVATE: u32 = 0o700;
const OTHERS: u32 = 0o077;

/// Creates a directory with all above it, or closes one to others that exists. One that belongs to
/// somebody else, as a mounted volume does, stays as it is: what is made in it is closed.
///
/// # Errors
/// If it cannot be created.
pub(crate) fn make(dir: &Path) -> Result<(), StorageError> {
    let failed = StorageError::file("create", dir);
    if let Err(error) = DirBuilder::new().recursive(true).mode(PRIVATE).create(dir) {
        return Err(failed(error));
    }
    if let Err(error) = close(dir) {
        if error.kind() != ErrorKind::PermissionDenied {
            return Err(StorageError::file("close to other users", dir)(error));
        }
        tracing::info!(
            path = %dir.display(),
            "this directory belongs to another user and others may enter it; what is in it is closed \
             to them"
        );
    }
    Ok(())
}

fn close(dir: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(dir)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(dir, Permissions::from_mode(PRIVATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_directory_is_made_for_its_owner_alone_and_an_open_one_is_closed() {
        let folder = tempfile::TempDir::new().unwrap();
        let made = folder.path().join("above").join("data");
        make(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        std::fs::set_permissions(&made, Permissions::from_mode(0o755)).unwrap();
        make(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
    }
}
