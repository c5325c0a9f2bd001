//! Everything a decision may look at besides its state and its command.

use std::net::IpAddr;

use crate::alerts::Pressure;
use crate::entropy::Entropy;
use crate::ids::KeyId;
use crate::message::Channels;
use crate::reply::Refusal;
use crate::sending::{Lane, Traffic};
use crate::tenant::TenantState;
use crate::time::Timestamp;
use crate::vault::Vault;

/// Time, randomness, sealing and the asker.
pub struct Context<'a> {
    /// The shard's time, by which lifetimes are counted: the leader's clock, but never earlier than
    /// what the shard has applied, moved on by elapsed time.
    pub now: Timestamp,
    /// The leader's clock: real time, by which time steps are counted and tokens are stamped.
    pub clock: Timestamp,
    /// Randomness.
    pub entropy: &'a mut dyn Entropy,
    /// Sealing.
    pub vault: &'a dyn Vault,
    /// The API key that asks; `None` for the system itself.
    pub actor: Option<KeyId>,
    /// What every node of the cluster understands; see [`crate::system::FEATURE_LEVEL`].
    pub feature_level: u16,
}

impl Context<'_> {
    /// Refuses what nodes of an earlier release than `level` would not understand.
    ///
    /// # Errors
    /// A conflict that says what to wait for.
    pub fn understood(&self, level: u16) -> Result<(), Refusal> {
        if self.feature_level >= level {
            return Ok(());
        }
        let what = "some nodes run an earlier release; this works once all of them run this one";
        Err(Refusal::Conflict(what.to_owned()))
    }
}

/// What surrounds a user.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The user's tenant: policy and settings.
    pub tenant: &'a TenantState,
    /// The `kid` of the key that signs tokens now.
    pub signing_key: &'a str,
    /// Where the request of a browser on the hosted pages comes from, if that is known.
    pub browser_address: Option<IpAddr>,
    /// Failed verifications from the login's address within ten minutes, over all users, as this
    /// node counted them from what it applied.
    pub failures_from_address: u32,
    /// What else this node has counted over all users.
    pub pressure: Pressure,
    /// Which channels can be used.
    pub channels: Channels,
    /// Counts messages by where they go.
    pub traffic: &'a dyn TrafficCounter,
}

impl<'a> Surroundings<'a> {
    /// A tenant of which nothing was counted and whose messages cannot be sent.
    pub const fn of(tenant: &'a TenantState, signing_key: &'a str) -> Self {
        Self {
            tenant,
            signing_key,
            browser_address: None,
            failures_from_address: 0,
            pressure: Pressure {
                other_users_failing: 0,
                address_told: false,
                resets: 0,
                resets_told: false,
            },
            channels: Channels { sms: false, email: false },
            traffic: &NoTraffic,
        }
    }
}

/// Adds up the messages that were made by where they go, over all shards as this node applied them.
pub trait TrafficCounter {
    /// What was counted on a lane of the tenant at hand.
    fn traffic(&self, lane: &Lane, now: Timestamp) -> Traffic;
}

/// Nothing was ever sent.
pub struct NoTraffic;

impl TrafficCounter for NoTraffic {
    fn traffic(&self, _lane: &Lane, _now: Timestamp) -> Traffic {
        Traffic::default()
    }
}
