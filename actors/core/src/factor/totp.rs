//! Time-based one-time passwords (RFC 6238 over RFC 4226), as a factor keeps and checks them.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm as TotpAlgorithm, Builder, Totp};

use crate::secret::Secret;
use crate::time::Timestamp;
use crate::vault::Sealed;

/// Bytes of a generated secret: as long as the HMAC's output (RFC 4226 section 4, R6).
pub const fn secret_length(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
        Algorithm::Sha512 => 64,
    }
}

/// Steps accepted on either side of the current one (RFC 6238 section 5.2).
pub const SKEW_STEPS: u64 = 1;

/// The HMAC's hash (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC-SHA-1, which every app knows.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name in the HTTP contract and in `otpauth` URIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// How a code is made from a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The hash.
    pub algorithm: Algorithm,
    /// Digits of a code, 6 or 8.
    pub digits: u8,
    /// Seconds of a time step, 15–120.
    pub period_seconds: u16,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { algorithm: Algorithm::Sha1, digits: 6, period_seconds: 30 }
    }
}

impl Parameters {
    /// The time step at `now`: `T = floor((now − T0) / X)` with `T0` the Unix epoch
    /// (RFC 6238 section 4.2).
    pub fn step_at(&self, now: Timestamp) -> u64 {
        now.unix_seconds() / u64::from(self.period_seconds.max(1))
    }

    /// The code of a time step, as text with leading zeros.
    pub fn code(&self, secret: &Secret, step: u64) -> Secret {
        Secret::from(self.generator(secret).generate(self.seconds(step)).to_string())
    }

    /// What makes two secrets the same: the period, and the HMAC of a fixed counter. Unequal bytes
    /// can be one HMAC key (RFC 2104 section 2: short keys are filled with zeros, long ones
    /// hashed) and would make the same codes; another period counts other steps.
    pub fn identity(&self, secret: &Secret) -> Vec<u8> {
        let mut identity = self.period_seconds.to_be_bytes().to_vec();
        identity.extend_from_slice(self.generator(secret).sign(0).as_ref());
        identity
    }

    fn seconds(&self, step: u64) -> u64 {
        step.saturating_mul(u64::from(self.period_seconds))
    }

    fn generator(&self, secret: &Secret) -> Totp {
        // Imported secrets may be shorter than RFC 4226 recommends; their length was judged when
        // they came in, so the builder's own judgement is not asked for again.
        self.builder(secret).build_noncompliant()
    }

    fn builder(&self, secret: &Secret) -> Builder {
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => TotpAlgorithm::SHA1,
            Algorithm::Sha256 => TotpAlgorithm::SHA256,
            Algorithm::Sha512 => TotpAlgorithm::SHA512,
        };
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.digits)
            .with_step_duration(u64::from(self.period_seconds))
            .with_skew(0)
            .with_secret(secret.expose().to_vec())
    }
}

/// An authenticator app, enrolled or about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpFactor {
    /// The shared secret, sealed for this user and factor.
    pub secret: Sealed,
    /// A keyed digest of the secret, to recognise it when it is imported again.
    pub fingerprint: [u8; 16],
    /// How codes are made.
    pub parameters: Parameters,
    /// The highest time step that was accepted. Everything at or below it is spent, whatever the
    /// skew (RFC 6238 section 5.2: a verifier must not accept the second attempt of a code).
    pub last_step: Option<u64>,
    /// The account name that the app shows it under; `None` if the app had it before.
    pub label: Option<String>,
}

/// What a code turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// Right and unspent: the time step that it proves.
    Fresh(u64),
    /// Right, but its step was already accepted.
    Spent,
    /// Wrong.
    Wrong,
}

/// Judges `code` (ASCII digits alone, see [`crate::typed::code`]) at `now`.
///
/// Every step of the window is computed and compared in constant time, so the time taken tells
/// neither whether nor where a code matched.
pub fn check(
    parameters: &Parameters,
    secret: &Secret,
    last_step: Option<u64>,
    code: &str,
    now: Timestamp,
) -> CodeCheck {
    let current = parameters.step_at(now);
    let generator = parameters.generator(secret);
    let mut fresh = None;
    let mut spent = false;
    for step in current.saturating_sub(SKEW_STEPS)..=current.saturating_add(SKEW_STEPS) {
        let expected = Secret::from(generator.generate(parameters.seconds(step)).to_string());
        if bool::from(expected.expose().ct_eq(code.as_bytes())) {
            if last_step.is_some_and(|last| step <= last) {
                spent = true;
            } else {
                // Should two steps have the same code, it spends both.
                fresh = Some(step);
            }
        }
    }
    match (fresh, spent) {
        (Some(step), _) => CodeCheck::Fresh(step),
        (None, true) => CodeCheck::Spent,
        (None, false) => CodeCheck::Wrong,
    }
}

/// A code that is not right now, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearMiss {
    /// It is of the time step that is so many steps away.
    Near(i64),
    /// It is made as all apps do by default, not as the parameters ask.
    ByDefault,
}

/// How far, in seconds, a device's clock may be off for its codes to be recognised.
const NEAR_SECONDS: i64 = 300;

/// What `code` is that [`check`] found wrong. Nothing is accepted for it.
pub fn near_miss(
    parameters: &Parameters,
    secret: &Secret,
    code: &str,
    now: Timestamp,
) -> Option<NearMiss> {
    let is_of = |parameters: &Parameters, away: i64| {
        let step = parameters.step_at(now).saturating_add_signed(away);
        bool::from(parameters.code(secret, step).expose().ct_eq(code.as_bytes()))
    };
    let skew = SKEW_STEPS.cast_signed();
    let far = NEAR_SECONDS / i64::from(parameters.period_seconds.max(1));
    let away = (skew + 1..=far).flat_map(|steps| [steps, -steps]);
    if let Some(steps) = away.into_iter().find(|steps| is_of(parameters, *steps)) {
        return Some(NearMiss::Near(steps));
    }
    let usual = Parameters::default();
    let ignoring = |algorithm, digits, period_seconds| {
        let ignored = Parameters { algorithm, digits, period_seconds };
        ignored != *parameters && (-skew..=skew).any(|steps| is_of(&ignored, steps))
    };
    let by_default = [parameters.algorithm, usual.algorithm].into_iter().any(|algorithm| {
        [parameters.digits, usual.digits].into_iter().any(|digits| {
            [parameters.period_seconds, usual.period_seconds]
                .into_iter()
                .any(|period| ignoring(algorithm, digits, period))
        })
    });
    by_default.then_some(NearMiss::ByDefault)
}

/// Bytes of an issuer in an `otpauth` URI, percent-encoded.
const ISSUER_MAX: usize = 72;
/// Bytes of an account name in an `otpauth` URI, percent-encoded. With all else at its longest the
/// URI has 412 bytes, which a QR code of version 15 holds.
const ACCOUNT_MAX: usize = 96;
/// Bytes of a factor's name within an account name.
const NAME_MAX: usize = 36;
/// Ends a text that was cut.
const CUT: char = '…';

/// The `otpauth` URI that authenticator apps scan, in the key URI format. It holds the secret, and is
/// short enough for a QR code that cheap cameras read: a long issuer or account name is cut. `None`
/// for an empty account name.
pub fn otpauth_uri(
    parameters: &Parameters,
    secret: &Secret,
    issuer: &str,
    account: &str,
) -> Option<Secret> {
    let totp = parameters
        .builder(secret)
        .with_issuer(Some(label_part(issuer, ISSUER_MAX)))
        .with_account_name(label_part(account, ACCOUNT_MAX))
        .build_noncompliant();
    totp.to_url().map(Secret::from).ok()
}

/// An account name for an app, unlike those in `taken`: apps keep one secret under one label, and the
/// older of two would be overwritten. `None` in `taken` is an app of which the name is not known.
pub fn account_label(account: &str, name: Option<&str>, taken: &[Option<&str>]) -> String {
    let plain = label_part(account, ACCOUNT_MAX);
    let with = |more: &str| {
        let more = format!(" ({more})");
        let room = ACCOUNT_MAX.saturating_sub(encoded_length(&more));
        format!("{}{more}", label_part(account, room))
    };
    let named = name.map(|name| with(&label_part(name, NAME_MAX)));
    let numbered = (2..).map(|number: u32| with(&number.to_string()));
    let first = (!taken.contains(&None)).then_some(plain);
    let mut candidates = first.into_iter().chain(named).chain(numbered);
    candidates.find(|one| !taken.contains(&Some(one.as_str()))).unwrap_or_default()
}

/// A part of a label: without the colon, which separates issuer and account, and cut to `max` bytes as
/// they are written in a URI.
fn label_part(text: &str, max: usize) -> String {
    let text = text.replace(':', " ");
    if encoded_length(&text) <= max {
        return text;
    }
    let mut left = max.saturating_sub(encoded_length(CUT.encode_utf8(&mut [0; 4])));
    let fits = |c: &char| {
        let needed = encoded_length(c.encode_utf8(&mut [0; 4]));
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    };
    text.chars().take_while(fits).chain([CUT]).collect()
}

/// Bytes of a text in a URI (RFC 3986 section 2.1).
fn encoded_length(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}
