//! How much one request for a list may read, and how many are read at once.
//!
//! A narrow filter may fit a single row among millions. So a request looks at a bounded number of
//! rows, for a bounded time, and answers with what it found and a cursor with which the next request
//! goes on. Few are read at once, one of each tenant, so that lists take little from logins and no
//! tenant keeps another from its own. Who does not get a turn in time is told to come back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::reading;

/// Rows at which one request looks, unless there are very many shards.
const ROWS_MAX: usize = 10_000;
/// Rows at which it looks at least of each shard.
const ROWS_PER_SHARD_MIN: usize = 64;
/// How long one request reads.
const READS_FOR: Duration = Duration::from_millis(200);
/// How many requests read at once.
const READERS: usize = 2;
/// How long a request waits for its turn.
const WAITS_FOR: Duration = Duration::from_secs(2);

/// What one request may still read.
#[derive(Debug)]
pub(super) struct Budget {
    rows: usize,
    until: Instant,
    /// Set when nobody waits for the answer any more.
    given_up: Arc<AtomicBool>,
    looked_at: usize,
}

impl Budget {
    pub(super) fn new(shards: u16, reads_for: Duration, given_up: Arc<AtomicBool>) -> Self {
        let rows = ROWS_MAX.max(ROWS_PER_SHARD_MIN * usize::from(shards));
        Self { rows, until: Instant::now() + reads_for, given_up, looked_at: 0 }
    }

    /// At how many rows one read of one of `chains` chains may look: so few that a request that
    /// begins with such a read of each has half of its rows left to go on with.
    pub(super) const fn share(&self, chains: usize) -> usize {
        let share = self.rows / (2 * if chains == 0 { 1 } else { chains });
        if share == 0 { 1 } else { share }
    }

    /// Rows were looked at.
    pub(super) const fn spend(&mut self, rows: usize) {
        self.looked_at = self.looked_at.saturating_add(rows);
    }

    /// Whether enough was read.
    pub(super) fn is_spent(&self) -> bool {
        self.looked_at >= self.rows || Instant::now() >= self.until || self.is_given_up()
    }

    /// Whether nobody waits for the answer.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// How many rows were looked at.
    #[cfg(test)]
    pub(super) const fn looked_at(&self) -> usize {
        self.looked_at
    }
}

/// Tells a read when whoever asked has gone away, as at the end of the request's time.
struct GiveUp(Arc<AtomicBool>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whose turn it is to read. Clones are the same.
#[derive(Clone)]
pub(super) struct Readers {
    all: Arc<Semaphore>,
    by_tenant: Arc<Mutex<HashMap<TenantId, Arc<Semaphore>>>>,
    reads_for: Duration,
}

impl Default for Readers {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(READERS)),
            by_tenant: Arc::default(),
            reads_for: READS_FOR,
        }
    }
}

impl Readers {
    /// Reads once it is the tenant's turn, within a budget for `shards` shards.
    ///
    /// # Errors
    /// `Overloaded` if its turn did not come in time.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        shards: u16,
        read: impl FnOnce(&mut Budget) -> Result<T, GatewayError> + Send + 'static,
    ) -> Result<T, GatewayError> {
        let turn = self.turn(tenant).await?;
        let reads_for = self.reads_for;
        reading_while_wanted(move |given_up| {
            // Held until the reading has ended, even if nobody waits for it any more.
            let _turn = turn;
            read(&mut Budget::new(shards, reads_for, given_up))
        })
        .await
    }

    async fn turn(
        &self,
        tenant: &TenantId,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), GatewayError> {
        let deadline = Instant::now() + WAITS_FOR;
        // First among its own: a tenant that asks much waits for itself only.
        let own = {
            let mut by_tenant = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
            by_tenant.retain(|_, own| Arc::strong_count(own) > 1);
            Arc::clone(by_tenant.entry(tenant.clone()).or_insert_with(|| Semaphore::new(1).into()))
        };
        Ok((place(own, deadline).await?, place(Arc::clone(&self.all), deadline).await?))
    }

    /// As many as read at once, and for how long each may.
    #[cfg(test)]
    pub(super) fn reading_for(reads_for: Duration) -> Self {
        Self { reads_for, ..Self::default() }
    }
}

async fn place(
    semaphore: Arc<Semaphore>,
    deadline: Instant,
) -> Result<OwnedSemaphorePermit, GatewayError> {
    match timeout_at(deadline, semaphore.acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(GatewayError::Overloaded),
    }
}

/// Runs a read off the async threads, and tells it when nobody waits for its answer any more.
pub(super) async fn reading_while_wanted<T: Send + 'static>(
    read: impl FnOnce(Arc<AtomicBool>) -> Result<T, GatewayError> + Send + 'static,
) -> Result<T, GatewayError> {
    let given_up = Arc::new(AtomicBool::new(false));
    let asker = GiveUp(Arc::clone(&given_up));
    let answer = reading(move || read(given_up)).await;
    drop(asker);
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::StreamExt;
    use futures::stream::FuturesUnordered;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_eight_requests_of_one_tenant_one_reads_and_another_tenant_has_its_turn() {
        let readers = Readers::default();
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let mut tasks: FuturesUnordered<_> = (0..8)
            .map(|_| {
                let (readers, begin, ended) = (readers.clone(), begin.clone(), Arc::clone(&ended));
                tokio::spawn(async move {
                    let busy = tenant("busy");
                    let read = readers.read(&busy, 4, move |_| {
                        begin.send(()).unwrap();
                        ended.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
                        Ok(())
                    });
                    read.await
                })
            })
            .collect();
        begun.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(readers.read(&tenant("other"), 4, |_| Ok(7)).await, Ok(7));
        // The others waited, and are told to come back.
        for _ in 0..7 {
            let told = tasks.next().await.unwrap().unwrap();
            assert_eq!(told, Err(GatewayError::Overloaded));
        }
        assert!(begun.try_recv().is_err(), "one at a time");
        end.send(()).unwrap();
        assert_eq!(tasks.next().await.unwrap().unwrap(), Ok(()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_whose_asker_went_away_is_told_so() {
        let readers = Readers::reading_for(Duration::from_secs(600));
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let asker = tokio::spawn(async move {
            let busy = tenant("busy");
            let read = readers.read(&busy, 4, move |budget| {
                begin.send(()).unwrap();
                while !budget.is_spent() {
                    std::thread::yield_now();
                }
                end.send(budget.is_given_up()).unwrap();
                Ok(())
            });
            read.await
        });
        begun.recv_timeout(Duration::from_secs(60)).unwrap();
        asker.abort();
        assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(true));
    }
}
