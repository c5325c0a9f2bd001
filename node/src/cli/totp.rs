//! `countersign totp`: an authenticator app for the shell (RFC 6238), to try the service out with.

use clap::Args;
use countersign_actors::ports::Clock;
use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::secret::Secret;
use countersign_core::typed;

use super::say;
use crate::clock::WallClock;
use crate::error::Error;

#[derive(Args)]
#[command(after_help = "\
Example:
  countersign totp GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ

The secret is what POST /v1/users/{userId}/mfa/totp answered. Every code is good once, so a second
code within the same time step is taken from the next one with --next.")]
pub(super) struct TotpArgs {
    /// The shared secret in base32.
    secret: String,
    /// Print the code of the next time step, which is accepted already.
    #[arg(long)]
    next: bool,
    /// The hash: SHA1, SHA256 or SHA512.
    #[arg(long, default_value = "SHA1", value_name = "NAME")]
    algorithm: String,
    /// Digits of a code.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(6..=8))]
    digits: u8,
    /// Seconds of a time step.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(15..=120))]
    period: u16,
}

impl std::fmt::Debug for TotpArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TotpArgs").field("next", &self.next).finish_non_exhaustive()
    }
}

pub(super) fn run(args: &TotpArgs) -> Result<(), Error> {
    let parameters = Parameters {
        algorithm: algorithm(&args.algorithm)?,
        digits: args.digits,
        period_seconds: args.period,
    };
    let step = parameters.step_at(WallClock.now()) + u64::from(args.next);
    say(parameters.code(&secret(&args.secret)?, step).expose_str());
    Ok(())
}

fn algorithm(name: &str) -> Result<Algorithm, Error> {
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
        .ok_or_else(|| Error::Usage(format!("{name}: SHA1, SHA256 or SHA512 is expected")))
}

fn secret(text: &str) -> Result<Secret, Error> {
    typed::base32(text)
        .ok_or_else(|| Error::Usage("the secret is not base32 (A–Z and 2–7)".to_owned()))
}

#[cfg(test)]
mod tests {
    use countersign_core::time::Timestamp;

    use super::*;

    #[test]
    fn it_shows_what_rfc_6238_appendix_b_expects() {
        let secret = secret("gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ").unwrap();
        let parameters = Parameters { digits: 8, ..Parameters::default() };
        let step = parameters.step_at(Timestamp::from_millis(1_111_111_109_000));
        assert_eq!(parameters.code(&secret, step).expose_str(), "07081804");
    }

    #[test]
    fn what_is_not_base32_is_refused_without_being_repeated() {
        let error = secret("sekret1!").unwrap_err().to_string();
        assert!(!error.contains("sekret"), "{error}");
    }
}
