//! Lists that span shards, from the rows that this node has applied: users in a fixed order, audit
//! rows newest first. A cursor holds the place in every shard, so that rows written meanwhile
//! neither repeat a row nor hide one.

mod budget;
mod deliveries;
mod preview;
#[cfg(test)]
mod tests;
mod users;

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_actors::gateway::{AuditFilter, AuditHead, AuditRow, GatewayError, Page};
use countersign_core::codec;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::time::Timestamp;
use countersign_storage::audit::{AuditBounds, AuditQuery};
use countersign_storage::{Rows, StorageError, Store, audit};
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use self::budget::{Budget, Readers};
pub(crate) use self::preview::LOOKS_FOR;

/// Reads over all shards.
#[derive(Clone)]
pub(crate) struct Listing {
    store: Arc<Store>,
    shards: u16,
    /// Whose turn it is to read a list.
    readers: Readers,
    /// Held by whoever looks at all users: one at a time.
    scans: Arc<Semaphore>,
}

impl Listing {
    /// Over all shards of a store.
    pub(crate) fn new(store: Arc<Store>, shards: u16) -> Self {
        Self { store, shards, readers: Readers::default(), scans: Arc::new(Semaphore::new(1)) }
    }

    /// The audit rows of a tenant, newest first; of one shard only, if one user's are asked for.
    pub(crate) async fn audit(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<Page<AuditRow>, GatewayError> {
        let shards: Vec<ShardId> = match &filter.user {
            Some(user) => {
                let key = UserKey::new(tenant.clone(), user.clone());
                vec![key.hash().shard(self.shards)]
            }
            None => (0..self.shards).map(ShardId).collect(),
        };
        let from: Option<AuditCursor> = parse(cursor.as_deref())?;
        if from.as_ref().is_some_and(|from| from.before.len() != shards.len()) {
            return Err(GatewayError::InvalidCursor);
        }
        let query = AuditQuery {
            user: filter.user,
            event_type: filter.event_type,
            since: filter.since,
            until: filter.until,
        };
        let chains = shards
            .into_iter()
            .enumerate()
            .map(|(position, shard)| {
                let before = from.as_ref().and_then(|from| from.before.get(position).copied());
                Chain::new(self.store.rows(shard), before)
            })
            .collect();
        self.readers
            .read(&tenant.clone(), self.shards, move |budget| {
                merge(chains, &tenant, &query, limit, budget)
            })
            .await
    }

    /// The heads of the tenant's chains, in the order of the shards.
    pub(crate) async fn heads(&self, tenant: TenantId) -> Result<Vec<AuditHead>, GatewayError> {
        let listing = self.clone();
        let head = move |shard| {
            let chain = listing.store.rows(shard).audit_chain(&tenant).map_err(fault)?;
            Ok(AuditHead {
                shard,
                sequence: chain.head.sequence,
                hash: chain.head.hash,
                at: chain.head.at,
                start_sequence: chain.start.sequence,
                start_hash: chain.start.hash,
            })
        };
        let shards = self.shards;
        reading(move || (0..shards).map(ShardId).map(head).collect()).await
    }
}

/// Where a list of audit rows goes on: for each shard, the place before which rows are wanted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AuditCursor {
    before: Vec<u64>,
}

fn parse<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, GatewayError> {
    let Some(text) = cursor else { return Ok(None) };
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| GatewayError::InvalidCursor)?;
    codec::decode(&bytes).map(Some).map_err(|_| GatewayError::InvalidCursor)
}

fn write<T: Serialize>(cursor: &T) -> Result<String, GatewayError> {
    let bytes = codec::encode(cursor).map_err(|error| GatewayError::Internal(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// Runs a read that touches the disk off the async threads.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, GatewayError> + Send + 'static,
) -> Result<T, GatewayError> {
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| GatewayError::Internal("a read of the store was broken off".to_owned()))?
}

fn fault(error: StorageError) -> GatewayError {
    GatewayError::Internal(error.to_string())
}

/// One shard's rows on their way into the merge.
struct Chain {
    rows: Rows,
    /// Read and not yet taken, newest first.
    waiting: VecDeque<audit::AuditRow>,
    /// Where to read on; `None` from the newest.
    before: Option<u64>,
    ended: bool,
}

impl Chain {
    fn new(rows: Rows, before: Option<u64>) -> Self {
        // Nothing lies before the first place.
        Self { rows, waiting: VecDeque::new(), before, ended: before.is_some_and(|at| at <= 1) }
    }

    /// Reads on, if nothing waits, until a row is found or the budget is spent.
    fn fill(
        &mut self,
        tenant: &TenantId,
        query: &AuditQuery,
        chunk: (usize, usize),
        budget: &mut Budget,
    ) -> Result<(), StorageError> {
        while self.waiting.is_empty() && !self.ended && !budget.is_spent() {
            self.read(tenant, query, chunk, budget)?;
        }
        Ok(())
    }

    /// Reads on once.
    fn read(
        &mut self,
        tenant: &TenantId,
        query: &AuditQuery,
        (limit, look_at): (usize, usize),
        budget: &mut Budget,
    ) -> Result<(), StorageError> {
        let bounds = AuditBounds { before: self.before, limit, look_at };
        let page = self.rows.audit_page(tenant, query, bounds)?;
        budget.spend(page.looked_at);
        self.ended = page.before.is_none();
        self.before = page.before;
        self.waiting = page.rows.into();
        Ok(())
    }

    /// What the next row is sorted by: the newest first, then by shard.
    fn newest(&self) -> Option<(Timestamp, std::cmp::Reverse<ShardId>)> {
        let row = self.waiting.front()?;
        Some((row.chained.at, std::cmp::Reverse(row.shard)))
    }

    /// The place before which this chain's next row lies.
    fn place(&self) -> u64 {
        match self.waiting.front() {
            Some(row) => row.chained.sequence.saturating_add(1),
            None if self.ended => 0,
            None => self.before.unwrap_or(u64::MAX),
        }
    }
}

fn merge(
    mut chains: Vec<Chain>,
    tenant: &TenantId,
    query: &AuditQuery,
    limit: usize,
    budget: &mut Budget,
) -> Result<Page<AuditRow>, GatewayError> {
    let chunk = (limit / chains.len().max(1) + 8, budget.share(chains.len()));
    // Whatever the time, so that every request gets on.
    for chain in chains.iter_mut().filter(|chain| !chain.ended) {
        if !budget.is_given_up() {
            chain.read(tenant, query, chunk, budget).map_err(fault)?;
        }
    }
    let mut data = Vec::new();
    while data.len() < limit {
        for chain in &mut chains {
            chain.fill(tenant, query, chunk, budget).map_err(fault)?;
        }
        // A chain that could not be read on may hold a newer row than the others: stop here.
        if chains.iter().any(|chain| chain.waiting.is_empty() && !chain.ended) {
            break;
        }
        let newest = chains.iter_mut().max_by_key(|chain| chain.newest());
        let Some(row) = newest.and_then(|chain| chain.waiting.pop_front()) else { break };
        data.push(audit_row(row));
    }
    let ended = chains.iter().all(|chain| chain.ended && chain.waiting.is_empty());
    let before = chains.iter().map(Chain::place).collect();
    let next_cursor = if ended { None } else { Some(write(&AuditCursor { before })?) };
    Ok(Page { data, next_cursor })
}

/// An audit row as the gateway shows it.
pub(crate) fn audit_row(row: audit::AuditRow) -> AuditRow {
    let user = row.user().cloned();
    let reason = row.reason().map(str::to_owned);
    let chained = row.chained;
    AuditRow {
        id: format!("evt_{}_{}", row.shard, chained.sequence),
        shard: row.shard,
        sequence: chained.sequence,
        at: chained.at,
        event_type: chained.event_type,
        user,
        pseudonym: chained.pseudonym.map(|pseudonym| pseudonym.to_string()),
        factor_id: chained.factor_id.map(|id| id.to_string()),
        challenge_id: chained.challenge_id.map(|id| id.to_string()),
        actor: chained.actor.map(|id| id.to_string()),
        ip_address: row.annex.and_then(|annex| annex.ip_address).map(|ip| ip.to_string()),
        outcome: chained.outcome,
        reason,
        details: chained.details,
        chained: row.export.chained,
        annex: row.export.annex,
        hash: row.export.hash,
    }
}
