//! One request, and what it was answered with.

use data_encoding::{BASE64, BASE64_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::time::Instant;

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// With this status.
    Status(u16),
    /// With this status, and when to come again.
    RetryAfter(u16, u64),
    /// Never.
    Hang,
    /// By closing the connection.
    HangUp,
    /// With this status and a part of the body that was announced; then the connection closes.
    HalfWay(u16),
}

impl Reaction {
    /// Whether the sender may take it for success.
    pub const fn takes(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it was there, whole.
    pub at: Instant,
    /// Where it was sent to; by this a test tells the senders apart.
    pub path: String,
    /// The header `webhook-id`.
    pub id: String,
    /// The body.
    pub body: Value,
    /// How it was answered. While the script runs, [`Reaction::Hang`].
    pub reaction: Reaction,
    pub(super) timestamp: String,
    pub(super) signature: String,
    pub(super) raw: Vec<u8>,
}

impl Received {
    /// Checks the signature as the Standard Webhooks specification has receivers do it: HMAC-SHA-256
    /// over id, time and body; one right one among those listed is enough.
    ///
    /// # Errors
    /// What is wrong.
    pub fn is_signed_with(&self, secret: &str) -> Result<(), String> {
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => BASE64
                .decode(encoded.as_bytes())
                .or_else(|_| BASE64_NOPAD.decode(encoded.as_bytes()))
                .map_err(|error| format!("the secret is no base64: {error}"))?,
            None => secret.as_bytes().to_vec(),
        };
        if self.id.is_empty() || self.id.contains('.') {
            return Err(format!("webhook-id {:?}", self.id));
        }
        let seconds = self.timestamp.parse::<u64>();
        seconds.map_err(|error| format!("webhook-timestamp {:?}: {error}", self.timestamp))?;
        let signed = self.signature.split(' ').any(|one| {
            let Some(text) = one.strip_prefix("v1,") else { return false };
            let Ok(tag) = BASE64.decode(text.as_bytes()) else { return false };
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
            mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
            mac.update(&self.raw);
            mac.verify_slice(&tag).is_ok()
        });
        if signed { Ok(()) } else { Err(format!("webhook-signature {:?}", self.signature)) }
    }

    /// When the sender says that it sent it, in seconds since the Unix epoch.
    pub fn sent_at(&self) -> u64 {
        self.timestamp.parse().unwrap_or(0)
    }

    /// The number that a text message is for.
    pub fn to(&self) -> &str {
        self.body["to"].as_str().unwrap_or_default()
    }

    /// The code in a text message: the only six digits in a row.
    pub fn code(&self) -> Option<&str> {
        code_in(self.body["body"].as_str()?)
    }
}

/// The only six digits in a row within a text.
pub fn code_in(text: &str) -> Option<&str> {
    let mut found =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|run| run.len() == 6);
    let code = found.next()?;
    found.next().is_none().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    fn example() -> Received {
        Received {
            at: Instant::now(),
            path: "/".into(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
            body: Value::Null,
            reaction: Reaction::Status(200),
            timestamp: "1614265330".into(),
            signature: "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into(),
            raw: br#"{"test": 2432232314}"#.to_vec(),
        }
    }

    #[test]
    fn the_published_signature_is_right_and_any_other_is_wrong() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(example().is_signed_with(secret), Ok(()));
        assert!(example().is_signed_with("whsec_AAAA").is_err());
        for changed in [
            Received { id: "msg_x".into(), ..example() },
            Received { timestamp: "1614265331".into(), ..example() },
            Received { raw: b"{}".to_vec(), ..example() },
            Received { signature: String::new(), ..example() },
        ] {
            assert!(changed.is_signed_with(secret).is_err(), "{changed:?}");
        }
    }

    #[test]
    fn a_code_is_found_if_there_is_one_alone() {
        assert_eq!(code_in("123456 is your code. It works for 5 minutes."), Some("123456"));
        assert_eq!(code_in("your code: 004711."), Some("004711"));
        assert_eq!(code_in("1234567"), None);
        assert_eq!(code_in("123456 or 654321"), None);
    }
}
