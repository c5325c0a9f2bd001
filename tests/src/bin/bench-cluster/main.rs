//! `bench-cluster`: three nodes and three etcd members on this machine, measured one after the
//! other in the same run, and what a node's death and a rolling restart cost. `make bench-cluster`
//! builds and runs it.
//!
//! ```text
//! options  which parts, how long
//! load     logins: `countersign bench` as a process, its report as JSON
//! puts     puts of 192 bytes into etcd with as many clients
//! balance  who leads which shard, and the wait until leaders are spread evenly
//! kills    SIGKILL, and the time until clients are served again
//! rolling  each node in turn: SIGTERM, restart, ready
//! report   one table, and the same as JSON
//! ```
//!
//! While one system is measured the other does not run. All data lies in the system's temporary
//! folder (`TMPDIR`), which must be on the disk that is to be measured: on a tmpfs, an fsync costs
//! nothing. Must never count an answer that was not checked: logins are checked by `countersign
//! bench`, puts by their `grpc-status` and revision.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rig stops at what should not be"
)]

mod balance;
mod kills;
mod load;
mod options;
mod puts;
mod report;
mod rolling;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use countersign_tests::cluster::{Cluster, Plan};
use countersign_tests::etcd;

use self::options::{Options, Part};
use self::puts::Puts;
use self::report::{Pair, Report, Size};

// The processes end with the thread that started them, so the cluster is only ever touched here.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report { etcd_version: etcd::version(), ..Report::default() };
    if options.parts.iter().any(|part| *part != Part::Etcd) {
        Box::pin(measure_nodes(&options, &mut report)).await;
    } else {
        for clients in &options.clients {
            let puts = measure_puts(&options, *clients).await;
            report.pairs.push(Pair { clients: *clients, logins: None, puts });
        }
    }
    let text = if options.json {
        serde_json::to_string_pretty(&report).unwrap() + "\n"
    } else {
        report.to_string()
    };
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    if report.wrong_answers() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that needs three nodes, the rates beside those of etcd.
async fn measure_nodes(options: &Options, report: &mut Report) {
    let mut plan = Plan::of(3);
    plan.log_level = "warn".to_owned();
    tell("starting three nodes");
    let mut cluster = Cluster::start(plan).await;
    if options.has(Part::Logins) || options.has(Part::Etcd) {
        for clients in &options.clients {
            report.pairs.push(measure_pair(&mut cluster, options, *clients).await);
        }
    }
    if options.has(Part::Kills) {
        report.kills = Some(kills::measure(&mut cluster, options).await);
    }
    if options.has(Part::Rolling) {
        report.rolling = Some(rolling::measure(&mut cluster, options).await);
    }
    if options.has(Part::Sizes) {
        start_all(&mut cluster).await;
        report.sizes = (0..cluster.len()).map(|node| Size::of(&cluster, node)).collect();
    }
}

/// Starts the nodes that do not run, and waits until all are ready and lead alike.
async fn start_all(cluster: &mut Cluster) {
    for node in 0..cluster.len() {
        if !cluster.runs(node) {
            cluster.spawn(node);
        }
    }
    cluster.wait_until_whole().await;
    balance::wait_until_even(cluster).await;
}

/// Logins and then puts with so many clients, each system alone on the machine.
async fn measure_pair(cluster: &mut Cluster, options: &Options, clients: u32) -> Pair {
    let mut pair = Pair { clients, logins: None, puts: None };
    if options.has(Part::Logins) {
        start_all(cluster).await;
        tell(&format!("logins with {clients} clients"));
        pair.logins = Some(load::logins(&cluster.urls(), clients, options.duration()).await);
    }
    if options.has(Part::Etcd) {
        cluster.kill_all();
        pair.puts = measure_puts(options, clients).await;
    }
    pair
}

async fn measure_puts(options: &Options, clients: u32) -> Option<Puts> {
    etcd::version()?;
    tell(&format!("etcd puts with {clients} clients"));
    Some(puts::measure(clients, options.duration()).await)
}

/// Says on standard error what is being done.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "bench-cluster: {what}");
}
