//! The bounded gates before slow computing: as much at once as there are cores, a short queue before
//! it, and a refusal beyond that. Argon2 takes tens of milliseconds and 19 MiB, a signature's check
//! about one, so neither must ever run on an async thread, nor without a bound.
//!
//! Logins with a key, logins with a recovery code and enrollments each have a gate of their own: a
//! fresh set of codes takes as long as twenty logins, and must keep none waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::decision::Work;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::gateway::GatewayError;
use crate::metrics;

/// The gates of a node.
pub(crate) struct Gates {
    assertions: Gate,
    codes: Gate,
    enrollments: Gate,
}

impl Gates {
    /// Gates of `permits` places with room for `queue` to wait before each; half as many places for
    /// enrollments.
    pub(crate) fn new(permits: usize, queue: usize) -> Self {
        Self {
            assertions: Gate::new(permits, queue),
            codes: Gate::new(permits, queue),
            enrollments: Gate::new(permits / 2, queue),
        }
    }

    /// The gate before a piece of work.
    pub(crate) const fn before(&self, work: &Work) -> &Gate {
        match work {
            Work::JudgeAssertion(_) => &self.assertions,
            Work::HashCode { .. } => &self.codes,
            Work::HashSet { .. } | Work::JudgeRegistration(_) => &self.enrollments,
        }
    }
}

/// A gate.
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

impl Gate {
    /// A gate with `permits` places (at least 1) and room for `queue` to wait.
    pub(crate) fn new(permits: usize, queue: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(permits.max(1))),
            waiting: AtomicUsize::new(0),
            queue,
        }
    }

    /// Does `work` on a thread of its own once it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        deadline: Instant,
    ) -> Result<T, GatewayError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _place = Place::take(self)?;
                timeout_at(deadline, Arc::clone(&self.permits).acquire_owned())
                    .await
                    .map_err(|_| {
                        GatewayError::Unavailable("waiting for the gate before slow work".into())
                    })?
                    .map_err(|_| {
                        GatewayError::Internal("the gate before slow work is closed".into())
                    })?
            }
        };
        // The permit goes along: an asker that is dropped frees its place only when the work ends.
        let task = tokio::task::spawn_blocking(move || {
            let worked = work();
            drop(permit);
            worked
        });
        task.await.map_err(|_| GatewayError::Internal("slow work did not end".into()))
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a Gate);

impl<'a> Place<'a> {
    fn take(gate: &'a Gate) -> Result<Self, GatewayError> {
        let taken = gate.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting < gate.queue).then_some(waiting + 1)
        });
        if taken.is_err() {
            metrics::overloaded("gate");
            return Err(GatewayError::Overloaded);
        }
        metrics::gate_changed(1.0);
        Ok(Self(gate))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        metrics::gate_changed(-1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use countersign_core::secret::Secret;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_login_does_not_wait_behind_fresh_sets_of_codes() {
        let gates = Arc::new(Gates::new(1, 0));
        let set = || Work::HashSet { salt: [1; 16], codes: Vec::new() };
        let code = Work::HashCode { salt: [1; 16], canonical: Secret::from("code".to_owned()) };
        let (slow, begun, end) = work();
        let enrollment = tokio::spawn({
            let gates = Arc::clone(&gates);
            async move { gates.before(&set()).run(slow, soon()).await }
        });
        begun.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(gates.before(&set()).run(|| 7, soon()).await, Err(GatewayError::Overloaded));
        assert_eq!(gates.before(&code).run(|| 7, soon()).await, Ok(7));
        end.send(()).unwrap();
        assert_eq!(enrollment.await.unwrap(), Ok(7));
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// Work that begins when it begins and ends when told to.
    fn work() -> (impl FnOnce() -> u32 + Send + 'static, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let work = move || {
            begin.send(()).unwrap();
            ended.recv_timeout(Duration::from_secs(60)).unwrap();
            7
        };
        (work, begun, end)
    }

    async fn until(fits: impl Fn() -> bool) {
        let reached = async {
            while !fits() {
                tokio::task::yield_now().await;
            }
        };
        timeout_at(soon(), reached).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn beyond_permits_and_queue_work_is_refused() {
        let gate = Arc::new(Gate::new(1, 1));
        let (first, first_begun, end_first) = work();
        let (second, second_begun, end_second) = work();
        let spawn = |work| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { gate.run(work, soon()).await })
        };
        let first: tokio::task::JoinHandle<_> =
            spawn(Box::new(first) as Box<dyn FnOnce() -> u32 + Send>);
        first_begun.recv_timeout(Duration::from_secs(60)).unwrap();
        let second = spawn(Box::new(second));
        until(|| gate.waiting.load(Ordering::Acquire) == 1).await;
        assert_eq!(gate.run(|| 7, soon()).await, Err(GatewayError::Overloaded));
        assert!(second_begun.try_recv().is_err(), "one at a time");
        end_first.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(7));
        end_second.send(()).unwrap();
        assert_eq!(second.await.unwrap(), Ok(7));
        assert_eq!(gate.run(|| 7, soon()).await, Ok(7));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_asker_that_goes_away_frees_its_place_only_when_the_work_ends() {
        let gate = Arc::new(Gate::new(1, 0));
        let (work, begun, end) = work();
        let asker = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.run(work, soon()).await }
        });
        begun.recv_timeout(Duration::from_secs(60)).unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(gate.run(|| 7, soon()).await, Err(GatewayError::Overloaded));
        end.send(()).unwrap();
        until(|| gate.permits.available_permits() == 1).await;
        assert_eq!(gate.run(|| 7, soon()).await, Ok(7));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_panics_is_an_error_and_frees_its_place() {
        let gate = Gate::new(1, 0);
        let failed = gate.run(|| Vec::<u32>::new()[0], soon()).await;
        assert!(matches!(failed, Err(GatewayError::Internal(_))));
        assert_eq!(gate.run(|| 7, soon()).await, Ok(7));
    }
}
