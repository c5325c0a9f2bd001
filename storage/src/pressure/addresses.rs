//! How often an address failed lately, and for how many users of a tenant. An attacker who floods
//! this with addresses pushes out the quietest ones, not the one that keeps failing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use countersign_core::ids::{Pseudonym, ShardId, TenantId};
use countersign_core::risk::ADDRESS_WINDOW_MS;
use countersign_core::time::Timestamp;

/// Counting an address's failures stops here.
pub const COUNTED_MAX: usize = 64;
/// Counting the users for whom an address failed stops here: at the highest threshold, see
/// [`countersign_core::alerts::AlertSettings::address_users`].
const USERS_COUNTED_MAX: usize = 1_000;
/// Addresses remembered at most, over all tenants.
const ADDRESSES_MAX: usize = 50_000;
/// Users remembered at most, over all addresses.
const USERS_MAX: usize = 100_000;

type Place = (TenantId, IpAddr);

/// What is known of all addresses.
#[derive(Default)]
pub(super) struct Addresses {
    by_place: HashMap<Place, Address>,
    /// Users in all of them.
    users: usize,
}

/// What is known of one address, and which shard told.
#[derive(Default)]
struct Address {
    /// The last failures, newest last.
    failures: VecDeque<(Timestamp, ShardId)>,
    /// The last failure of each user.
    users: HashMap<Pseudonym, (Timestamp, ShardId)>,
}

impl Address {
    /// Forgets what does not fit.
    fn keep(&mut self, fits: impl Fn(&(Timestamp, ShardId)) -> bool) {
        self.failures.retain(&fits);
        self.users.retain(|_, last| fits(last));
    }

    fn is_quiet(&self) -> bool {
        self.failures.is_empty() && self.users.is_empty()
    }

    /// Makes room for one more user where there is none.
    fn make_room(&mut self) {
        if self.users.len() < USERS_COUNTED_MAX {
            return;
        }
        let oldest = self.users.iter().min_by_key(|(_, (at, _))| *at).map(|(user, _)| *user);
        if let Some(user) = oldest {
            self.users.remove(&user);
        }
    }
}

impl Addresses {
    pub(super) fn note(
        &mut self,
        place: Place,
        user: Option<Pseudonym>,
        at: Timestamp,
        shard: ShardId,
    ) {
        let is_new = !self.by_place.contains_key(&place);
        if (is_new && self.by_place.len() >= ADDRESSES_MAX) || self.users >= USERS_MAX {
            self.make_room(at);
        }
        let address = self.by_place.entry(place).or_default();
        let before = address.users.len();
        address.failures.push_back((at, shard));
        if address.failures.len() > COUNTED_MAX {
            address.failures.pop_front();
        }
        if let Some(user) = user {
            if !address.users.contains_key(&user) {
                address.make_room();
            }
            address.users.insert(user, (at, shard));
        }
        self.users = self.users - before + address.users.len();
    }

    pub(super) fn forget(&mut self, shard: ShardId) {
        self.keep(|(_, source)| *source != shard);
    }

    pub(super) fn failures(&self, place: &Place, now: Timestamp) -> u32 {
        let Some(address) = self.by_place.get(place) else { return 0 };
        let recent = address.failures.iter().filter(|(at, _)| is_recent(*at, now)).count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    /// For how many users other than `user` an address failed.
    pub(super) fn other_users(
        &self,
        place: &Place,
        user: Option<Pseudonym>,
        now: Timestamp,
    ) -> u32 {
        let Some(address) = self.by_place.get(place) else { return 0 };
        let others = address
            .users
            .iter()
            .filter(|(other, (at, _))| Some(**other) != user && is_recent(*at, now));
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    }

    /// Drops what is too old to count, and if that is not enough, the quietest eighth.
    fn make_room(&mut self, now: Timestamp) {
        self.keep(|(at, _)| is_recent(*at, now));
        let (addresses, users) = (ADDRESSES_MAX / 8 * 7, USERS_MAX / 8 * 7);
        if self.by_place.len() <= addresses && self.users <= users {
            return;
        }
        let mut by_noise: Vec<_> = self
            .by_place
            .iter()
            .map(|(place, one)| {
                let last = one.failures.back().map(|(at, _)| *at);
                (one.failures.len() + one.users.len(), last, place.clone())
            })
            .collect();
        by_noise.sort_unstable_by_key(|one| (one.0, one.1));
        for (_, _, place) in by_noise {
            if self.by_place.len() <= addresses && self.users <= users {
                return;
            }
            let removed = self.by_place.remove(&place);
            self.users -= removed.map_or(0, |address| address.users.len());
        }
    }

    fn keep(&mut self, fits: impl Fn(&(Timestamp, ShardId)) -> bool) {
        self.by_place.retain(|_, address| {
            address.keep(&fits);
            !address.is_quiet()
        });
        self.users = self.by_place.values().map(|address| address.users.len()).sum();
    }
}

const fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.millis_since(at) < ADDRESS_WINDOW_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: [u8; 4]) -> Place {
        (TenantId::default_tenant(), IpAddr::from(address))
    }

    fn user(number: u32) -> Option<Pseudonym> {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Some(Pseudonym::from_bytes(bytes))
    }

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_failure_counts_for_ten_minutes_and_for_its_own_tenant() {
        let mut addresses = Addresses::default();
        let here = place([1, 2, 3, 4]);
        addresses.note(here.clone(), user(1), at(1_000), ShardId(1));
        addresses.note(here.clone(), user(2), at(2_000), ShardId(2));
        assert_eq!(addresses.failures(&here, at(3_000)), 2);
        assert_eq!(addresses.failures(&here, at(1_000 + ADDRESS_WINDOW_MS)), 1);
        assert_eq!(addresses.other_users(&here, None, at(1_000 + ADDRESS_WINDOW_MS)), 1);
        let other = ("other".parse().unwrap(), here.1);
        assert_eq!(addresses.failures(&other, at(3_000)), 0);
        addresses.forget(ShardId(2));
        assert_eq!(addresses.failures(&here, at(3_000)), 1);
        assert_eq!(addresses.users, 1);
    }

    #[test]
    fn a_user_who_fails_often_is_one_user() {
        let mut addresses = Addresses::default();
        let here = place([1, 2, 3, 4]);
        for second in 0..50 {
            addresses.note(here.clone(), user(1), at(second * 1_000), ShardId(1));
        }
        assert_eq!(addresses.failures(&here, at(50_000)), 50);
        assert_eq!(addresses.other_users(&here, None, at(50_000)), 1);
        assert_eq!(addresses.other_users(&here, user(1), at(50_000)), 0);
        // It is the last failure that counts.
        assert_eq!(addresses.other_users(&here, None, at(40_000 + ADDRESS_WINDOW_MS)), 1);
    }

    #[test]
    fn a_flood_of_addresses_stays_within_the_bound_and_keeps_the_loud_one() {
        let mut addresses = Addresses::default();
        let loud = place([9, 9, 9, 9]);
        for number in 0..20 {
            addresses.note(loud.clone(), user(number), at(0), ShardId(0));
        }
        for number in 0..120_000u32 {
            addresses.note(place(number.to_be_bytes()), user(number), at(1_000), ShardId(0));
        }
        assert!(addresses.by_place.len() <= ADDRESSES_MAX);
        assert_eq!(addresses.failures(&loud, at(2_000)), 20);
        assert_eq!(addresses.other_users(&loud, None, at(2_000)), 20);
    }

    #[test]
    fn a_flood_of_users_stays_within_the_bounds() {
        let mut addresses = Addresses::default();
        for number in 0..300_000u32 {
            let from = place((number / 2_000).to_be_bytes());
            addresses.note(from, user(number), at(i64::from(number)), ShardId(0));
            assert!(addresses.users <= USERS_MAX);
        }
        let kept: usize = addresses.by_place.values().map(|one| one.users.len()).sum();
        assert_eq!(addresses.users, kept);
        let last = place((299_999u32 / 2_000).to_be_bytes());
        assert_eq!(addresses.other_users(&last, None, at(300_000)), 1_000);
        assert_eq!(addresses.failures(&last, at(300_000)), COUNTED_MAX as u32);
    }
}
