//! What an access token says.
//!
//! The application got it from the service itself, over a connection of its own, so it may read it
//! as it is. Whoever takes tokens from elsewhere checks them first, against the keys at
//! `/.well-known/jwks.json`.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use time::OffsetDateTime;
use time::macros::format_description;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    /// Who.
    pub(super) sub: String,
    /// How sure: `aal1` or `aal2`.
    pub(super) acr: String,
    /// By what (RFC 8176).
    pub(super) amr: Vec<String>,
    /// Until when, in seconds since 1970.
    exp: i64,
    /// All of it, for those who want to see.
    #[serde(skip)]
    pub(super) all: String,
}

impl Claims {
    /// Reads a token.
    pub(super) fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let bytes = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let all = serde_json::to_string_pretty(&value).ok()?;
        Some(Self { all, ..serde_json::from_value(value).ok()? })
    }

    /// Whether there were two factors.
    pub(super) fn two_factors(&self) -> bool {
        self.acr == "aal2"
    }

    /// Until when, for people.
    pub(super) fn until(&self) -> String {
        let at = OffsetDateTime::from_unix_timestamp(self.exp).ok();
        let text = at.and_then(|at| at.format(format_description!("[hour]:[minute] UTC")).ok());
        text.unwrap_or_default()
    }

    /// By what, for people.
    pub(super) fn ways(&self) -> Vec<&str> {
        self.amr.iter().map(|way| in_words(way)).collect()
    }
}

fn in_words(way: &str) -> &str {
    match way {
        "pwd" => "Password",
        "otp" => "Code of an app",
        "sms" => "Text message",
        "email" => "Email code",
        "hwk" => "Security key",
        "swk" => "Passkey",
        "user" => "Person verified",
        "mfa" => "Two factors",
        "recovery" => "Recovery code",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_nothing_else_is() {
        let payload = r#"{"sub":"user_1","acr":"aal2","amr":["pwd","otp","mfa"],"exp":60}"#;
        let token = format!("h.{}.s", BASE64URL_NOPAD.encode(payload.as_bytes()));
        let claims = Claims::read(&token).unwrap();
        assert_eq!((claims.sub.as_str(), claims.two_factors()), ("user_1", true));
        assert_eq!(claims.ways(), ["Password", "Code of an app", "Two factors"]);
        assert_eq!(claims.until(), "00:01 UTC");
        for odd in ["", "a", "a.b.c", "a.e30.c"] {
            assert_eq!(Claims::read(odd), None, "{odd}");
        }
    }
}
