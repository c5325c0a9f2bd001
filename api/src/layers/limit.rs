//! How much may be asked without a valid API key, by address.
//!
//! Each address has an allowance that fills up with time. A request takes one from it, a refused one
//! ten: guessing at keys, links and pages is dearer than reading. Whoever sends a valid key is not
//! counted, so a load balancer that nobody named as trusted does not hold up applications.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use crate::client::{ClientAddress, KeySeen, counted_as};
use crate::portal;
use crate::problem::Problem;
use crate::request::known_key;
use crate::state::ApiState;

/// What a refused request takes beyond the one that each takes.
const REFUSED: f64 = 9.0;
/// What `/metrics` takes beyond that: it is made anew each time.
const METRICS: f64 = 9.0;
/// The most addresses that are counted at once.
const ADDRESSES_MAX: usize = 65_536;

/// How much one address may ask without a valid key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestLimit {
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once after a quiet time.
    pub burst: f64,
}

impl Default for RequestLimit {
    /// Enough for an office behind one address that signs in at nine.
    fn default() -> Self {
        Self { per_second: 100.0, burst: 2_000.0 }
    }
}

/// What is left of one address's allowance.
#[derive(Clone, Copy)]
struct Allowance {
    left: f64,
    at: Instant,
}

/// The allowances of all addresses.
pub(crate) struct Limiter {
    limit: RequestLimit,
    addresses: Mutex<HashMap<IpAddr, Allowance>>,
}

impl Limiter {
    pub(crate) fn new(limit: RequestLimit) -> Self {
        Self { limit, addresses: Mutex::default() }
    }

    /// Takes so much from an address's allowance; else says in how many seconds there is some. What
    /// was already begun is `owed`: taken, even if there is not enough.
    fn take(&self, address: IpAddr, cost: f64, owed: bool, now: Instant) -> Result<(), u64> {
        let RequestLimit { per_second, burst } = self.limit;
        let filled = |one: &Allowance| {
            burst.min(one.left + now.saturating_duration_since(one.at).as_secs_f64() * per_second)
        };
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= ADDRESSES_MAX && !addresses.contains_key(&address) {
            addresses.retain(|_, one| filled(one) < burst);
            // Whoever has so many networks is not stopped by counting each; memory is bounded.
            if addresses.len() >= ADDRESSES_MAX {
                addresses.clear();
            }
        }
        let one = addresses.entry(address).or_insert(Allowance { left: burst, at: now });
        let left = filled(one);
        if left < cost && !owed {
            *one = Allowance { left, at: now };
            let seconds = ((cost - left) / per_second).ceil().max(1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small number of seconds"
            )]
            return Err(seconds as u64);
        }
        // Nobody owes more than one burst.
        *one = Allowance { left: (left - cost).max(-burst), at: now };
        Ok(())
    }
}

/// Refuses what comes too often from one address without a valid key.
pub(crate) async fn enforce(
    State(api): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = api.options.trusted_proxies.of(request.extensions(), request.headers());
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    if known_key(request.headers(), &api) {
        if let Some(seen) = request.extensions().get::<KeySeen>() {
            seen.note();
        }
        return next.run(request).await;
    }
    let path = request.uri().path();
    // Balancers and supervisors ask these; a node must not fall out because a neighbour is loud.
    let probe = matches!(path, "/healthz" | "/readyz");
    // A trusted proxy that does not tell whose request it is has one allowance for all of them.
    let peer = || request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let address = client.map(|ClientAddress(address)| address).or_else(peer);
    let Some(address) = address.filter(|_| !probe).map(counted_as) else {
        return next.run(request).await;
    };
    let cost = if path == "/metrics" { 1.0 + METRICS } else { 1.0 };
    if let Err(seconds) = api.limiter.take(address, cost, false, Instant::now()) {
        let problem = Problem::too_many_requests(seconds);
        return if portal::is_page(path) {
            portal::trouble_page(&api, request.headers(), path, problem)
        } else {
            problem.into_response()
        };
    }
    let response = next.run(request).await;
    if response.status().is_client_error() {
        let _ = api.limiter.take(address, REFUSED, true, Instant::now());
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[tokio::test(start_paused = true)]
    async fn an_allowance_is_used_up_and_fills_up() {
        let limiter = Limiter::new(RequestLimit { per_second: 2.0, burst: 3.0 });
        let take = |cost, owed| limiter.take(HERE, cost, owed, Instant::now());
        for _ in 0..3 {
            assert_eq!(take(1.0, false), Ok(()));
        }
        assert_eq!(take(1.0, false), Err(1));
        // What is owed is paid first, and is bounded.
        assert_eq!(take(100.0, true), Ok(()));
        assert_eq!(take(1.0, false), Err(2));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(take(1.0, false), Ok(()));
        assert_eq!(take(1.0, false), Err(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_addresses_is_bounded() {
        let limiter = Limiter::new(RequestLimit { per_second: 1.0, burst: 2.0 });
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 10 {
            let address = IpAddr::V4(number.into());
            assert_eq!(limiter.take(address, 1.0, false, Instant::now()), Ok(()));
        }
        assert!(limiter.addresses.lock().unwrap().len() <= ADDRESSES_MAX);
    }
}
