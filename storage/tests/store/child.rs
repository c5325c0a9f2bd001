//! The process that gets killed: this very test binary, started again with a job.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::ids::ShardId;
use countersign_storage::{
    OnSyncFailure, ShardLog, SnapshotFile, SnapshotMeta, Store, StoreOptions, Vote,
};
use openraft::storage::{RaftLogStorage, RaftLogStorageExt, RaftSnapshotBuilder, RaftStateMachine};

use crate::stage::{SHARD, at, created, entry, history, open, proposal, propose, user};

const JOB: &str = "COUNTERSIGN_TEST_JOB";
const FOLDER: &str = "COUNTERSIGN_TEST_FOLDER";
const CRASH: &str = "COUNTERSIGN_TEST_CRASH";

/// The shards that the writing job writes to.
pub(crate) const SHARDS: [ShardId; 4] = [ShardId(0), ShardId(1), ShardId(2), ShardId(9)];

/// A running child.
pub(crate) struct Running {
    process: Child,
    output: BufReader<ChildStdout>,
}

/// What a child reported as being on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The log entry of a shard.
    Entry(ShardId, u64),
    /// The vote of a shard, by its term.
    Vote(ShardId, u64),
    /// Something else.
    Note(String),
}

/// Starts a child on a job. `crash` names a failpoint and how often it is passed before the
/// process dies there, `name@times`; or, as `name=action`, what it does.
pub(crate) fn start(job: &str, folder: &Path, crash: &str) -> Running {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["child::a_child_does_its_job", "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, job)
        .env(FOLDER, folder)
        .env(CRASH, crash)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    Running { process, output }
}

impl Running {
    /// The next report; `None` once the child has ended.
    pub(crate) fn next(&mut self) -> Option<Report> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            let Some(rest) = line.trim_end().strip_prefix("! ") else { continue };
            let words: Vec<&str> = rest.split(' ').collect();
            return Some(match words[..] {
                ["entry", shard, index] => {
                    Report::Entry(ShardId(shard.parse().unwrap()), index.parse().unwrap())
                }
                ["vote", shard, term] => {
                    Report::Vote(ShardId(shard.parse().unwrap()), term.parse().unwrap())
                }
                _ => Report::Note(rest.to_owned()),
            });
        }
    }

    /// Kills it with SIGKILL, and answers what it had still reported.
    pub(crate) fn kill(mut self) -> Vec<Report> {
        self.process.kill().unwrap();
        let mut rest = Vec::new();
        while let Some(report) = self.next() {
            rest.push(report);
        }
        self.process.wait().unwrap();
        rest
    }

    /// Waits for its end. Answers what it reported, and whether it ended well.
    pub(crate) fn end(mut self) -> (Vec<Report>, bool) {
        let mut reports = Vec::new();
        while let Some(report) = self.next() {
            reports.push(report);
        }
        let well = self.process.wait().unwrap().success();
        (reports, well)
    }
}

fn tell(text: &str) {
    let mut output = std::io::stdout().lock();
    write!(output, "\n! {text}\n").and_then(|()| output.flush()).unwrap();
}

#[test]
fn a_child_does_its_job() {
    let Ok(job) = std::env::var(JOB) else { return };
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    prepare_crash(&std::env::var(CRASH).unwrap_or_default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        match job.as_str() {
            "write" => write_for_ever(&folder).await,
            "apply" => apply(&folder),
            "build" => build(&folder).await,
            "build twice" => build_twice(&folder).await,
            "install" => install(&folder).await,
            "refuse" => refuse(&folder).await,
            other => panic!("no such job: {other}"),
        }
    });
    tell("finished");
}

fn prepare_crash(crash: &str) {
    if let Some((name, action)) = crash.split_once('=') {
        fail::cfg(name, action).unwrap();
    } else if let Some((name, times)) = crash.split_once('@') {
        let left = AtomicUsize::new(times.parse().unwrap());
        fail::cfg_callback(name, move || {
            if left.fetch_sub(1, Ordering::SeqCst) == 0 {
                // As SIGKILL would: nothing is flushed, nothing is dropped.
                std::process::abort();
            }
        })
        .unwrap();
    }
}

/// Appends, votes and applies on several shards at once, reporting what the store reported.
async fn write_for_ever(folder: &Path) {
    let store = open(folder);
    tell("open");
    let writers = SHARDS.map(|shard| tokio::spawn(write_shard(Arc::clone(&store), shard)));
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write_shard(store: Arc<Store>, shard: ShardId) {
    let mut log: ShardLog = store.log(shard);
    let machine = store.machine(shard).unwrap();
    let next = log.get_log_state().await.unwrap().last_log_id.map_or(1, |last| last.index + 1);
    for index in next.. {
        let number = u32::try_from(index).unwrap();
        let one = proposal(&user(number), 0, at(index as i64), vec![created(number)]);
        let one = entry(index, propose(one));
        log.blocking_append([one.clone()]).await.unwrap();
        tell(&format!("entry {shard} {index}"));
        machine.apply_entries(&[one]).unwrap();
        if index.is_multiple_of(16) {
            log.save_vote(&Vote::new(index, 1)).await.unwrap();
            tell(&format!("vote {shard} {index}"));
        }
    }
}

/// Appends twice to a store whose disk refuses the first sync, and goes on living.
async fn refuse(folder: &Path) {
    let options = StoreOptions {
        on_sync_failure: OnSyncFailure::Call(Arc::new(|_| tell("refused"))),
        ..StoreOptions::default()
    };
    let store = Store::open(folder, options).unwrap();
    let mut log = store.log(SHARD);
    for (index, entry) in history(2).into_iter().enumerate() {
        let reported = log.blocking_append([entry]).await.is_ok();
        tell(&format!("append {index} {reported}"));
    }
}

fn apply(folder: &Path) {
    let store = open(folder);
    let machine = store.machine(SHARD).unwrap();
    let done = store.rows(SHARD).last_applied();
    for some in history(300)[done as usize..].chunks(10) {
        machine.apply_entries(some).unwrap();
    }
}

async fn build(folder: &Path) {
    let store = open(folder);
    let mut machine = store.machine(SHARD).unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    builder.build_snapshot().await.unwrap();
}

/// Builds on a disk that has no room for it, first without any snapshot, then with an older one.
async fn build_twice(folder: &Path) {
    let store = open(folder);
    let mut machine = store.machine(SHARD).unwrap();
    machine.apply_entries(&history(20)).unwrap();
    fail::cfg("storage::snapshot_finds_no_room", "return").unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    let built = builder.build_snapshot().await.unwrap();
    assert_eq!(built.meta.last_log_id, None);
    assert!(machine.get_current_snapshot().await.unwrap().is_none());
    fail::cfg("storage::snapshot_finds_no_room", "off").unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    let first = builder.build_snapshot().await.unwrap();
    fail::cfg("storage::snapshot_finds_no_room", "return").unwrap();
    machine.apply_entries(&history(40)[20..]).unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    let second = builder.build_snapshot().await.unwrap();
    assert_eq!(second.meta, first.meta);
}

/// Installs the snapshot that lies beside the store, as the network would hand it over.
async fn install(folder: &Path) {
    let store = open(folder);
    let from = SnapshotFile::open(&folder.join("offered")).unwrap();
    let mut incoming = store.receive_snapshot(SHARD).unwrap();
    let mut bytes = vec![0; from.bytes() as usize];
    let count = from.read_at(0, &mut bytes).unwrap();
    incoming.write(&bytes[..count]).unwrap();
    let received = incoming.finish().unwrap();
    let meta = std::fs::read(folder.join("offered.meta")).unwrap();
    let meta: SnapshotMeta = countersign_core::codec::decode(&meta).unwrap();
    store.machine(SHARD).unwrap().install_snapshot(&meta, received).await.unwrap();
}
