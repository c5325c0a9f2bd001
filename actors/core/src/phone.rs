//! Telephone numbers, parsed once at the edge and trusted from there on: E.164 (ITU-T
//! Recommendation E.164), possible and valid by the numbering plans that libphonenumber collects,
//! of a known country, and not one that costs whoever is sent to.

use std::fmt;
use std::str::FromStr;

use phonenumber::country;
use phonenumber::metadata::DATABASE;
use phonenumber::{Metadata, Mode, Type};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::typed;

/// Digits of the national number that belong to a prefix: enough to tell an operator's range in
/// most plans, few enough that somebody who walks through a range stays within one prefix.
const OPERATOR_DIGITS: usize = 3;

/// Digits after the `+`. One of the written ones may be a trunk zero, which does not belong to the
/// number; E.164 itself has at most fifteen.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=16;

/// What numbers are, in the order in which they are told apart where ranges overlap (as
/// libphonenumber does it), and what is said of those to which no codes are sent: they cost whoever
/// sends or receives, or take no text messages.
const KINDS: [(Type, Option<&str>); 10] = [
    (Type::PremiumRate, Some("a premium-rate")),
    (Type::TollFree, Some("a toll-free")),
    (Type::SharedCost, Some("a shared-cost")),
    (Type::Voip, None),
    (Type::PersonalNumber, Some("a personal (follow-me)")),
    (Type::Pager, Some("a pager")),
    (Type::Uan, Some("a company's universal access")),
    (Type::Voicemail, Some("a voicemail")),
    (Type::FixedLine, None),
    (Type::Mobile, None),
];

/// Why a text is not a number that can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// Not of the form `+` and digits.
    #[error("must be in E.164: + and country code, then the number, as in +14155550123")]
    Malformed,
    /// No such number can exist.
    #[error("is not a number of any numbering plan")]
    Invalid,
    /// It belongs to no country: satellite, universal and other shared codes.
    #[error("belongs to no country, and codes are sent to numbers of countries alone")]
    NoCountry,
    /// Somebody pays for what is sent there, or it takes no messages.
    #[error("is {0} number, to which no codes are sent")]
    Unsuitable(&'static str),
}

/// A number as people type and paste it (see [`typed::clean`]), as `+` and digits. It may be a `tel:`
/// address (RFC 3966), have dots, slashes and brackets, and `00` before the country code, which many
/// countries dial for `+`.
///
/// # Errors
/// If it is not of that form. Whether such a number exists is not looked at.
pub fn e164(text: &str) -> Result<String, PhoneError> {
    let plain: String = typed::clean(text)
        .filter(|c| !typed::separates(*c) && !matches!(c, '.' | '(' | ')' | '/'))
        .collect();
    let number = match plain.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => plain.get(4..).unwrap_or_default(),
        _ => &plain,
    };
    let digits = number.strip_prefix('+').or_else(|| number.strip_prefix("00"));
    digits
        .filter(|digits| DIGITS.contains(&digits.len()))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|digits| !digits.starts_with('0'))
        .map(|digits| format!("+{digits}"))
        .ok_or(PhoneError::Malformed)
}

/// A number in E.164 that exists, whether or not codes are sent to it: what is known of people may be
/// a number that is never sent to.
///
/// # Errors
/// If it is not of that form, or no plan has it.
pub fn known(text: &str) -> Result<String, PhoneError> {
    Planned::read(text).map(|planned| planned.e164)
}

/// The digits of a number that it shares with others of its operator, `+1415`, whether or not a plan
/// has it; `None` if no country has such a calling code.
pub fn prefix(e164: &str) -> Option<String> {
    let code = calling_code(e164)?;
    Some(e164.chars().take(1 + code.to_string().len() + OPERATOR_DIGITS).collect())
}

/// What a number could be listed under by its calling code alone: that code, `+44`, and each country
/// that has it.
pub fn could_be_of(e164: &str) -> Vec<String> {
    let Some(code) = calling_code(e164) else { return Vec::new() };
    let regions = DATABASE.region(&code).unwrap_or_default();
    let countries = regions.into_iter().map(str::to_owned);
    countries.chain([format!("+{code}")]).collect()
}

/// The calling code that the digits begin with: none is the beginning of another (ITU-T E.164 section
/// 6.2.1).
fn calling_code(e164: &str) -> Option<u16> {
    let digits = e164.strip_prefix('+')?;
    let mut codes = (1..=3).filter_map(|length| digits.get(..length)?.parse::<u16>().ok());
    codes.find(|code| DATABASE.region(code).is_some_and(|regions| !regions.is_empty()))
}

/// Whether a text is the code (ISO 3166-1 alpha-2, upper case) of a country with numbers of its own.
pub fn is_country(text: &str) -> bool {
    text.parse::<country::Id>().is_ok_and(|id| id.as_ref() == text)
}

/// Whether a text is a calling code (ITU-T E.164 section 6.2.1) of at least one country, `+44`.
pub fn is_calling_code(text: &str) -> bool {
    let digits = text.strip_prefix('+').filter(|digits| !digits.starts_with(['0', '+']));
    let code = digits.and_then(|digits| digits.parse::<u16>().ok());
    code.and_then(|code| DATABASE.region(&code)).is_some_and(|regions| !regions.is_empty())
}

/// A valid number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PhoneNumber {
    e164: String,
    country: String,
    calling_code: String,
    prefix: String,
}

impl PhoneNumber {
    /// `+` and digits.
    pub fn as_str(&self) -> &str {
        &self.e164
    }

    /// ISO 3166-1 alpha-2, upper case.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The calling code, `+44`, which several countries may share.
    pub fn calling_code(&self) -> &str {
        &self.calling_code
    }

    /// The country code and the operator's digits, `+1415`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let Planned { e164, code, plan, kind } = Planned::read(text)?;
        let country: country::Id = plan.id().parse().map_err(|_| PhoneError::NoCountry)?;
        if let Some(unsuitable) = kind {
            return Err(PhoneError::Unsuitable(unsuitable));
        }
        let prefix = prefix(&e164).ok_or(PhoneError::NoCountry)?;
        let (country, calling_code) = (country.as_ref().to_owned(), format!("+{code}"));
        Ok(Self { e164, country, calling_code, prefix })
    }
}

/// A number of a numbering plan.
struct Planned {
    e164: String,
    code: u16,
    plan: &'static Metadata,
    kind: Option<&'static str>,
}

impl Planned {
    fn read(text: &str) -> Result<Self, PhoneError> {
        let number = phonenumber::parse(None, e164(text)?).map_err(|_| PhoneError::Invalid)?;
        let code = number.country().code();
        // With the zeros that belong to it, as those of Italian fixed lines do: the library's own
        // look-ups of country and type leave them out.
        let national = number.national().to_string();
        let (plan, kind) = plan(code, &national).ok_or(PhoneError::Invalid)?;
        let e164 = number.format().mode(Mode::E164).to_string();
        Ok(Self { e164, code, plan, kind })
    }
}

/// The numbering plan that a national number is of, and what [`KINDS`] says of it. Countries that
/// share a code come in the library's order, the main one first; some own their leading digits.
fn plan(code: u16, national: &str) -> Option<(&'static Metadata, Option<&'static str>)> {
    let regions = DATABASE.region(&code)?;
    let shared = regions.len() > 1;
    // Plans that belong to no country share the region 001; they are told apart by their codes.
    let plans = regions.into_iter().flat_map(|region| match region {
        "001" => DATABASE.by_code(&code).unwrap_or_default(),
        _ => DATABASE.by_id(region).into_iter().collect(),
    });
    plans.into_iter().find_map(|plan| {
        let owned = plan
            .leading_digits()
            .filter(|_| shared)
            .map(|leading| leading.find(national).is_some_and(|found| found.start() == 0));
        if owned == Some(false) {
            return None;
        }
        kind(plan, national).map(|kind| (plan, kind))
    })
}

fn kind(plan: &Metadata, national: &str) -> Option<Option<&'static str>> {
    let all = plan.descriptors();
    if !all.general().is_match(national) {
        return None;
    }
    let is = |kind| all.get(kind).is_some_and(|numbers| numbers.is_match(national));
    KINDS.into_iter().find(|(kind, _)| is(*kind)).map(|(_, said)| said)
}

/// Tells whose plan it is of, and keeps the rest to itself: this text may reach a log line.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneNumber").field("country", &self.country).finish_non_exhaustive()
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.e164)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_its_country_and_its_prefix() {
        for (text, country, prefix) in [
            ("+14155552671", "US", "+1415"),
            ("+447400123456", "GB", "+44740"),
            ("+447911123456", "GG", "+44791"),
            ("+4915123456789", "DE", "+49151"),
        ] {
            let number: PhoneNumber = text.parse().unwrap();
            assert_eq!(
                (number.as_str(), number.country(), number.prefix()),
                (text, country, prefix)
            );
        }
    }

    #[test]
    fn a_country_is_known_by_its_own_code_alone() {
        for (text, known) in [("US", true), ("GB", true), ("UK", false), ("us", false), ("", false)]
        {
            assert_eq!(is_country(text), known, "{text:?}");
        }
    }

    #[test]
    fn a_calling_code_is_known_by_its_digits_alone() {
        for (text, known) in [
            ("+44", true),
            ("+1", true),
            ("+383", true),
            ("44", false),
            ("+044", false),
            ("++44", false),
            ("+999", false),
            ("+", false),
            ("+4 4", false),
        ] {
            assert_eq!(is_calling_code(text), known, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        for (text, error) in [
            ("4155552671", PhoneError::Malformed),
            ("+1", PhoneError::Malformed),
            ("++14155552671", PhoneError::Malformed),
            ("+0014155552671", PhoneError::Malformed),
            ("+1415555267x", PhoneError::Malformed),
            ("+1 415 call me", PhoneError::Malformed),
            ("+14155552671;ext=2", PhoneError::Malformed),
            ("tel:555-2671;phone-context=+1415", PhoneError::Malformed),
            ("+11111111111", PhoneError::Invalid),
            ("+999123456789", PhoneError::Invalid),
            ("+881612345678", PhoneError::NoCountry),
        ] {
            assert_eq!(text.parse::<PhoneNumber>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_number_is_read_as_people_write_and_paste_it() {
        for text in [
            "+1 (415) 555-2671",
            "+1.415.555.2671",
            "001 415 555 2671",
            "\u{202a}+1\u{a0}(415)\u{202f}555\u{2011}2671\u{202c}",
            "\u{2066}+1 415 555\u{2013}2671\u{2069}",
            "＋１　４１５　５５５－２６７１",
            "+١٤١٥٥٥٥٢٦٧١",
            "+۱ ۴۱۵ ۵۵۵ ۲۶۷۱",
            "tel:+1-415-555-2671",
            "TEL:+1(415)5552671",
        ] {
            let number = text.parse::<PhoneNumber>();
            assert_eq!(number.as_ref().map(PhoneNumber::as_str), Ok("+14155552671"), "{text:?}");
        }
        let trunk: PhoneNumber = "+44 (0)7400 123456".parse().unwrap();
        assert_eq!(trunk.as_str(), "+447400123456");
    }

    #[test]
    fn a_number_that_no_codes_are_sent_to_is_known_all_the_same() {
        for (text, known_as) in [
            ("+44 (0)7400 123456", Ok("+447400123456")),
            ("+44 (0)7012 345678", Ok("+447012345678")),
            ("+1 800 555 2671", Ok("+18005552671")),
            ("+881612345678", Ok("+881612345678")),
            ("+39 06 6982 1234", Ok("+390669821234")),
            ("0791234567", Err(PhoneError::Malformed)),
            ("+1234567", Err(PhoneError::Invalid)),
            ("+999123456789", Err(PhoneError::Invalid)),
        ] {
            assert_eq!(known(text).as_deref(), known_as.as_ref().map(|it| *it), "{text}");
        }
    }

    #[test]
    fn a_number_of_no_plan_is_still_of_its_calling_code() {
        assert_eq!(prefix("+11111111111").as_deref(), Some("+1111"));
        assert_eq!(prefix("+447012345678").as_deref(), Some("+44701"));
        assert_eq!(prefix("+4412").as_deref(), Some("+4412"));
        assert_eq!(prefix("+999123456789"), None);
        let of = could_be_of("+440000000000");
        assert!(["GB", "GG", "JE", "IM", "+44"].iter().all(|it| of.iter().any(|one| one == it)));
        assert_eq!(of.len(), 5, "{of:?}");
        assert!(could_be_of("+999123456789").is_empty());
    }

    #[test]
    fn a_zero_that_belongs_to_a_number_is_judged_with_it() {
        for (text, country, prefix) in [
            ("+39 06 6982 1234", "VA", "+39066"),
            ("+39 06 4470 2345", "IT", "+39064"),
            ("+39 02 1234 5678", "IT", "+39021"),
            ("+39 312 345 6789", "IT", "+39312"),
            ("+378 0549 886377", "SM", "+378054"),
            ("+225 01 23 45 67 89", "CI", "+225012"),
            ("+242 06 612 3456", "CG", "+242066"),
            ("+241 06 03 12 34", "GA", "+241"),
        ] {
            let number =
                text.parse::<PhoneNumber>().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(number.country(), country, "{text}");
            assert!(number.prefix().starts_with(prefix), "{text}: {number}");
        }
    }

    #[test]
    fn numbers_that_cost_or_take_no_messages_are_refused_by_what_they_are() {
        for (text, said) in [
            ("+19005552671", "a premium-rate"),
            ("+39899123456", "a premium-rate"),
            ("+18005552671", "a toll-free"),
            ("+448001234567", "a toll-free"),
            ("+498001234567", "a toll-free"),
            ("+448450123456", "a premium-rate"),
            ("+491801234567", "a shared-cost"),
            ("+447012345678", "a personal (follow-me)"),
            ("+15002345678", "a personal (follow-me)"),
            ("+4970012345678", "a personal (follow-me)"),
            ("+447640123456", "a pager"),
            ("+445512345678", "a company's universal access"),
            ("+49177991234567", "a voicemail"),
        ] {
            let refused = text.parse::<PhoneNumber>();
            assert_eq!(refused, Err(PhoneError::Unsuitable(said)), "{text}");
        }
    }
}
