//! `otpauth://` addresses, the key URI format that apps and services export secrets in.

use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::secret::Secret;
use url::Url;

use crate::request::Fields;

/// The secret and how codes are made from it. No complaint repeats what was sent.
pub(super) fn read(fields: &mut Fields, pointer: &str, text: &str) -> (Secret, Parameters) {
    let parameters = Parameters::default();
    let url = match url_of(text) {
        Ok(url) => url,
        Err(detail) => {
            fields.refuse(pointer, detail);
            return (Secret::new(Vec::new()), parameters);
        }
    };
    let values = |wanted: &str| -> Vec<String> {
        let named = url.query_pairs().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map(|(_, value)| value.into_owned()).collect()
    };
    let mut one = |name: &str| {
        let mut found = values(name);
        fields.demand(found.len() < 2, pointer, &format!("must have one `{name}` alone"));
        found.pop()
    };
    let [secret, algorithm, digits, period] =
        ["secret", "algorithm", "digits", "period"].map(&mut one);
    let algorithm = algorithm.as_deref().map_or(Some(Algorithm::Sha1), algorithm_of);
    fields.demand(
        algorithm.is_some(),
        pointer,
        "must have an `algorithm` of SHA1, SHA256 or SHA512",
    );
    let digits = digits.map_or(Some(parameters.digits), |digits| digits.parse().ok());
    let digits = digits.filter(|digits| matches!(digits, 6 | 8));
    fields.demand(digits.is_some(), pointer, "must have `digits` of 6 or 8");
    let period = period.map_or(Some(parameters.period_seconds), |period| period.parse().ok());
    let period = period.filter(|period| (15..=120).contains(period));
    fields.demand(period.is_some(), pointer, "must have a `period` from 15 to 120");
    let secret = match secret {
        Some(secret) => fields.totp_secret(pointer, Secret::from(secret).expose_str()),
        None => {
            fields.refuse(pointer, "must have a `secret`");
            Secret::new(Vec::new())
        }
    };
    let read = Parameters {
        algorithm: algorithm.unwrap_or_default(),
        digits: digits.unwrap_or(parameters.digits),
        period_seconds: period.unwrap_or(parameters.period_seconds),
    };
    (secret, read)
}

fn url_of(text: &str) -> Result<Url, &'static str> {
    let form = "must be an address that begins with otpauth://totp/";
    let url = Url::parse(text.trim()).map_err(|_| form)?;
    let kind = url.host_str().unwrap_or_default();
    match url.scheme() {
        "otpauth" if kind.eq_ignore_ascii_case("totp") => Ok(url),
        "otpauth" if kind.eq_ignore_ascii_case("hotp") => {
            Err("must be of time-based codes (totp); codes by a counter (hotp) are not supported")
        }
        "otpauth-migration" => {
            Err("must be the address of one secret; an export of several must be taken apart first")
        }
        _ => Err(form),
    }
}

/// Apps write the hash in several ways.
fn algorithm_of(text: &str) -> Option<Algorithm> {
    let plain = text.to_ascii_uppercase().replace('-', "");
    match plain.strip_prefix("HMAC").unwrap_or(&plain) {
        "SHA1" => Some(Algorithm::Sha1),
        "SHA256" => Some(Algorithm::Sha256),
        "SHA512" => Some(Algorithm::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<(Secret, Parameters), String> {
        let mut fields = Fields::new();
        let read = read(&mut fields, "/uri", text);
        fields.finish(read).map_err(|problem| problem.errors[0].detail.clone())
    }

    #[test]
    fn all_of_it_is_read() {
        let address = "otpauth://totp/Acme:ann%40acme.example?issuer=Acme&secret=JBSWY3DPEHPK3PXPB\
                       &algorithm=HmacSHA256&digits=8&period=60";
        let (secret, parameters) = of(address).unwrap();
        assert_eq!(secret.expose(), b"Hello!\xde\xad\xbe\xef");
        let all = Parameters { algorithm: Algorithm::Sha256, digits: 8, period_seconds: 60 };
        assert_eq!(parameters, all);
        let (_, usual) = of("otpauth://TOTP/ann?SECRET=jbsw-y3dp%20ehpk3pxp====").unwrap();
        assert_eq!(usual, Parameters::default());
    }

    #[test]
    fn what_cannot_be_taken_over_is_told() {
        for (address, part) in [
            ("https://acme.example/?secret=JBSWY3DPEHPK3PXP", "otpauth://totp/"),
            ("JBSWY3DPEHPK3PXP", "otpauth://totp/"),
            ("otpauth://hotp/ann?secret=JBSWY3DPEHPK3PXP&counter=0", "counter"),
            ("otpauth-migration://offline?data=AA", "one secret"),
            ("otpauth://totp/ann", "`secret`"),
            ("otpauth://totp/ann?secret=JBSWY3DPEHPK3PXP&secret=JBSWY3DPEHPK3PXQ", "one `secret`"),
            ("otpauth://totp/ann?secret=JBSWY3DPEHPK3PX1", "base32"),
            ("otpauth://totp/ann?secret=JBSWY3DP", "10 to 128 bytes"),
            ("otpauth://totp/ann?secret=JBSWY3DPEHPK3PXP&digits=7", "`digits`"),
            ("otpauth://totp/ann?secret=JBSWY3DPEHPK3PXP&period=0", "`period`"),
            ("otpauth://totp/ann?secret=JBSWY3DPEHPK3PXP&algorithm=MD5", "`algorithm`"),
        ] {
            let refused = of(address).unwrap_err();
            assert!(refused.contains(part), "{address}: {refused}");
            assert!(!refused.contains("JBSWY"), "{refused}");
        }
    }
}
