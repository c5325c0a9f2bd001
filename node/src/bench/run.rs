//! A run: look at the server, prepare users, warm up, measure, report.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_actors::ports::Clock;
use data_encoding::HEXLOWER;
use http::header::DATE;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

use super::args::{BenchArgs, Scenario};
use super::client::{Client, Request};
use super::fsyncs;
use super::operation::{Kind, perform};
use super::population::Population;
use super::progress::Progress;
use super::record::Record;
use super::report::{Fsyncs, Report, Users, operations, per_second};
use super::supply::{CLOCK_MARGIN_MS, codes_within};
use super::wire::Policy;
use crate::clock::WallClock;

/// Logins a second are guessed at no more than this part of the imports a second that preparing
/// showed: a login is two commits, an import is one.
const LOGINS_PER_IMPORT: f64 = 0.6;

/// Runs the load and prints the report. The exit code is 1 if an answer was wrong or if nothing at
/// all was completed.
///
/// # Errors
/// If the run could not begin: no address answers, the key is refused, the policy asks for no
/// second factor, the clocks differ too much, or preparing the users failed.
pub async fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let progress = Progress::new(args.json);
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(&args, &progress)) => prepared?,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.context("the signal handler")?;
            progress.clear();
            bail!("interrupted while preparing users");
        }
    };
    let report = measure(&args, prepared, &progress).await?;
    progress.clear();
    let text = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&report).context("the report as JSON")?)
    } else {
        report.to_string()
    };
    std::io::stdout().write_all(text.as_bytes()).context("the report to standard output")?;
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What preparing led to.
struct Prepared {
    population: Population,
    users: u64,
    took: Duration,
}

async fn prepare(args: &BenchArgs, progress: &Progress) -> anyhow::Result<Prepared> {
    let mut name = [0; 4];
    getrandom::fill(&mut name).context("a name for this run")?;
    let client = Client::new(&args.urls, &args.key, HEXLOWER.encode(&name))?;
    look_at_nodes(&client).await?;
    let policy = policy(&client, args.scenario).await?;
    let keeps_enrolled = args.scenario == Scenario::Mixed;
    let population = Population::new(client, Box::new(WallClock), policy.as_ref(), keeps_enrolled);

    let started = Instant::now();
    let mut users = 0;
    if args.scenario != Scenario::Enroll {
        let at_once = args.concurrency as usize;
        users = u64::from(args.users);
        progress.begin("preparing users", users);
        population.prepare(users, at_once, progress).await.context("preparing users")?;
        let more = users_for(args, per_second(users, started.elapsed().as_secs_f64()))
            .saturating_sub(users);
        progress.begin("for unspent codes", more);
        population.prepare(more, at_once, progress).await.context("preparing more users")?;
        users += more;
    }
    Ok(Prepared { population, users, took: started.elapsed() })
}

/// Asks every address whether it answers, and whether its clock is near ours: codes are judged by
/// it. At least one must answer.
async fn look_at_nodes(client: &Client) -> anyhow::Result<()> {
    let mut refusals = Vec::new();
    for address in client.addresses() {
        let base = address.base();
        let response = match client.get_once(address, "/healthz").await {
            Ok(response) => response,
            Err(reason) => {
                refusals.push(format!("{base}: {reason}"));
                continue;
            }
        };
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()) else {
            continue;
        };
        // A Date header has whole seconds and may be a second old.
        let ahead_ms = WallClock.now().millis() - theirs.unix_timestamp() * 1_000 - 1_000;
        if ahead_ms.abs() > CLOCK_MARGIN_MS {
            bail!(
                "this machine's clock is about {} s {} that of {base}: codes would be refused",
                ahead_ms.abs() / 1_000,
                if ahead_ms > 0 { "ahead of" } else { "behind" },
            );
        }
    }
    if refusals.len() == client.addresses().len() {
        bail!("no address answers:\n  {}", refusals.join("\n  "));
    }
    Ok(())
}

/// The tenant's policy, which must ask enrolled users for a code. `None` if the key may not read it.
async fn policy(client: &Client, scenario: Scenario) -> anyhow::Result<Option<Policy>> {
    let request = Request {
        operation: "policy",
        subject: "the tenant",
        method: http::Method::GET,
        path: "/v1/mfa/policy",
    };
    let answer = client.send(&request).await?;
    if answer.status(403).is_ok() {
        return Ok(None);
    }
    let policy: Policy = answer.json(200)?;
    if !matches!(policy.requirement.as_str(), "OPTIONAL" | "REQUIRED") {
        let requirement = &policy.requirement;
        bail!("the policy is {requirement}: with OPTIONAL or REQUIRED every login needs a code");
    }
    if !policy.allowed_factors.iter().any(|factor| factor == "TOTP") {
        bail!("the policy does not allow TOTP");
    }
    if scenario == Scenario::Mixed && policy.lockout.max_attempts.min(policy.lockout.hard_limit) < 2
    {
        bail!("the policy locks a user at the first wrong code, which the mix contains");
    }
    Ok(Some(policy))
}

/// How many users the run needs, so that few must be added while measuring: an estimate from the
/// speed of preparing.
fn users_for(args: &BenchArgs, imports_per_second: f64) -> u64 {
    let seconds = (args.warmup + args.duration).as_secs_f64();
    let most = args.rate.map_or(f64::INFINITY, f64::from);
    let operations = (imports_per_second * LOGINS_PER_IMPORT).min(most) * seconds;
    let users = operations * args.scenario.codes_per_operation() / codes_within(seconds);
    // Each worker holds one at any time. A float beyond the range ends at its bound.
    (users.ceil() as u64).saturating_add(u64::from(args.concurrency)).max(u64::from(args.users))
}

/// What the workers share.
struct Shared {
    population: Population,
    scenario: Scenario,
    rate: Option<u32>,
    started: Instant,
    measure_from: Instant,
    end: Instant,
    next: AtomicU64,
    completed: AtomicU64,
    record: Mutex<Record>,
    stop: watch::Sender<bool>,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn measure(
    args: &BenchArgs,
    prepared: Prepared,
    progress: &Progress,
) -> anyhow::Result<Report> {
    let Prepared { population, users, took } = prepared;
    let started = Instant::now();
    let measure_from = started + args.warmup;
    let shared = Arc::new(Shared {
        population,
        scenario: args.scenario,
        rate: args.rate,
        started,
        measure_from,
        end: measure_from + args.duration,
        next: AtomicU64::new(0),
        completed: AtomicU64::new(0),
        record: Mutex::new(Record::new()?),
        stop: watch::Sender::new(false),
    });
    let mut workers = JoinSet::new();
    for _ in 0..args.concurrency {
        workers.spawn(worker(Arc::clone(&shared)));
    }
    let mut interrupted = wait_until(&shared, measure_from, "warming up", progress).await?;
    shared.population.start_measuring();
    let again_before = shared.population.client().sent_again();
    let fsyncs_before = fsyncs::total(shared.population.client()).await;
    if !interrupted {
        interrupted = wait_until(&shared, shared.end, "measuring", progress).await?;
    }
    shared.stop.send_replace(true);
    interrupted |= finish(&mut workers).await?;
    let fsyncs_after = fsyncs::total(shared.population.client()).await;
    let sent_again = shared.population.client().sent_again().since(again_before);
    let interruptions = shared.population.client().interruptions(measure_from);

    let mut erased = false;
    if args.cleanup {
        let at_once = args.concurrency as usize;
        shared.population.erase(at_once, progress).await.context("erasing users")?;
        erased = true;
    }

    let record = shared.record();
    let completed = record.completed(args.scenario);
    let measured_seconds = record
        .last_end
        .map_or(0.0, |end| end.saturating_duration_since(measure_from).as_secs_f64());
    // Where requests were sent again, a node may have restarted, and its count with it.
    let fsyncs = fsyncs_before
        .zip(fsyncs_after)
        .filter(|_| completed > 0 && sent_again.total() == 0)
        .map(|(before, after)| {
            let total = after.saturating_sub(before);
            Fsyncs { total, per_operation: total as f64 / completed as f64 }
        });
    Ok(Report {
        passed: record.wrong.is_empty() && (completed > 0 || interrupted),
        scenario: args.scenario,
        nodes: args.urls.clone(),
        concurrency: args.concurrency,
        rate: args.rate,
        warmup_seconds: args.warmup.as_secs_f64(),
        measured_seconds,
        interrupted,
        users: Users {
            requested: if users == 0 { 0 } else { u64::from(args.users) },
            prepared: users,
            prepare_seconds: took.as_secs_f64(),
            added_while_measuring: shared.population.added(),
            prefix: shared.population.prefix(),
            erased,
        },
        completed,
        per_second: per_second(completed, measured_seconds),
        errors: record.errors.clone(),
        last_error: record.last_error.clone(),
        retries: sent_again.total(),
        sent_again,
        interruptions,
        operations: operations(&record, args.scenario, measured_seconds),
        challenges_unmeasured: record.challenges_unmeasured,
        fsyncs,
        wrong_answers: record.wrong.clone(),
    })
}

/// Waits for the operations under way. Somebody who interrupts now does not want to wait (`true`).
async fn finish(workers: &mut JoinSet<()>) -> anyhow::Result<bool> {
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                None => return Ok(false),
                Some(ended) => ended.context("a worker")?,
            },
            interrupt = tokio::signal::ctrl_c() => {
                interrupt.context("the signal handler")?;
                workers.shutdown().await;
                return Ok(true);
            }
        }
    }
}

/// Waits until `until`, or until the run is stopped, or until somebody interrupts it (`true`).
async fn wait_until(
    shared: &Shared,
    until: Instant,
    what: &'static str,
    progress: &Progress,
) -> anyhow::Result<bool> {
    let from = Instant::now();
    let completed_before = shared.completed.load(Ordering::Relaxed);
    progress.begin_time(what, until.saturating_duration_since(from));
    let mut stopped = shared.stop.subscribe();
    let mut tick = interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(false),
            () = sleep_until(until) => return Ok(false),
            interrupt = tokio::signal::ctrl_c() => {
                interrupt.context("the signal handler")?;
                return Ok(true);
            }
            _ = tick.tick() => {
                let over = from.elapsed();
                let done = shared.completed.load(Ordering::Relaxed) - completed_before;
                let speed = per_second(done, over.as_secs_f64());
                progress.time(over, format!("{what} {speed:.0}/s"));
            }
        }
    }
}

async fn worker(shared: Arc<Shared>) {
    let mut stopped = shared.stop.subscribe();
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let due = shared
            .rate
            .map(|rate| shared.started + Duration::from_secs_f64(number as f64 / f64::from(rate)));
        if due.is_some_and(|due| due >= shared.end) {
            return;
        }
        if let Some(due) = due {
            tokio::select! {
                () = sleep_until(due) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
        let begun = Instant::now();
        if begun >= shared.end || *stopped.borrow() {
            return;
        }
        let late = due.map_or(Duration::ZERO, |due| begun.saturating_duration_since(due));
        let measured = due.unwrap_or(begun) >= shared.measure_from;
        let outcome = perform(&shared.population, Kind::of(shared.scenario, number)).await;
        let end = Instant::now();
        match outcome {
            Ok(done) => {
                shared.completed.fetch_add(1, Ordering::Relaxed);
                if measured {
                    shared.record().done(&done, late, end);
                }
            }
            Err(failure) => {
                shared.record().failed(&failure, measured);
                if failure.label().is_none() {
                    shared.stop.send_replace(true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
