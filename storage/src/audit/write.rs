//! Growing, erasing and trimming chains, as part of a batch of applied entries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use countersign_core::audit::AuditEntry;
use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserId};
use countersign_core::time::Timestamp;
use sha2::{Digest, Sha256};

use super::{Chained, link, nobody, public_pseudonym, salt};
use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::records::{self, Annex, AuditRecord, Chain, ChainPoint};

/// Rows that one command trims at most.
const TRIMMED_MAX: u64 = 1_000;

/// The chains of a shard that a batch changes, as it has left them so far.
#[derive(Default)]
pub(crate) struct Chains(HashMap<TenantId, Chain>);

impl Chains {
    /// A tenant's chain.
    pub(crate) fn of(
        &mut self,
        database: &Database,
        shard: ShardId,
        tenant: &TenantId,
    ) -> Result<&mut Chain, StorageError> {
        match self.0.entry(tenant.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => Ok(unknown.insert(super::chain(database, shard, tenant)?)),
        }
    }

    /// Puts them into the batch.
    pub(crate) fn write(&self, batch: &mut Batch<'_>, shard: ShardId) -> Result<(), StorageError> {
        for (tenant, chain) in &self.0 {
            let key = keys::audit_chain(shard, tenant);
            batch.put(Family::Audit, &key, &records::encode("audit chain", chain)?)?;
        }
        Ok(())
    }
}

/// Whom and what an entry is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) shard: ShardId,
    pub(crate) at: Timestamp,
    pub(crate) tenant: &'a TenantId,
    /// The user's own pseudonym, as its row has it.
    pub(crate) secret: Option<Pseudonym>,
    /// The user; `None` leaves no annex, as is right for a user who ends with this entry.
    pub(crate) user: Option<&'a UserId>,
}

/// Adds a row to its tenant's chain, behind the shard's last row `last`, and answers what was
/// chained.
pub(crate) fn append(
    batch: &mut Batch<'_>,
    last: &mut ChainPoint,
    chain: &mut Chain,
    subject: &Subject<'_>,
    entry: &AuditEntry,
) -> Result<Chained, StorageError> {
    let shard = subject.shard;
    let place = last.sequence + 1;
    let sequence = chain.head.sequence + 1;
    let pseudonym = subject.secret.map(public_pseudonym);
    let (stable, written) = match entry.reason_is_personal() {
        true => (None, entry.reason.clone()),
        false => (entry.reason.clone(), None),
    };
    let tells = entry.ip_address.is_some() || written.is_some();
    let personal = subject.user.is_some() || (subject.secret.is_none() && tells);
    let mut annex_digest = None;
    if personal {
        let annex = Annex {
            salt: salt(subject.secret, sequence),
            user: subject.user.cloned(),
            ip_address: entry.ip_address,
            reason: written,
        };
        let bytes = records::encode("annex", &annex)?;
        annex_digest = Some(Sha256::digest(&bytes).into());
        let key = keys::annex(shard, pseudonym.unwrap_or_else(|| nobody(subject.tenant)), sequence);
        batch.put(Family::Audit, &key, &bytes)?;
    }
    let chained = Chained {
        sequence,
        at: subject.at,
        tenant: subject.tenant.clone(),
        pseudonym,
        event_type: entry.event_type.clone(),
        outcome: entry.outcome,
        reason: stable,
        factor_id: entry.factor_id,
        challenge_id: entry.challenge_id,
        actor: entry.actor,
        details: entry.details.clone(),
        annex: annex_digest,
    };
    let bytes = records::encode("audit row", &chained)?;
    let hash = link(&chain.head.hash, &bytes);
    let record = records::encode("audit row", &AuditRecord { hash, chained: bytes })?;
    batch.put(Family::Audit, &keys::audit_row(shard, place), &record)?;
    let by_tenant = keys::audit_by_tenant(shard, subject.tenant, sequence);
    batch.put(Family::Audit, &by_tenant, &place.to_be_bytes())?;
    if subject.at < chain.head.at {
        chain.set_back = sequence;
    }
    chain.head = ChainPoint { sequence, hash, at: subject.at };
    *last = ChainPoint { sequence: place, hash, at: subject.at };
    Ok(chained)
}

/// Deletes all that the log has of a person. The chain stays.
pub(crate) fn erase_annexes(
    batch: &mut Batch<'_>,
    shard: ShardId,
    secret: Pseudonym,
) -> Result<(), StorageError> {
    let from = keys::annexes(shard, public_pseudonym(secret));
    batch.delete_range(Family::Audit, &from, &keys::after(&from))
}

/// Removes the shard's rows older than `before`, a bounded number of them, and notes in each chain
/// where the rest begins. Says whether there is more to remove.
///
/// Reads the database, so no row may be waiting in the batch.
pub(crate) fn trim(
    database: &Database,
    batch: &mut Batch<'_>,
    shard: ShardId,
    chains: &mut Chains,
    before: Timestamp,
) -> Result<bool, StorageError> {
    let anchor = super::read::anchor(database, shard)?;
    let from = keys::audit_row(shard, anchor.sequence + 1);
    let rows = keys::single(shard, keys::audit::ROW);
    let mut last = anchor;
    let mut more = false;
    for row in database.walk(Family::Audit, &from, &keys::after(&rows))? {
        let (key, bytes) = row.map_err(StorageError::database("read the audit log"))?;
        let record: AuditRecord = records::decode("audit row", shard, &bytes)?;
        let chained: Chained = records::decode("audit row", shard, &record.chained)?;
        if chained.at >= before {
            break;
        }
        if last.sequence - anchor.sequence == TRIMMED_MAX {
            more = true;
            break;
        }
        if chained.annex.is_some() {
            let pseudonym = chained.pseudonym.unwrap_or_else(|| nobody(&chained.tenant));
            batch.delete(Family::Audit, &keys::annex(shard, pseudonym, chained.sequence))?;
        }
        let by_tenant = keys::audit_by_tenant(shard, &chained.tenant, chained.sequence);
        batch.delete(Family::Audit, &by_tenant)?;
        let (hash, at) = (record.hash, chained.at);
        chains.of(database, shard, &chained.tenant)?.start =
            ChainPoint { sequence: chained.sequence, hash, at };
        last = ChainPoint { sequence: keys::last_sequence(&key).unwrap_or(0), hash, at };
    }
    if last.sequence > anchor.sequence {
        let to = keys::audit_row(shard, last.sequence + 1);
        batch.delete_range(Family::Audit, &from, &to)?;
        let key = keys::single(shard, keys::audit::ANCHOR);
        batch.put(Family::Audit, &key, &records::encode("audit anchor", &last)?)?;
    }
    Ok(more)
}
