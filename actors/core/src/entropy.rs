//! Randomness as an argument.
//!
//! A decision that needs an id, a nonce or a secret takes it from here, so that the same inputs
//! always give the same decision and tests can replay one.

/// A source of cryptographically secure random bytes.
pub trait Entropy: Send {
    /// Fills `buffer` with random bytes.
    fn fill(&mut self, buffer: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// A reproducible stream of bytes for tests and simulations: SHA-256 over a seed and a counter.
/// Never for production: whoever knows the seed knows every secret.
pub struct SeededEntropy {
    seed: u64,
    counter: u64,
}

impl SeededEntropy {
    /// A stream that depends on `seed` alone.
    pub const fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        use sha2::{Digest, Sha256};
        for chunk in buffer.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(self.counter.to_be_bytes());
            self.counter = self.counter.wrapping_add(1);
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}
