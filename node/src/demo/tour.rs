//! What there is to try, and what was tried.

use super::accounts::Account;
use super::service::Status;

/// One thing to try.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What.
    pub(super) name: &'static str,
    /// How, as HTML of this file's own.
    pub(super) how: &'static str,
    /// Whether it was.
    pub(super) done: bool,
}

/// The whole tour: two minutes.
pub(super) fn steps(account: Option<&Account>, status: &Status) -> Vec<Step> {
    let has = |kind: &str| status.factors.get(kind).is_some_and(|count| *count > 0);
    let came = |ways: &[&str]| {
        account.is_some_and(|account| ways.iter().any(|way| account.ways.contains(*way)))
    };
    let locked = status.locked_until.is_some() || status.unlock_required;
    vec![
        Step {
            name: "Create an account",
            how: "Any address and password: nothing leaves this machine.",
            done: account.is_some(),
        },
        Step {
            name: "Add an authenticator app",
            how: "No phone at hand? <code>countersign totp SECRET</code> shows its code.",
            done: has("TOTP"),
        },
        Step {
            name: "Add a passkey or security key",
            how: "Your fingerprint, your screen lock, or a key on USB.",
            done: has("WEBAUTHN"),
        },
        Step {
            name: "Add your phone or email",
            how: "Codes arrive in the <a href=\"/dev/inbox\" target=\"_blank\">inbox</a>.",
            done: has("SMS") || has("EMAIL"),
        },
        Step {
            name: "Keep recovery codes",
            how: "For the day when everything else is lost.",
            done: status.recovery_codes_remaining > 0,
        },
        Step {
            name: "Sign out, and in with each",
            how: "“Try another way” leads to the next.",
            done: came(&["otp"]) && came(&["hwk", "swk"]) && came(&["recovery"]),
        },
        Step {
            name: "Be remembered",
            how: "Tick the box at the code: the next sign-in asks for none.",
            done: status.trusted_device_count > 0,
        },
        Step {
            name: "Be locked, and unlocked",
            how: "Five wrong codes; then find yourself in the \
                  <a href=\"/console\" target=\"_blank\">console</a>, with the key from your terminal.",
            done: account.is_some_and(|account| account.was_locked) && !locked,
        },
    ]
}
