//! How often an address failed lately, over all users of a tenant: a sign of risk, never a reason
//! to refuse by itself. Kept in memory within a bound; an attacker who floods it with addresses
//! pushes out the quietest ones, not the one that keeps failing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::ids::{ShardId, TenantId};
use countersign_core::time::{MINUTE_MS, Timestamp};

/// For how long a failure counts.
pub(crate) const WINDOW_MS: i64 = 10 * MINUTE_MS;
/// Counting an address's failures stops here.
pub const COUNTED_MAX: usize = 64;
/// Addresses remembered at most, over all tenants.
const ADDRESSES_MAX: usize = 50_000;

/// A failed verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) tenant: TenantId,
    pub(crate) address: IpAddr,
    pub(crate) at: Timestamp,
}

/// The last failures of each address, newest last, and the shard that told of each.
type Counts = HashMap<(TenantId, IpAddr), VecDeque<(Timestamp, ShardId)>>;

/// How often each address failed lately.
#[derive(Default)]
pub(crate) struct Failures {
    by_address: Mutex<Counts>,
}

impl Failures {
    pub(crate) fn note(&self, shard: ShardId, failure: &Failure) {
        let mut counts = self.lock();
        let key = (failure.tenant.clone(), failure.address);
        if counts.len() >= ADDRESSES_MAX && !counts.contains_key(&key) {
            make_room(&mut counts, failure.at);
        }
        let times = counts.entry(key).or_default();
        times.push_back((failure.at, shard));
        if times.len() > COUNTED_MAX {
            times.pop_front();
        }
    }

    /// Forgets what a shard told, before its audit log is read again.
    pub(crate) fn forget(&self, shard: ShardId) {
        let mut counts = self.lock();
        for times in counts.values_mut() {
            times.retain(|(_, source)| *source != shard);
        }
        counts.retain(|_, times| !times.is_empty());
    }

    pub(crate) fn count(&self, tenant: &TenantId, address: IpAddr, now: Timestamp) -> u32 {
        let counts = self.lock();
        let Some(times) = counts.get(&(tenant.clone(), address)) else { return 0 };
        let recent = times.iter().filter(|(at, _)| now.millis_since(*at) < WINDOW_MS).count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what is too old to count, and if that is not enough, the quietest eighth.
fn make_room(counts: &mut Counts, now: Timestamp) {
    counts.retain(|_, times| {
        times.retain(|(at, _)| now.millis_since(*at) < WINDOW_MS);
        !times.is_empty()
    });
    let target = ADDRESSES_MAX - ADDRESSES_MAX / 8;
    if counts.len() <= target {
        return;
    }
    let mut by_noise: Vec<_> = counts
        .iter()
        .map(|(key, times)| (times.len(), times.back().map(|(at, _)| *at), key.clone()))
        .collect();
    by_noise.sort_unstable_by_key(|one| (one.0, one.1));
    for (_, _, key) in by_noise.into_iter().take(counts.len() - target) {
        counts.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(address: [u8; 4], at: i64) -> Failure {
        Failure {
            tenant: TenantId::default_tenant(),
            address: IpAddr::from(address),
            at: Timestamp::from_millis(at),
        }
    }

    #[test]
    fn a_failure_counts_for_ten_minutes_and_for_its_own_tenant() {
        let failures = Failures::default();
        failures.note(ShardId(1), &failure([1, 2, 3, 4], 1_000));
        failures.note(ShardId(2), &failure([1, 2, 3, 4], 2_000));
        let address = IpAddr::from([1, 2, 3, 4]);
        let at = |millis| Timestamp::from_millis(millis);
        let tenant = TenantId::default_tenant();
        assert_eq!(failures.count(&tenant, address, at(3_000)), 2);
        assert_eq!(failures.count(&tenant, address, at(1_000 + WINDOW_MS)), 1);
        assert_eq!(failures.count(&"other".parse().unwrap(), address, at(3_000)), 0);
        failures.forget(ShardId(2));
        assert_eq!(failures.count(&tenant, address, at(3_000)), 1);
    }

    #[test]
    fn a_flood_of_addresses_stays_within_the_bound_and_keeps_the_loud_one() {
        let failures = Failures::default();
        let loud = IpAddr::from([9, 9, 9, 9]);
        for _ in 0..20 {
            failures.note(ShardId(0), &failure([9, 9, 9, 9], 0));
        }
        for number in 0..120_000u32 {
            failures.note(ShardId(0), &failure(number.to_be_bytes(), 1_000));
        }
        assert!(failures.lock().len() <= ADDRESSES_MAX);
        let now = Timestamp::from_millis(2_000);
        assert_eq!(failures.count(&TenantId::default_tenant(), loud, now), 20);
    }
}
