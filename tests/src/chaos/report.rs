//! The report: what was done, what was asked, what was found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::run::{Band, Options, Outcome};
use super::timeline;

/// Writes `report.md`, `timeline.svg` and `history.jsonl` into a folder.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, options: &Options, outcome: &Outcome) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("report.md"), text(options, outcome))?;
    std::fs::write(folder.join("timeline.svg"), timeline::draw(options, outcome))?;
    let mut lines = String::new();
    for record in outcome.tape.records() {
        lines.push_str(&serde_json::to_string(&record).map_err(std::io::Error::other)?);
        lines.push('\n');
    }
    std::fs::write(folder.join("history.jsonl"), lines)
}

/// What the run comes to, in one line.
pub fn summary(outcome: &Outcome) -> String {
    let records = outcome.tape.records();
    let unknown = records.iter().filter(|record| record.ret.is_none()).count();
    format!(
        "{} faults, {} operations of {} people ({unknown} unknown), {} requests, {} broken promises",
        outcome.bands.len(),
        records.len(),
        outcome.users,
        outcome.tape.attempts().len(),
        outcome.violations.len()
    )
}

fn text(options: &Options, outcome: &Outcome) -> String {
    let mut text = String::new();
    let verdict = if outcome.violations.is_empty() { "no promise was broken" } else { "BROKEN" };
    let _ = writeln!(text, "# Chaos, seed {}: {verdict}\n", options.seed);
    let _ = writeln!(
        text,
        "{} s on {} nodes with {} clients: {}.\n\n![Timeline](timeline.svg)\n",
        outcome.took.as_secs(),
        options.nodes,
        options.workers,
        summary(outcome)
    );
    let left_out: Vec<&str> = options
        .faults
        .iter()
        .filter(|fault| !fault.is_possible())
        .map(|fault| fault.name())
        .collect();
    if !left_out.is_empty() {
        let _ = writeln!(text, "Left out on this machine: {}.\n", left_out.join(", "));
    }
    table(&mut text, &outcome.bands);
    let _ = writeln!(text, "\n## Broken promises\n");
    if outcome.violations.is_empty() {
        let _ = writeln!(text, "None.");
    }
    for violation in &outcome.violations {
        let _ = writeln!(text, "```\n{violation}\n```\n");
    }
    text
}

/// Seconds until service, by fault.
fn table(text: &mut String, bands: &[Band]) {
    let mut by_fault: BTreeMap<&str, Vec<&Band>> = BTreeMap::new();
    for band in bands {
        by_fault.entry(band.fault.name()).or_default().push(band);
    }
    let _ = writeln!(
        text,
        "| fault | times | the others serve everything after, median and worst | all serve after \
         its end, median and worst |\n| --- | --- | --- | --- |"
    );
    for (name, bands) in by_fault {
        let without = bands
            .iter()
            .filter_map(|band| Some(band.served_without_us?.saturating_sub(band.from_us)));
        let after =
            bands.iter().filter_map(|band| Some(band.served_us?.saturating_sub(band.to_us)));
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            bands.len(),
            middle_and_worst(without.collect()),
            middle_and_worst(after.collect())
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn middle_and_worst(mut times: Vec<u64>) -> String {
    times.sort_unstable();
    match (times.get(times.len() / 2), times.last()) {
        (Some(middle), Some(worst)) => {
            format!("{:.2} s, {:.2} s", *middle as f64 / 1e6, *worst as f64 / 1e6)
        }
        _ => "–".to_owned(),
    }
}
