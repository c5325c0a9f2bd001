//! A factor that is proven by a code sent to it: a telephone number or an email address.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::entropy::Entropy;
use crate::ids::DeliveryId;
use crate::message::{CODE_DIGITS, CODE_MAX_WRONG};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Codes that are remembered of one factor, the live one included: enough to tell somebody who types
/// an older one that it was replaced, instead of counting it as a guess.
pub const CODES_KEPT: usize = 4;

/// A number or an address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFactor {
    /// A number in E.164, or an address.
    pub destination: String,
    /// The codes sent last, newest last. Only the newest can be accepted.
    pub codes: Vec<SentCode>,
}

/// What became of the message that carries a code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendOutcome {
    /// It is on its way, or is tried again.
    #[default]
    Pending,
    /// The provider took it.
    Sent,
    /// It will never arrive.
    Failed {
        /// A stable word.
        reason: String,
    },
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
    /// What became of its message.
    pub outcome: SendOutcome,
}

impl SentCode {
    /// Whether it can be accepted at `now`, if no newer one was sent.
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.spent && !self.is_over(now)
    }

    /// Whether its time or its wrong answers are used up.
    fn is_over(&self, now: Timestamp) -> bool {
        self.wrong >= CODE_MAX_WRONG || now >= self.expires_at
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

    /// What became of a message; whether its code is still remembered.
    pub fn settle(&mut self, delivery: DeliveryId, outcome: &SendOutcome) -> bool {
        let found = self.codes.iter_mut().find(|code| code.delivery == delivery);
        found.map(|code| code.outcome = outcome.clone()).is_some()
    }

    /// The code that this message carried was accepted.
    pub fn spend(&mut self, delivery: DeliveryId) {
        for code in self.codes.iter_mut().filter(|code| code.delivery == delivery) {
            code.spent = true;
        }
    }
}

/// Names no number and no address: this text may reach a log line.
impl fmt::Debug for MessageFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageFactor").field("codes", &self.codes).finish_non_exhaustive()
    }
}

/// One fresh code, each as likely as any other.
pub fn generate(entropy: &mut dyn Entropy) -> Secret {
    const CODES: u32 = 10u32.pow(CODE_DIGITS as u32);
    // A remainder is fair only below the last whole multiple: what lies above is drawn again.
    const FAIR: u32 = u32::MAX / CODES * CODES;
    loop {
        let drawn = u32::from_be_bytes(entropy.bytes());
        if drawn < FAIR {
            return Secret::from(format!("{:0width$}", drawn % CODES, width = CODE_DIGITS));
        }
    }
}

/// What a typed code turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentCheck {
    /// The newest code, and it can be accepted: the message that carried it.
    Fresh(DeliveryId),
    /// A code that was accepted before.
    Spent,
    /// A code that was replaced, has expired or met too many wrong answers; or anything at all
    /// while there is no code to be guessed at.
    Over,
    /// Wrong.
    Wrong {
        /// Wrong answers that the newest code takes after this one.
        attempts_remaining: u32,
    },
}

/// Judges a code at `now`; `digest_for` gives its digest as if the message at hand had carried it.
///
/// It is compared with every code that is remembered, each in constant time, so the time taken
/// tells neither whether nor which one matched.
pub fn check(
    to: &MessageFactor,
    digest_for: impl Fn(DeliveryId) -> [u8; 16],
    now: Timestamp,
) -> SentCheck {
    let Some((newest, older)) = to.codes.split_last() else { return SentCheck::Over };
    let equals = |code: &SentCode| bool::from(code.digest.ct_eq(&digest_for(code.delivery)));
    let is_newest = equals(newest);
    let (mut known, mut spent) = (is_newest, is_newest && newest.spent);
    for code in older {
        let equal = equals(code);
        known |= equal;
        spent |= equal && code.spent;
    }
    if is_newest && newest.is_live(now) {
        SentCheck::Fresh(newest.delivery)
    } else if spent {
        SentCheck::Spent
    } else if known || newest.is_over(now) {
        SentCheck::Over
    } else {
        SentCheck::Wrong { attempts_remaining: CODE_MAX_WRONG.saturating_sub(newest.wrong + 1) }
    }
}
