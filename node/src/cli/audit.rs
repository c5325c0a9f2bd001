//! `countersign audit verify`: checks an export of the audit log without any server.
//!
//! Two things are checked of every row: that its hash follows from the row before, and that what
//! people read in it (type, outcome, user, address, …) is what was chained. A chain that begins
//! later than its first row, as after a retention cut, is checked from its first row in the file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_core::audit::AuditOutcome;
use countersign_core::codec;
use countersign_core::time::Timestamp;
use countersign_storage::audit::{Broken, Chained, ExportRow, reason, verify};
use countersign_storage::records::Annex;
use countersign_storage::{ChainPoint, Stored};
use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::say;
use crate::error::Error;

const TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check that no row of an export was altered, removed or put in.
    ///
    /// The file holds one JSON object a line: events as GET /v1/audit gives them, or whole pages
    /// of it. The order does not matter. Every event of the tenant is needed: a filtered export
    /// has gaps, and so has one of a tenant that shares its shards with others.
    #[command(after_help = "\
Example:
  curl -sH \"Authorization: Bearer $KEY\" \"$URL/v1/audit?limit=200\" > audit.jsonl
  countersign audit verify audit.jsonl

Whether rows are missing at the end is told by comparing with GET /v1/audit/checkpoints.")]
    Verify {
        /// The export.
        file: PathBuf,
        /// Accept gaps: rows of other tenants, or a filtered export. The rows that are there are
        /// checked all the same, but a removed row is not noticed.
        #[arg(long)]
        gaps: bool,
    },
}

pub(super) fn run(command: &AuditCommand) -> Result<(), Error> {
    match command {
        AuditCommand::Verify { file, gaps } => {
            let chains = read(file)?;
            let report = check(&chains, *gaps).map_err(Error::Audit)?;
            say(&report);
            Ok(())
        }
    }
}

/// A row of the export, as far as it is checked.
struct Row {
    export: ExportRow,
    shown: Value,
}

/// The rows of each shard, by their place.
type Chains = BTreeMap<u16, BTreeMap<u64, Row>>;

#[derive(Deserialize)]
struct Proof {
    shard: u16,
    sequence: u64,
    chained: String,
    annex: Option<String>,
    hash: String,
}

fn read(path: &Path) -> Result<Chains, Error> {
    let failed = |reason: String| Error::File { action: "reading", path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut chains = Chains::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| failed(error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let at = |reason: String| Error::Audit(format!("line {}: {reason}", number + 1));
        let value: Value = serde_json::from_str(&line).map_err(|error| at(error.to_string()))?;
        let events = match value {
            Value::Object(mut page) if page.contains_key("data") => match page.remove("data") {
                Some(Value::Array(events)) => events,
                _ => return Err(at("data is not a list".to_owned())),
            },
            event => vec![event],
        };
        for event in events {
            add(&mut chains, event).map_err(at)?;
        }
    }
    if chains.is_empty() {
        return Err(Error::Audit(format!("{} holds no events", path.display())));
    }
    Ok(chains)
}

fn add(chains: &mut Chains, event: Value) -> Result<(), String> {
    let proof = event.get("proof").cloned().ok_or("an event without a proof")?;
    let proof: Proof = serde_json::from_value(proof)
        .map_err(|error| format!("a proof not understood: {error}"))?;
    let place = format!("shard {} row {}", proof.shard, proof.sequence);
    let bytes = |text: &str| {
        BASE64
            .decode(text.as_bytes())
            .map_err(|_| format!("{place} has a proof that is not base64"))
    };
    let hash = HEXLOWER.decode(proof.hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
    let export = ExportRow {
        sequence: proof.sequence,
        chained: bytes(&proof.chained)?,
        annex: proof.annex.as_deref().map(bytes).transpose()?,
        hash: hash.ok_or_else(|| format!("{place} has a hash that is not 32 bytes in hex"))?,
    };
    let rows = chains.entry(proof.shard).or_default();
    if let Some(earlier) = rows.get(&proof.sequence)
        && (earlier.export != export || earlier.shown != event)
    {
        return Err(format!("{place} is there twice, and not the same"));
    }
    rows.insert(proof.sequence, Row { export, shown: event });
    Ok(())
}

/// Checks all chains; tells what was checked, or the first fault.
fn check(chains: &Chains, gaps: bool) -> Result<String, String> {
    let mut checked = 0;
    let mut pieces = 0;
    for (shard, rows) in chains {
        let broken = |fault: &Broken| format!("shard {shard}: {fault}");
        for piece in pieces_of(rows, gaps) {
            let (anchor, rest) = anchor(piece);
            let exports = rest.iter().map(|row| &row.export);
            verify(&anchor, exports, None).map_err(|fault| broken(&fault))?;
            pieces += 1;
        }
        for (sequence, row) in rows {
            let fault = |reason| format!("shard {shard}: row {sequence} {reason}");
            shown_as_chained(*shard, row).map_err(fault)?;
        }
        checked += rows.len();
    }
    let verified = format!("{checked} rows of {} shards verify", chains.len());
    let missing = pieces - chains.len();
    Ok(if missing > 0 { format!("{verified}, with {missing} gaps between them") } else { verified })
}

/// The rows of a chain, whole, or cut where places are missing.
fn pieces_of(rows: &BTreeMap<u64, Row>, gaps: bool) -> Vec<Vec<&Row>> {
    let mut pieces: Vec<Vec<&Row>> = Vec::new();
    let mut last = None;
    for (sequence, row) in rows {
        let follows = last.is_none_or(|last: u64| last.checked_add(1) == Some(*sequence));
        match pieces.last_mut() {
            Some(piece) if follows || !gaps => piece.push(row),
            _ => pieces.push(vec![row]),
        }
        last = Some(*sequence);
    }
    pieces
}

/// Where checking begins: before the first row of all, or behind the first row that is there,
/// whose hash has nothing to follow from.
fn anchor(mut piece: Vec<&Row>) -> (ChainPoint, Vec<&Row>) {
    match piece.first() {
        Some(first) if first.export.sequence > 1 => {
            let point = ChainPoint {
                sequence: first.export.sequence,
                hash: first.export.hash,
                at: Timestamp::from_millis(i64::MIN),
            };
            piece.remove(0);
            (point, piece)
        }
        _ => (ChainPoint { at: Timestamp::from_millis(i64::MIN), ..ChainPoint::default() }, piece),
    }
}

/// Compares what people read with what was chained.
fn shown_as_chained(shard: u16, row: &Row) -> Result<(), String> {
    let chained: Chained =
        codec::decode(&row.export.chained).map_err(|error| format!("is malformed: {error}"))?;
    // The first row of a cut chain follows from nothing that could tell its place.
    if chained.sequence != row.export.sequence {
        return Err(format!("was put there: it was chained as row {}", chained.sequence));
    }
    let annex: Option<Annex> = match &row.export.annex {
        Some(bytes) => Some(
            Annex::from_bytes(bytes).map_err(|error| format!("has a malformed annex: {error}"))?,
        ),
        None => None,
    };
    let outcome = match chained.outcome {
        AuditOutcome::Success => "SUCCESS",
        AuditOutcome::Failure => "FAILURE",
    };
    let text = |shown: Option<String>| shown.map_or(Value::Null, Value::String);
    let user = annex.as_ref().and_then(|annex| annex.user.as_ref());
    let address = annex.as_ref().and_then(|annex| annex.ip_address);
    for (field, meant) in [
        ("id", json!(format!("evt_{shard}_{}", chained.sequence))),
        ("at", text(time_text(chained.at))),
        ("type", json!(chained.event_type)),
        ("outcome", json!(outcome)),
        ("reason", json!(reason(&chained, annex.as_ref()))),
        ("details", json!(chained.details)),
        ("pseudonym", text(chained.pseudonym.map(|id| id.to_string()))),
        ("factorId", text(chained.factor_id.map(|id| id.to_string()))),
        ("challengeId", text(chained.challenge_id.map(|id| id.to_string()))),
        ("actor", text(chained.actor.map(|id| id.to_string()))),
        ("userId", text(user.map(|user| user.as_str().to_owned()))),
        ("ipAddress", text(address.map(|address| address.to_string()))),
    ] {
        let shown = row.shown.get(field).unwrap_or(&Value::Null);
        if *shown != meant {
            return Err(format!("was altered: {field} says {shown}, but {meant} was chained"));
        }
    }
    Ok(())
}

fn time_text(at: Timestamp) -> Option<String> {
    let nanos = i128::from(at.millis()).checked_mul(1_000_000)?;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(TIME).ok()
}
