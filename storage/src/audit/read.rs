//! Reading a chain: pages for people, exports for verification, its tail for webhooks, and the recent
//! rows that are counted over many users.

use std::net::IpAddr;

use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserId};
use countersign_core::time::Timestamp;

use super::{AuditRow, Chained, ExportRow};
use crate::database::{Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::pressure::Sign;
use crate::records::{self, Annex, AuditRecord, ChainPoint};

/// Rows that one page looks at; a page with a narrow filter may be short and still have a next.
const LOOKED_AT_MAX: usize = 10_000;
/// Rows that are read of a shard to count recent ones when the store is opened.
const RECENT_MAX: usize = 50_000;

/// Which rows of a tenant are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this user only.
    pub user: Option<UserId>,
    /// Of this type only; a trailing `*` stands for any ending.
    pub event_type: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl AuditQuery {
    fn wants(&self, row: &Chained) -> bool {
        let type_fits =
            self.event_type.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(beginning) => row.event_type.starts_with(beginning),
                None => row.event_type == wanted,
            });
        type_fits
            && self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at < until)
    }
}

/// Some rows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRow>,
    /// Where the next page begins: rows before this place in the chain. `None` at the end.
    pub before: Option<u64>,
}

/// The last trimmed row; the default if none was.
pub(super) fn anchor(database: &Database, shard: ShardId) -> Result<ChainPoint, StorageError> {
    let row = database.get(Family::Audit, &keys::single(shard, keys::audit::ANCHOR))?;
    row.map_or(Ok(ChainPoint::default()), |bytes| records::decode("audit anchor", shard, &bytes))
}

/// The time of the chain's first row that was not trimmed.
pub(crate) fn oldest(
    database: &Database,
    shard: ShardId,
) -> Result<Option<Timestamp>, StorageError> {
    let first = anchor(database, shard)?.sequence + 1;
    Ok(row(database, shard, first)?.map(|(_, chained)| chained.at))
}

/// Rows of a tenant, newest first, at most `limit`, before the place `before`.
pub(crate) fn page(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    pseudonym: Option<Pseudonym>,
    query: &AuditQuery,
    before: Option<u64>,
    limit: usize,
) -> Result<AuditPage, StorageError> {
    let prefix = match pseudonym {
        Some(pseudonym) => keys::annexes(shard, pseudonym),
        None => keys::audit_of_tenant(shard, tenant),
    };
    let mut before = before;
    if let Some(until) = query.until {
        let first_late = first_not_before(database, shard, until)?;
        before = Some(before.map_or(first_late, |before| before.min(first_late)));
    }
    let end = match before {
        Some(sequence) => [prefix.as_slice(), &sequence.to_be_bytes()].concat(),
        None => keys::after(&prefix),
    };
    let mut page = AuditPage::default();
    for (looked_at, entry) in database.walk_back(Family::Audit, &prefix, &end)?.enumerate() {
        let (key, _) = entry.map_err(StorageError::database("read the audit log"))?;
        let Some(sequence) = keys::last_sequence(&key) else { continue };
        if page.rows.len() == limit || looked_at == LOOKED_AT_MAX {
            page.before = Some(sequence + 1);
            return Ok(page);
        }
        // An index entry without its row belongs to a trim that is under way.
        let Some((record, chained)) = row(database, shard, sequence)? else { continue };
        if query.since.is_some_and(|since| chained.at < since) {
            return Ok(page);
        }
        if query.wants(&chained) && chained.tenant.as_ref() == Some(tenant) {
            page.rows.push(whole(database, shard, record, chained)?);
        }
    }
    Ok(page)
}

/// Up to `limit` rows from the place `from` on, and the point of the chain before them.
pub(crate) fn export(
    database: &Database,
    shard: ShardId,
    from: u64,
    limit: usize,
) -> Result<(ChainPoint, Vec<ExportRow>), StorageError> {
    let anchor = anchor(database, shard)?;
    let first = from.max(anchor.sequence + 1);
    let before = if first == anchor.sequence + 1 {
        anchor
    } else {
        match row(database, shard, first - 1)? {
            Some((record, chained)) => {
                ChainPoint { sequence: first - 1, hash: record.hash, at: chained.at }
            }
            None => return Ok((anchor, Vec::new())),
        }
    };
    let rows = keys::single(shard, keys::audit::ROW);
    let start = keys::audit_row(shard, first);
    let mut exported = Vec::new();
    for entry in database.walk(Family::Audit, &start, &keys::after(&rows))?.take(limit) {
        let (_, bytes) = entry.map_err(StorageError::database("read the audit log"))?;
        let record: AuditRecord = records::decode("audit row", shard, &bytes)?;
        let chained: Chained = records::decode("audit row", shard, &record.chained)?;
        exported.push(whole(database, shard, record, chained)?.export);
    }
    Ok((before, exported))
}

/// The rows of a tenant after the place `after`, oldest first, at most `limit`.
pub(crate) fn tail(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    after: u64,
    limit: usize,
) -> Result<Vec<AuditRow>, StorageError> {
    let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
    let from = keys::audit_by_tenant(shard, tenant, first);
    let to = keys::after(&keys::audit_of_tenant(shard, tenant));
    let mut rows = Vec::new();
    for entry in database.walk(Family::Audit, &from, &to)? {
        if rows.len() == limit {
            break;
        }
        let (key, _) = entry.map_err(StorageError::database("read the audit log"))?;
        let Some(sequence) = keys::last_sequence(&key) else { continue };
        // An index entry without its row belongs to a trim that is under way.
        let Some((record, chained)) = row(database, shard, sequence)? else { continue };
        rows.push(whole(database, shard, record, chained)?);
    }
    Ok(rows)
}

/// The row at a place, if it is the tenant's and was not trimmed.
pub(crate) fn one(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    sequence: u64,
) -> Result<Option<AuditRow>, StorageError> {
    match row(database, shard, sequence)? {
        Some((record, chained)) if chained.tenant.as_ref() == Some(tenant) => {
            whole(database, shard, record, chained).map(Some)
        }
        _ => Ok(None),
    }
}

/// The place of a tenant's last row that is older than `time`; 0 if there is none.
pub(crate) fn last_before(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    time: Timestamp,
) -> Result<u64, StorageError> {
    let from = keys::audit_of_tenant(shard, tenant);
    let to = keys::audit_by_tenant(shard, tenant, first_not_before(database, shard, time)?);
    let last = database.walk_back(Family::Audit, &from, &to)?.next().transpose();
    let last = last.map_err(StorageError::database("read the audit log"))?;
    Ok(last.and_then(|(key, _)| keys::last_sequence(&key)).unwrap_or(0))
}

/// What is counted of the rows of the `window_ms` before the chain's end, oldest first.
pub(crate) fn recent_signs(
    database: &Database,
    shard: ShardId,
    window_ms: i64,
) -> Result<Vec<Sign>, StorageError> {
    let rows = keys::single(shard, keys::audit::ROW);
    let mut newest = None;
    let mut signs = Vec::new();
    let walk = database.walk_back(Family::Audit, &rows, &keys::after(&rows))?;
    for entry in walk.take(RECENT_MAX) {
        let (_, bytes) = entry.map_err(StorageError::database("read the audit log"))?;
        let record: AuditRecord = records::decode("audit row", shard, &bytes)?;
        let chained: Chained = records::decode("audit row", shard, &record.chained)?;
        let newest = *newest.get_or_insert(chained.at);
        if newest.millis_since(chained.at) >= window_ms {
            break;
        }
        signs.extend(Sign::of(&chained, || address(database, shard, &chained))?);
    }
    signs.reverse();
    Ok(signs)
}

/// Visits the rows from the place `first` to the place `last`, oldest first.
pub(crate) fn each(
    database: &Database,
    shard: ShardId,
    first: u64,
    last: u64,
    mut visit: impl FnMut(&Chained),
) -> Result<(), StorageError> {
    if first > last {
        return Ok(());
    }
    let (from, to) = (keys::audit_row(shard, first), keys::audit_row(shard, last + 1));
    for entry in database.walk(Family::Audit, &from, &to)? {
        let (_, bytes) = entry.map_err(StorageError::database("read the audit log"))?;
        let record: AuditRecord = records::decode("audit row", shard, &bytes)?;
        visit(&records::decode("audit row", shard, &record.chained)?);
    }
    Ok(())
}

/// The address in a row's annex, if it was not erased.
fn address(
    database: &Database,
    shard: ShardId,
    chained: &Chained,
) -> Result<Option<IpAddr>, StorageError> {
    let annex = annex(database, shard, chained)?;
    let annex: Option<Annex> =
        annex.map(|bytes| records::decode("annex", shard, &bytes)).transpose()?;
    Ok(annex.and_then(|annex| annex.ip_address))
}

fn row(
    database: &Database,
    shard: ShardId,
    sequence: u64,
) -> Result<Option<(AuditRecord, Chained)>, StorageError> {
    let Some(bytes) = database.get(Family::Audit, &keys::audit_row(shard, sequence))? else {
        return Ok(None);
    };
    let record: AuditRecord = records::decode("audit row", shard, &bytes)?;
    let chained = records::decode("audit row", shard, &record.chained)?;
    Ok(Some((record, chained)))
}

/// Adds the annex to a row.
fn whole(
    database: &Database,
    shard: ShardId,
    record: AuditRecord,
    chained: Chained,
) -> Result<AuditRow, StorageError> {
    let annex_bytes = annex(database, shard, &chained)?;
    let annex: Option<Annex> =
        annex_bytes.as_ref().map(|bytes| records::decode("annex", shard, bytes)).transpose()?;
    let export = ExportRow {
        sequence: chained.sequence,
        chained: record.chained,
        annex: annex_bytes,
        hash: record.hash,
    };
    Ok(AuditRow { shard, chained, annex, export })
}

/// The bytes of a row's annex, if it has one that was not erased.
fn annex(
    database: &Database,
    shard: ShardId,
    chained: &Chained,
) -> Result<Option<Vec<u8>>, StorageError> {
    if chained.annex.is_none() {
        return Ok(None);
    }
    let pseudonym = chained.pseudonym.unwrap_or(Pseudonym::from_bytes([0; 16]));
    let key = keys::annex(shard, pseudonym, chained.sequence);
    Ok(database.get(Family::Audit, &key)?.map(|bytes| bytes.to_vec()))
}

/// The place of the first row that is not before `time`, or the one after the last. The times of
/// a chain never fall, so a few dozen reads find it in any length.
pub(crate) fn first_not_before(
    database: &Database,
    shard: ShardId,
    time: Timestamp,
) -> Result<u64, StorageError> {
    let rows = keys::single(shard, keys::audit::ROW);
    let mut backwards = database.walk_back(Family::Audit, &rows, &keys::after(&rows))?;
    let Some(last) = backwards.next() else { return Ok(1) };
    let (key, _) = last.map_err(StorageError::database("read the audit log"))?;
    let mut low = anchor(database, shard)?.sequence + 1;
    let mut high = keys::last_sequence(&key).unwrap_or(0) + 1;
    while low < high {
        let middle = low + (high - low) / 2;
        match row(database, shard, middle)? {
            Some((_, chained)) if chained.at >= time => high = middle,
            // A row that is gone was trimmed just now: it was old.
            _ => low = middle + 1,
        }
    }
    Ok(low)
}
