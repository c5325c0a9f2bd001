//! Taking an export: the checkpoints first, then the events up to them, a page at a time.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Connection, ask, understood};
use super::super::say;
use crate::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Value>,
    next_cursor: Option<String>,
}

pub(super) async fn run(connection: &Connection) -> Result<(), Error> {
    let mut ends = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = page(connection, "/v1/audit/checkpoints", cursor).await?;
        for checkpoint in page.data {
            ends.insert(number(&checkpoint, "shard"), number(&checkpoint, "sequence"));
            say(&checkpoint.to_string());
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    loop {
        let page = page(connection, "/v1/audit", cursor).await?;
        for event in page.data {
            let proof = event.get("proof").unwrap_or(&Value::Null);
            let end = ends.get(&number(proof, "shard")).copied().flatten();
            // What happened after the checkpoints belongs to the next export.
            if number(proof, "sequence") <= end {
                say(&event.to_string());
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn page(connection: &Connection, path: &str, cursor: Option<String>) -> Result<Page, Error> {
    // A cursor is base64url: nothing in it needs to be escaped.
    let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let body = ask(connection, Method::GET, &format!("{path}?limit=200{after}")).await?;
    understood(connection.url(), &body)
}

fn number(of: &Value, field: &str) -> Option<u64> {
    of.get(field).and_then(Value::as_u64)
}
