//! The shapes of the contract: what bodies look like on the wire, and how they become what the
//! core speaks. Names here are the names in the OpenAPI document and, from there, in the SDKs; a test
//! refuses those that generators cannot use, as `NewThing` beside `Thing`.

mod answer;
pub(crate) mod audit;
pub(crate) mod challenge;
pub(crate) mod cluster;
pub(crate) mod device;
pub(crate) mod factor;
mod list;
pub(crate) mod message;
mod names;
mod otpauth;
pub(crate) mod policy;
pub(crate) mod portal;
pub(crate) mod preview;
pub(crate) mod recovery;
mod sends;
pub(crate) mod settings;
pub(crate) mod statistics;
pub(crate) mod status;
mod telling;
pub(crate) mod tenant;
mod text;
pub(crate) mod tokens;
pub(crate) mod totp;
pub(crate) mod user;
pub(crate) mod webauthn;
pub(crate) mod webhook;

pub(crate) use answer::{Accepted, Answer, Created, NoContent};
pub(crate) use challenge::challenge_id;
pub(crate) use list::List;
pub(crate) use names::{
    Algorithm, ChallengeKind, ChallengePurpose, ChallengeReason, ChallengeStatus, FactorStatus,
    FactorType, GraceUnit, Outcome, PortalPurpose, PortalStatus, Requirement, ResultParameter,
    RiskTrigger, ScopeName, TokenType,
};
pub(crate) use text::{SecretText, Time, nullable, present};

#[cfg(test)]
mod tests {
    use countersign_core::secret::Secret;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// What `{:?}` shows of a body that was received.
    fn shown<T: DeserializeOwned + std::fmt::Debug>(body: serde_json::Value) -> String {
        format!("{:?}", serde_json::from_value::<T>(body).unwrap())
    }

    #[test]
    fn no_body_that_was_received_shows_its_secret() {
        for text in [
            shown::<totp::VerifyTotp>(json!({"code": "hush"})),
            shown::<message::VerifySentCode>(json!({"code": "hush"})),
            shown::<totp::ImportTotp>(json!({"secret": "hush"})),
            shown::<recovery::UseRecoveryCode>(json!({"code": "hush"})),
            shown::<challenge::VerifyChallenge>(
                json!({"challengeId": "c", "code": "hush", "recoveryCode": "hush"}),
            ),
            shown::<challenge::CreateChallenge>(
                json!({"userId": "u", "context": {"deviceToken": "hush"}}),
            ),
        ] {
            assert!(text.contains("SecretText") && !text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn a_secret_is_written_in_full_and_printed_not_at_all() {
        let secret = SecretText::from(Secret::from("hush".to_owned()));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hush\"");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "SecretText(…) Some(SecretText(…))");
    }

    #[test]
    fn a_time_has_milliseconds_and_is_utc() {
        let text = |millis| {
            let at = countersign_core::time::Timestamp::from_millis(millis);
            serde_json::to_string(&Time(at)).unwrap()
        };
        assert_eq!(text(0), "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(text(1_769_860_800_007), "\"2026-01-31T12:00:00.007Z\"");
        assert_eq!(text(253_402_300_799_999), "\"9999-12-31T23:59:59.999Z\"");
        assert_eq!(text(i64::MAX), "\"1970-01-01T00:00:00.000Z\"");
    }
}
