//! Random numbers for fresh weights.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};

/// Draws from the standard normal distribution, the same from the same seed.
pub(crate) struct NormalSource {
    generator: StdRng,
}

impl NormalSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self { generator: StdRng::seed_from_u64(seed) }
    }

    pub(crate) fn sample(&mut self) -> f32 {
        StandardNormal.sample(&mut self.generator)
    }
}
