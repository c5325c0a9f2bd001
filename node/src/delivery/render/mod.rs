//! What a person reads: the service's words, or the tenant's. Made anew for each attempt, since the
//! minutes that are left grow fewer.
//!
//! What is put into words comes from elsewhere and is trusted in nothing: it cannot end a header,
//! add markup or be a placeholder itself. Nothing here is ever logged.

pub(super) mod gsm;
mod placeholders;

use askama::Template;
use countersign_actors::carrier::Parcel;
use countersign_core::message::{Channel, CodePurpose};
use countersign_core::time::MINUTE_MS;

use self::placeholders::{Values, fill, fill_html};
use super::refusal::Refusal;

/// The most characters of a subject: more is shown nowhere, and RFC 5322 section 2.1.1 limits lines.
const SUBJECT_MAX: usize = 200;

/// A message in words. It holds a code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    /// An email's subject, of one line.
    pub(super) subject: Option<String>,
    /// The words.
    pub(super) text: String,
    /// An email's words as HTML.
    pub(super) html: Option<String>,
}

#[derive(Template)]
#[template(path = "code.sms.txt")]
struct SmsText<'a> {
    code: &'a str,
    issuer: &'a str,
    minutes: i64,
    brief: bool,
}

#[derive(Template)]
#[template(path = "code.subject.txt")]
struct Subject<'a> {
    issuer: &'a str,
    enrolling: bool,
}

#[derive(Template)]
#[template(path = "code.email.txt")]
struct EmailText<'a> {
    code: &'a str,
    issuer: &'a str,
    minutes: i64,
    enrolling: bool,
}

#[derive(Template)]
#[template(path = "code.email.html")]
struct EmailHtml<'a> {
    code: &'a str,
    issuer: &'a str,
    minutes: i64,
    enrolling: bool,
}

impl Rendered {
    /// A parcel's words.
    pub(super) fn of(parcel: &Parcel) -> Result<Self, Refusal> {
        Self::made(parcel).map_err(|_| Refusal::never("unrenderable"))
    }

    fn made(parcel: &Parcel) -> Result<Self, askama::Error> {
        let issuer = &one_line(&parcel.issuer);
        let code = parcel.message.code.expose_str();
        let minutes = minutes_left(parcel);
        let enrolling = parcel.message.purpose == CodePurpose::Enroll;
        let own = &parcel.templates;
        let values = Values { code, issuer, minutes };
        if parcel.message.channel == Channel::Sms {
            let text = match &own.sms_text {
                Some(words) => fill(words, &values),
                None => sms_text(&values)?,
            };
            return Ok(Self { subject: None, text, html: None });
        }
        let subject = match &own.email_subject {
            Some(words) => fill(words, &values),
            None => Subject { issuer, enrolling }.render()?,
        };
        let text = match &own.email_text {
            Some(words) => fill(words, &values),
            None => EmailText { code, issuer, minutes, enrolling }.render()?,
        };
        let html = match &own.email_html {
            Some(words) => fill_html(words, &values),
            None => EmailHtml { code, issuer, minutes, enrolling }.render()?,
        };
        let subject: String = one_line(&subject).chars().take(SUBJECT_MAX).collect();
        Ok(Self { subject: Some(subject), text, html: Some(html) })
    }
}

/// One segment where possible: the full words, else the brief ones; if neither fits (an issuer with
/// a very long name), the full ones.
fn sms_text(values: &Values<'_>) -> Result<String, askama::Error> {
    let Values { code, issuer, minutes } = *values;
    let full = SmsText { code, issuer, minutes, brief: false }.render()?;
    if gsm::segments(&full) == 1 {
        return Ok(full);
    }
    let brief = SmsText { code, issuer, minutes, brief: true }.render()?;
    Ok(if gsm::segments(&brief) == 1 { brief } else { full })
}

/// Whole minutes for which the code is still good, at least one: rounded, since a second or two has
/// passed since it was made.
fn minutes_left(parcel: &Parcel) -> i64 {
    let left = parcel.message.expires_at.millis_since(parcel.now);
    (left.saturating_add(MINUTE_MS / 2) / MINUTE_MS).max(1)
}

/// The text as one line: no control characters (a line break would begin another header), no
/// separators of lines, and nothing that turns the direction of writing, which can make a name look
/// like another.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .filter(|letter| !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|letter| {
            if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                letter
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) mod tests;
