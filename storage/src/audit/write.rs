//! Growing, erasing and trimming a chain, as part of a batch of applied entries.

use countersign_core::audit::AuditEntry;
use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserId};
use countersign_core::time::Timestamp;
use sha2::{Digest, Sha256};

use super::{Chained, link, public_pseudonym, salt};
use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::records::{self, Annex, AuditRecord, ChainPoint};

/// Annexes of rows that are no user's lie under this stand-in.
const NOBODY: Pseudonym = Pseudonym::from_bytes([0; 16]);

/// Rows that one command trims at most.
const TRIMMED_MAX: u64 = 1_000;

/// Whom and what an entry is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) shard: ShardId,
    pub(crate) log_index: u64,
    pub(crate) at: Timestamp,
    pub(crate) tenant: Option<&'a TenantId>,
    /// The user's own pseudonym, as its row has it.
    pub(crate) secret: Option<Pseudonym>,
    /// The user; `None` leaves no annex, as is right for a user who ends with this entry.
    pub(crate) user: Option<&'a UserId>,
}

/// Adds a row to the chain whose head is `head`, and answers what was chained.
pub(crate) fn append(
    batch: &mut Batch<'_>,
    head: &mut ChainPoint,
    subject: &Subject<'_>,
    entry: &AuditEntry,
) -> Result<Chained, StorageError> {
    let shard = subject.shard;
    let sequence = head.sequence + 1;
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
        let key = keys::annex(shard, pseudonym.unwrap_or(NOBODY), sequence);
        batch.put(Family::Audit, &key, &bytes)?;
    }
    let chained = Chained {
        sequence,
        at: subject.at,
        log_index: subject.log_index,
        tenant: subject.tenant.cloned(),
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
    let hash = link(&head.hash, &bytes);
    let record = records::encode("audit row", &AuditRecord { hash, chained: bytes })?;
    batch.put(Family::Audit, &keys::audit_row(shard, sequence), &record)?;
    if let Some(tenant) = subject.tenant {
        batch.put(Family::Audit, &keys::audit_by_tenant(shard, tenant, sequence), &[])?;
    }
    *head = ChainPoint { sequence, hash, at: subject.at };
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

/// Removes rows older than `before` from the chain's beginning, a bounded number of them, and
/// leaves an anchor from which the rest verifies. Says whether there is more to remove.
///
/// Reads the database, so nothing of the chain may be waiting in the batch.
pub(crate) fn trim(
    database: &Database,
    batch: &mut Batch<'_>,
    shard: ShardId,
    before: Timestamp,
) -> Result<bool, StorageError> {
    let anchor = super::read::anchor(database, shard)?;
    let from = keys::audit_row(shard, anchor.sequence + 1);
    let rows = keys::single(shard, keys::audit::ROW);
    let mut last = anchor;
    let mut more = false;
    for row in database.walk(Family::Audit, &from, &keys::after(&rows))? {
        let (_, bytes) = row.map_err(StorageError::database("read the audit log"))?;
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
            let pseudonym = chained.pseudonym.unwrap_or(NOBODY);
            batch.delete(Family::Audit, &keys::annex(shard, pseudonym, chained.sequence))?;
        }
        if let Some(tenant) = &chained.tenant {
            let key = keys::audit_by_tenant(shard, tenant, chained.sequence);
            batch.delete(Family::Audit, &key)?;
        }
        last = ChainPoint { sequence: chained.sequence, hash: record.hash, at: chained.at };
    }
    if last.sequence > anchor.sequence {
        let to = keys::audit_row(shard, last.sequence + 1);
        batch.delete_range(Family::Audit, &from, &to)?;
        let key = keys::single(shard, keys::audit::ANCHOR);
        batch.put(Family::Audit, &key, &records::encode("audit anchor", &last)?)?;
    }
    Ok(more)
}
