//! What can go wrong inside the layer, apart from what a caller did.

use countersign_core::vault::VaultError;
use thiserror::Error;

/// A fault of the service that the API met. Logged once, shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiError {
    /// A reply names a signing key that this node has not applied yet.
    #[error("signing key {kid} is not known to this node yet")]
    UnknownSigningKey {
        /// The key's id.
        kid: String,
    },
    /// The cluster has no signing key.
    #[error("the cluster has no signing key")]
    NoSigningKey,
    /// A signing key could not be opened.
    #[error("signing key {kid} cannot be opened: {reason}")]
    SealedSigningKey {
        /// The key's id.
        kid: String,
        /// Why.
        reason: VaultError,
    },
    /// A signing key's bytes are no P-256 key.
    #[error("signing key {kid} is not a P-256 key")]
    MalformedSigningKey {
        /// The key's id.
        kid: String,
    },
    /// Claims could not be written as JSON.
    #[error("a token's claims cannot be serialised: {0}")]
    Claims(String),
    /// Four random keys in a row were outside the curve's order: the source is broken.
    #[error("the entropy source gives no usable key")]
    Entropy,
    /// A reply is not of the kind that its question has.
    #[error("{operation} was answered by a reply of another kind")]
    UnexpectedReply {
        /// Which operation.
        operation: &'static str,
    },
    /// A QR code could not be drawn.
    #[error("the enrollment's QR code cannot be drawn: {0}")]
    QrCode(String),
}

impl ApiError {
    /// Whether the same request may succeed a little later.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::UnknownSigningKey { .. } | Self::NoSigningKey => true,
            Self::SealedSigningKey { .. }
            | Self::MalformedSigningKey { .. }
            | Self::Claims(_)
            | Self::Entropy
            | Self::UnexpectedReply { .. }
            | Self::QrCode(_) => false,
        }
    }
}
