//! The file's format: eight bytes that say what it is, then frames. A frame is its length and its
//! CRC-32, four bytes each, little-endian, and that many bytes of an encoded [`Frame`]. The first
//! frame is the header, the last one the end; a file without its end is not a snapshot.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use countersign_core::codec;
use countersign_core::ids::ShardId;
use serde::{Deserialize, Serialize};

use crate::database::Family;
use crate::error::StorageError;
use crate::state_hash::StateHash;
use crate::types::SnapshotMeta;

const MAGIC: [u8; 8] = *b"CSGNSNP1";
/// Bytes of rows after which a frame is closed.
pub(super) const FRAME_BYTES: usize = 64 << 10;
/// The largest frame that is read: one row may be larger than [`FRAME_BYTES`], nothing is larger
/// than this.
const FRAME_BYTES_MAX: usize = codec::LIMIT + (1 << 10);

/// One frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// What the file holds.
    Header {
        /// Whose snapshot.
        shard: ShardId,
        /// What it covers.
        meta: SnapshotMeta,
    },
    /// Rows, in the order of their keys.
    Rows(Vec<Row>),
    /// The file is whole.
    End {
        /// How many rows there were.
        rows: u64,
        /// The state's hash, which the rows must add up to.
        state_hash: StateHash,
    },
}

/// A row of one of the families; its key without the shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) family: RowFamily,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// The families that a snapshot covers. Stored: a new one goes to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RowFamily {
    State,
    Audit,
    /// Snapshots of releases that sent nothing have none of these.
    Outbox,
}

impl RowFamily {
    /// All, in the order in which their rows are written.
    pub(super) const ALL: [Self; 3] = [Self::State, Self::Audit, Self::Outbox];

    pub(super) const fn family(self) -> Family {
        match self {
            Self::State => Family::State,
            Self::Audit => Family::Audit,
            Self::Outbox => Family::Outbox,
        }
    }
}

/// Writes frames.
pub(super) struct FrameWriter {
    file: BufWriter<File>,
    path: PathBuf,
}

impl FrameWriter {
    pub(super) fn create(path: &Path) -> Result<Self, StorageError> {
        let file = File::create(path).map_err(StorageError::file("create", path))?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        file.write_all(&MAGIC).map_err(StorageError::file("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(super) fn write(&mut self, frame: &Frame) -> Result<(), StorageError> {
        let bytes = codec::encode(frame)
            .map_err(|source| StorageError::Encode { what: "snapshot frame", source })?;
        // The codec's limit is far below 4 GiB.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.file
            .write_all(&length.to_le_bytes())
            .and_then(|()| self.file.write_all(&crc32fast::hash(&bytes).to_le_bytes()))
            .and_then(|()| self.file.write_all(&bytes))
            .map_err(StorageError::file("write", &self.path))
    }

    /// Puts everything on disk.
    pub(super) fn finish(self) -> Result<(), StorageError> {
        let Self { file, path } = self;
        let file = file.into_inner().map_err(|error| StorageError::File {
            operation: "write",
            path: path.clone(),
            source: error.into_error(),
        })?;
        fail::fail_point!("storage::snapshot_written");
        fail::fail_point!("storage::snapshot_finds_no_room", |_| Err(StorageError::File {
            operation: "sync",
            path: path.clone(),
            source: std::io::ErrorKind::StorageFull.into(),
        }));
        file.sync_all().map_err(StorageError::file("sync", &path))
    }
}

/// Reads frames, checking each.
pub(super) struct FrameReader {
    file: BufReader<File>,
    path: PathBuf,
    ended: bool,
}

impl FrameReader {
    /// Opens a snapshot and reads its header.
    pub(super) fn open(path: &Path) -> Result<(Self, ShardId, SnapshotMeta), StorageError> {
        let file = File::open(path).map_err(StorageError::file("open", path))?;
        let file = BufReader::with_capacity(256 << 10, file);
        let mut reader = Self { file, path: path.to_owned(), ended: false };
        let mut magic = [0; 8];
        reader.fill(&mut magic)?;
        if magic != MAGIC {
            return Err(reader.wrong("it does not begin like a snapshot"));
        }
        match reader.next()? {
            Some(Frame::Header { shard, meta }) => Ok((reader, shard, meta)),
            _ => Err(reader.wrong("it has no header")),
        }
    }

    /// The next frame; `None` after the end.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, StorageError> {
        if self.ended {
            return Ok(None);
        }
        let (mut length, mut crc) = ([0; 4], [0; 4]);
        self.fill(&mut length)?;
        self.fill(&mut crc)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(self.wrong("a frame is larger than any that was written"));
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        if crc32fast::hash(&bytes) != u32::from_le_bytes(crc) {
            return Err(self.wrong("the checksum of a frame does not match"));
        }
        let frame = codec::decode(&bytes).map_err(|error| self.wrong(&error.to_string()))?;
        if matches!(frame, Frame::End { .. }) {
            self.ended = true;
            let mut more = [0];
            if self.file.read(&mut more).map_err(StorageError::file("read", &self.path))? > 0 {
                return Err(self.wrong("something follows its end"));
            }
        }
        Ok(Some(frame))
    }

    pub(super) fn wrong(&self, reason: &str) -> StorageError {
        StorageError::Snapshot { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.file.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.wrong("it ends in the middle"),
            _ => StorageError::File { operation: "read", path: self.path.clone(), source: error },
        })
    }
}

/// Reads a whole snapshot and answers what it covers, if nothing is wrong with it.
pub(super) fn check(path: &Path, shard: ShardId) -> Result<SnapshotMeta, StorageError> {
    let (mut reader, found, meta) = FrameReader::open(path)?;
    if found != shard {
        return Err(reader.wrong(&format!("it is one of shard {found}, not of shard {shard}")));
    }
    let mut counted = 0;
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Header { .. } => return Err(reader.wrong("it has two headers")),
            Frame::Rows(rows) => counted += rows.len() as u64,
            Frame::End { rows, .. } if rows != counted => {
                return Err(reader.wrong("rows are missing"));
            }
            Frame::End { .. } => {}
        }
    }
    Ok(meta)
}
