//! An authenticator app in a person's hand: eight digits, two minutes a step.

use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;

/// Seconds of a time step.
pub const PERIOD_SECONDS: u16 = 120;

const PARAMETERS: Parameters =
    Parameters { algorithm: Algorithm::Sha1, digits: 8, period_seconds: PERIOD_SECONDS };

/// An app with a secret of its own.
#[derive(Clone)]
pub struct App {
    secret: [u8; 20],
}

impl App {
    /// The app number `number`: always the same secret for the same number.
    pub fn numbered(number: u64) -> Self {
        let mut secret = [b'#'; 20];
        secret[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        secret[8..16].copy_from_slice(&number.to_be_bytes());
        Self { secret }
    }

    /// The app that took over a secret of 20 bytes.
    ///
    /// # Panics
    /// If it is no such secret.
    pub fn with_secret(base32: &str) -> Self {
        let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
        Self { secret: bytes.try_into().unwrap() }
    }

    /// The secret's bytes.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.secret
    }

    /// The secret as people type it.
    pub fn base32(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(&self.secret)
    }

    /// The time step of now.
    pub fn step(&self) -> u64 {
        PARAMETERS.step_at(now())
    }

    /// The code of a time step.
    pub fn code_of(&self, step: u64) -> String {
        let code = PARAMETERS.code(&Secret::new(self.secret.to_vec()), step);
        code.expose_str().to_owned()
    }

    /// The code of the time step that is `steps` away from now.
    pub fn code(&self, steps: i64) -> String {
        self.code_of(self.step().checked_add_signed(steps).unwrap())
    }

    /// A code that is wrong in every step near now.
    pub fn wrong_code(&self) -> String {
        let near: Vec<String> = (-3..=3).map(|steps| self.code(steps)).collect();
        (0u32..).map(|guess| format!("{guess:08}")).find(|code| !near.contains(code)).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a person's app has the wall clock of its own")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}
