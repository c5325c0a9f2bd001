//! Everything a decision may look at besides its state and its command.

use crate::entropy::Entropy;
use crate::ids::KeyId;
use crate::tenant::TenantState;
use crate::time::Timestamp;
use crate::vault::Vault;

/// Time, randomness, sealing and the asker.
pub struct Context<'a> {
    /// The leader's clock, never earlier than what the shard has applied.
    pub now: Timestamp,
    /// Randomness.
    pub entropy: &'a mut dyn Entropy,
    /// Sealing.
    pub vault: &'a dyn Vault,
    /// The API key that asks; `None` for the system itself.
    pub actor: Option<KeyId>,
}

/// What surrounds a user.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The user's tenant: policy and settings.
    pub tenant: &'a TenantState,
    /// The `kid` of the key that signs tokens now.
    pub signing_key: &'a str,
    /// Failed verifications from the login's address within ten minutes, over all users, as this
    /// node counted them from what it applied.
    pub failures_from_address: u32,
}
