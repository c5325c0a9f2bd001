//! What the process tells of itself: log lines on stderr, and numbers for Prometheus. Log lines
//! are written for operators; what a user or an API key holds never reaches them.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use countersign_storage::Store;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use openraft::async_runtime::WatchReceiver;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::reload::Handle;

use crate::clock::Trust;
use crate::config::LogFormat;
use crate::metric_help;
use crate::raft::Groups;
use crate::shard_time::ShardTimes;

/// Seconds at which latency histograms are cut: from a page-cache hit to a client's patience.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How often histograms are folded, so that numbers nobody reads take no memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The filter that a log level or directives mean. The libraries below are quieter than we are:
/// they repeat, for every shard, what we say once, or tell as errors what strangers sent, or that a
/// group which is being stopped takes no more heartbeats.
///
/// # Errors
/// If the text is no filter; the error says what is wrong with it.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, String> {
    let quiet = match level {
        "debug" | "trace" => "",
        _ => {
            ",openraft=error,openraft::core::heartbeat=off,openraft_rt=error,ractor=warn,hyper=warn,tower_http=warn,\
             rustls_platform_verifier=off,webauthn_rs_core=off"
        }
    };
    if level.split(',').any(|directive| directive.trim().is_empty()) {
        return Err("an empty directive".to_owned());
    }
    EnvFilter::builder().parse(format!("{level}{quiet}")).map_err(|error| error.to_string())
}

/// Puts another filter in the place of the one that logging was started with.
type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

static SET_FILTER: OnceLock<SetFilter> = OnceLock::new();

fn keep<S: 'static>(handle: Handle<EnvFilter, S>) {
    let set = move |filter| handle.reload(filter).map_err(|error| error.to_string());
    let _first_one_stays = SET_FILTER.set(Box::new(set));
}

/// Logs by another level or directives from here on.
///
/// # Errors
/// If the text is no filter, or logging was not started here.
pub(crate) fn set_level(level: &str) -> Result<(), String> {
    let set = SET_FILTER.get().ok_or("logging was not started by this program")?;
    set(filter(level)?)
}

/// Sends log lines to stderr. Does nothing if somebody else in this process did so already.
pub(crate) fn start_logging(level: &str, format: LogFormat) {
    let filter = filter(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_span_events(FmtSpan::NONE);
    // A second node in one process, as tests have it, shares the first one's lines.
    let _already_started = match format {
        LogFormat::Text => {
            let builder = builder.with_target(false).with_filter_reloading();
            keep(builder.reload_handle());
            builder.try_init()
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            keep(builder.reload_handle());
            builder.try_init()
        }
    };
}

/// The process's numbers, in the Prometheus text format. One recorder a process: several nodes in
/// one process add to the same numbers.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let builder = match builder.set_buckets_for_metric(seconds, &LATENCY_BUCKETS) {
            Ok(builder) => builder,
            // Only an empty list of buckets is refused.
            Err(_) => PrometheusBuilder::new(),
        };
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics was there first; /metrics stays empty");
        }
        metric_help::describe();
        handle
    })
}

/// Measures what is not counted as it happens: the groups, the tables on disk.
pub(crate) fn record(store: &Store, groups: &Groups, times: &ShardTimes) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let number = |number: u64| number as f64;
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    for (shard, group) in groups.iter() {
        let metrics = group.metrics();
        let metrics = metrics.borrow_watched();
        let label = shard.to_string();
        let leads = metrics.current_leader == Some(metrics.id);
        let applied = metrics.last_applied.map_or(0, |log_id| log_id.index);
        let snapshot = metrics.snapshot.map_or(0, |log_id| log_id.index);
        gauge!("countersign_raft_leader", "shard" => label.clone()).set(f64::from(u8::from(leads)));
        gauge!("countersign_raft_term", "shard" => label.clone()).set(number(metrics.current_term));
        gauge!("countersign_raft_applied_index", "shard" => label.clone()).set(number(applied));
        gauge!("countersign_raft_log_index", "shard" => label.clone())
            .set(number(metrics.last_log_index.unwrap_or(0)));
        gauge!("countersign_raft_snapshot_index", "shard" => label.clone()).set(number(snapshot));
        gauge!("countersign_shard_time_ahead_seconds", "shard" => label)
            .set(seconds(times.ahead_ms(*shard)));
    }
    let (trust, off) = match times.clock().trust() {
        Trust::Agreed => (1.0, 0),
        Trust::Unknown => (0.0, 0),
        Trust::Off { ahead_ms } => (0.0, ahead_ms),
    };
    gauge!("countersign_clock_agrees").set(trust);
    gauge!("countersign_clock_off_seconds").set(seconds(off));
    gauge!("countersign_storage_table_bytes").set(number(store.statistics().table_bytes));
}

/// Folds histograms from time to time, until dropped.
pub(crate) async fn keep_up() {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        recorder().run_upkeep();
    }
}
