//! A sum over a shard's rows that does not depend on their order: each row adds the SHA-256 of
//! its key and value, as four 64-bit lanes. Apply keeps it up to date by subtracting the old row
//! and adding the new one; reading all rows gives the same sum. Replicas compare it to find drift.
//! It finds accidents, not forgers: the audit chain is there for those.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The sum.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHash([u64; 4]);

impl StateHash {
    /// Adds a row.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        for (sum, lane) in self.0.iter_mut().zip(Self::lanes(key, value)) {
            *sum = sum.wrapping_add(lane);
        }
    }

    /// Takes away a row that was added before.
    pub fn subtract(&mut self, key: &[u8], value: &[u8]) {
        for (sum, lane) in self.0.iter_mut().zip(Self::lanes(key, value)) {
            *sum = sum.wrapping_sub(lane);
        }
    }

    fn lanes(key: &[u8], value: &[u8]) -> [u64; 4] {
        let mut hash = Sha256::new();
        hash.update((key.len() as u64).to_be_bytes());
        hash.update(key);
        hash.update(value);
        let digest: [u8; 32] = hash.finalize().into();
        let mut lanes = [0; 4];
        for (lane, bytes) in lanes.iter_mut().zip(digest.chunks_exact(8)) {
            *lane = bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        }
        lanes
    }
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.0.iter().flat_map(|lane| lane.to_be_bytes()).collect();
        f.write_str(&HEXLOWER.encode(&bytes))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
