//! Finds a hole in what a power cut left.
//!
//! Recovery replays one write-ahead log file after another and tolerates a torn end in each. If
//! the power goes just after RocksDB began a new file, the unsynced end of the old one may be lost
//! while a piece of the new one is there: nothing that was acknowledged is missing, but a batch of
//! applied entries would be, below later ones, and the replica would differ from the others for
//! ever without knowing. So every batch numbers itself, in a few rows used in turn, and at open
//! the last numbers must be without a gap.

use countersign_core::ids::ShardId;

use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::records;

/// How many of the last numbers are kept. What lies between two syncs is what can be torn, and a
/// shard applies far fewer batches than this in that time.
const KEPT: u64 = 64;

/// Puts the number of a batch into it.
pub(crate) fn number(
    batch: &mut Batch<'_>,
    shard: ShardId,
    number: u64,
) -> Result<(), StorageError> {
    let key = keys::batch(shard, place(number));
    batch.put(Family::Meta, &key, &records::encode("batch number", &number)?)
}

/// Forgets all numbers: the next batch is the first again.
pub(crate) fn begin_again(batch: &mut Batch<'_>, shard: ShardId) -> Result<(), StorageError> {
    let prefix = keys::single(shard, keys::meta::BATCH);
    batch.delete_range(Family::Meta, &prefix, &keys::after(&prefix))
}

/// Reads the number of the last batch; 0 before the first.
///
/// # Errors
/// If a batch below it is missing.
pub(crate) fn last(database: &Database, shard: ShardId) -> Result<u64, StorageError> {
    let prefix = keys::single(shard, keys::meta::BATCH);
    let mut numbers = Vec::new();
    for row in database.walk(Family::Meta, &prefix, &keys::after(&prefix))? {
        let (_, bytes) = row.map_err(StorageError::database("read batch numbers"))?;
        numbers.push(records::decode::<u64>("batch number", shard, &bytes)?);
    }
    numbers.sort_unstable();
    let last = numbers.last().copied().unwrap_or(0);
    let expected = last.saturating_sub(KEPT) + 1..=last;
    if numbers.iter().copied().eq(expected) {
        return Ok(last);
    }
    Err(StorageError::Damaged {
        path: "the database".into(),
        reason: format!("shard {shard} lacks a batch that was applied before number {last}"),
    })
}

fn place(number: u64) -> u8 {
    // Less than `KEPT`, so it fits.
    u8::try_from(number % KEPT).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::StoreOptions;

    const SHARD: ShardId = ShardId(5);

    fn write(database: &Database, one: u64) {
        let mut batch = database.batch();
        number(&mut batch, SHARD, one).unwrap();
        batch.write().unwrap();
    }

    #[test]
    fn a_batch_that_is_missing_below_later_ones_is_noticed() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::open(folder.path(), &StoreOptions::default()).unwrap();
        assert_eq!(last(&database, SHARD).unwrap(), 0);
        for one in 1..=150 {
            write(&database, one);
            assert_eq!(last(&database, SHARD).unwrap(), one);
        }
        // 151 was lost.
        write(&database, 152);
        assert!(matches!(last(&database, SHARD), Err(StorageError::Damaged { .. })));
    }

    #[test]
    fn counting_begins_again_where_the_state_was_replaced() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::open(folder.path(), &StoreOptions::default()).unwrap();
        for one in [1, 2, 4] {
            write(&database, one);
        }
        assert!(last(&database, SHARD).is_err());
        let mut batch = database.batch();
        begin_again(&mut batch, SHARD).unwrap();
        batch.write().unwrap();
        assert_eq!(last(&database, SHARD).unwrap(), 0);
        write(&database, 1);
        assert_eq!(last(&database, SHARD).unwrap(), 1);
    }

    #[test]
    fn a_batch_that_is_missing_among_the_first_is_noticed() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::open(folder.path(), &StoreOptions::default()).unwrap();
        write(&database, 1);
        write(&database, 3);
        assert!(last(&database, SHARD).is_err());
    }
}
