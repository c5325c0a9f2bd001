//! The one place that turns values into bytes and back: bincode, behind a version byte and a size
//! limit. Everything stored or sent between nodes passes through here, so that the format can be
//! swapped by a new version byte. A type whose shape has changed since it was first stored says by
//! the same byte which of its shapes the bytes have.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The first byte of everything that still has its first shape.
pub const VERSION: u8 = 1;

/// The most bytes that one encoded value may have: 16 MiB.
pub const LIMIT: usize = 16 * 1024 * 1024;

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<LIMIT>,
> = bincode::config::standard().with_limit::<LIMIT>();

/// Why bytes are not a value, or a value not bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// Nothing there.
    #[error("no bytes to decode")]
    Empty,
    /// Written by a later release.
    #[error("encoded in version {0}, which this release does not read")]
    Version(u8),
    /// Cut, altered, too large, or of another type.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes are left over.
    #[error("{0} bytes are left over after the value")]
    Trailing(usize),
}

/// Encodes a value.
///
/// # Errors
/// If the value is larger than [`LIMIT`].
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    encode_as(VERSION, value)
}

/// Encodes a value whose shape is its type's `version`th.
///
/// # Errors
/// If the value is larger than [`LIMIT`].
pub fn encode_as<T: Serialize>(version: u8, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(128);
    bytes.push(version);
    bincode::serde::encode_into_std_write(value, &mut bytes, CONFIG)
        .map_err(|error| CodecError::Malformed(error.to_string()))?;
    if bytes.len() > LIMIT {
        return Err(CodecError::Malformed(format!("larger than {LIMIT} bytes")));
    }
    Ok(bytes)
}

/// Decodes a value that fills `bytes` wholly.
///
/// # Errors
/// If the bytes are not exactly one value of this type in a known version.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    decode_as(VERSION, bytes)
}

/// Decodes a value of its type's `version`th shape.
///
/// # Errors
/// If the bytes are not exactly one value of this type in that version.
pub fn decode_as<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let (found, body) = bytes.split_first().ok_or(CodecError::Empty)?;
    if *found != version {
        return Err(CodecError::Version(*found));
    }
    let (value, read) = bincode::serde::decode_from_slice(body, CONFIG)
        .map_err(|error| CodecError::Malformed(error.to_string()))?;
    match body.len() - read {
        0 => Ok(value),
        left => Err(CodecError::Trailing(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_the_value_are_refused() {
        let bytes = encode(&("text".to_owned(), 7u32)).unwrap();
        assert_eq!(decode(&bytes), Ok(("text".to_owned(), 7u32)));
        assert_eq!(decode::<(String, u32)>(&[]), Err(CodecError::Empty));
        assert_eq!(decode::<(String, u32)>(&[9, 0]), Err(CodecError::Version(9)));
        assert!(matches!(decode::<(String, u32)>(&bytes[..3]), Err(CodecError::Malformed(_))));
        let longer = [bytes, vec![0]].concat();
        assert_eq!(decode::<(String, u32)>(&longer), Err(CodecError::Trailing(1)));
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // A string said to be 2^60 bytes long.
        let lie = [VERSION, 253, 0, 0, 0, 0, 0, 0, 0, 16];
        assert!(matches!(decode::<String>(&lie), Err(CodecError::Malformed(_))));
    }
}
