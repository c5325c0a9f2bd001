//! What the policy demands of security keys and passkeys.

use std::collections::BTreeSet;

use countersign_core::factor::webauthn::Aaguid;
use countersign_core::factor::webauthn::rules::{
    ALLOWED_AAGUIDS_MAX, WebAuthnPatch, WebAuthnRules,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::present;
use super::UserVerification;
use crate::request::Fields;

/// What is demanded of security keys and passkeys.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebAuthnPolicy {
    /// The least that every ceremony demands.
    user_verification: UserVerification,
    /// The models that are good; empty for all. A model is what an authenticator says of itself.
    #[schema(example = json!(["ee882879-721c-4913-9775-3dfcce97072a"]))]
    allowed_aaguids: Vec<String>,
    /// Whether passkeys may be kept on several devices.
    synced_passkeys: bool,
}

impl From<&WebAuthnRules> for WebAuthnPolicy {
    fn from(rules: &WebAuthnRules) -> Self {
        Self {
            user_verification: rules.user_verification.into(),
            allowed_aaguids: rules.allowed_aaguids.iter().map(Aaguid::to_string).collect(),
            synced_passkeys: rules.synced_passkeys,
        }
    }
}

/// A change of what is demanded of security keys and passkeys.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct UpdateWebAuthnPolicy {
    /// The least that every ceremony demands.
    #[serde(deserialize_with = "present")]
    user_verification: Option<UserVerification>,
    /// The models that are good; empty for all.
    #[serde(deserialize_with = "present")]
    #[schema(max_items = 500)]
    allowed_aaguids: Option<Vec<String>>,
    /// Whether passkeys may be kept on several devices.
    #[serde(deserialize_with = "present")]
    synced_passkeys: Option<bool>,
}

impl UpdateWebAuthnPolicy {
    pub(crate) fn read(self, fields: &mut Fields) -> WebAuthnPatch {
        WebAuthnPatch {
            user_verification: self.user_verification.map(Into::into),
            allowed_aaguids: self.allowed_aaguids.map(|texts| aaguids(fields, &texts)),
            synced_passkeys: self.synced_passkeys,
        }
    }
}

fn aaguids(fields: &mut Fields, texts: &[String]) -> BTreeSet<Aaguid> {
    let pointer = "/webauthn/allowedAaguids";
    fields.demand(texts.len() <= ALLOWED_AAGUIDS_MAX, pointer, "must have at most 500 entries");
    let mut read = BTreeSet::new();
    for (index, text) in texts.iter().take(ALLOWED_AAGUIDS_MAX).enumerate() {
        let detail = "must be an AAGUID such as ee882879-721c-4913-9775-3dfcce97072a";
        read.extend(fields.parsed::<Aaguid>(&format!("{pointer}/{index}"), Some(text), detail));
    }
    read
}
