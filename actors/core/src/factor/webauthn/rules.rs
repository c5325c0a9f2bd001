//! What a tenant demands of security keys and passkeys.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::options::UserVerification;
use super::{Aaguid, WebAuthnFactor};

/// AAGUIDs that a policy lists at most.
pub const ALLOWED_AAGUIDS_MAX: usize = 500;

/// The rules. A credential that does not keep them can neither be registered nor used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebAuthnRules {
    /// The least that is demanded in every ceremony.
    pub user_verification: UserVerification,
    /// The models that are good; empty for all. A model is what the authenticator says of itself:
    /// this keeps honest people to the hardware that they were given, and nobody else.
    pub allowed_aaguids: BTreeSet<Aaguid>,
    /// Whether a passkey may live on several devices.
    pub synced_passkeys: bool,
}

impl Default for WebAuthnRules {
    fn default() -> Self {
        Self {
            user_verification: UserVerification::Discouraged,
            allowed_aaguids: BTreeSet::new(),
            synced_passkeys: true,
        }
    }
}

impl WebAuthnRules {
    /// Whether a credential of this model, that may or may not be on several devices, is good.
    pub fn admit(&self, aaguid: Aaguid, synced: bool) -> Result<(), Unfit> {
        if !self.allowed_aaguids.is_empty() && !self.allowed_aaguids.contains(&aaguid) {
            return Err(Unfit::Model);
        }
        if synced && !self.synced_passkeys {
            return Err(Unfit::Synced);
        }
        Ok(())
    }

    /// Whether a registered credential is still good.
    pub fn admits(&self, factor: &WebAuthnFactor) -> bool {
        self.admit(factor.aaguid, factor.synced()).is_ok()
    }

    /// What is demanded, if the caller wishes for `wish`, and for `usual` if for nothing.
    pub fn user_verification(
        &self,
        wish: Option<UserVerification>,
        usual: UserVerification,
    ) -> UserVerification {
        wish.unwrap_or(usual).max(self.user_verification)
    }
}

/// Why a credential does not keep the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its model is not listed.
    Model,
    /// It may be on several devices.
    Synced,
}

/// A change of the rules: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebAuthnPatch {
    /// See [`WebAuthnRules::user_verification`].
    pub user_verification: Option<UserVerification>,
    /// See [`WebAuthnRules::allowed_aaguids`].
    pub allowed_aaguids: Option<BTreeSet<Aaguid>>,
    /// See [`WebAuthnRules::synced_passkeys`].
    pub synced_passkeys: Option<bool>,
}
