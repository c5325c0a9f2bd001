//! Checking an export, away from any store: pure, so that `countersign audit verify` needs
//! nothing but the file.

use countersign_core::codec;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Chained, ExportRow, link};
use crate::records::ChainPoint;

/// What is wrong with a chain, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// A row is missing or out of place.
    #[error("row {expected} is missing; row {found} follows instead")]
    Gap {
        /// The place that should have come.
        expected: u64,
        /// The place that came.
        found: u64,
    },
    /// A row is not what was chained, or the one before it is not.
    #[error("row {0} was altered: its hash does not follow from the one before")]
    Hash(u64),
    /// A row's bytes cannot be read, or tell another place than the row has.
    #[error("row {0} is malformed: {1}")]
    Malformed(u64, String),
    /// What is personal in a row is not what was bound by the chain.
    #[error("the personal part of row {0} was altered")]
    Annex(u64),
    /// The chain does not end as the checkpoint says.
    #[error(
        "the chain ends at row {found} with another hash than the checkpoint at row {expected}"
    )]
    Head {
        /// The checkpoint's place.
        expected: u64,
        /// The chain's last place.
        found: u64,
    },
}

/// Checks that `rows` follow `from` without a gap or a change, and that they end in `head` if one
/// is given. An erased annex is no fault. Answers the end of the chain.
///
/// # Errors
/// The first fault.
pub fn verify<'a>(
    from: &ChainPoint,
    rows: impl IntoIterator<Item = &'a ExportRow>,
    head: Option<&ChainPoint>,
) -> Result<ChainPoint, Broken> {
    let mut point = *from;
    for row in rows {
        point = next(&point, row)?;
    }
    match head {
        Some(head) if (head.sequence, head.hash) != (point.sequence, point.hash) => {
            Err(Broken::Head { expected: head.sequence, found: point.sequence })
        }
        _ => Ok(point),
    }
}

fn next(before: &ChainPoint, row: &ExportRow) -> Result<ChainPoint, Broken> {
    let expected = before.sequence + 1;
    if row.sequence != expected {
        return Err(Broken::Gap { expected, found: row.sequence });
    }
    if link(&before.hash, &row.chained) != row.hash {
        return Err(Broken::Hash(expected));
    }
    let chained: Chained = codec::decode(&row.chained)
        .map_err(|error| Broken::Malformed(expected, error.to_string()))?;
    if chained.sequence != expected {
        let text = format!("it says that it is row {}", chained.sequence);
        return Err(Broken::Malformed(expected, text));
    }
    match (&row.annex, chained.annex) {
        (None, _) => {}
        (Some(annex), Some(digest)) if <[u8; 32]>::from(Sha256::digest(annex)) == digest => {}
        (Some(_), _) => return Err(Broken::Annex(expected)),
    }
    Ok(ChainPoint { sequence: expected, hash: row.hash, at: chained.at })
}
