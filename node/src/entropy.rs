//! Randomness from the operating system. There is no second source to fall back on: without it
//! every id, secret and nonce would be guessable, so a failure ends the process.

use countersign_actors::ports::EntropySource;
use countersign_core::entropy::Entropy;

/// The operating system's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl SystemEntropy {
    fn draw(buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            tracing::error!(%error, "the system's random generator failed; the process ends");
            std::process::abort();
        }
    }
}

impl EntropySource for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        Self::draw(buffer);
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        Self::draw(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let entropy: &mut dyn Entropy = &mut SystemEntropy;
        assert_ne!(entropy.bytes::<32>(), entropy.bytes::<32>());
    }
}
