//! Answers kept for requests that come again.
//!
//! An answer is kept in the commit that it tells of, sealed, since it may show a secret. The seal
//! is bound to the row and to the key, so an answer moved under another key does not open.

use countersign_core::codec;
use countersign_core::proposal::{ANSWER_KEPT_MS, AnswerKey, KeptAnswer};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_core::vault::Sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::desk::Desk;
use crate::gateway::GatewayError;

/// The shape of replies. One that an earlier release kept in another shape is not read: for a day
/// after an upgrade, a request that is repeated from before it gets an error instead of its answer,
/// never another answer.
const ANSWER_SHAPE: u8 = 3;

/// Where the answer to a request is kept, and which request that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// Under what.
    pub(crate) key: AnswerKey,
    /// The digest of the request.
    pub(crate) request: [u8; 32],
    /// What the row's sealed values are bound to.
    pub(crate) row: Vec<u8>,
}

impl Keeping {
    fn context(&self) -> Vec<u8> {
        [&self.row[..], &self.key[..]].concat()
    }

    /// The answer that was given to the same request before; `None` if there was none or it is
    /// older than a day. Another request under the same key is refused.
    pub(crate) fn find<R: DeserializeOwned>(
        &self,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<Option<R>, GatewayError> {
        let kept = desk.replica.answer(&self.key)?;
        #[cfg(feature = "sabotage")]
        let kept = kept.or_else(|| crate::sabotage::recall(&self.key));
        let Some(kept) = kept else { return Ok(None) };
        if kept.expires_at <= now {
            return Ok(None);
        }
        if kept.request != self.request {
            return Err(GatewayError::IdempotencyKeyReused);
        }
        let sealed = Sealed::from_bytes(kept.reply);
        let unreadable = |reason: String| {
            GatewayError::Internal(format!("the answer kept for an idempotency key: {reason}"))
        };
        let plain = desk
            .ports
            .vault
            .open(&self.context(), &sealed)
            .map_err(|error| unreadable(error.to_string()))?;
        codec::decode_as(ANSWER_SHAPE, plain.expose())
            .map(Some)
            .map_err(|error| unreadable(error.to_string()))
    }

    /// `reply`, sealed, to go along with the proposal.
    pub(crate) fn keep<R: Serialize>(
        &self,
        desk: &Desk,
        reply: &R,
        now: Timestamp,
    ) -> Result<KeptAnswer, GatewayError> {
        // Taken in as a secret, so that the plain bytes are wiped.
        let plain = codec::encode_as(ANSWER_SHAPE, reply).map(Secret::new).map_err(|error| {
            GatewayError::Internal(format!("an answer cannot be encoded: {error}"))
        })?;
        let mut nonce = [0; 24];
        desk.ports.entropy.fill(&mut nonce);
        let sealed = desk.ports.vault.seal(&self.context(), nonce, plain.expose());
        Ok(KeptAnswer {
            key: self.key,
            request: self.request,
            reply: sealed.as_bytes().to_vec(),
            expires_at: now.plus_millis(ANSWER_KEPT_MS),
        })
    }
}
