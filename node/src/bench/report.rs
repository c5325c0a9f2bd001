//! What a run found, as a table for people and as JSON for programs. Both say the same.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::args::Scenario;
use super::client::SentAgain;
use super::interruptions::Interruption;
use super::record::Record;

/// Interruptions that the table names one by one.
const INTERRUPTIONS_SHOWN: usize = 30;

/// A run's outcome.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Whether no answer was wrong and anything was done at all.
    pub(super) passed: bool,
    pub(super) scenario: Scenario,
    pub(super) nodes: Vec<String>,
    pub(super) concurrency: u32,
    /// Operations started a second; without it, as many as were answered.
    pub(super) rate: Option<u32>,
    pub(super) warmup_seconds: f64,
    /// From the warm-up's end to the last answer.
    pub(super) measured_seconds: f64,
    /// Whether somebody ended it early.
    pub(super) interrupted: bool,
    pub(super) users: Users,
    /// Operations that succeeded, and their number a second.
    pub(super) completed: u64,
    pub(super) per_second: f64,
    /// Operations without a result, by what they met.
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) last_error: Option<String>,
    /// Requests sent again, to another address or after a pause.
    pub(super) retries: u64,
    pub(super) sent_again: SentAgain,
    /// Times in which requests waited, for a node that died or an election, say.
    pub(super) interruptions: Vec<Interruption>,
    pub(super) operations: Vec<Operation>,
    /// Challenges created outside of the measured time of an operation.
    pub(super) challenges_unmeasured: u64,
    pub(super) fsyncs: Option<Fsyncs>,
    /// Answers that the server must not give.
    pub(super) wrong_answers: Vec<String>,
}

/// The users of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Users {
    pub(super) requested: u64,
    /// Prepared before the run.
    pub(super) prepared: u64,
    pub(super) prepare_seconds: f64,
    /// Added while measuring, since none had an unspent code.
    pub(super) added_while_measuring: u64,
    pub(super) prefix: String,
    pub(super) erased: bool,
}

/// One kind of operation, or a part of one. Times are milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// Whether it is a part of the operation above it.
    pub(super) part: bool,
    pub(super) count: u64,
    pub(super) per_second: f64,
    pub(super) mean_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) max_ms: f64,
}

/// What the nodes told their disks, all nodes together.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fsyncs {
    pub(super) total: u64,
    pub(super) per_operation: f64,
}

/// The rows of a record.
pub(super) fn operations(record: &Record, scenario: Scenario, seconds: f64) -> Vec<Operation> {
    record
        .kinds()
        .map(|(kind, histogram)| Operation {
            name: kind.name(),
            part: !kind.stands_alone(scenario),
            count: histogram.len(),
            per_second: per_second(histogram.len(), seconds),
            mean_ms: histogram.mean() / 1_000.0,
            p50_ms: quantile_ms(histogram, 0.5),
            p90_ms: quantile_ms(histogram, 0.9),
            p99_ms: quantile_ms(histogram, 0.99),
            p999_ms: quantile_ms(histogram, 0.999),
            max_ms: histogram.max() as f64 / 1_000.0,
        })
        .collect()
}

/// `count` in `seconds`, a second; 0 for no time at all.
pub(super) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    // A bucket's upper end may lie above the largest value that was seen.
    histogram.value_at_quantile(quantile).min(histogram.max()) as f64 / 1_000.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.scenario.name();
        let nodes = match self.nodes.len() {
            1 => self.nodes[0].clone(),
            several => format!("{several} addresses"),
        };
        let early = if self.interrupted { ", ended early" } else { "" };
        writeln!(f, "countersign bench: {name} against {nodes}")?;
        writeln!(
            f,
            "{} at once{}, {:.1} s measured after {:.1} s{early}",
            self.concurrency,
            self.rate.map(|rate| format!(", {rate} started a second")).unwrap_or_default(),
            self.measured_seconds,
            self.warmup_seconds,
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "{:>13}  {:.1} {name} operations a second ({} in all)",
            "throughput", self.per_second, self.completed
        )?;
        self.write_errors(f)?;
        if let Some(fsyncs) = &self.fsyncs {
            writeln!(
                f,
                "{:>13}  {:.3} per operation ({} in all)",
                "fsyncs", fsyncs.per_operation, fsyncs.total
            )?;
        }
        self.write_users(f)?;
        self.write_table(f)?;
        self.write_wrong_answers(f)
    }
}

impl Report {
    fn write_errors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.errors.values().sum();
        let kinds: Vec<String> =
            self.errors.iter().map(|(label, count)| format!("{count} {label}")).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        writeln!(f, "{:>13}  {total}{kinds}", "errors")?;
        if let Some(last) = &self.last_error {
            writeln!(f, "{:>13}  {last}", "the last one")?;
        }
        let SentAgain { refused, cut, unavailable, late } = self.sent_again;
        writeln!(
            f,
            "{:>13}  {} requests ({refused} not taken, {cut} cut off, {unavailable} answered \
             502 to 504, {late} not answered in time)",
            "sent again", self.retries
        )?;
        self.interruptions
            .iter()
            .take(INTERRUPTIONS_SHOWN)
            .try_for_each(|one| writeln!(f, "{:>13}  {one}", "interruption"))?;
        match self.interruptions.len().saturating_sub(INTERRUPTIONS_SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "{:>13}  {more} more, in the JSON", ""),
        }
    }

    fn write_users(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Users { requested, prepared, prepare_seconds, added_while_measuring, prefix, erased } =
            &self.users;
        if *prepared > 0 {
            let more = match prepared.saturating_sub(*requested) {
                0 => String::new(),
                more => {
                    format!(", {more} of them beyond the {requested} asked for, for unspent codes")
                }
            };
            writeln!(f, "{:>13}  {prepared} prepared in {prepare_seconds:.1} s{more}", "users")?;
        }
        if *added_while_measuring > 0 {
            writeln!(
                f,
                "{:>13}  {added_while_measuring} users added while measuring, since no code was \
                 left: work that the throughput does not show",
                "refills"
            )?;
        }
        if self.challenges_unmeasured > 0 {
            writeln!(
                f,
                "{:>13}  {} created, not measured",
                "challenges", self.challenges_unmeasured
            )?;
        }
        let fate = if *erased { "erased" } else { "left where they are (--cleanup erases them)" };
        writeln!(f, "{:>13}  {prefix}* {fate}", "user ids")
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operations.is_empty() {
            return writeln!(f, "\nnothing was completed");
        }
        writeln!(
            f,
            "\n{:>13} {:>9} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "ms", "count", "a second", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for row in &self.operations {
            let name = if row.part { format!("· {}", row.name) } else { row.name.to_owned() };
            writeln!(
                f,
                "{name:>13} {:>9} {:>10.1} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
                row.count,
                row.per_second,
                row.p50_ms,
                row.p90_ms,
                row.p99_ms,
                row.p999_ms,
                row.max_ms
            )?;
        }
        Ok(())
    }

    fn write_wrong_answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wrong_answers.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nFAILED: the server answered wrongly")?;
        self.wrong_answers.iter().try_for_each(|wrong| writeln!(f, "  {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::failure::Failure;
    use super::super::operation::{Done, Kind};
    use super::*;

    fn record() -> Record {
        let mut record = Record::new().unwrap();
        for milliseconds in 1..=1_000 {
            let took = Duration::from_millis(milliseconds);
            let parts = [Some((Kind::Challenge, took / 4)), Some((Kind::Verify, took * 3 / 4))];
            let done = Done { kind: Kind::Login, took, parts, challenge_unmeasured: false };
            record.done(&done, Duration::ZERO, Instant::now());
        }
        record
    }

    fn report(record: &Record) -> Report {
        Report {
            passed: record.wrong.is_empty(),
            scenario: Scenario::Login,
            nodes: vec!["http://127.0.0.1:8080".to_owned()],
            concurrency: 64,
            rate: None,
            warmup_seconds: 2.0,
            measured_seconds: 10.0,
            interrupted: false,
            users: Users {
                requested: 1_000,
                prepared: 1_500,
                prepare_seconds: 1.25,
                added_while_measuring: 0,
                prefix: "bench-ab-".to_owned(),
                erased: false,
            },
            completed: record.completed(Scenario::Login),
            per_second: per_second(record.completed(Scenario::Login), 10.0),
            errors: record.errors.clone(),
            last_error: record.last_error.clone(),
            retries: 7,
            sent_again: SentAgain { refused: 4, cut: 3, ..SentAgain::default() },
            interruptions: vec![Interruption {
                at_seconds: 3.0,
                lasted_ms: 650.0,
                requests: 12,
                longest_ms: 640.0,
                unanswered: 0,
            }],
            operations: operations(record, Scenario::Login, 10.0),
            challenges_unmeasured: record.challenges_unmeasured,
            fsyncs: Some(Fsyncs { total: 250, per_operation: 0.25 }),
            wrong_answers: record.wrong.clone(),
        }
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= expected * 0.002
    }

    #[test]
    fn quantiles_are_those_of_the_recorded_times_to_three_digits() {
        let record = record();
        let rows = operations(&record, Scenario::Login, 10.0);
        let login = &rows[0];
        assert_eq!((login.name, login.part, login.count), ("login", false, 1_000));
        assert!(near(login.p50_ms, 500.0) && near(login.p90_ms, 900.0), "{login:?}");
        assert!(near(login.p99_ms, 990.0) && near(login.p999_ms, 999.0), "{login:?}");
        assert!(near(login.max_ms, 1_000.0) && near(login.mean_ms, 500.5), "{login:?}");
        assert!(login.p999_ms <= login.max_ms);
        assert!(near(login.per_second, 100.0));
    }

    #[test]
    fn a_login_and_its_two_parts_count_once() {
        let record = record();
        assert_eq!(record.kinds().count(), 3);
        assert_eq!(record.completed(Scenario::Login), 1_000);
    }

    #[test]
    fn lateness_counts_for_the_operation_and_not_for_its_parts() {
        let mut record = Record::new().unwrap();
        let took = Duration::from_millis(10);
        let parts = [Some((Kind::Verify, took)), None];
        let done = Done { kind: Kind::Login, took, parts, challenge_unmeasured: false };
        record.done(&done, Duration::from_millis(90), Instant::now());
        let rows = operations(&record, Scenario::Login, 1.0);
        assert!(near(rows[0].max_ms, 100.0) && near(rows[1].max_ms, 10.0), "{rows:?}");
    }

    #[test]
    fn the_table_and_the_json_say_the_same() {
        let report = report(&record());
        let table = report.to_string();
        for part in [
            "100.0 login operations a second",
            "0.250 per operation",
            "· verify",
            "p99.9",
            "7 requests (4 not taken, 3 cut off",
            "650 ms from 3.0 s on: 12 requests took up to 640 ms",
        ] {
            assert!(table.contains(part), "{part} in:\n{table}");
        }
        assert!(!table.contains("FAILED"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["passed"], true);
        assert_eq!(json["scenario"], "login");
        assert_eq!(json["perSecond"], 100.0);
        assert_eq!(json["operations"][2]["name"], "verify");
        assert_eq!(json["operations"][2]["part"], true);
        assert_eq!(json["users"]["addedWhileMeasuring"], 0);
        assert_eq!(json["fsyncs"]["perOperation"], 0.25);
        assert_eq!(json["sentAgain"]["cut"], 3);
        assert_eq!(json["interruptions"][0]["lastedMs"], 650.0);
    }

    #[test]
    fn wrong_answers_and_errors_stand_apart() {
        let mut record = record();
        let reason = "503 unavailable".to_owned();
        let open = Failure::Unanswered { operation: "verify", reason };
        record.failed(&open, false);
        assert!(record.errors.is_empty(), "the warm-up's errors are not counted");
        record.failed(&open, true);
        let wrong = Failure::Wrong {
            operation: "verify",
            subject: "bench-ab-7".to_owned(),
            found: "200 instead of 422".to_owned(),
            request_id: "req_1".to_owned(),
        };
        record.failed(&wrong, false);
        let report = report(&record);
        assert!(!report.passed);
        let table = report.to_string();
        assert!(table.contains("errors  1 (1 unanswered)"), "{table}");
        assert!(table.contains("FAILED"), "{table}");
        assert!(table.contains("verify for bench-ab-7: 200 instead of 422 (request req_1)"));
    }

    #[test]
    fn a_run_that_completed_nothing_divides_by_nothing() {
        let record = Record::new().unwrap();
        assert!(operations(&record, Scenario::Login, 0.0).is_empty());
        assert!(per_second(0, 0.0).abs() < f64::EPSILON);
        assert!(report(&record).to_string().contains("nothing was completed"));
    }
}
