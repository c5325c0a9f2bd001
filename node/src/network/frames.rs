//! Messages on a long stream: a length of four bytes, big-endian, then as many bytes of a value.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use countersign_core::codec::CodecError;
use futures::stream::{self, Stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::wire;

/// Bytes before each value.
const LENGTH: usize = 4;

/// Why there is no further message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum FrameError {
    /// Longer than its kind may be.
    #[error("a message of {0} bytes is too large")]
    Oversized(usize),
    /// Not a value of its kind.
    #[error("a message is malformed: {0}")]
    Malformed(#[from] CodecError),
    /// The stream broke, or ended within a message.
    #[error("the stream broke off: {0}")]
    Broken(String),
}

/// Appends one message to `buffer`.
///
/// # Errors
/// If it is larger than `limit`; then nothing is appended.
pub(super) fn write<T: Serialize>(
    buffer: &mut BytesMut,
    value: &T,
    limit: usize,
) -> Result<(), FrameError> {
    let bytes = wire::encode(value)?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= limit);
    let length = length.ok_or(FrameError::Oversized(bytes.len()))?;
    buffer.reserve(LENGTH + bytes.len());
    buffer.put_u32(length);
    buffer.put_slice(&bytes);
    Ok(())
}

/// Takes messages out of what arrived.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer(BytesMut);

impl FrameBuffer {
    /// Adds what arrived.
    pub(super) fn push(&mut self, chunk: &Bytes) {
        self.0.extend_from_slice(chunk);
    }

    /// Whether nothing is left over.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left over.
    pub(super) fn rest(self) -> BytesMut {
        self.0
    }

    /// The next message, if it is there wholly. A length over `limit` is refused before its bytes
    /// are waited for.
    ///
    /// # Errors
    /// If it is too large or malformed.
    pub(super) fn next<T: DeserializeOwned>(
        &mut self,
        limit: usize,
    ) -> Result<Option<T>, FrameError> {
        let Some(length) = self.0.first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > limit {
            return Err(FrameError::Oversized(length));
        }
        let Some(bytes) = self.0.get(LENGTH..LENGTH + length) else { return Ok(None) };
        let value = wire::decode(bytes)?;
        self.0.advance(LENGTH + length);
        Ok(Some(value))
    }
}

/// The messages of a body, one after another. It ends after an error.
pub(super) struct Frames {
    body: Incoming,
    buffer: FrameBuffer,
    limit: usize,
}

impl Frames {
    /// Reads a body whose messages have at most `limit` bytes each.
    pub(super) fn new(body: Incoming, limit: usize) -> Self {
        Self { body, buffer: FrameBuffer::default(), limit }
    }

    /// The next message; `None` at the end. May be dropped and called again: what has arrived is
    /// kept.
    ///
    /// # Errors
    /// If the stream breaks, or what came is too large or malformed.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        loop {
            if let Some(value) = self.buffer.next(self.limit)? {
                return Ok(Some(value));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(chunk) = frame.data_ref() {
                        self.buffer.push(chunk);
                    }
                }
                Some(Err(error)) => return Err(FrameError::Broken(error.to_string())),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(FrameError::Broken("within a message".to_owned())),
            }
        }
    }

    /// All of them, as a stream.
    pub(super) fn stream<T>(self) -> impl Stream<Item = Result<T, FrameError>> + Send + 'static
    where
        T: DeserializeOwned + Send + 'static,
    {
        stream::unfold(Some(self), |frames| async move {
            let mut frames = frames?;
            match frames.next().await {
                Ok(Some(value)) => Some((Ok(value), Some(frames))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_in_order_however_they_were_cut() {
        let mut sent = BytesMut::new();
        for text in ["one", "", "three"] {
            write(&mut sent, &text.to_owned(), 100).unwrap();
        }
        let mut buffer = FrameBuffer::default();
        let mut received = Vec::new();
        for byte in sent.freeze() {
            buffer.push(&Bytes::copy_from_slice(&[byte]));
            while let Some(text) = buffer.next::<String>(100).unwrap() {
                received.push(text);
            }
        }
        assert_eq!(received, ["one", "", "three"]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&Bytes::from_static(&[0, 0, 0, 101]));
        assert_eq!(buffer.next::<String>(100), Err(FrameError::Oversized(101)));
        let mut sent = BytesMut::new();
        let large = "x".repeat(101);
        assert!(matches!(write(&mut sent, &large, 100), Err(FrameError::Oversized(_))));
        assert!(sent.is_empty());
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&Bytes::from_static(&[0, 0, 0, 2, 9, 9]));
        assert!(matches!(buffer.next::<String>(100), Err(FrameError::Malformed(_))));
    }
}
