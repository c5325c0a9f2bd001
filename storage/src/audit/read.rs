//! Reading audit rows: pages for people, exports for verification, a chain's tail for webhooks, and
//! the recent rows that are counted over many users.

use std::net::IpAddr;

use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserId};
use countersign_core::time::Timestamp;

use super::{AuditRow, Chained, ExportRow, nobody};
use crate::database::{Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::pressure::Sign;
use crate::records::{self, Annex, AuditRecord, Chain, ChainPoint};

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

/// Which part of the rows is wanted, and at how many it may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditBounds {
    /// Before this place in the tenant's chain; `None` from the newest.
    pub before: Option<u64>,
    /// So many rows at most.
    pub limit: usize,
    /// At so many rows is looked at most, at least 1: with a narrow filter a page may be short and
    /// still have a next.
    pub look_at: usize,
}

/// Some rows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRow>,
    /// Where the next page begins: rows before this place in the chain. `None` at the end.
    pub before: Option<u64>,
    /// How many rows were looked at for it.
    pub looked_at: usize,
}

/// How a tenant's chain stands, as it is on disk.
pub(crate) fn chain(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
) -> Result<Chain, StorageError> {
    let row = database.get(Family::Audit, &keys::audit_chain(shard, tenant))?;
    row.map_or(Ok(Chain::default()), |bytes| records::decode("audit chain", shard, &bytes))
}

/// The shard's last trimmed row; the default if none was.
pub(super) fn anchor(database: &Database, shard: ShardId) -> Result<ChainPoint, StorageError> {
    let row = database.get(Family::Audit, &keys::single(shard, keys::audit::ANCHOR))?;
    row.map_or(Ok(ChainPoint::default()), |bytes| records::decode("audit anchor", shard, &bytes))
}

/// The time of the shard's first row that was not trimmed.
pub(crate) fn oldest(
    database: &Database,
    shard: ShardId,
) -> Result<Option<Timestamp>, StorageError> {
    let first = anchor(database, shard)?.sequence + 1;
    Ok(row(database, shard, first)?.map(|(_, chained)| chained.at))
}

/// Rows of a tenant, newest first, within `bounds`.
pub(crate) fn page(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    pseudonym: Option<Pseudonym>,
    query: &AuditQuery,
    bounds: AuditBounds,
) -> Result<AuditPage, StorageError> {
    let prefix = match pseudonym {
        Some(pseudonym) => keys::annexes(shard, pseudonym),
        None => keys::audit_of_tenant(shard, tenant),
    };
    let AuditBounds { mut before, limit, look_at } = bounds;
    if let Some(until) = query.until {
        let first_late = first_of_tenant_not_before(database, shard, tenant, until)?;
        before = Some(before.map_or(first_late, |before| before.min(first_late)));
    }
    let end = match before {
        Some(sequence) => [prefix.as_slice(), &sequence.to_be_bytes()].concat(),
        None => keys::after(&prefix),
    };
    let mut page = AuditPage::default();
    for entry in database.walk_back(Family::Audit, &prefix, &end)? {
        let (key, value) = entry.map_err(StorageError::database("read the audit log"))?;
        let Some(sequence) = keys::last_sequence(&key) else { continue };
        if page.rows.len() == limit || page.looked_at >= look_at.max(1) {
            page.before = Some(sequence + 1);
            return Ok(page);
        }
        page.looked_at += 1;
        let found = match pseudonym {
            Some(_) => one_of_tenant(database, shard, tenant, sequence)?,
            None => at_place(database, shard, &value)?,
        };
        // An index entry without its row belongs to a trim that is under way.
        let Some((record, chained)) = found else { continue };
        if query.since.is_some_and(|since| chained.at < since) {
            return Ok(page);
        }
        if query.wants(&chained) && chained.tenant == *tenant {
            page.rows.push(whole(database, shard, record, chained)?);
        }
    }
    Ok(page)
}

/// Up to `limit` rows of a tenant's chain from the place `from` on, and the point of the chain
/// before them.
pub(crate) fn export(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    from: u64,
    limit: usize,
) -> Result<(ChainPoint, Vec<ExportRow>), StorageError> {
    let start = chain(database, shard, tenant)?.start;
    let first = from.max(start.sequence + 1);
    let before = if first == start.sequence + 1 {
        start
    } else {
        match one_of_tenant(database, shard, tenant, first - 1)? {
            Some((record, chained)) => {
                ChainPoint { sequence: first - 1, hash: record.hash, at: chained.at }
            }
            None => return Ok((start, Vec::new())),
        }
    };
    let rows = tail(database, shard, tenant, first - 1, limit)?;
    Ok((before, rows.into_iter().map(|row| row.export).collect()))
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
        let (_, place) = entry.map_err(StorageError::database("read the audit log"))?;
        // An index entry without its row belongs to a trim that is under way.
        let Some((record, chained)) = at_place(database, shard, &place)? else { continue };
        rows.push(whole(database, shard, record, chained)?);
    }
    Ok(rows)
}

/// The row at a place of a tenant's chain, if it was not trimmed.
pub(crate) fn one(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    sequence: u64,
) -> Result<Option<AuditRow>, StorageError> {
    let found = one_of_tenant(database, shard, tenant, sequence)?;
    found.map(|(record, chained)| whole(database, shard, record, chained)).transpose()
}

/// The place of a tenant's last row that is older than `time`; 0 if there is none.
pub(crate) fn last_before(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    time: Timestamp,
) -> Result<u64, StorageError> {
    let last = first_of_tenant_not_before(database, shard, tenant, time)? - 1;
    let trimmed = chain(database, shard, tenant)?.start.sequence;
    Ok(if last > trimmed { last } else { 0 })
}

/// What is counted of the shard's rows of the `window_ms` before the last one, oldest first. The
/// shard's time is `ahead_ms` ahead of real time.
pub(crate) fn recent_signs(
    database: &Database,
    shard: ShardId,
    window_ms: i64,
    ahead_ms: i64,
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
        // Rows that are later than the newest were written before the shard's time was set back.
        if newest.millis_since(chained.at) >= window_ms || chained.at > newest {
            break;
        }
        signs.extend(Sign::of(&chained, ahead_ms, || address(database, shard, &chained))?);
    }
    signs.reverse();
    Ok(signs)
}

/// Visits the shard's rows from the place `first` to the place `last`, oldest first.
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

/// The row at a place of a tenant's chain.
fn one_of_tenant(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    sequence: u64,
) -> Result<Option<(AuditRecord, Chained)>, StorageError> {
    match database.get(Family::Audit, &keys::audit_by_tenant(shard, tenant, sequence))? {
        Some(place) => at_place(database, shard, &place),
        None => Ok(None),
    }
}

/// The row whose place an entry of a tenant's chain tells.
fn at_place(
    database: &Database,
    shard: ShardId,
    place: &[u8],
) -> Result<Option<(AuditRecord, Chained)>, StorageError> {
    match keys::last_sequence(place) {
        Some(place) => row(database, shard, place),
        None => Ok(None),
    }
}

/// The row at a place of the shard.
fn row(
    database: &Database,
    shard: ShardId,
    place: u64,
) -> Result<Option<(AuditRecord, Chained)>, StorageError> {
    let Some(bytes) = database.get(Family::Audit, &keys::audit_row(shard, place))? else {
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
    let pseudonym = chained.pseudonym.unwrap_or_else(|| nobody(&chained.tenant));
    let key = keys::annex(shard, pseudonym, chained.sequence);
    Ok(database.get(Family::Audit, &key)?.map(|bytes| bytes.to_vec()))
}

/// The place of the tenant's first row that is not before `time`, or the one after its last.
fn first_of_tenant_not_before(
    database: &Database,
    shard: ShardId,
    tenant: &TenantId,
    time: Timestamp,
) -> Result<u64, StorageError> {
    let Chain { start, head, set_back } = chain(database, shard, tenant)?;
    let read = |sequence| one_of_tenant(database, shard, tenant, sequence);
    let (mut low, mut high) = (start.sequence + 1, head.sequence + 1);
    // Rows before a time that was set back happened before it, whatever time they show.
    if let Some((_, first)) = read(set_back)? {
        if first.at < time { low = set_back } else { high = set_back }
    }
    partition(low, high, time, read)
}

/// The place of the shard's first row that is not before `time`, or the one after the last.
pub(crate) fn first_not_before(
    database: &Database,
    shard: ShardId,
    time: Timestamp,
) -> Result<u64, StorageError> {
    let rows = keys::single(shard, keys::audit::ROW);
    let mut backwards = database.walk_back(Family::Audit, &rows, &keys::after(&rows))?;
    let Some(last) = backwards.next() else { return Ok(1) };
    let (key, _) = last.map_err(StorageError::database("read the audit log"))?;
    let first = anchor(database, shard)?.sequence + 1;
    let end = keys::last_sequence(&key).unwrap_or(0) + 1;
    partition(first, end, time, |place| row(database, shard, place))
}

/// The first of the places from `low` up to `high` whose row is not before `time`; `high` if there
/// is none. Between them times never fall, so a few dozen reads find it among any number of rows.
fn partition(
    mut low: u64,
    mut high: u64,
    time: Timestamp,
    read: impl Fn(u64) -> Result<Option<(AuditRecord, Chained)>, StorageError>,
) -> Result<u64, StorageError> {
    while low < high {
        let middle = low + (high - low) / 2;
        match read(middle)? {
            Some((_, chained)) if chained.at >= time => high = middle,
            // A row that is gone was trimmed just now: it was old.
            _ => low = middle + 1,
        }
    }
    Ok(low)
}
