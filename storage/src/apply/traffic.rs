//! Messages counted by where they go: one row for each [`LaneKey`], changed by the commits that make
//! and accept codes, so that every node knows the same of all users.

use countersign_core::ids::TenantId;
use countersign_core::sending::{LaneKey, TrafficCounts};
use countersign_core::time::{DAY_MS, HOUR_MS, Timestamp};

use super::Run;
use crate::error::StorageError;
use crate::keys::outbox;
use crate::records;

/// When a row is looked at first: one that was touched but once is over by then.
const LOOKED_AT_AFTER_MS: i64 = DAY_MS + HOUR_MS;

impl Run<'_> {
    /// Changes the counts under one key.
    pub(super) fn count(
        &mut self,
        tenant: &TenantId,
        key: &LaneKey,
        at: Timestamp,
        change: impl FnOnce(&mut TrafficCounts),
    ) -> Result<(), StorageError> {
        let row_key = outbox::traffic(self.shard, tenant, key);
        let old = self.row(&row_key)?;
        let mut counts: TrafficCounts =
            self.decoded("traffic", old.as_deref())?.unwrap_or_default();
        change(&mut counts);
        if old.is_none() {
            self.look_at(at.plus_millis(LOOKED_AT_AFTER_MS), &row_key)?;
        }
        self.replace(row_key, old.as_deref(), Some(records::encode("traffic", &counts)?));
        Ok(())
    }

    /// Whether counts have nothing that still counts at `clock`; if they do, when to look again.
    pub(super) fn traffic_is_over(
        &self,
        bytes: &[u8],
        clock: Timestamp,
    ) -> Result<Result<(), Timestamp>, StorageError> {
        let counts: TrafficCounts = records::decode("traffic", self.shard, bytes)?;
        Ok(match counts.is_over(clock) {
            true => Ok(()),
            false => Err(clock.plus_millis(DAY_MS)),
        })
    }
}
