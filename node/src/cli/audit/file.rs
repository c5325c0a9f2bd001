//! Reading an export: events and checkpoints, one a line or in pages, each with where it stands.

use std::io::{BufRead, BufReader};
use std::path::Path;

use countersign_storage::audit::ExportRow;
use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// What a file holds, in its order.
#[derive(Default)]
pub(super) struct Export {
    pub(super) events: Vec<Event>,
    pub(super) checkpoints: Vec<Signed>,
}

/// An event, as far as it is checked.
pub(super) struct Event {
    pub(super) shard: u16,
    pub(super) row: ExportRow,
    /// All that people read of it.
    pub(super) shown: Value,
}

/// A checkpoint that was not looked into yet.
pub(super) struct Signed {
    pub(super) signature: String,
    pub(super) shown: Value,
    /// Where it stands, for messages.
    pub(super) at: String,
}

#[derive(Deserialize)]
struct Proof {
    shard: u16,
    sequence: u64,
    chained: String,
    annex: Option<String>,
    hash: String,
}

pub(super) fn failed(path: &Path, reason: String) -> Error {
    Error::File { action: "reading", path: path.to_owned(), reason }
}

pub(super) fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| failed(path, error.to_string()))
}

pub(super) fn read(path: &Path) -> Result<Export, Error> {
    let file = std::fs::File::open(path).map_err(|error| failed(path, error.to_string()))?;
    let mut export = Export::default();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| failed(path, error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{} line {}", path.display(), number + 1);
        let at = |reason: String| Error::Audit(format!("{place}: {reason}"));
        let value: Value = serde_json::from_str(&line).map_err(|error| at(error.to_string()))?;
        let items = match value {
            Value::Object(mut page) if page.contains_key("data") => match page.remove("data") {
                Some(Value::Array(items)) => items,
                _ => return Err(at("data is not a list".to_owned())),
            },
            item => vec![item],
        };
        for item in items {
            export.add(item, &place).map_err(at)?;
        }
    }
    Ok(export)
}

impl Export {
    fn add(&mut self, item: Value, place: &str) -> Result<(), String> {
        match item.get("signature").and_then(Value::as_str) {
            Some(signature) => {
                let signature = signature.to_owned();
                self.checkpoints.push(Signed { signature, shown: item, at: place.to_owned() });
            }
            None => self.events.push(event(item)?),
        }
        Ok(())
    }
}

fn event(shown: Value) -> Result<Event, String> {
    let proof = shown.get("proof").cloned().ok_or("neither an event nor a checkpoint")?;
    let proof: Proof = serde_json::from_value(proof)
        .map_err(|error| format!("a proof not understood: {error}"))?;
    let place = format!("shard {} row {}", proof.shard, proof.sequence);
    let bytes = |text: &str| {
        BASE64
            .decode(text.as_bytes())
            .map_err(|_| format!("{place} has a proof that is not base64"))
    };
    let hash = HEXLOWER.decode(proof.hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
    let row = ExportRow {
        sequence: proof.sequence,
        chained: bytes(&proof.chained)?,
        annex: proof.annex.as_deref().map(bytes).transpose()?,
        hash: hash.ok_or_else(|| format!("{place} has a hash that is not 32 bytes in hex"))?,
    };
    Ok(Event { shard: proof.shard, row, shown })
}
