//! The vectors of RFC 4226 appendix D and RFC 6238 appendix B.

#![allow(clippy::unwrap_used, reason = "a test may stop at what should not be")]

use countersign_core::factor::totp::{Algorithm, CodeCheck, Parameters, check};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;

const SEED: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

/// RFC 6238 errata 2866: the seed is as long as the hash.
fn seed(length: usize) -> Secret {
    Secret::new(SEED[..length].to_vec())
}

#[test]
fn hotp_values_are_those_of_rfc_4226_appendix_d() {
    let parameters = Parameters::default();
    let expected = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, code) in (0u64..).zip(expected) {
        assert_eq!(parameters.code(&seed(20), counter).expose_str(), code, "counter {counter}");
    }
}

#[test]
fn totp_values_are_those_of_rfc_6238_appendix_b() {
    let expected = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    for (seconds, sha1, sha256, sha512) in expected {
        let now = Timestamp::from_millis(seconds * 1_000);
        for (algorithm, length, code) in [
            (Algorithm::Sha1, 20, sha1),
            (Algorithm::Sha256, 32, sha256),
            (Algorithm::Sha512, 64, sha512),
        ] {
            let parameters = Parameters { algorithm, digits: 8, period_seconds: 30 };
            let step = parameters.step_at(now);
            assert_eq!(parameters.code(&seed(length), step).expose_str(), code, "{seconds} s");
            let verdict = check(&parameters, &seed(length), None, code, now);
            assert_eq!(verdict, CodeCheck::Fresh(step));
        }
    }
}
