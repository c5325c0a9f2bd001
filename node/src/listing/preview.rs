//! Looking at all users of a tenant to say whom another policy would affect: from what this node has
//! applied, a few at a time, for no longer than a few seconds, and one such look at a time, so that
//! it never stands in the way of logins.
//!
//! Users lie in their shards by the hash of their ids, so the shards that were looked at when time is
//! up are a fair share of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_actors::gateway::{GatewayError, PolicyPreview};
use countersign_core::ids::ShardId;
use countersign_core::preview::Preview;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use tokio::time::{Instant, timeout};

use super::budget::reading_while_wanted;
use super::{Listing, fault};

/// How long it may look.
pub(crate) const LOOKS_FOR: Duration = Duration::from_secs(4);
/// How long it waits for another look to end.
const WAITS_FOR: Duration = Duration::from_secs(3);
/// Users that are read at once.
const CHUNK: usize = 250;

impl Listing {
    /// Whom it would affect if `current` became `next`, as of `now`.
    pub(crate) async fn preview(
        &self,
        current: Arc<TenantState>,
        next: TenantState,
        now: Timestamp,
        looks_for: Duration,
    ) -> Result<PolicyPreview, GatewayError> {
        let permit = timeout(WAITS_FOR, Arc::clone(&self.scans).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(GatewayError::Overloaded) };
        let listing = self.clone();
        reading_while_wanted(move |given_up| {
            // Held until the reading has ended, even if nobody waits for it any more.
            let _permit = permit;
            listing.look(&current, &next, now, looks_for, &given_up)
        })
        .await
    }

    fn look(
        &self,
        current: &TenantState,
        next: &TenantState,
        now: Timestamp,
        looks_for: Duration,
        given_up: &AtomicBool,
    ) -> Result<PolicyPreview, GatewayError> {
        let begun = Instant::now();
        let is_over = || begun.elapsed() >= looks_for || given_up.load(Ordering::Relaxed);
        let mut found = Preview::default();
        let mut of_whole_shards = 0;
        for shard in 0..self.shards {
            let rows = self.store.rows(ShardId(shard));
            let mut after = None;
            loop {
                let page = rows.users_page(&current.id, after.as_ref(), CHUNK).map_err(fault)?;
                for (_, state) in &page {
                    found.add(current, next, state, now);
                }
                if page.len() < CHUNK {
                    break;
                }
                after = page.into_iter().next_back().map(|(id, _)| id);
                if is_over() {
                    return Ok(self.share(found, of_whole_shards, shard));
                }
            }
            of_whole_shards = found.scanned;
            if is_over() && shard + 1 < self.shards {
                return Ok(self.share(found, of_whole_shards, shard + 1));
            }
        }
        Ok(PolicyPreview { found, complete: true, users: Some(found.scanned) })
    }

    /// What was found when time was up, with `whole` shards looked through.
    fn share(&self, found: Preview, of_whole_shards: u64, whole: u16) -> PolicyPreview {
        let all = of_whole_shards.saturating_mul(u64::from(self.shards));
        let users = all.checked_div(u64::from(whole)).map(|users| users.max(found.scanned));
        PolicyPreview { found, complete: false, users }
    }
}
