//! The one thread that makes writes durable.
//!
//! Appends and votes of every shard are written to the database unsynced by whoever makes them,
//! which fixes their order, and then queued here. The thread takes all that is queued, syncs once,
//! and reports back in order: one fsync serves all groups, and the more there is to do, the more
//! share it. It must never report a write before the sync that covers it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use openraft::storage::IOFlushed;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};

use crate::database::Database;
use crate::error::StorageError;
use crate::options::OnSyncFailure;
use crate::statistics::Counters;
use crate::types::TypeConfig;

/// Whom to tell once what was written is on disk.
pub(crate) enum Waiting {
    /// Openraft, of an append.
    Append(IOFlushed<TypeConfig>),
    /// Somebody who waits, of anything else.
    Call(oneshot::Sender<Result<(), StorageError>>),
}

/// The thread's handle; dropping it syncs what is queued and ends the thread.
pub(crate) struct LogWriter {
    queue: Option<Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    pub(crate) fn start(
        database: Arc<Database>,
        counters: Arc<Counters>,
        on_failure: OnSyncFailure,
    ) -> io::Result<Self> {
        let (queue, queued) = channel();
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || run(&database, &counters, &on_failure, &queued))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a report. The write it is about must have been made before.
    pub(crate) fn report(&self, waiting: Waiting) -> Result<(), StorageError> {
        let queue = self.queue.as_ref().ok_or(StorageError::Closed)?;
        queue.send(waiting).map_err(|_| StorageError::Closed)
    }

    /// Waits until all that was written before this call is on disk.
    pub(crate) async fn synced(&self) -> Result<(), StorageError> {
        let (done, wait) = oneshot::channel();
        self.report(Waiting::Call(done))?;
        wait.await.map_err(|_| StorageError::Closed)?
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was printed by it; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// How long a sync waits for more to be synced with it. About what a sync takes.
const GATHER: Duration = Duration::from_micros(400);

fn run(
    database: &Database,
    counters: &Counters,
    on_failure: &OnSyncFailure,
    queued: &Receiver<Waiting>,
) {
    while let Ok(first) = queued.recv() {
        let mut waiting = vec![first];
        waiting.extend(queued.try_iter());
        // Where some came together, more are on their way: a moment's wait costs them less than
        // another sync would. One alone never waits.
        if waiting.len() > 1 {
            std::thread::sleep(GATHER);
            waiting.extend(queued.try_iter());
        }
        fail::fail_point!("storage::before_sync");
        let started = Instant::now();
        let result = database.sync();
        if let Err(error) = &result {
            match on_failure {
                OnSyncFailure::Abort => {
                    tracing::error!(%error, "the disk refused to sync; ending the process");
                    std::process::abort();
                }
                OnSyncFailure::Call(call) => call(error),
            }
        }
        counters.synced(waiting.len() as u64, started.elapsed());
        fail::fail_point!("storage::after_sync");
        for one in waiting {
            one.tell(&result);
        }
    }
}

impl Waiting {
    fn tell(self, result: &Result<(), StorageError>) {
        let again = || match result {
            Ok(()) => Ok(()),
            Err(error) => Err(StorageError::Database {
                operation: "sync the write-ahead log",
                reason: error.to_string(),
            }),
        };
        match self {
            Self::Append(callback) => callback.io_completed(again().map_err(io::Error::from)),
            // Whoever asked may have stopped waiting.
            Self::Call(done) => drop(done.send(again())),
        }
    }
}
