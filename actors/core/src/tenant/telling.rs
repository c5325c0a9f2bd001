//! How guards on messages, thresholds of alerts and the words of messages are changed: what is
//! absent stays, and the whole must make sense.

use std::collections::BTreeSet;

use super::patch::{check_range, invalid, set};
use crate::alerts::{AlertSettings, AlertsPatch};
use crate::message::{MessageTemplates, TemplatesPatch};
use crate::phone;
use crate::reply::Refusal;
use crate::sending::{GuardsPatch, SendGuards};

/// What may stand between braces in the words of a message.
const PLACEHOLDERS: [&str; 3] = ["code", "issuer", "minutes"];
/// Countries that a list has at most: there are fewer codes than that.
const COUNTRIES_MAX: usize = 300;

/// The guards with the patch applied.
///
/// # Errors
/// If the outcome would make no sense.
pub(super) fn guards(current: &SendGuards, patch: &GuardsPatch) -> Result<SendGuards, Refusal> {
    let mut next = current.clone();
    set(&mut next.per_destination_per_day, &patch.per_destination_per_day);
    set(&mut next.per_prefix_per_hour, &patch.per_prefix_per_hour);
    set(&mut next.per_tenant_per_day, &patch.per_tenant_per_day);
    set(&mut next.allowed_countries, &patch.allowed_countries);
    set(&mut next.blocked_countries, &patch.blocked_countries);
    set(&mut next.conversion.enabled, &patch.conversion_enabled);
    set(&mut next.conversion.min_sends, &patch.conversion_min_sends);
    set(&mut next.conversion.min_percent, &patch.conversion_min_percent);
    check_range("/sends/perDestinationPerDay", next.per_destination_per_day, 1, 10_000)?;
    check_range("/sends/perPrefixPerHour", next.per_prefix_per_hour, 1, 1_000_000)?;
    check_range("/sends/perTenantPerDay", next.per_tenant_per_day, 1, 100_000_000)?;
    check_range("/sends/conversion/minSends", next.conversion.min_sends, 1, 1_000_000)?;
    check_range("/sends/conversion/minPercent", next.conversion.min_percent, 1, 100)?;
    check_countries("/sends/allowedCountries", &next.allowed_countries)?;
    check_countries("/sends/blockedCountries", &next.blocked_countries)?;
    Ok(next)
}

/// Refuses what is no country's code: `UK` for `GB` would allow, or block, nobody at all.
fn check_countries(pointer: &str, countries: &BTreeSet<String>) -> Result<(), Refusal> {
    if countries.len() > COUNTRIES_MAX {
        return Err(invalid(pointer, format!("must list at most {COUNTRIES_MAX} countries")));
    }
    let is_known = |text: &str| phone::is_country(text) || phone::is_calling_code(text);
    match countries.iter().find(|text| !is_known(text)) {
        Some(odd) => {
            let detail = format!(
                "must list countries by their codes such as US, or calling codes such as +44, not \
                 {odd:?}"
            );
            Err(invalid(pointer, detail))
        }
        None => Ok(()),
    }
}

/// The thresholds with the patch applied.
///
/// # Errors
/// If the outcome would make no sense.
pub(super) fn alerts(
    current: &AlertSettings,
    patch: &AlertsPatch,
) -> Result<AlertSettings, Refusal> {
    let mut next = *current;
    set(&mut next.brute_force_attempts, &patch.brute_force_attempts);
    set(&mut next.address_users, &patch.address_users);
    set(&mut next.recovery_codes_per_day, &patch.recovery_codes_per_day);
    set(&mut next.resets_per_hour, &patch.resets_per_hour);
    set(&mut next.send_floods, &patch.send_floods);
    set(&mut next.relays, &patch.relays);
    check_range("/alerts/bruteForceAttempts", next.brute_force_attempts, 0, 1_000)?;
    check_range("/alerts/addressUsers", next.address_users, 0, 1_000)?;
    check_range("/alerts/recoveryCodesPerDay", next.recovery_codes_per_day, 0, 20)?;
    check_range("/alerts/resetsPerHour", next.resets_per_hour, 0, 10_000)?;
    Ok(next)
}

/// The words with the patch applied.
///
/// # Errors
/// If a text would not carry the code, names something that is not put in, or is too long.
pub(super) fn templates(
    current: &MessageTemplates,
    patch: &TemplatesPatch,
) -> Result<MessageTemplates, Refusal> {
    let mut next = current.clone();
    set(&mut next.sms_text, &patch.sms_text);
    set(&mut next.email_subject, &patch.email_subject);
    set(&mut next.email_text, &patch.email_text);
    set(&mut next.email_html, &patch.email_html);
    for (name, text, longest) in [
        ("smsText", &next.sms_text, 480),
        ("emailText", &next.email_text, 20_000),
        ("emailHtml", &next.email_html, 50_000),
    ] {
        let Some(text) = text else { continue };
        let pointer = format!("/messages/{name}");
        check_words(&pointer, text, longest)?;
        if !text.contains("{{code}}") {
            return Err(invalid(
                &pointer,
                "must contain {{code}}, or nobody could use the message",
            ));
        }
    }
    if let Some(subject) = &next.email_subject {
        let pointer = "/messages/emailSubject";
        check_words(pointer, subject, 150)?;
        // A line break would begin another header (RFC 5322 section 2.2).
        if subject.chars().any(char::is_control) {
            return Err(invalid(pointer, "must be one line"));
        }
    }
    Ok(next)
}

fn check_words(pointer: &str, text: &str, longest: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > longest {
        let detail = format!("must have 1 to {longest} characters");
        return Err(invalid(pointer, detail));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(invalid(pointer, "must not contain control characters other than line breaks"));
    }
    for part in text.split("{{").skip(1) {
        let name = part.split_once("}}").map(|(name, _)| name);
        if !name.is_some_and(|name| PLACEHOLDERS.contains(&name)) {
            let detail = "knows {{code}}, {{issuer}} and {{minutes}}, and nothing else in braces";
            return Err(invalid(pointer, detail));
        }
    }
    Ok(())
}
