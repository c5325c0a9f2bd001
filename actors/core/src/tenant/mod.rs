//! A tenant: its policy, its settings and its API keys. One row of shard 0; every node keeps all
//! of them in memory, as applied.

mod decide;
mod evolve;
mod patch;
mod proposed;
mod telling;
mod webhooks;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::decide::{KEY_PREFIX, decide, key_hash};
pub use self::evolve::evolve;
pub use self::proposed::{with_policy, with_settings};
use crate::alerts::AlertSettings;
use crate::factor::FactorType;
use crate::factor::webauthn::rules::WebAuthnRules;
use crate::ids::{KeyId, TenantId, WebhookId};
use crate::message::MessageTemplates;
use crate::policy::{Policy, PolicyPatch};
use crate::reply::Refusal;
use crate::secret::Secret;
use crate::sending::SendGuards;
use crate::settings::{Settings, SettingsPatch};
use crate::time::Timestamp;
use crate::user::Admitted;
use crate::webhook::Webhook;

/// API keys a tenant has at most.
pub const API_KEYS_MAX: usize = 1_000;

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Enroll, challenge, verify; users and their factors.
    Mfa,
    /// Read and change policy and settings.
    Policy,
    /// Reset and unlock users, erase them; say where events are told.
    Admin,
    /// Read the audit log.
    Audit,
    /// Make and revoke API keys.
    Keys,
    /// See and change the cluster.
    Cluster,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] =
        [Self::Mfa, Self::Policy, Self::Admin, Self::Audit, Self::Keys, Self::Cluster];

    /// The name in the HTTP contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mfa => "mfa",
            Self::Policy => "policy",
            Self::Admin => "admin",
            Self::Audit => "audit",
            Self::Keys => "keys",
            Self::Cluster => "cluster",
        }
    }
}

/// An API key. The key itself is shown once and kept as SHA-256: it is random, so no slow hash is
/// needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// SHA-256 of `csk_…`.
    pub hash: [u8; 32],
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may also make and remove tenants.
    pub root: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantState {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its policy.
    pub policy: Policy,
    /// Its settings.
    pub settings: Settings,
    /// Its API keys, oldest first.
    pub api_keys: Vec<ApiKey>,
    /// When it was removed: its keys stop at once, its users are erased in the background.
    pub removed_at: Option<Timestamp>,
    /// What may be sent over all users.
    pub guards: SendGuards,
    /// When something is odd enough to be told.
    pub alerts: AlertSettings,
    /// The words of messages.
    pub templates: MessageTemplates,
    /// Where events are told, oldest first.
    pub webhooks: Vec<Webhook>,
    /// What is demanded of security keys and passkeys.
    pub webauthn: WebAuthnRules,
}

impl TenantState {
    /// A tenant as it begins.
    pub fn new(
        id: TenantId,
        name: String,
        created_at: Timestamp,
        policy: Policy,
        settings: Settings,
    ) -> Self {
        Self {
            id,
            name,
            created_at,
            policy,
            settings,
            api_keys: Vec::new(),
            removed_at: None,
            guards: SendGuards::default(),
            alerts: AlertSettings::default(),
            templates: MessageTemplates::default(),
            webhooks: Vec::new(),
            webauthn: WebAuthnRules::default(),
        }
    }

    /// What counts as a second factor, of these types.
    pub fn admitted<'a>(&'a self, types: &'a BTreeSet<FactorType>) -> Admitted<'a> {
        let relying_party = self.settings.relying_party();
        Admitted { types, webauthn: &self.webauthn, relying_party }
    }
}

/// One change of a tenant. Stored in the log: new variants go to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TenantEvent {
    /// It came into being.
    Created {
        /// Its name.
        name: String,
        /// Its first policy.
        policy: Box<Policy>,
        /// Its first settings.
        settings: Box<Settings>,
    },
    /// It ends.
    Removed,
    /// Its policy is another.
    PolicySet(Box<Policy>),
    /// Its settings are others.
    SettingsSet(Box<Settings>),
    /// It has one more API key.
    ApiKeyAdded(ApiKey),
    /// An API key ends.
    ApiKeyRevoked {
        /// Which.
        id: KeyId,
    },
    /// Its guards are others.
    GuardsSet(Box<SendGuards>),
    /// Its thresholds are others.
    AlertsSet(AlertSettings),
    /// Its words are others.
    TemplatesSet(Box<MessageTemplates>),
    /// It has one more webhook, or one of this id is another now.
    WebhookSet(Box<Webhook>),
    /// A webhook ends.
    WebhookRemoved {
        /// Which.
        id: WebhookId,
    },
    /// Its demands of security keys and passkeys are others.
    WebAuthnRulesSet(WebAuthnRules),
}

/// A wish that changes a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TenantCommand {
    /// Make it, with a first API key of all scopes.
    Create {
        /// Its name.
        name: String,
        /// The first key, if the operator chose it; else one is made.
        key: Option<Secret>,
        /// Whether that key may also make and remove tenants.
        root: bool,
    },
    /// Remove it.
    Remove,
    /// Change its policy.
    PatchPolicy(Box<PolicyPatch>),
    /// Change its settings.
    PatchSettings(Box<SettingsPatch>),
    /// Make an API key.
    CreateApiKey {
        /// Its name.
        name: String,
        /// What it may do.
        scopes: BTreeSet<Scope>,
        /// When it ends.
        expires_at: Option<Timestamp>,
    },
    /// End an API key.
    RevokeApiKey {
        /// Which.
        id: KeyId,
    },
    /// Tell events to an endpoint.
    CreateWebhook {
        /// Where. Whether a node may post there is for the node to say.
        url: String,
        /// Which events.
        events: Vec<String>,
        /// What it is for.
        description: Option<String>,
    },
    /// Change an endpoint: what is absent stays.
    UpdateWebhook {
        /// Which.
        id: WebhookId,
        /// Where.
        url: Option<String>,
        /// Which events.
        events: Option<Vec<String>>,
        /// What it is for; an inner `None` takes the text away.
        description: Option<Option<String>>,
        /// Whether events are delivered.
        enabled: Option<bool>,
    },
    /// Sign with a new secret.
    RotateWebhookSecret {
        /// Which endpoint.
        id: WebhookId,
        /// For how many seconds the old one signs as well, 0–604 800.
        overlap_seconds: u32,
    },
    /// End an endpoint.
    RemoveWebhook {
        /// Which.
        id: WebhookId,
    },
    /// Deliver nothing any more to an endpoint that has failed for too long. Asked by the service
    /// itself.
    DisableWebhook {
        /// Which.
        id: WebhookId,
    },
    /// Make one more root key: of all scopes, without an end.
    CreateRootKey {
        /// Its name.
        name: String,
    },
    /// End all root keys, and make this one, if it is not one already. Asked by the operator through
    /// a node's settings, never over HTTP: whoever lost the root key has none to ask with.
    ReplaceRootKeys {
        /// The key.
        key: Secret,
    },
}

/// The answer to a [`TenantCommand`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TenantReply {
    /// Done; there is nothing to say.
    Done,
    /// Refused, and why.
    Refused(Refusal),
    /// The tenant was made.
    Created {
        /// Its id.
        id: TenantId,
        /// Its name.
        name: String,
        /// When.
        created_at: Timestamp,
        /// Its first API key.
        api_key: ApiKey,
        /// The key itself, shown once.
        secret: Secret,
    },
    /// The policy, the guards and the rules for keys, as they are now.
    Policy(Box<(Policy, SendGuards, WebAuthnRules)>),
    /// The settings, the thresholds and the words, as they are now.
    Settings(Box<(Settings, AlertSettings, MessageTemplates)>),
    /// The API key was made.
    ApiKeyCreated {
        /// The key's record.
        api_key: ApiKey,
        /// The key itself, shown once.
        secret: Secret,
    },
    /// The webhook, as it is now.
    Webhook(Box<Webhook>),
    /// The webhook was made, or has a new secret.
    WebhookSecret {
        /// The webhook.
        webhook: Box<Webhook>,
        /// The secret, `whsec_…`, shown once.
        secret: Secret,
    },
}
