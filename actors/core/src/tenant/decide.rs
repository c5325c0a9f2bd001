//! Decisions about a tenant.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::{
    API_KEYS_MAX, ApiKey, Scope, TenantCommand, TenantEvent, TenantReply, TenantState, patch,
    telling, webhooks,
};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::decision::Decision;
use crate::ids::{KeyId, TenantId};
use crate::policy::{Policy, PolicyPatch};
use crate::reply::Refusal;
use crate::secret::Secret;
use crate::settings::{Settings, SettingsPatch};
use crate::system::{FEATURE_OUTBOX, FEATURE_WEBAUTHN};
use crate::time::Timestamp;

/// What every API key begins with.
pub const KEY_PREFIX: &str = "csk_";

pub(super) type Verdict = Decision<TenantReply, TenantEvent>;

/// What is kept of an API key. A random key needs no slow hash.
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Decides `command` on `state`, `None` for a tenant that does not exist.
pub fn decide(
    id: &TenantId,
    state: Option<&TenantState>,
    command: &TenantCommand,
    context: &mut Context<'_>,
) -> Decision<TenantReply, TenantEvent> {
    let actor = context.actor;
    let outcome = match (state.filter(|tenant| tenant.removed_at.is_none()), command) {
        (None, TenantCommand::Create { name, key, root }) if state.is_none() => {
            Ok(create(id, name, key.as_ref(), *root, context))
        }
        (_, TenantCommand::Create { .. }) => {
            Err(Refusal::Conflict("a tenant of this id exists or existed".to_owned()))
        }
        (None, _) => Err(Refusal::NotFound("tenant".to_owned())),
        (Some(tenant), command) => change(tenant, command, context),
    };
    let mut verdict =
        outcome.unwrap_or_else(|refusal| Decision::reply(TenantReply::Refused(refusal)));
    for entry in &mut verdict.audit {
        entry.actor = actor;
    }
    verdict
}

fn verdict(reply: TenantReply, event: TenantEvent, entry: AuditEntry) -> Verdict {
    Decision { reply, events: vec![event], audit: vec![entry] }
}

fn change(
    tenant: &TenantState,
    command: &TenantCommand,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    match command {
        TenantCommand::Create { .. } => {
            Err(Refusal::Conflict("a tenant of this id exists".to_owned()))
        }
        TenantCommand::Remove => remove(tenant),
        TenantCommand::PatchPolicy(wish) => patch_policy(tenant, wish, context),
        TenantCommand::PatchSettings(wish) => patch_settings(tenant, wish, context),
        TenantCommand::CreateApiKey { name, scopes, expires_at } => {
            create_api_key(tenant, name, scopes, *expires_at, context)
        }
        TenantCommand::CreateRootKey { name } => create_root_key(tenant, name, context),
        TenantCommand::ReplaceRootKeys { key } => Ok(replace_root_keys(tenant, key, context)),
        TenantCommand::RevokeApiKey { id } => revoke_api_key(tenant, *id, context),
        TenantCommand::CreateWebhook { .. }
        | TenantCommand::UpdateWebhook { .. }
        | TenantCommand::RotateWebhookSecret { .. }
        | TenantCommand::RemoveWebhook { .. }
        | TenantCommand::DisableWebhook { .. } => webhooks::change(tenant, command, context),
    }
}

fn patch_policy(
    tenant: &TenantState,
    wish: &PolicyPatch,
    context: &Context<'_>,
) -> Result<Verdict, Refusal> {
    let next = Box::new(patch::policy(&tenant.policy, wish, context.now)?);
    let guards = telling::guards(&tenant.guards, &wish.guards)?;
    let entry = AuditEntry::success("mfa.policy.updated").detail("version", next.version);
    let webauthn = patch::webauthn(&tenant.webauthn, &wish.webauthn)?;
    let whole = (next.as_ref().clone(), guards.clone(), webauthn.clone());
    let reply = TenantReply::Policy(Box::new(whole));
    let mut events = vec![TenantEvent::PolicySet(next)];
    if guards != tenant.guards {
        context.understood(FEATURE_OUTBOX)?;
        events.push(TenantEvent::GuardsSet(Box::new(guards)));
    }
    if webauthn != tenant.webauthn {
        context.understood(FEATURE_WEBAUTHN)?;
        events.push(TenantEvent::WebAuthnRulesSet(webauthn));
    }
    Ok(Decision { reply, events, audit: vec![entry] })
}

fn patch_settings(
    tenant: &TenantState,
    wish: &SettingsPatch,
    context: &Context<'_>,
) -> Result<Verdict, Refusal> {
    let settings = patch::settings(&tenant.settings, wish)?;
    let alerts = telling::alerts(&tenant.alerts, &wish.alerts)?;
    let templates = telling::templates(&tenant.templates, &wish.templates)?;
    let mut events = vec![TenantEvent::SettingsSet(Box::new(settings.clone()))];
    if alerts != tenant.alerts {
        context.understood(FEATURE_OUTBOX)?;
        events.push(TenantEvent::AlertsSet(alerts));
    }
    if templates != tenant.templates {
        context.understood(FEATURE_OUTBOX)?;
        events.push(TenantEvent::TemplatesSet(Box::new(templates.clone())));
    }
    let reply = TenantReply::Settings(Box::new((settings, alerts, templates)));
    Ok(Decision { reply, events, audit: vec![AuditEntry::success("mfa.settings.updated")] })
}

fn create(
    id: &TenantId,
    name: &str,
    key: Option<&Secret>,
    root: bool,
    context: &mut Context<'_>,
) -> Verdict {
    let now = context.now;
    // The cluster belongs to whoever runs it, not to its tenants.
    let may = |scope: &Scope| root || *scope != Scope::Cluster;
    let scopes = Scope::ALL.into_iter().filter(may).collect();
    let (mut api_key, fresh) = new_api_key("First key", &scopes, None, context);
    api_key.root = root;
    let secret = key.cloned().unwrap_or(fresh);
    api_key.hash = key_hash(secret.expose_str());
    let created = TenantEvent::Created {
        name: name.to_owned(),
        policy: Box::new(Policy::initial(now)),
        settings: Box::new(Settings::initial()),
    };
    Decision {
        events: vec![created, TenantEvent::ApiKeyAdded(api_key.clone())],
        audit: vec![AuditEntry::success("mfa.tenant.created").detail("keyId", api_key.id)],
        reply: TenantReply::Created {
            id: id.clone(),
            name: name.to_owned(),
            created_at: now,
            api_key,
            secret,
        },
    }
}

/// The tenant with the root keys stays, or nobody could make another.
fn remove(tenant: &TenantState) -> Result<Verdict, Refusal> {
    if tenant.api_keys.iter().any(|key| key.root) {
        return Err(Refusal::Conflict("the tenant that holds the root key stays".to_owned()));
    }
    let entry = AuditEntry::success("mfa.tenant.removed");
    Ok(verdict(TenantReply::Done, TenantEvent::Removed, entry))
}

fn create_api_key(
    tenant: &TenantState,
    name: &str,
    scopes: &BTreeSet<Scope>,
    expires_at: Option<Timestamp>,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    if scopes.is_empty() {
        return Err(Refusal::Invalid {
            pointer: "/scopes".to_owned(),
            detail: "must name at least one scope".to_owned(),
        });
    }
    if expires_at.is_some_and(|at| at <= context.now) {
        return Err(Refusal::Invalid {
            pointer: "/expiresAt".to_owned(),
            detail: "must lie in the future".to_owned(),
        });
    }
    room_for_a_key(tenant)?;
    // Nobody hands out more than they have.
    let asker = asking_key(tenant, context)?;
    if let Some(asker) = asker
        && let Some(scope) = scopes.iter().find(|scope| !asker.scopes.contains(scope))
    {
        return Err(Refusal::Invalid {
            pointer: "/scopes".to_owned(),
            detail: format!("the asking key does not have the scope {}", scope.as_str()),
        });
    }
    // Nor for longer than they last.
    if let Some(end) = asker.and_then(|asker| asker.expires_at)
        && expires_at.is_none_or(|at| at > end)
    {
        return Err(Refusal::Invalid {
            pointer: "/expiresAt".to_owned(),
            detail: "must not lie after the end of the asking key".to_owned(),
        });
    }
    let (api_key, secret) = new_api_key(name, scopes, expires_at, context);
    let entry = AuditEntry::success("mfa.api_key.created").detail("keyId", api_key.id);
    let event = TenantEvent::ApiKeyAdded(api_key.clone());
    Ok(verdict(TenantReply::ApiKeyCreated { api_key, secret }, event, entry))
}

fn room_for_a_key(tenant: &TenantState) -> Result<(), Refusal> {
    if tenant.api_keys.len() < API_KEYS_MAX {
        return Ok(());
    }
    let what = format!("the tenant has {API_KEYS_MAX} API keys, which is the limit");
    Err(Refusal::Conflict(what))
}

/// The key that asks; `None` if the service itself does. A key that is gone changes nothing: a node
/// that lags may still have let it in.
fn asking_key<'a>(
    tenant: &'a TenantState,
    context: &Context<'_>,
) -> Result<Option<&'a ApiKey>, Refusal> {
    let Some(actor) = context.actor else { return Ok(None) };
    let asker = tenant.api_keys.iter().find(|key| key.id == actor);
    let asker = asker.filter(|key| key.expires_at.is_none_or(|at| at > context.now));
    let gone = || Refusal::Conflict("the asking API key was revoked or has expired".to_owned());
    asker.ok_or_else(gone).map(Some)
}

fn create_root_key(
    tenant: &TenantState,
    name: &str,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    room_for_a_key(tenant)?;
    if asking_key(tenant, context)?.is_some_and(|asker| !asker.root) {
        return Err(Refusal::Forbidden("only a root key can make a root key".to_owned()));
    }
    let (mut api_key, secret) = new_api_key(name, &Scope::ALL.into(), None, context);
    api_key.root = true;
    let entry =
        AuditEntry::success("mfa.api_key.created").detail("keyId", api_key.id).detail("root", true);
    let event = TenantEvent::ApiKeyAdded(api_key.clone());
    Ok(verdict(TenantReply::ApiKeyCreated { api_key, secret }, event, entry))
}

/// Doing it twice is the same as doing it once: a node whose settings still ask for it may start
/// at any time, when root keys were made since.
fn replace_root_keys(tenant: &TenantState, key: &Secret, context: &mut Context<'_>) -> Verdict {
    let hash = key_hash(key.expose_str());
    let (roots, others): (Vec<_>, Vec<_>) = tenant.api_keys.iter().partition(|key| key.root);
    if roots.iter().any(|root| root.hash == hash) {
        return Decision::reply(TenantReply::Done);
    }
    let (mut api_key, _) = new_api_key("Root key", &Scope::ALL.into(), None, context);
    api_key.root = true;
    api_key.hash = hash;
    // An ordinary key with the same text would be found first.
    let namesakes = others.into_iter().filter(|other| other.hash == hash);
    let ended = roots.iter().copied().chain(namesakes);
    let mut events: Vec<_> = ended.map(|key| TenantEvent::ApiKeyRevoked { id: key.id }).collect();
    let entry = AuditEntry::success("mfa.root_keys.replaced")
        .detail("keyId", api_key.id)
        .detail("revoked", events.len());
    events.push(TenantEvent::ApiKeyAdded(api_key));
    Decision { reply: TenantReply::Done, events, audit: vec![entry] }
}

/// Nobody ends a key that may do more than they may, nor the last root key.
fn revoke_api_key(
    tenant: &TenantState,
    id: KeyId,
    context: &Context<'_>,
) -> Result<Verdict, Refusal> {
    let Some(key) = tenant.api_keys.iter().find(|key| key.id == id) else {
        return Err(Refusal::NotFound("API key".to_owned()));
    };
    if let Some(asker) = asking_key(tenant, context)?
        && ((key.root && !asker.root) || !key.scopes.is_subset(&asker.scopes))
    {
        let why = "the asking key cannot revoke a key that may do more than itself";
        return Err(Refusal::Forbidden(why.to_owned()));
    }
    if key.root && tenant.api_keys.iter().filter(|key| key.root).count() == 1 {
        let why = "the last root key stays: make another one first";
        return Err(Refusal::Conflict(why.to_owned()));
    }
    let entry = AuditEntry::success("mfa.api_key.revoked").detail("keyId", id);
    Ok(verdict(TenantReply::Done, TenantEvent::ApiKeyRevoked { id }, entry))
}

/// A key of 256 random bits, `csk_…`.
fn new_api_key(
    name: &str,
    scopes: &BTreeSet<Scope>,
    expires_at: Option<Timestamp>,
    context: &mut Context<'_>,
) -> (ApiKey, Secret) {
    let random = context.entropy.bytes::<32>();
    let secret = Secret::from(format!("{KEY_PREFIX}{}", BASE64URL_NOPAD.encode(&random)));
    let api_key = ApiKey {
        id: KeyId::random(context.entropy),
        name: name.to_owned(),
        hash: key_hash(secret.expose_str()),
        scopes: scopes.clone(),
        root: false,
        created_at: context.now,
        expires_at,
    };
    (api_key, secret)
}
