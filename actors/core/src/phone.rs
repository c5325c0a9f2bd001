//! Telephone numbers, parsed once at the edge and trusted from there on: E.164 (ITU-T
//! Recommendation E.164), possible and valid by the numbering plans that libphonenumber collects,
//! of a known country, and not one that costs whoever is sent to.

use std::fmt;
use std::str::FromStr;

use phonenumber::country;
use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Digits of the national number that belong to a prefix: enough to tell an operator's range in
/// most plans, few enough that somebody who walks through a range stays within one prefix.
const OPERATOR_DIGITS: usize = 3;

/// Why a text is not a number that can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// Not of the form `+` and digits.
    #[error("must be in E.164: + and country code, then digits alone, as in +14155550123")]
    Malformed,
    /// No such number can exist.
    #[error("is not a number of any numbering plan")]
    Invalid,
    /// It belongs to no country: satellite, universal and other shared codes.
    #[error("belongs to no country, and codes are sent to numbers of countries alone")]
    NoCountry,
    /// Whoever is called there earns from it.
    #[error("is a premium-rate or shared-cost number, to which no codes are sent")]
    Premium,
}

/// Whether a text is the code (ISO 3166-1 alpha-2, upper case) of a country with numbers of its own.
pub fn is_country(text: &str) -> bool {
    text.parse::<country::Id>().is_ok_and(|id| id.as_ref() == text)
}

/// A valid number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PhoneNumber {
    e164: String,
    country: String,
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

    /// The country code and the operator's digits, `+1415`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::Malformed)?;
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            return Err(PhoneError::Malformed);
        }
        let number = phonenumber::parse(None, text).map_err(|_| PhoneError::Invalid)?;
        if !number.is_valid() {
            return Err(PhoneError::Invalid);
        }
        let country = number.country().id().ok_or(PhoneError::NoCountry)?;
        if matches!(number.number_type(&DATABASE), Type::PremiumRate | Type::SharedCost) {
            return Err(PhoneError::Premium);
        }
        let e164 = number.format().mode(Mode::E164).to_string();
        let code = number.country().code().to_string();
        let prefix = e164.chars().take(1 + code.len() + OPERATOR_DIGITS).collect();
        Ok(Self { e164, country: country.as_ref().to_owned(), prefix })
    }
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
    fn what_cannot_be_sent_to_is_refused() {
        for (text, error) in [
            ("4155552671", PhoneError::Malformed),
            ("+1 415 555 2671", PhoneError::Malformed),
            ("+1", PhoneError::Malformed),
            ("+1415555267x", PhoneError::Malformed),
            ("+14155552671;ext=2", PhoneError::Malformed),
            ("+11111111111", PhoneError::Invalid),
            ("+999123456789", PhoneError::Invalid),
            ("+19005552671", PhoneError::Premium),
        ] {
            assert_eq!(text.parse::<PhoneNumber>(), Err(error), "{text}");
        }
    }
}
