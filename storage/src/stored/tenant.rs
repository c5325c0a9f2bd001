//! The shapes of a tenant's row: the first for as long as it says all, see [`super::user`].

use std::borrow::Cow;

use countersign_core::alerts::AlertSettings;
use countersign_core::codec::{self, CodecError};
use countersign_core::factor::webauthn::rules::WebAuthnRules;
use countersign_core::ids::TenantId;
use countersign_core::message::MessageTemplates;
use countersign_core::policy::Policy;
use countersign_core::sending::SendGuards;
use countersign_core::settings::Settings;
use countersign_core::tenant::{ApiKey, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Webhook;
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

/// The second shape: added guards, thresholds, words and webhooks.
#[derive(Serialize, Deserialize)]
struct Second<'a> {
    version: u64,
    state: SecondState<'a>,
}

/// A tenant before there were security keys.
#[derive(Serialize, Deserialize)]
struct SecondState<'a> {
    first: FirstState<'a>,
    guards: Cow<'a, SendGuards>,
    alerts: AlertSettings,
    templates: Cow<'a, MessageTemplates>,
    webhooks: Cow<'a, [Webhook]>,
}

/// The row in the earliest shape that loses nothing of it.
enum Shape<'a> {
    First(Box<First<'a>>),
    Second(Box<Second<'a>>),
    Newest,
}

impl<'a> Shape<'a> {
    fn of(row: &'a TenantRow) -> Self {
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
            webauthn,
        } = &row.state;
        if *webauthn != WebAuthnRules::default() {
            return Self::Newest;
        }
        let version = row.version;
        let first = FirstState {
            id: Cow::Borrowed(id),
            name: Cow::Borrowed(name),
            created_at: *created_at,
            policy: Cow::Borrowed(policy),
            settings: Cow::Borrowed(settings),
            api_keys: Cow::Borrowed(api_keys),
            removed_at: *removed_at,
        };
        let nothing_chosen = *guards == SendGuards::default()
            && *alerts == AlertSettings::default()
            && *templates == MessageTemplates::default()
            && webhooks.is_empty();
        if nothing_chosen {
            return Self::First(Box::new(First { version, state: first }));
        }
        let state = SecondState {
            first,
            guards: Cow::Borrowed(guards),
            alerts: *alerts,
            templates: Cow::Borrowed(templates),
            webhooks: Cow::Borrowed(webhooks),
        };
        Self::Second(Box::new(Second { version, state }))
    }
}

impl FirstState<'_> {
    /// Those who never chose anything of what came later have what the release that reads them
    /// brings.
    fn into_state(self) -> TenantState {
        let begun = TenantState::new(
            self.id.into_owned(),
            self.name.into_owned(),
            self.created_at,
            self.policy.into_owned(),
            self.settings.into_owned(),
        );
        TenantState { api_keys: self.api_keys.into_owned(), removed_at: self.removed_at, ..begun }
    }
}

impl Stored for TenantRow {
    const VERSION: u8 = 3;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        if version == 1 {
            let First { version, state } = codec::decode_as(version, bytes)?;
            return Ok(Self { version, state: state.into_state() });
        }
        let Second { version, state } = codec::decode_as(version, bytes)?;
        let SecondState { first, guards, alerts, templates, webhooks } = state;
        let state = TenantState {
            guards: guards.into_owned(),
            alerts,
            templates: templates.into_owned(),
            webhooks: webhooks.into_owned(),
            ..first.into_state()
        };
        Ok(Self { version, state })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        match Shape::of(self) {
            Shape::First(first) => codec::encode_as(1, &first),
            Shape::Second(second) => codec::encode_as(2, &second),
            Shape::Newest => codec::encode_as(Self::VERSION, self),
        }
    }
}
