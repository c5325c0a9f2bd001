//! How much room is left on the data directory's disk. A node that runs low gives its leaderships
//! away and refuses writes with a word that says why, long before RocksDB would have to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A node counts as having room again with this much more than the reserve, in eighths.
const RELIEF_EIGHTHS: u64 = 9;

/// What is left, in three grades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Room {
    /// Enough.
    #[default]
    Enough,
    /// Less than the reserve: leads nothing, refuses writes.
    Low,
    /// Less than a quarter of the reserve: takes no entries of others either.
    Out,
}

impl Room {
    /// The grade of so many free bytes, coming from `before`.
    fn of(free: u64, reserve: u64, before: Self) -> Self {
        if reserve == 0 {
            return Self::Enough;
        }
        // To be relieved takes a little more than to be spared, so that a node does not flutter.
        let relief = |bytes: u64| bytes / 8 * RELIEF_EIGHTHS;
        let low = if before == Self::Enough { reserve } else { relief(reserve) };
        let out = if before == Self::Out { relief(reserve / 4) } else { reserve / 4 };
        match free {
            free if free < out => Self::Out,
            free if free < low => Self::Low,
            _ => Self::Enough,
        }
    }
}

/// Looks at a disk until dropped.
pub(crate) async fn watch(dir: PathBuf, reserve: u64, room: watch::Sender<Room>) {
    if reserve == 0 {
        return;
    }
    let mut every = interval(LOOK);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let free = match free_bytes(&dir) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(dir = %dir.display(), %error, "the disk cannot be looked at");
                continue;
            }
        };
        let before = *room.borrow();
        let now = Room::of(free, reserve, before);
        if now != before {
            room.send_replace(now);
            let free_mib = free >> 20;
            match now {
                Room::Enough => tracing::info!(free_mib, "the disk has room again"),
                Room::Low => {
                    tracing::error!(free_mib, "the disk is nearly full: leading nothing");
                }
                Room::Out => tracing::error!(free_mib, "the disk is full: taking no entries"),
            }
        }
    }
}

/// What an unprivileged process may still write there.
fn free_bytes(dir: &Path) -> Result<u64, rustix::io::Errno> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grades_do_not_flutter() {
        let reserve = 800;
        assert_eq!(Room::of(800, reserve, Room::Enough), Room::Enough);
        assert_eq!(Room::of(799, reserve, Room::Enough), Room::Low);
        assert_eq!(Room::of(850, reserve, Room::Low), Room::Low);
        assert_eq!(Room::of(900, reserve, Room::Low), Room::Enough);
        assert_eq!(Room::of(199, reserve, Room::Low), Room::Out);
        assert_eq!(Room::of(210, reserve, Room::Out), Room::Out);
        assert_eq!(Room::of(225, reserve, Room::Out), Room::Low);
        assert_eq!(Room::of(0, 0, Room::Enough), Room::Enough);
    }

    #[test]
    fn a_disk_tells_what_is_free() {
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
    }
}
