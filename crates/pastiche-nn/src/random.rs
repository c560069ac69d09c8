//! Random numbers for fresh weights.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Draws from the standard normal distribution, the same from the same seed: ChaCha8 is specified, unlike `StdRng`.
pub(crate) struct NormalSource {
    generator: ChaCha8Rng,
}

impl NormalSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    pub(crate) fn sample(&mut self) -> f32 {
        StandardNormal.sample(&mut self.generator)
    }
}
