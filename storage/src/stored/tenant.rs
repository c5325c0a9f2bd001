//! The shapes of a tenant's row: the first for as long as it says all, see [`super::user`].

use std::borrow::Cow;

use countersign_core::alerts::AlertSettings;
use countersign_core::codec::{self, CodecError};
use countersign_core::ids::TenantId;
use countersign_core::message::MessageTemplates;
use countersign_core::policy::Policy;
use countersign_core::sending::SendGuards;
use countersign_core::settings::Settings;
use countersign_core::tenant::{ApiKey, TenantState};
use countersign_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::records::TenantRow;

/// The first shape.
#[derive(Serialize, Deserialize)]
struct First<'a> {
    version: u64,
    state: FirstState<'a>,
}

/// A tenant before messages were sent.
#[derive(Serialize, Deserialize)]
struct FirstState<'a> {
    id: Cow<'a, TenantId>,
    name: Cow<'a, str>,
    created_at: Timestamp,
    policy: Cow<'a, Policy>,
    settings: Cow<'a, Settings>,
    api_keys: Cow<'a, [ApiKey]>,
    removed_at: Option<Timestamp>,
}

impl<'a> First<'a> {
    /// The row in this shape, if nothing of it is lost.
    fn of(row: &'a TenantRow) -> Option<Self> {
        let TenantState {
            id,
            name,
            created_at,
            policy,
            settings,
            api_keys,
            removed_at,
            guards,
            alerts,
            templates,
            webhooks,
        } = &row.state;
        let fits = *guards == SendGuards::default()
            && *alerts == AlertSettings::default()
            && *templates == MessageTemplates::default()
            && webhooks.is_empty();
        fits.then(|| Self {
            version: row.version,
            state: FirstState {
                id: Cow::Borrowed(id),
                name: Cow::Borrowed(name),
                created_at: *created_at,
                policy: Cow::Borrowed(policy),
                settings: Cow::Borrowed(settings),
                api_keys: Cow::Borrowed(api_keys),
                removed_at: *removed_at,
            },
        })
    }
}

impl Stored for TenantRow {
    const VERSION: u8 = 2;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        // The second shape added guards, thresholds, words and webhooks. Those who never chose any
        // have what the release that reads them brings.
        let First { version, state } = codec::decode_as(version, bytes)?;
        let begun = TenantState::new(
            state.id.into_owned(),
            state.name.into_owned(),
            state.created_at,
            state.policy.into_owned(),
            state.settings.into_owned(),
        );
        let state = TenantState {
            api_keys: state.api_keys.into_owned(),
            removed_at: state.removed_at,
            ..begun
        };
        Ok(Self { version, state })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        match First::of(self) {
            Some(first) => codec::encode(&first),
            None => codec::encode_as(Self::VERSION, self),
        }
    }
}
