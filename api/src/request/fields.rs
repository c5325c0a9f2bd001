//! The bounds of values. Everything that a caller may write has one, and all that is wrong with a
//! body is told at once.
//!
//! Each check takes a JSON pointer and the value as sent, and gives the value as it is kept. What
//! it gives after a complaint is never used: [`Fields::finish`] refuses the whole.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use countersign_core::email::EmailAddress;
use countersign_core::phone;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_core::typed;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem::{FieldError, Problem};
use crate::wire::SecretText;

/// The most characters of a name.
const NAME_MAX: usize = 100;
/// The most characters of a code as typed: room for any dashes and spaces.
const CODE_MAX: usize = 64;

/// Bytes of a TOTP secret that is taken over.
const SECRET_BYTES: RangeInclusive<usize> = 10..=128;

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// Nothing wrong so far.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Something is wrong with the field at `pointer`.
    pub(crate) fn refuse(&mut self, pointer: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(pointer, detail));
    }

    /// Refuses unless `holds`.
    pub(crate) fn demand(&mut self, holds: bool, pointer: &str, detail: &str) {
        if !holds {
            self.refuse(pointer, detail);
        }
    }

    /// `value`, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Problem> {
        if self.errors.is_empty() { Ok(value) } else { Err(Problem::validation(self.errors)) }
    }

    /// A line of text of `length` characters without control characters.
    pub(crate) fn line(
        &mut self,
        pointer: &str,
        value: String,
        length: RangeInclusive<usize>,
    ) -> String {
        let (least, most) = (*length.start(), *length.end());
        if !length.contains(&value.chars().count()) {
            let bounds = if least == 0 {
                format!("must have at most {most} characters")
            } else {
                format!("must have {least} to {most} characters")
            };
            self.refuse(pointer, bounds);
        } else if value.chars().any(is_unfit) {
            self.refuse(pointer, "must not contain control characters");
        }
        value
    }

    /// A name that a person gave.
    pub(crate) fn name(&mut self, pointer: &str, value: Option<String>) -> Option<String> {
        value.map(|name| self.line(pointer, name, 1..=NAME_MAX))
    }

    /// A number within bounds.
    pub(crate) fn number<T: PartialOrd + Display + Copy>(
        &mut self,
        pointer: &str,
        value: Option<T>,
        bounds: RangeInclusive<T>,
    ) -> Option<T> {
        if value.is_some_and(|number| !bounds.contains(&number)) {
            let (least, most) = (bounds.start(), bounds.end());
            self.refuse(pointer, format!("must be from {least} to {most}"));
        }
        value
    }

    /// Anything with a text form.
    pub(crate) fn parsed<T: FromStr>(
        &mut self,
        pointer: &str,
        value: Option<&str>,
        detail: &str,
    ) -> Option<T> {
        let parsed = value?.parse().ok();
        self.demand(parsed.is_some(), pointer, detail);
        parsed
    }

    /// A point in time (RFC 3339).
    pub(crate) fn time(&mut self, pointer: &str, value: Option<&str>) -> Option<Timestamp> {
        let parsed = value.map(|text| OffsetDateTime::parse(text, &Rfc3339).ok())?;
        self.demand(
            parsed.is_some(),
            pointer,
            "must be an RFC 3339 time such as 2026-01-31T12:00:00Z",
        );
        let millis = parsed?.unix_timestamp_nanos() / 1_000_000;
        i64::try_from(millis).ok().map(Timestamp::from_millis)
    }

    /// A code as typed. It is judged by the core alone; here only its length is.
    pub(crate) fn code(&mut self, pointer: &str, value: SecretText) -> Secret {
        let length = value.expose().chars().count();
        self.demand((1..=CODE_MAX).contains(&length), pointer, "must have 1 to 64 characters");
        value.into_secret()
    }

    /// An email address that mail can be sent to, as it was written.
    pub(crate) fn email(&mut self, pointer: &str, value: Option<String>) -> Option<String> {
        if let Some(Err(error)) = value.as_deref().map(str::parse::<EmailAddress>) {
            self.refuse(pointer, error.to_string());
        }
        value
    }

    /// A telephone number, however it is written, in E.164: read as for an enrollment, but kept even
    /// if no codes would be sent to it.
    pub(crate) fn phone_number(&mut self, pointer: &str, value: Option<String>) -> Option<String> {
        match phone::known(&value?) {
            Ok(number) => Some(number),
            Err(error) => {
                self.refuse(pointer, error.to_string());
                None
            }
        }
    }

    /// The groups that a user is in.
    pub(crate) fn groups(&mut self, pointer: &str, value: Vec<String>) -> BTreeSet<String> {
        self.demand(value.len() <= 50, pointer, "must have at most 50 entries");
        let checked = value
            .into_iter()
            .enumerate()
            .map(|(index, group)| self.line(&format!("{pointer}/{index}"), group, 1..=64));
        checked.collect()
    }

    /// A TOTP secret in base32 (RFC 4648 section 6), as apps show it: in any case, with spaces or
    /// dashes, with or without padding; 10 to 128 bytes. Bits at its end that make no byte are dropped,
    /// as apps do (RFC 4648 section 3.5 leaves it to the reader).
    pub(crate) fn totp_secret(&mut self, pointer: &str, value: &str) -> Secret {
        if value.trim_start().to_ascii_lowercase().starts_with("otpauth:") {
            self.refuse(pointer, "must be the secret alone; send an `otpauth://` address as `uri`");
            return Secret::new(Vec::new());
        }
        let Some(secret) = typed::base32(value) else {
            self.refuse(pointer, "must be base32: letters from A to Z and digits from 2 to 7");
            return Secret::new(Vec::new());
        };
        let length = secret.expose().len();
        if !SECRET_BYTES.contains(&length) {
            let detail =
                format!("must be 10 to 128 bytes in base32; these characters are {length}");
            self.refuse(pointer, detail);
        }
        secret
    }
}

/// What is not of a line of text: control characters, and those by which Unicode breaks lines or turns
/// the direction of what follows (UAX #9 section 2), so that a name reads as another.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}
