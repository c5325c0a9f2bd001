//! The disk of a node.
//!
//! A folder, or a file system in a file. Of the latter, the file holds what the inner file system
//! has handed to its disk and nothing that still waits in memory (`commit=600` keeps its own
//! commits rare). A copy of the file, taken while the node is frozen, is therefore the disk as a
//! power cut at this moment would leave it: what was not synced may be missing.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::plan::Storage;
use super::shell::run;

/// How much less is tried if a disk cannot be filled as far as was asked: 1 MiB.
const FILL_STEP: u64 = 1 << 20;

/// Where a node's data is; unmounted when dropped.
pub(super) enum Disk {
    Folder(PathBuf),
    Image(Image),
}

pub(super) struct Image {
    folder: PathBuf,
    mounted: PathBuf,
    file: PathBuf,
    /// Counts the power cuts: each goes on with a copy.
    copy: u32,
    /// Whether it is mounted.
    up: bool,
}

impl Disk {
    /// A fresh disk in `folder`.
    pub(super) fn new(folder: &Path, storage: Storage) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        match storage {
            Storage::Folder => Ok(Self::Folder(folder.to_owned())),
            Storage::Image(bytes) => Image::new(folder, bytes).map(Self::Image),
        }
    }

    /// The node's data directory.
    pub(super) fn data(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join("data"),
            Self::Image(image) => image.mounted.join("data"),
        }
    }

    /// Takes away all that the node has kept.
    pub(super) fn wipe(&self) {
        match std::fs::remove_dir_all(self.data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }

    /// Takes down the disk as it is now, for [`Disk::after_power_cut`]. The node must be frozen.
    pub(super) fn photograph(&mut self) -> Result<(), String> {
        match self {
            Self::Folder(_) => Err("a folder keeps what was not synced".to_owned()),
            Self::Image(image) => image.photograph(),
        }
    }

    /// Goes on with what was taken down. The node must have ended.
    pub(super) fn after_power_cut(&mut self) -> Result<(), String> {
        match self {
            Self::Folder(_) => Err("a folder keeps what was not synced".to_owned()),
            Self::Image(image) => image.develop(),
        }
    }

    /// Fills the disk until `leave` bytes are free.
    pub(super) fn fill(&self, leave: u64) -> Result<(), String> {
        let Self::Image(image) = self else {
            return Err("only a disk of its own may be filled".to_owned());
        };
        let stat = rustix::fs::statvfs(&image.mounted).map_err(|error| error.to_string())?;
        let free = stat.f_bavail * stat.f_frsize;
        let ballast = image.ballast();
        let ballast = ballast.to_string_lossy();
        // The file system takes some room for itself, and the node some meanwhile.
        let mut length = free.saturating_sub(leave).max(1);
        loop {
            match run("fallocate", &["-l", &length.to_string(), &ballast]) {
                Err(reason) if length <= FILL_STEP => return Err(reason),
                Err(_) => length -= FILL_STEP,
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Takes the ballast away.
    pub(super) fn unfill(&self) {
        if let Self::Image(image) = self {
            let _ = std::fs::remove_file(image.ballast());
        }
    }
}

impl Image {
    fn new(folder: &Path, bytes: u64) -> Result<Self, String> {
        let file = folder.join("disk-0.img");
        let name = file.to_string_lossy().into_owned();
        run("truncate", &["-s", &bytes.to_string(), &name])?;
        // Little journal and no room for root alone: what is free is free for the node.
        run("mkfs.ext4", &["-q", "-F", "-m", "0", "-J", "size=16", &name])?;
        let mounted = folder.join("disk");
        let mut image = Self { folder: folder.to_owned(), mounted, file, copy: 0, up: false };
        image.mount()?;
        Ok(image)
    }

    fn mount(&mut self) -> Result<(), String> {
        std::fs::create_dir_all(&self.mounted).map_err(|error| error.to_string())?;
        let (file, mounted) = (self.file.to_string_lossy(), self.mounted.to_string_lossy());
        run("mount", &["-o", "loop,noatime,commit=600", &file, &mounted])?;
        self.up = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<(), String> {
        if self.up {
            run("umount", &[&self.mounted.to_string_lossy()])?;
            self.up = false;
        }
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.mounted.join("ballast")
    }

    fn photograph(&mut self) -> Result<(), String> {
        self.copy += 1;
        let copy = self.folder.join(format!("disk-{}.img", self.copy));
        let (from, to) = (self.file.to_string_lossy(), copy.to_string_lossy());
        run("cp", &["--sparse=always", &from, &to]).map(drop)
    }

    fn develop(&mut self) -> Result<(), String> {
        self.unmount()?;
        let _ = std::fs::remove_file(&self.file);
        self.file = self.folder.join(format!("disk-{}.img", self.copy));
        self.mount()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // A process that was just killed may hold the mount for a moment longer.
        for _ in 0..50 {
            if self.unmount().is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = run("umount", &["--lazy", &self.mounted.to_string_lossy()]);
    }
}

/// Whether file systems in files can be mounted here; tried once.
pub(super) fn possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let tried = Disk::new(folder.path(), Storage::Image(64 << 20));
        if let Err(reason) = &tried {
            eprintln!("power cannot be cut on this machine: {reason}");
        }
        tried.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_loses_what_was_not() {
        if !possible() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::new(folder.path(), Storage::Image(64 << 20)).unwrap();
        std::fs::create_dir_all(disk.data()).unwrap();
        let (kept, lost) = (disk.data().join("kept"), disk.data().join("lost"));
        std::fs::write(&kept, "synced").unwrap();
        std::fs::File::open(&kept).unwrap().sync_all().unwrap();
        std::fs::File::open(disk.data()).unwrap().sync_all().unwrap();
        std::fs::write(&lost, "not synced").unwrap();
        disk.photograph().unwrap();
        disk.after_power_cut().unwrap();
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "synced");
        assert!(std::fs::read(&lost).map_or(true, |bytes| bytes != b"not synced"));
    }

    #[test]
    fn a_filled_disk_has_no_more_room_than_was_left() {
        if !possible() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path(), Storage::Image(64 << 20)).unwrap();
        std::fs::create_dir_all(disk.data()).unwrap();
        disk.fill(1 << 20).unwrap();
        assert!(std::fs::write(disk.data().join("big"), vec![1; 4 << 20]).is_err());
        disk.unfill();
        std::fs::write(disk.data().join("big"), vec![1; 4 << 20]).unwrap();
    }
}
