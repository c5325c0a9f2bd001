//! Checking events against signed checkpoints: every event by its own proof, every chain from where
//! the checkpoint says that it begins to where it says that it ends. Pure: what is wrong, or how much
//! was checked.

use std::collections::{BTreeMap, HashSet};

use countersign_core::audit::AuditOutcome;
use countersign_core::codec;
use countersign_core::ids::Pseudonym;
use countersign_core::time::Timestamp;
use countersign_storage::Stored;
use countersign_storage::audit::{Chained, USER_ERASED, reason, verify};
use countersign_storage::records::Annex;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::checkpoint::Checkpoint;
use super::file::Event;

const TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
/// Checkpoints of one export were signed within so many seconds: else an older one of one shard
/// could hide what came after it.
const TOGETHER_SECONDS: i64 = 60;

/// Checks all; tells what was checked, or the first fault.
pub(super) fn check(
    events: &[Event],
    own: Vec<Checkpoint>,
    earlier: &[Checkpoint],
) -> Result<String, String> {
    let (heads, older) = heads(own)?;
    let Some(any) = heads.values().next() else {
        return Err("there is no checkpoint, so nothing says which events there must be".to_owned());
    };
    let earlier: Vec<&Checkpoint> = earlier.iter().chain(&older).collect();
    if let Some(other) = earlier.iter().find(|one| one.whose != any.whose) {
        return Err(strange(any, other));
    }
    let mut chains: BTreeMap<u16, Vec<&Event>> =
        heads.keys().map(|shard| (*shard, vec![])).collect();
    for event in events {
        let chain = chains.get_mut(&event.shard);
        chain.ok_or_else(|| format!("shard {} has no checkpoint", event.shard))?.push(event);
    }
    let mut read: BTreeMap<u16, Vec<Chained>> = BTreeMap::new();
    for (shard, chain) in &chains {
        let rows = one_chain(&heads[shard], chain);
        read.insert(*shard, rows.map_err(|fault| format!("shard {shard}: {fault}"))?);
    }
    in_order(events, &read)?;
    let mut agreed = 0;
    let mut too_old = 0;
    for one in earlier {
        let (Some(head), Some(chain)) = (heads.get(&one.shard), chains.get(&one.shard)) else {
            return Err(format!("shard {}: an earlier checkpoint has no later one", one.shard));
        };
        match agrees(one, head, chain)? {
            true => agreed += 1,
            false => too_old += 1,
        }
    }
    let signed_at = heads.values().map(|head| head.signed_at).min().unwrap_or_default();
    let signed_at = time_text(Timestamp::from_millis(signed_at.saturating_mul(1_000)));
    let tenant = &any.whose.1;
    let mut report = format!(
        "{} rows checked, all of tenant {tenant} in {} shards up to the checkpoints signed at {}",
        events.len(),
        heads.len(),
        signed_at.unwrap_or_default(),
    );
    let removed: u64 = heads.values().map(|head| head.chain.start.sequence).sum();
    if removed > 0 {
        report += &format!("; {removed} older rows are no longer kept");
    }
    if agreed + too_old > 0 {
        report += &format!("; {agreed} earlier checkpoints agree");
    }
    if too_old > 0 {
        report += &format!(", {too_old} are of rows that are no longer kept");
    }
    Ok(report)
}

/// The latest checkpoint of each shard, of which none may be missing, and the others.
fn heads(own: Vec<Checkpoint>) -> Result<(BTreeMap<u16, Checkpoint>, Vec<Checkpoint>), String> {
    let mut heads: BTreeMap<u16, Checkpoint> = BTreeMap::new();
    let mut older = Vec::new();
    for one in own {
        let end = |checkpoint: &Checkpoint| (checkpoint.chain.head.sequence, checkpoint.signed_at);
        match heads.remove(&one.shard) {
            Some(known) if end(&known) > end(&one) => {
                heads.insert(one.shard, known);
                older.push(one);
            }
            known => {
                older.extend(known);
                heads.insert(one.shard, one);
            }
        }
    }
    let Some(any) = heads.values().next().cloned() else { return Ok((heads, older)) };
    for shard in 0..any.shards {
        if !heads.contains_key(&shard) {
            return Err(format!("shard {shard}: its checkpoint is missing"));
        }
    }
    if let Some(other) = heads.values().find(|one| one.whose != any.whose) {
        return Err(strange(&any, other));
    }
    let times = || heads.values().map(|one| one.signed_at);
    let apart = times().max().unwrap_or(0).saturating_sub(times().min().unwrap_or(0));
    if apart > TOGETHER_SECONDS {
        return Err(format!(
            "the checkpoints were signed {apart} seconds apart; take those of all shards together"
        ));
    }
    Ok((heads, older))
}

fn strange(one: &Checkpoint, other: &Checkpoint) -> String {
    let whose = |(cluster, tenant): &(String, String)| format!("tenant {tenant} of {cluster}");
    format!("checkpoints of {} and of {} are mixed", whose(&one.whose), whose(&other.whose))
}

/// Checks the events of one chain, the newest first, against its checkpoint; answers what was
/// chained, in the same order.
fn one_chain(head: &Checkpoint, newest_first: &[&Event]) -> Result<Vec<Chained>, String> {
    let chain = &head.chain;
    let mut places: Vec<u64> = newest_first.iter().map(|event| event.row.sequence).collect();
    places.sort_unstable();
    if let Some(twice) = places.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("row {} is there twice", twice[0]));
    }
    if let Some(place) = places.iter().find(|place| **place <= chain.start.sequence) {
        return Err(format!(
            "row {place} is before row {}, where the checkpoint says that the chain begins",
            chain.start.sequence + 1
        ));
    }
    if let Some(place) = places.iter().find(|place| **place > chain.head.sequence) {
        return Err(format!(
            "row {place} is after row {}, where the checkpoint ends: it is covered by no signature; \
             `countersign audit export` takes what belongs together",
            chain.head.sequence
        ));
    }
    let wanted = chain.start.sequence + 1..=chain.head.sequence;
    if let Some((missing, _)) = wanted
        .zip(places.iter().copied().map(Some).chain(std::iter::repeat(None)))
        .find(|(wanted, found)| Some(*wanted) != *found)
    {
        return Err(format!(
            "row {missing} is missing; the checkpoint ends with row {}. A filtered export cannot be \
             checked",
            chain.head.sequence
        ));
    }
    let descends = newest_first.windows(2).find(|pair| pair[0].row.sequence < pair[1].row.sequence);
    if let Some(pair) = descends {
        return Err(format!(
            "row {} stands before row {}, not in the order in which the service gives them",
            pair[0].row.sequence, pair[1].row.sequence
        ));
    }
    let rows = newest_first.iter().rev().map(|event| &event.row);
    verify(&chain.start, rows, Some(&chain.head)).map_err(|fault| fault.to_string())?;
    let mut erased = HashSet::new();
    newest_first.iter().map(|event| shown_as_chained(head, event, &mut erased)).collect()
}

/// Compares what people read with what was chained. The newest rows come first, so that `erased`
/// knows who is erased by a later row.
fn shown_as_chained(
    head: &Checkpoint,
    event: &Event,
    erased: &mut HashSet<Pseudonym>,
) -> Result<Chained, String> {
    let sequence = event.row.sequence;
    let fault = |reason: String| format!("row {sequence} {reason}");
    let chained: Chained = codec::decode(&event.row.chained)
        .map_err(|error| fault(format!("is malformed: {error}")))?;
    if chained.tenant.as_str() != head.whose.1 {
        return Err(fault(format!("is of another tenant, {}", chained.tenant)));
    }
    let annex: Option<Annex> = match &event.row.annex {
        Some(bytes) => Some(
            Annex::from_bytes(bytes)
                .map_err(|error| fault(format!("has a malformed annex: {error}")))?,
        ),
        None => None,
    };
    // Erasing a user is the only thing that takes the personal part away, and leaves a row.
    let gone = chained.annex.is_some() && annex.is_none();
    if gone && !chained.pseudonym.is_some_and(|pseudonym| erased.contains(&pseudonym)) {
        return Err(fault(
            "was altered: its personal part is gone, but no user was erased".to_owned(),
        ));
    }
    if let Some(pseudonym) = chained.pseudonym.filter(|_| chained.event_type == USER_ERASED) {
        erased.insert(pseudonym);
    }
    let outcome = match chained.outcome {
        AuditOutcome::Success => "SUCCESS",
        AuditOutcome::Failure => "FAILURE",
    };
    let text = |shown: Option<String>| shown.map_or(Value::Null, Value::String);
    let user = annex.as_ref().and_then(|annex| annex.user.as_ref());
    let address = annex.as_ref().and_then(|annex| annex.ip_address);
    for (field, meant) in [
        ("id", json!(format!("evt_{}_{}", event.shard, chained.sequence))),
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
        let shown = event.shown.get(field).unwrap_or(&Value::Null);
        if *shown != meant {
            return Err(fault(format!(
                "was altered: {field} says {shown}, but {meant} was chained"
            )));
        }
    }
    Ok(chained)
}

/// Whether the events stand in the order in which the service gives them: of what each chain has
/// next, the newest, and of two at one time that of the lower shard.
fn in_order(events: &[Event], read: &BTreeMap<u16, Vec<Chained>>) -> Result<(), String> {
    let mut next: BTreeMap<u16, usize> = BTreeMap::new();
    for event in events {
        let front = |shard: &u16| {
            let chain = read.get(shard)?;
            chain.get(next.get(shard).copied().unwrap_or(0))
        };
        let newest = read
            .keys()
            .filter_map(|shard| Some((front(shard)?.at, std::cmp::Reverse(*shard))))
            .max();
        if newest.is_none_or(|(_, shard)| shard.0 != event.shard) {
            return Err(format!(
                "shard {}: row {} does not stand in the order in which the service gives them, the \
                 newest first",
                event.shard, event.row.sequence
            ));
        }
        *next.entry(event.shard).or_default() += 1;
    }
    Ok(())
}

/// Whether an earlier checkpoint's end is where it was; false if its rows are no longer kept.
fn agrees(one: &Checkpoint, head: &Checkpoint, newest_first: &[&Event]) -> Result<bool, String> {
    let shard = one.shard;
    let (end, chain) = (&one.chain.head, &head.chain);
    if end.sequence > chain.head.sequence {
        return Err(format!(
            "shard {shard}: an earlier checkpoint ends with row {}, but this export with row {}",
            end.sequence, chain.head.sequence
        ));
    }
    if end.sequence < chain.start.sequence {
        return Ok(false);
    }
    let row = newest_first.iter().find(|event| event.row.sequence == end.sequence);
    let hash = row.map_or(chain.start.hash, |event| event.row.hash);
    match hash == end.hash {
        true => Ok(true),
        false => Err(format!(
            "shard {shard}: row {} has another hash than an earlier checkpoint says: a row up to it \
             was altered since",
            end.sequence
        )),
    }
}

fn time_text(at: Timestamp) -> Option<String> {
    let nanos = i128::from(at.millis()).checked_mul(1_000_000)?;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(TIME).ok()
}
