//! A factor that is proven by a code sent to it: a telephone number or an email address.

use serde::{Deserialize, Serialize};

use crate::ids::DeliveryId;
use crate::message::CODE_MAX_WRONG;
use crate::time::Timestamp;

/// Codes that are remembered of one factor, the live one included: enough to tell somebody who types
/// an older one that it was replaced, instead of counting it as a guess.
pub const CODES_KEPT: usize = 4;

/// A number or an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFactor {
    /// A number in E.164, or an address.
    pub destination: String,
    /// The codes sent last, newest last. Only the newest can be accepted.
    pub codes: Vec<SentCode>,
}

/// A code that was sent, as far as it is kept: a keyed digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
    /// The message that carries it.
    pub delivery: DeliveryId,
    /// HMAC-SHA-256 of the code, cut to sixteen bytes, under a key that is not in the log and in a
    /// context that names user, factor and delivery.
    pub digest: [u8; 16],
    /// When it was made.
    pub sent_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// Wrong answers while it was the live one.
    pub wrong: u32,
    /// Whether it was accepted; it never is again.
    pub spent: bool,
}

impl SentCode {
    /// Whether it can be accepted at `now`, if no newer one was sent.
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.spent && self.wrong < CODE_MAX_WRONG && now < self.expires_at
    }
}

impl MessageFactor {
    /// A destination to which nothing was sent yet.
    pub const fn new(destination: String) -> Self {
        Self { destination, codes: Vec::new() }
    }

    /// The newest code.
    pub fn latest(&self) -> Option<&SentCode> {
        self.codes.last()
    }

    /// Remembers a new code; those before it are void from now on, and the oldest is forgotten.
    pub fn issue(&mut self, code: SentCode) {
        self.codes.push(code);
        let over = self.codes.len().saturating_sub(CODES_KEPT);
        self.codes.drain(..over);
    }
}
