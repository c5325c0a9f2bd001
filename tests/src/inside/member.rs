//! One node of a cluster within the process: its directory, its clock, and while it runs, its own
//! runtime.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign::{Config, Error, Node, World};
use countersign_storage::Store;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::clock::SkewedClock;
use super::door::Door;

/// How long a node's last threads may take to end.
const END: Duration = Duration::from_secs(10);

pub(super) struct Member {
    pub(super) place: usize,
    pub(super) dir: TempDir,
    pub(super) peer: SocketAddr,
    pub(super) api: SocketAddr,
    pub(super) clock: Arc<SkewedClock>,
    running: Option<Running>,
}

struct Running {
    runtime: Runtime,
    node: Node,
}

impl Member {
    pub(super) fn new(place: usize, peer: SocketAddr, api: SocketAddr) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { place, dir, peer, api, clock: Arc::default(), running: None }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn node(&self) -> Option<&Node> {
        self.running.as_ref().map(|running| &running.node)
    }

    pub(super) fn door(&self) -> Option<Door> {
        let running = self.running.as_ref()?;
        let handle = running.runtime.handle().clone();
        Some(Door::new(self.place, handle, &running.node.gateway()))
    }

    /// Starts the node. Returns once its API listens.
    pub(super) async fn start(&mut self, world: World, config: Config) -> Result<(), Error> {
        assert!(self.running.is_none(), "node {} runs already", self.place);
        let started = spawn_blocking(move || {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name(config.name.clone())
                .enable_all()
                .build()
                .expect("a runtime");
            match runtime.block_on(Box::pin(Node::start_in(world, config, |_| {}))) {
                Ok(node) => Ok(Running { runtime, node }),
                Err(error) => {
                    runtime.shutdown_timeout(END);
                    Err(error)
                }
            }
        });
        self.running = Some(started.await.expect("a start without panic")?);
        Ok(())
    }

    /// Ends the node in order.
    pub(super) async fn stop(&mut self) {
        let Some(Running { runtime, node }) = self.running.take() else { return };
        let store = Arc::downgrade(&node.store());
        spawn_blocking(move || {
            runtime.block_on(Box::pin(node.stop()));
            runtime.shutdown_timeout(END);
        })
        .await
        .expect("an end without panic");
        self.closed(&store).await;
    }

    /// Ends the node at once, wherever it is.
    pub(super) async fn crash(&mut self) {
        let Some(Running { runtime, node }) = self.running.take() else { return };
        let store = Arc::downgrade(&node.store());
        spawn_blocking(move || {
            // First every task, in the middle of whatever it does.
            runtime.shutdown_timeout(END);
            drop(node);
        })
        .await
        .expect("an end without panic");
        self.closed(&store).await;
    }

    /// Waits until nothing of the node holds its store: only then another may open it.
    async fn closed(&self, store: &Weak<Store>) {
        let what = format!("the store of node {} is closed", self.place);
        super::until(&what, END, async || store.strong_count() == 0 && let_go(self.path())).await;
    }
}

/// Whether nobody holds a data directory any more: the lock is what a store gives back last.
fn let_go(dir: &Path) -> bool {
    let lock = File::options().write(true).open(dir.join("LOCK.countersign"));
    lock.map_or(true, |lock| lock.try_lock().is_ok())
}

/// Ends the node and waits until its store is closed: the database's own threads must not outlive
/// the process's last function.
impl Drop for Member {
    fn drop(&mut self) {
        let Some(Running { runtime, node }) = self.running.take() else { return };
        // A runtime must not wait for its threads from within another one.
        let ending = std::thread::spawn(move || {
            runtime.shutdown_timeout(END);
            drop(node);
        });
        // A panic in there was printed by it.
        let _ = ending.join();
        let until = Instant::now() + END;
        while !let_go(self.path()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
