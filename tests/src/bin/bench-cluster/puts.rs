//! Puts of 192 bytes into three etcd members.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_tests::etcd::{Connection, Members};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What is put: as much as a login's event, bytes.
const VALUE: [u8; 192] = [b'v'; 192];
/// Keys that are used in turn.
const KEYS: u64 = 100_000;
/// Connections a member at most; clients share them, as in etcd's own tool.
const CONNECTIONS_A_MEMBER: usize = 4;
/// How long the members are under load before they are measured.
const WARMUP: Duration = Duration::from_secs(3);

/// What was measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Puts {
    /// Acknowledged puts a second.
    pub(crate) per_second: f64,
    /// Half took no longer, milliseconds.
    pub(crate) p50_ms: f64,
    /// All but one in a hundred took no longer, milliseconds.
    pub(crate) p99_ms: f64,
}

/// Starts three fresh members, puts with so many clients for so long, and stops them.
pub(crate) async fn measure(clients: u32, duration: Duration) -> Puts {
    let dir = tempfile::Builder::new().prefix("countersign-etcd-").tempdir().unwrap();
    let members = Members::start(dir.path()).await.unwrap();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS_A_MEMBER {
        for address in members.clients() {
            connections.push(Connection::open(address).await.unwrap());
        }
    }
    let started = Instant::now();
    let (from, until) = (started + WARMUP, started + WARMUP + duration);
    let next = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for client in 0..clients as usize {
        let connection = connections[client % connections.len()].clone();
        workers.spawn(put_over_and_over(connection, Arc::clone(&next), from, until));
    }
    let mut all = histogram();
    while let Some(measured) = workers.join_next().await {
        all.add(measured.unwrap()).unwrap();
    }
    let ms = |quantile| all.value_at_quantile(quantile).min(all.max()) as f64 / 1_000.0;
    Puts {
        per_second: all.len() as f64 / duration.as_secs_f64(),
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
    }
}

/// One client; answers how long each put took that ended within the measured time.
async fn put_over_and_over(
    mut connection: Connection,
    next: Arc<AtomicU64>,
    from: Instant,
    until: Instant,
) -> Histogram<u64> {
    let mut took = histogram();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return took;
        }
        let key = (next.fetch_add(1, Ordering::Relaxed) % KEYS).to_be_bytes();
        connection.put(&key, &VALUE).await.unwrap();
        let ended = Instant::now();
        if ended >= from && ended < until {
            let micros = ended.saturating_duration_since(begun).as_micros();
            took.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).unwrap()
}
