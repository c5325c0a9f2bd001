//! Decisions about a tenant's webhooks.

use std::collections::BTreeSet;

use data_encoding::BASE64;

use super::decide::Verdict;
use super::patch::invalid;
use super::{TenantCommand, TenantEvent, TenantReply, TenantState};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::decision::Decision;
use crate::ids::WebhookId;
use crate::reply::Refusal;
use crate::secret::Secret;
use crate::system::FEATURE_OUTBOX;
use crate::time::SECOND_MS;
use crate::webhook::{self, Disabled, PATTERNS_MAX, WEBHOOKS_MAX, Webhook, WebhookSecret};

/// What every webhook secret begins with (Standard Webhooks, "Signature scheme").
const SECRET_PREFIX: &str = "whsec_";
/// Secrets that sign at the same time at most.
const SECRETS_MAX: usize = 3;
/// The longest time that an old secret may sign beside the new one: a week.
const OVERLAP_MAX_SECONDS: u32 = 604_800;
/// Characters of a pattern at most.
const PATTERN_LENGTH_MAX: usize = 100;

/// Decides a command about a webhook.
pub(super) fn change(
    tenant: &TenantState,
    command: &TenantCommand,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    context.understood(FEATURE_OUTBOX)?;
    match command {
        TenantCommand::CreateWebhook { url, events, description } => {
            create(tenant, url, events, description.as_ref(), context)
        }
        TenantCommand::UpdateWebhook { id, url, events, description, enabled } => {
            let before = find(tenant, *id)?;
            let mut next = before.clone();
            if let Some(url) = url {
                next.url.clone_from(url);
            }
            if let Some(events) = events {
                next.events = patterns(events)?;
            }
            if let Some(description) = description {
                next.description.clone_from(description);
            }
            let described = next != *before;
            match enabled {
                Some(true) => next.disabled = None,
                Some(false) if next.disabled.is_none() => {
                    next.disabled = Some(Disabled { at: context.now, failing: false });
                }
                Some(false) | None => {}
            }
            Ok(updated(before, next, described))
        }
        TenantCommand::RotateWebhookSecret { id, overlap_seconds } => {
            rotate(find(tenant, *id)?.clone(), tenant, *overlap_seconds, context)
        }
        TenantCommand::RemoveWebhook { id } => {
            find(tenant, *id)?;
            let entry = told("mfa.webhook.removed", *id);
            Ok(Decision {
                reply: TenantReply::Done,
                events: vec![TenantEvent::WebhookRemoved { id: *id }],
                audit: vec![entry],
            })
        }
        TenantCommand::DisableWebhook { id } => {
            let mut next = find(tenant, *id)?.clone();
            if next.disabled.is_some() {
                return Ok(Decision::reply(TenantReply::Webhook(Box::new(next))));
            }
            next.disabled = Some(Disabled { at: context.now, failing: true });
            let entry = told("mfa.webhook.disabled", *id).because("failing");
            Ok(changed(next, vec![entry]))
        }
        _ => Err(Refusal::NotFound("webhook command".to_owned())),
    }
}

fn find(tenant: &TenantState, id: WebhookId) -> Result<&Webhook, Refusal> {
    let found = tenant.webhooks.iter().find(|webhook| webhook.id == id);
    found.ok_or_else(|| Refusal::NotFound("webhook".to_owned()))
}

fn told(event_type: &str, id: WebhookId) -> AuditEntry {
    AuditEntry::success(event_type).detail("webhookId", id)
}

fn changed(webhook: Webhook, audit: Vec<AuditEntry>) -> Verdict {
    let webhook = Box::new(webhook);
    Decision {
        reply: TenantReply::Webhook(webhook.clone()),
        events: vec![TenantEvent::WebhookSet(webhook)],
        audit,
    }
}

/// That an endpoint falls silent, or speaks again, is an event of its own: whoever watches for it
/// must not have to read what else was changed. What changes nothing leaves no trace.
fn updated(before: &Webhook, next: Webhook, described: bool) -> Verdict {
    let mut audit = Vec::new();
    if described {
        audit.push(told("mfa.webhook.updated", next.id));
    }
    match (before.disabled.is_some(), next.disabled.is_some()) {
        (true, false) => audit.push(told("mfa.webhook.enabled", next.id)),
        (false, true) => audit.push(told("mfa.webhook.disabled", next.id).because("requested")),
        (true, true) | (false, false) => {}
    }
    if audit.is_empty() {
        return Decision::reply(TenantReply::Webhook(Box::new(next)));
    }
    changed(next, audit)
}

fn create(
    tenant: &TenantState,
    url: &str,
    events: &[String],
    description: Option<&String>,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    if tenant.webhooks.len() >= WEBHOOKS_MAX {
        let what = format!("the tenant has {WEBHOOKS_MAX} webhooks, which is the limit");
        return Err(Refusal::Conflict(what));
    }
    let events = patterns(events)?;
    let id = WebhookId::random(context.entropy);
    let (sealed, secret) = fresh_secret(tenant, id, context);
    let webhook = Webhook {
        id,
        url: url.to_owned(),
        events,
        description: description.cloned(),
        secrets: vec![sealed],
        created_at: context.now,
        disabled: None,
    };
    Ok(with_secret(webhook, secret, "mfa.webhook.created"))
}

/// The old secrets sign beside the new one until the overlap ends, so that a receiver may change
/// over whenever it likes within it.
fn rotate(
    mut webhook: Webhook,
    tenant: &TenantState,
    overlap_seconds: u32,
    context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    if overlap_seconds > OVERLAP_MAX_SECONDS {
        let detail = format!("must be from 0 to {OVERLAP_MAX_SECONDS}");
        return Err(invalid("/overlapSeconds", detail));
    }
    let end = context.now.plus_millis(i64::from(overlap_seconds) * SECOND_MS);
    for secret in &mut webhook.secrets {
        secret.expires_at = Some(secret.expires_at.map_or(end, |at| at.min(end)));
    }
    webhook.secrets.retain(|secret| secret.expires_at.is_some_and(|at| context.now < at));
    let over = (webhook.secrets.len() + 1).saturating_sub(SECRETS_MAX);
    webhook.secrets.drain(..over);
    let (sealed, secret) = fresh_secret(tenant, webhook.id, context);
    webhook.secrets.push(sealed);
    Ok(with_secret(webhook, secret, "mfa.webhook.secret_rotated"))
}

fn with_secret(webhook: Webhook, secret: Secret, event_type: &str) -> Verdict {
    let verdict = changed(webhook.clone(), vec![told(event_type, webhook.id)]);
    Decision { reply: TenantReply::WebhookSecret { webhook: Box::new(webhook), secret }, ..verdict }
}

fn fresh_secret(
    tenant: &TenantState,
    id: WebhookId,
    context: &mut Context<'_>,
) -> (WebhookSecret, Secret) {
    let plain = Secret::new(context.entropy.bytes::<32>().to_vec());
    let seal_context = webhook::seal_context(&tenant.id, id);
    let sealed = WebhookSecret {
        sealed: context.vault.seal(&seal_context, context.entropy.bytes(), plain.expose()),
        created_at: context.now,
        expires_at: None,
    };
    let shown = Secret::from(format!("{SECRET_PREFIX}{}", BASE64.encode(plain.expose())));
    (sealed, shown)
}

/// Dotted types, or beginnings of types that end in `*`; each once.
fn patterns(events: &[String]) -> Result<Vec<String>, Refusal> {
    if !(1..=PATTERNS_MAX).contains(&events.len()) {
        return Err(invalid("/events", format!("must list 1 to {PATTERNS_MAX} event types")));
    }
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let fits = |text: &str| {
        let beginning = text.strip_suffix('*');
        // A beginning may end within a word, or before the first letter of one.
        let (last, before) = match beginning.unwrap_or(text).rsplit_once('.') {
            Some((before, last)) => (last, Some(before)),
            None => (beginning.unwrap_or(text), None),
        };
        text.len() <= PATTERN_LENGTH_MAX
            && before.is_none_or(|before| before.split('.').all(is_word))
            && (is_word(last) || (last.is_empty() && beginning.is_some()))
    };
    for (index, text) in events.iter().enumerate() {
        if !fits(text) {
            let detail = "must be a type such as mfa.factor.enrolled, or the beginning of types such as mfa.*";
            return Err(invalid(&format!("/events/{index}"), detail));
        }
    }
    let mut seen = BTreeSet::new();
    Ok(events.iter().filter(|text| seen.insert(text.as_str())).cloned().collect())
}
