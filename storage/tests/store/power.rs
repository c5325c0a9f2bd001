//! The power goes: only what was synced counts.
//!
//! A killed process proves nothing about syncs, for the kernel keeps what it wrote. So the store
//! lives on a file system in a file. When the writer is killed, that file holds what the inner
//! file system has handed to its disk, and nothing that still waits in memory: the inner pages are
//! never asked for, and its own commits are too rare (`commit=600`) to help. The file is copied at
//! once, while the file system is still mounted, and the copy is mounted elsewhere, as a disk
//! would be after a power cut. That the method finds a missing sync is shown by leaving the syncs
//! out.

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_storage::{StorageError, Store, StoreOptions};
use tempfile::TempDir;

use crate::child::{SHARDS, start};
use crate::crash::{Promised, check, missing, remember};
use crate::stage::{close, open};

/// A file system in a file; unmounted when dropped.
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    fn new(folder: &Path, size: &str) -> Result<Self, String> {
        let image = folder.join("disk.img");
        run("truncate", &["-s".as_ref(), size.as_ref(), image.as_ref()])?;
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), image.as_ref()])?;
        Self::mount(image, folder.join("disk"))
    }

    fn mount(image: PathBuf, mounted: PathBuf) -> Result<Self, String> {
        std::fs::create_dir_all(&mounted).unwrap();
        let options = "loop,noatime,commit=600";
        run("mount", &["-o".as_ref(), options.as_ref(), image.as_ref(), mounted.as_ref()])?;
        Ok(Self { image, mounted })
    }

    /// The disk as it would be after a power cut at this moment.
    fn after_power_cut(&self, folder: &Path) -> Self {
        let image = folder.join("after.img");
        std::fs::copy(&self.image, &image).unwrap();
        Self::mount(image, folder.join("after")).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.mounted.join("data")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run("umount", &[self.mounted.as_ref()]) {
            eprintln!("{error}");
        }
    }
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("{program}: {}", said.trim()))
}

/// Writes until `reports` were received, kills, cuts the power, and counts what was promised and
/// what is gone. `None` where no file system can be mounted.
async fn cut_after(reports: usize, crash: &str) -> Option<(usize, u64)> {
    let folder = TempDir::new().unwrap();
    let disk = match Disk::new(folder.path(), "256M") {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped, for it needs root and a loop device: {reason}");
            return None;
        }
    };
    let mut promised = Promised::new();
    let mut child = start("write", &disk.data(), crash);
    for _ in 0..reports {
        remember(&mut promised, &child.next().expect("the child ended by itself"));
    }
    for report in child.kill() {
        remember(&mut promised, &report);
    }
    let after = disk.after_power_cut(folder.path());
    let store = open(&after.data());
    let gone = missing(&store, &promised).await;
    for shard in SHARDS {
        check(&store, shard).await;
    }
    close(store);
    let count = promised.values().map(|(index, _)| *index as usize).sum();
    Some((count, gone))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_reported_survives_a_power_cut() {
    for reports in [50, 400, 1_500] {
        let Some((promised, gone)) = cut_after(reports, "").await else { return };
        assert!(promised > 0);
        assert_eq!(gone, 0, "of {promised} reported entries");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_syncs_a_power_cut_loses_what_was_reported() {
    let Some((promised, gone)) = cut_after(400, "storage::skip_sync=return").await else { return };
    assert!(gone > 0, "{promised} entries were reported unsynced, and all are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_ends_the_writing_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let disk = match Disk::new(folder.path(), "24M") {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped, for it needs root and a loop device: {reason}");
            return;
        }
    };
    let mut promised = Promised::new();
    let mut child = start("write", &disk.data(), "");
    // Far more than there is room for.
    let mut reports = 0;
    while let Some(report) = child.next() {
        remember(&mut promised, &report);
        reports += 1;
        assert!(reports < 500_000, "the disk does not fill up");
    }
    let (_, well) = child.end();
    assert!(!well, "it ended as if all were well");
    assert_eq!(promised.len(), SHARDS.len());
    // While the disk is full the store opens or says why not, and harms nothing.
    match Store::open(&disk.data(), StoreOptions::default()) {
        Ok(store) => close(store),
        Err(StorageError::DiskFull { .. } | StorageError::File { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    // With room, all is there that was reported.
    let roomy = folder.path().join("roomy");
    run("cp", &["-a".as_ref(), disk.data().as_ref(), roomy.as_ref()]).unwrap();
    let store = open(&roomy);
    assert_eq!(missing(&store, &promised).await, 0);
    for shard in SHARDS {
        check(&store, shard).await;
    }
    close(store);
}
