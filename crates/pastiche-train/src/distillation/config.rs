//! Everything that decides how a distillation turns out, checked before it starts.

use pastiche_nn::{NetworkDescription, networks::Architecture};
use serde::{Deserialize, Serialize};

use crate::{
    TrainError,
    config::{described, photos_within, samples_within, within},
    photos::{Augmentation, Variation},
};

/// The settings of one distillation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistillationConfig {
    /// The architecture of the network that learns.
    pub architecture: String,
    /// Its width, where it is not the usual one.
    pub width: Option<usize>,
    /// Its residual blocks, where there are not as many as usual; of a `swift` network only.
    pub blocks: Option<usize>,
    /// How many steps.
    pub steps: u64,
    /// Photos a step.
    pub batch: usize,
    /// Side of the square samples in pixels.
    pub crop: u32,
    /// Adam's step size at its largest.
    pub learning_rate: f64,
    /// Where the random numbers start.
    pub seed: u64,
    /// Factor of the stability term; 0 leaves it out.
    pub stability: f64,
    /// What the stability term compares a photo with.
    pub variation: Variation,
    /// How photos are varied.
    pub augmentation: Augmentation,
}

impl Default for DistillationConfig {
    fn default() -> Self {
        Self {
            architecture: Architecture::Swift.name().to_owned(),
            width: None,
            blocks: None,
            steps: 5000,
            batch: 1,
            crop: 256,
            learning_rate: 2e-3,
            seed: 0,
            stability: 0.05,
            variation: Variation::default(),
            augmentation: Augmentation::default(),
        }
    }
}

/// A configuration that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidDistillationConfig {
    config: DistillationConfig,
    description: NetworkDescription,
}

impl std::ops::Deref for ValidDistillationConfig {
    type Target = DistillationConfig;

    fn deref(&self) -> &DistillationConfig {
        &self.config
    }
}

impl ValidDistillationConfig {
    /// The network that learns.
    pub fn description(&self) -> &NetworkDescription {
        &self.description
    }
}

impl DistillationConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first one that makes no sense.
    pub fn validate(self) -> Result<ValidDistillationConfig, TrainError> {
        let description = described(&self.architecture, self.width, self.blocks)?;
        within("--steps", self.steps as f64, 1.0, 1e9)?;
        samples_within(&description, self.batch, self.crop)?;
        within("--learning-rate", self.learning_rate, 1e-9, 1.0)?;
        within("--stability-weight", self.stability, 0.0, 1e9)?;
        photos_within(&self.variation, &self.augmentation, self.crop)?;
        Ok(ValidDistillationConfig { config: self, description })
    }
}
