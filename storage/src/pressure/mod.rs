//! What is counted over many users, in memory, from the audit rows that this node applied: how
//! often an address failed and for how many users, how often a key reset somebody, and which alerts
//! were told. Signs, never reasons to refuse by themselves. An address counts with its
//! [`block`], since whoever has one IPv6 address has many.
//!
//! Kept within bounds, and read again from the audit log at open and after a snapshot. Users are
//! known by their stand-ins in the log alone.

mod addresses;
mod resets;
mod told;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::address::block;
use countersign_core::alerts::{self, Pressure};
use countersign_core::audit::{FACTORS_RESET, is_failed_proof};
use countersign_core::ids::{KeyId, Pseudonym, ShardId, TenantId};
use countersign_core::time::{HOUR_MS, Timestamp};

use self::addresses::Addresses;
pub use self::addresses::COUNTED_MAX;
use self::resets::Resets;
use self::told::Told;
use crate::audit::Chained;

/// For how long anything here counts.
pub(crate) const WINDOW_MS: i64 = HOUR_MS;

/// An audit row that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    tenant: TenantId,
    at: Timestamp,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A proof was read and found wrong.
    Failed { address: IpAddr, user: Option<Pseudonym> },
    /// That an address fails for many was told.
    AddressTold(IpAddr),
    /// A user was reset with a key.
    Reset(KeyId),
    /// That a key resets many was told.
    ResetsTold(KeyId),
}

impl Sign {
    /// What a row tells; `address` reads the row's address where it matters. What is counted over
    /// all shards is counted by real time, which the row's is ahead of by `ahead_ms`.
    pub(crate) fn of<E>(
        row: &Chained,
        ahead_ms: i64,
        address: impl FnOnce() -> Result<Option<IpAddr>, E>,
    ) -> Result<Option<Self>, E> {
        let what = match row.event_type.as_str() {
            alerts::ADDRESS_FAILURES => address()?.map(What::AddressTold),
            alerts::RESET_BURST => row.actor.map(What::ResetsTold),
            FACTORS_RESET => row.actor.map(What::Reset),
            kind if is_failed_proof(kind, row.outcome, row.reason.as_deref()) => {
                let user = row.pseudonym;
                address()?.map(|address| What::Failed { address, user })
            }
            _ => None,
        };
        let at = row.at.plus_millis(-ahead_ms);
        Ok(what.map(|what| Self { tenant: row.tenant.clone(), at, what }))
    }
}

/// All that is counted.
#[derive(Default)]
pub(crate) struct Pressures(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    addresses: Addresses,
    resets: Resets,
    addresses_told: Told<(TenantId, IpAddr)>,
    resets_told: Told<KeyId>,
}

impl Pressures {
    /// Counts what a shard told.
    pub(crate) fn note(&self, shard: ShardId, sign: Sign) {
        let mut counts = self.lock();
        let Sign { tenant, at, what } = sign;
        match what {
            What::Failed { address, user } => {
                counts.addresses.note((tenant, block(address)), user, at, shard);
            }
            What::AddressTold(address) => {
                counts.addresses_told.note((tenant, block(address)), at, shard);
            }
            What::Reset(key) => counts.resets.note(key, at, shard),
            What::ResetsTold(key) => counts.resets_told.note(key, at, shard),
        }
    }

    /// Forgets what a shard told, before its audit log is read again.
    pub(crate) fn forget(&self, shard: ShardId) {
        let mut counts = self.lock();
        counts.addresses.forget(shard);
        counts.resets.forget(shard);
        counts.addresses_told.forget(shard);
        counts.resets_told.forget(shard);
    }

    /// Failures from an address within ten minutes.
    pub(crate) fn failures(&self, tenant: &TenantId, address: IpAddr, now: Timestamp) -> u32 {
        self.lock().addresses.failures(&(tenant.clone(), block(address)), now)
    }

    /// What was counted about an address, leaving out one user by the stand-in in the log, and about
    /// a key.
    pub(crate) fn about(
        &self,
        tenant: &TenantId,
        user: Option<Pseudonym>,
        address: Option<IpAddr>,
        key: Option<KeyId>,
        now: Timestamp,
    ) -> Pressure {
        let counts = self.lock();
        let mut pressure = Pressure::default();
        if let Some(address) = address {
            let place = (tenant.clone(), block(address));
            pressure.other_users_failing = counts.addresses.other_users(&place, user, now);
            pressure.address_told = counts.addresses_told.lately(&place, now);
        }
        if let Some(key) = key {
            pressure.resets = counts.resets.count(key, now);
            pressure.resets_told = counts.resets_told.lately(&key, now);
        }
        pressure
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use countersign_core::audit::AuditOutcome;
    use countersign_core::factor::webauthn::failure::CeremonyFailure;

    use super::*;

    fn row(event_type: &str, outcome: AuditOutcome, reason: Option<&str>) -> Chained {
        Chained {
            sequence: 1,
            at: Timestamp::from_millis(1_000),
            tenant: TenantId::default_tenant(),
            pseudonym: Some(Pseudonym::from_bytes([2; 16])),
            event_type: event_type.to_owned(),
            outcome,
            reason: reason.map(str::to_owned),
            factor_id: None,
            challenge_id: None,
            actor: Some(KeyId::from_bytes([3; 16])),
            details: BTreeMap::new(),
            annex: None,
        }
    }

    fn what(row: &Chained, address: Option<IpAddr>) -> Option<What> {
        let Ok(sign) = Sign::of(row, 0, || Ok::<_, Infallible>(address));
        sign.map(|sign| sign.what)
    }

    #[test]
    fn a_row_counts_as_what_it_tells_and_no_alert_as_a_failure() {
        use AuditOutcome::{Failure, Success};
        let address = IpAddr::from([1, 2, 3, 4]);
        let user = Some(Pseudonym::from_bytes([2; 16]));
        let wrong = row("mfa.challenge.failed", Failure, Some("invalid_code"));
        assert_eq!(what(&wrong, Some(address)), Some(What::Failed { address, user }));
        assert_eq!(what(&wrong, None), None);
        for event_type in ["mfa.challenge.failed", "mfa.assertion.failed"] {
            for failure in CeremonyFailure::ALL {
                let of_key = row(event_type, Failure, Some(failure.as_str()));
                let counted = Some(What::Failed { address, user });
                assert_eq!(what(&of_key, Some(address)), counted, "{failure:?}");
            }
        }
        let lowered = row(alerts::COUNTER_LOWERED, Failure, Some("counter"));
        assert_eq!(what(&lowered, Some(address)), None);
        let late = row("mfa.challenge.failed", Failure, Some("code_expired"));
        assert_eq!(what(&late, Some(address)), None);
        let told = row(alerts::ADDRESS_FAILURES, Failure, Some("invalid_code"));
        assert_eq!(what(&told, Some(address)), Some(What::AddressTold(address)));
        let alert = row(alerts::BRUTE_FORCE, Failure, Some("invalid_code"));
        assert_eq!(what(&alert, Some(address)), None);
        let key = KeyId::from_bytes([3; 16]);
        assert_eq!(what(&row(FACTORS_RESET, Success, None), None), Some(What::Reset(key)));
        let burst = row(alerts::RESET_BURST, Success, None);
        assert_eq!(what(&burst, None), Some(What::ResetsTold(key)));
    }

    #[test]
    fn failures_are_counted_by_network_and_by_the_ipv4_address_that_is_meant() {
        let pressures = Pressures::default();
        let tenant = TenantId::default_tenant();
        let fail = |address: &str| {
            let what = What::Failed { address: address.parse().unwrap(), user: None };
            let at = Timestamp::from_millis(1_000);
            pressures.note(ShardId(1), Sign { tenant: tenant.clone(), at, what });
        };
        let failures = |address: &str| {
            pressures.failures(&tenant, address.parse().unwrap(), Timestamp::from_millis(2_000))
        };
        for host in 0..12 {
            fail(&format!("2001:db8:1:2::{host:x}"));
        }
        assert_eq!(failures("2001:db8:1:2:ffff::1"), 12);
        assert_eq!(failures("2001:db8:1:3::1"), 0);
        fail("198.51.100.7");
        fail("64:ff9b::198.51.100.7");
        fail("2002:c633:6407::1");
        assert_eq!(failures("::ffff:198.51.100.7"), 3);
        let what = What::AddressTold("2001:db8:1:2::1".parse().unwrap());
        let at = Timestamp::from_millis(1_000);
        pressures.note(ShardId(1), Sign { tenant: tenant.clone(), at, what });
        let address = "2001:db8:1:2::9".parse().ok();
        let about = pressures.about(&tenant, None, address, None, Timestamp::from_millis(2_000));
        assert!(about.address_told);
    }

    #[test]
    fn the_user_at_hand_is_left_out_of_those_that_fail() {
        let pressures = Pressures::default();
        let tenant = TenantId::default_tenant();
        let address = IpAddr::from([1, 2, 3, 4]);
        for number in 1..=3 {
            let row = Chained {
                pseudonym: Some(Pseudonym::from_bytes([number; 16])),
                ..row("mfa.challenge.failed", AuditOutcome::Failure, Some("invalid_code"))
            };
            let Ok(sign) = Sign::of(&row, 0, || Ok::<_, Infallible>(Some(address)));
            pressures.note(ShardId(u16::from(number)), sign.unwrap());
        }
        let now = Timestamp::from_millis(2_000);
        let others = |user: Option<u8>| {
            let user = user.map(|number| Pseudonym::from_bytes([number; 16]));
            pressures.about(&tenant, user, Some(address), None, now).other_users_failing
        };
        assert_eq!((others(None), others(Some(1)), others(Some(9))), (3, 2, 3));
        pressures.forget(ShardId(3));
        assert_eq!(others(Some(1)), 1);
    }
}
