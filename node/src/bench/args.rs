//! What was asked for.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign_core::secret::Secret;
use serde::Serialize;

/// Load a running node or cluster and measure it.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// Addresses of the API, separated by commas; they are used in turn.
    #[arg(
        long = "url",
        env = "COUNTERSIGN_URL",
        value_name = "URL[,URL…]",
        value_delimiter = ',',
        required = true,
        value_parser = base_url
    )]
    pub urls: Vec<String>,
    /// An API key with the scope `mfa`.
    #[arg(
        long,
        env = "COUNTERSIGN_KEY",
        hide_env_values = true,
        value_name = "KEY",
        value_parser = key
    )]
    pub key: Secret,
    /// What to do, over and over.
    #[arg(long, value_enum, default_value_t = Scenario::Login)]
    pub scenario: Scenario,
    /// Users to prepare. A code works once, so more are added when these have none left.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub users: u32,
    /// Operations under way at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,
    /// How long to measure: `10s`, `500ms`, `2m`.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub duration: Duration,
    /// How long to run before measuring.
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub warmup: Duration,
    /// Operations to start a second, evenly; without it, as many as the server answers. Times then
    /// count from when an operation was due, so that a stalled server is not flattered.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Erase the users of this run when it is over.
    #[arg(long)]
    pub cleanup: bool,
}

/// What a run consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// Create a challenge and verify it with a code: two commits, one login.
    Login,
    /// The verification alone; creating its challenge is not measured.
    Verify,
    /// Begin an enrollment and confirm it: a new user each time.
    Enroll,
    /// 70 % logins, 10 % enrollments, 10 % reads of a user's status, 10 % wrong codes.
    Mixed,
}

impl Scenario {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Verify => "verify",
            Self::Enroll => "enroll",
            Self::Mixed => "mixed",
        }
    }

    /// Which part of the operations spends a code of a prepared user.
    pub(super) const fn codes_per_operation(self) -> f64 {
        match self {
            Self::Login | Self::Verify => 1.0,
            Self::Enroll => 0.0,
            Self::Mixed => 0.7,
        }
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    match text.strip_prefix("http://") {
        Some("") => Err("the host is missing".to_owned()),
        Some(rest) if rest.contains(['/', '?', '#', '@']) => {
            Err("an address such as http://127.0.0.1:8080 is expected, without a path".to_owned())
        }
        Some(_) => Ok(text.to_owned()),
        None => Err("an address that begins with http:// is expected: measure the server itself, \
                     not a proxy with TLS in front of it"
            .to_owned()),
    }
}

// The text is not in the error: it may be most of a key.
fn key(text: &str) -> Result<Secret, String> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.starts_with("csk_") && printable {
        Ok(Secret::from(text.to_owned()))
    } else {
        Err("a key begins with csk_ and has no spaces".to_owned())
    }
}

/// `500ms`, `10s`, `2m`, `1h`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 =
        number.parse().map_err(|_| "a whole number with ms, s, m or h is expected".to_owned())?;
    let unit_ms = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("`{unit}` is no unit: ms, s, m or h is expected")),
    };
    match number.checked_mul(unit_ms) {
        Some(milliseconds) if milliseconds <= 24 * 3_600_000 => {
            Ok(Duration::from_millis(milliseconds))
        }
        _ => Err("at most 24 hours".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        bench: BenchArgs,
    }

    const KEY: &str = "csk_0123456789abcdef0123456789abcdef";

    fn parsed(more: &[&str]) -> Result<BenchArgs, clap::Error> {
        let line = ["bench", "--url", "http://a:1/,http://b:2", "--key", KEY];
        Line::try_parse_from(line.iter().chain(more)).map(|line| line.bench)
    }

    #[test]
    fn addresses_are_split_at_commas_and_lose_their_last_slash() {
        assert_eq!(parsed(&[]).unwrap().urls, ["http://a:1", "http://b:2"]);
    }

    #[test]
    fn durations_have_units_and_a_bound() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "s", "-1s", "1.5s", "10 parsecs", "25h", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_refused_key_and_a_printed_one_stay_hidden() {
        let line = ["bench", "--url", "http://a:1", "--key", "hunter2 hunter2"];
        let refusal = Line::try_parse_from(line).unwrap_err().kind();
        assert_eq!(refusal, clap::error::ErrorKind::ValueValidation);
        assert!(!format!("{:?}", parsed(&[]).unwrap()).contains(KEY));
    }

    #[test]
    fn an_address_with_a_path_or_with_tls_is_refused() {
        for wrong in ["https://a", "a:1", "http://", "http://a/v1", "http://u:p@a"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_at_once_is_refused() {
        assert!(parsed(&["--concurrency", "0"]).is_err());
        assert!(parsed(&["--users", "0"]).is_err());
        assert!(parsed(&["--rate", "0"]).is_err());
    }
}
