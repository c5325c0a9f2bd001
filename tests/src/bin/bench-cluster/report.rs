//! What was found, as one table and as JSON.

use std::fmt;
use std::path::Path;

use countersign_tests::cluster::Cluster;
use serde::Serialize;

use crate::kills::Kills;
use crate::load::{BenchReport, Operation, SentAgain};
use crate::puts::Puts;
use crate::rolling::Rolling;

/// Everything.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The etcd that was measured, if it is installed.
    pub(crate) etcd_version: Option<String>,
    /// One for each number of clients.
    pub(crate) pairs: Vec<Pair>,
    /// Time to service after SIGKILL.
    pub(crate) kills: Option<Kills>,
    /// A rolling restart.
    pub(crate) rolling: Option<Rolling>,
    /// Each node's memory and disk at the end.
    pub(crate) sizes: Vec<Size>,
}

/// Both systems with the same number of clients.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    /// How many.
    pub(crate) clients: u32,
    /// Countersign's logins.
    pub(crate) logins: Option<BenchReport>,
    /// etcd's puts.
    pub(crate) puts: Option<Puts>,
}

/// What a node holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Size {
    /// Its name.
    pub(crate) node: String,
    /// Resident memory, KiB; `None` if it does not run.
    pub(crate) resident_kib: Option<u64>,
    /// The data directory's files, KiB.
    pub(crate) disk_kib: u64,
}

impl Size {
    /// Of a node as it is now.
    pub(crate) fn of(cluster: &Cluster, node: usize) -> Self {
        let resident = |id: u32| {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim();
            line.split(' ').next()?.parse().ok()
        };
        Self {
            node: cluster.name(node).to_owned(),
            resident_kib: cluster.process_id(node).and_then(resident),
            disk_kib: bytes_below(&cluster.data_dir(node)) / 1_024,
        }
    }
}

/// The sizes of all files below a folder. A file that goes away meanwhile counts nothing.
fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
            _ => entry.metadata().map_or(0, |metadata| metadata.len()),
        })
        .sum()
}

impl Report {
    /// Answers that must not have been given, over all parts.
    pub(crate) fn wrong_answers(&self) -> usize {
        let loads = self.pairs.iter().filter_map(|pair| pair.logins.as_ref());
        let loads = loads.chain(self.kills.iter().map(|kills| &kills.load));
        let loads = loads.chain(self.rolling.iter().map(|rolling| &rolling.load));
        loads.map(|load| load.wrong_answers.len()).sum()
    }

    fn write_pairs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let etcd = self.etcd_version.as_deref().unwrap_or("is not installed");
        writeln!(f, "{:>46}   etcd {etcd}", "Countersign")?;
        writeln!(
            f,
            "{:>8} {:>10} {:>9} {:>9} {:>8} {:>9} {:>9} {:>9} {:>7}",
            "clients",
            "logins/s",
            "p50 ms",
            "p99 ms",
            "fsyncs",
            "puts/s",
            "p50 ms",
            "p99 ms",
            "ratio"
        )?;
        for pair in &self.pairs {
            let login = pair.logins.as_ref().and_then(login);
            let rate = pair.logins.as_ref().map(|logins| logins.per_second);
            let fsyncs = pair.logins.as_ref().and_then(|logins| logins.fsyncs);
            let put = pair.puts.as_ref();
            let put_rate = put.map(|put| put.per_second);
            writeln!(
                f,
                "{:>8} {:>10} {:>9} {:>9} {:>8} {:>9} {:>9} {:>9} {:>7}",
                pair.clients,
                cell(rate, 0),
                cell(login.map(|login| login.p50_ms), 1),
                cell(login.map(|login| login.p99_ms), 1),
                cell(fsyncs.map(|fsyncs| fsyncs.per_operation), 2),
                cell(put_rate, 0),
                cell(put.map(|put| put.p50_ms), 1),
                cell(put.map(|put| put.p99_ms), 1),
                cell(rate.zip(put_rate).map(|(logins, puts)| logins / puts), 2),
            )?;
        }
        writeln!(f, "A login is two commits; fsyncs are those of all nodes for a login.\n")
    }

    fn write_kills(f: &mut fmt::Formatter<'_>, kills: &Kills) -> fmt::Result {
        writeln!(
            f,
            "SIGKILL of a node, {} kills: all its shards served again after {:.0} ms at the median, \
             {:.0} ms at worst; single shards {:.0} ms at the median, {:.0} ms at worst",
            kills.slowest_ms.len(),
            median(&kills.slowest_ms),
            worst(&kills.slowest_ms),
            median(&kills.shards_ms),
            worst(&kills.shards_ms),
        )?;
        if kills.uneven > 0 {
            writeln!(f, "  leaders were not spread evenly before {} of them", kills.uneven)?;
        }
        write_load(f, &kills.load)
    }

    fn write_rolling(f: &mut fmt::Formatter<'_>, rolling: &Rolling) -> fmt::Result {
        writeln!(
            f,
            "Rolling restart of {} nodes: {} failed requests; stopping took {:.0} ms at most, \
             becoming ready {:.0} ms; {} nodes did not end with 0",
            rolling.stopped_ms.len(),
            rolling.load.errors.values().sum::<u64>(),
            worst(&rolling.stopped_ms),
            worst(&rolling.ready_ms),
            rolling.disorderly,
        )?;
        write_load(f, &rolling.load)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pairs.is_empty() {
            self.write_pairs(f)?;
        }
        if let Some(kills) = &self.kills {
            Self::write_kills(f, kills)?;
        }
        if let Some(rolling) = &self.rolling {
            Self::write_rolling(f, rolling)?;
        }
        for size in &self.sizes {
            let resident = size.resident_kib.map(|kib| kib as f64 / 1_024.0);
            let disk = size.disk_kib as f64 / 1_024.0;
            let name = &size.node;
            writeln!(f, "{name}: {} MiB resident, {disk:.0} MiB on disk", cell(resident, 0))?;
        }
        let loads = self.pairs.iter().filter_map(|pair| pair.logins.as_ref());
        let loads = loads.chain(self.kills.iter().map(|kills| &kills.load));
        let loads = loads.chain(self.rolling.iter().map(|rolling| &rolling.load));
        for wrong in loads.flat_map(|load| &load.wrong_answers) {
            writeln!(f, "WRONG ANSWER: {wrong}")?;
        }
        Ok(())
    }
}

/// What the workload saw meanwhile.
fn write_load(f: &mut fmt::Formatter<'_>, load: &BenchReport) -> fmt::Result {
    let SentAgain { refused, cut, unavailable, late } = load.sent_again;
    let waits: Vec<f64> = load.interruptions.iter().map(|one| one.longest_ms).collect();
    writeln!(
        f,
        "  meanwhile {} operations, {} failed, {} wrong answers; sent again: {refused} not taken, \
         {cut} cut off, {unavailable} answered 502 to 504, {late} late; {} interruptions, whose \
         slowest request took {:.0} ms at the median, {:.0} ms at worst",
        load.completed,
        load.errors.values().sum::<u64>(),
        load.wrong_answers.len(),
        waits.len(),
        median(&waits),
        worst(&waits),
    )?;
    match &load.last_error {
        Some(last) => writeln!(f, "  the last failure: {last}"),
        None => Ok(()),
    }
}

fn login(report: &BenchReport) -> Option<&Operation> {
    report.operations.iter().find(|operation| operation.name == "login")
}

fn cell(number: Option<f64>, digits: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
}

/// The median, of an even number the mean of the middle two; 0 of nothing.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn worst(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_rate_without_its_pair_has_no_ratio() {
        let puts = Puts { per_second: 1_000.0, p50_ms: 1.0, p99_ms: 2.0 };
        let report = Report {
            pairs: vec![Pair { clients: 16, logins: None, puts: Some(puts) }],
            ..Report::default()
        };
        let row = report.to_string().lines().nth(2).unwrap().to_owned();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["16", "-", "-", "-", "-", "1000", "1.0", "2.0", "-"]);
    }
}
