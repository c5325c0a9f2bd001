//! How many connections each address has open without having sent a valid API key.
//!
//! A connection over which a valid key came is not counted any more, and one from a trusted proxy
//! never is: so neither an application nor a load balancer is held up by a bound for strangers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_api::{TrustedProxies, counted_as};

/// The connections of each address.
pub(super) struct Addresses {
    most: usize,
    trusted: TrustedProxies,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is counted, until dropped.
pub(super) struct Counted {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most so many for each address that is no trusted proxy's.
    pub(super) fn new(most: usize, trusted: TrustedProxies) -> Arc<Self> {
        Arc::new(Self { most, trusted, open: Mutex::default() })
    }

    /// Counts one more from this address.
    ///
    /// # Errors
    /// If it has as many as it may have.
    pub(super) fn count(self: &Arc<Self>, peer: IpAddr) -> Result<Option<Counted>, TooMany> {
        if self.trusted.trusts(peer) {
            return Ok(None);
        }
        let address = counted_as(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= self.most {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Some(Counted { addresses: Arc::clone(self), address }))
    }
}

/// An address has as many connections as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_own_bound_and_trusted_proxies_have_none() {
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let addresses = Addresses::new(2, TrustedProxies { networks, ..TrustedProxies::default() });
        let count = |text: &str| addresses.count(text.parse().unwrap());
        let held = [count("2001:db8::1").unwrap(), count("2001:db8::2").unwrap()];
        assert_eq!(count("2001:db8::3").err(), Some(TooMany));
        assert!(count("2001:db8:0:1::3").is_ok() && count("192.0.2.7").is_ok());
        for _ in 0..5 {
            assert!(count("10.1.2.3").unwrap().is_none());
        }
        drop(held);
        assert!(count("2001:db8::3").is_ok());
        assert!(addresses.open.lock().unwrap().is_empty());
    }
}
