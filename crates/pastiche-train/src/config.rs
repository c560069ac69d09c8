//! Everything that decides how a training turns out, checked before it starts.

use pastiche_nn::{
    Architecture, NetworkDescription,
    networks::{self, SwiftSize},
};
use serde::{Deserialize, Serialize};

use crate::{
    LossWeights, TrainError,
    photos::{Augmentation, Variation},
};

/// The smallest painting and sample that the default layers of a loss network can see.
pub(crate) const MIN_SIDE: u32 = 32;

/// The settings of one training. Two trainings with the same settings, on the same files, make the same style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfig {
    /// The network's architecture.
    pub architecture: String,
    /// Its width, where it is not the usual one.
    pub width: Option<usize>,
    /// Its residual blocks, where there are not as many as usual; of a `swift` network only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
    /// How many steps.
    pub steps: u64,
    /// Photos a step.
    pub batch: usize,
    /// Side of the square samples in pixels.
    pub crop: u32,
    /// The painting's shorter side in pixels, which sets the size of its strokes.
    pub style_size: u32,
    /// Adam's step size at its largest.
    pub learning_rate: f64,
    /// Where the random numbers start.
    pub seed: u64,
    /// The weights of equation 5.
    pub loss: LossWeights,
    /// Factor of the stability term; 0 leaves it out.
    pub stability: f64,
    /// Part of the steps after which the stability term sets in; 0, which is also for those that do not tell it, from the
    /// start.
    #[serde(default)]
    pub stability_from: f64,
    /// What the stability term compares a photo with.
    pub variation: Variation,
    /// How photos are varied.
    pub augmentation: Augmentation,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            architecture: Architecture::Swift.name().to_owned(),
            width: None,
            blocks: None,
            steps: 3000,
            batch: 2,
            crop: 160,
            style_size: 320,
            learning_rate: 2e-3,
            seed: 0,
            loss: LossWeights::default(),
            stability: 0.5,
            stability_from: 0.0,
            variation: Variation::default(),
            augmentation: Augmentation::default(),
        }
    }
}

/// A configuration that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidConfig {
    config: TrainingConfig,
    description: NetworkDescription,
}

impl std::ops::Deref for ValidConfig {
    type Target = TrainingConfig;

    fn deref(&self) -> &TrainingConfig {
        &self.config
    }
}

impl ValidConfig {
    /// The network to train.
    pub fn description(&self) -> &NetworkDescription {
        &self.description
    }
}

impl TrainingConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first one that makes no sense.
    pub fn validate(self) -> Result<ValidConfig, TrainError> {
        let description = described(&self.architecture, self.width, self.blocks)?;
        within("--steps", self.steps as f64, 1.0, 1e9)?;
        samples_within(&description, self.batch, self.crop)?;
        within("--style-size", self.style_size.into(), MIN_SIDE.into(), 4096.0)?;
        within("--learning-rate", self.learning_rate, 1e-9, 1.0)?;
        within("--style-weight", self.loss.style, 1e-9, 1e9)?;
        within("--content-weight", self.loss.content, 1e-9, 1e9)?;
        within("--total-variation-weight", self.loss.total_variation, 0.0, 1e9)?;
        within("--stability-weight", self.stability, 0.0, 1e9)?;
        within("--stability-from", self.stability_from, 0.0, 1.0)?;
        photos_within(&self.variation, &self.augmentation, self.crop)?;
        self.loss.validate()?;
        Ok(ValidConfig { config: self, description })
    }
}

/// The network of this architecture and size; the usual size where none is given.
pub(crate) fn described(
    architecture: &str,
    width: Option<usize>,
    blocks: Option<usize>,
) -> Result<NetworkDescription, TrainError> {
    let known = Architecture::from_name(architecture).ok_or_else(|| TrainError::Setting {
        name: "--architecture",
        value: architecture.to_owned(),
        allowed: Architecture::ALL.map(Architecture::name).join(", "),
    })?;
    if known == Architecture::Swift {
        return swift_size(width, blocks).map(networks::swift);
    }
    if let Some(blocks) = blocks {
        return Err(wrong("--blocks", blocks, "left out: only swift can have more or fewer"));
    }
    let Some(width) = width else { return Ok(known.usual()) };
    let in_range = (1..=128).contains(&width);
    match known {
        Architecture::TransformerNet if in_range => Ok(networks::transformer_net(width)),
        Architecture::Johnson if in_range => Ok(networks::johnson(width)),
        Architecture::Lengstrom => Err(wrong("--width", width, "left out: this architecture has one width")),
        Architecture::TransformerNet | Architecture::Johnson | Architecture::Swift => {
            Err(wrong("--width", width, "from 1 to 128"))
        }
    }
}

fn swift_size(width: Option<usize>, blocks: Option<usize>) -> Result<SwiftSize, TrainError> {
    let usual = SwiftSize::default();
    let (width, blocks) = (width.unwrap_or(usual.width), blocks.unwrap_or(usual.blocks));
    if !width.is_multiple_of(6) || !(6..=384).contains(&width) {
        return Err(wrong("--width", width, "a multiple of 6 up to 384"));
    }
    if !(1..=32).contains(&blocks) {
        return Err(wrong("--blocks", blocks, "from 1 to 32"));
    }
    Ok(SwiftSize { width, blocks })
}

fn wrong(name: &'static str, value: usize, allowed: &str) -> TrainError {
    TrainError::Setting { name, value: value.to_string(), allowed: allowed.to_owned() }
}

/// The least side in pixels of what this network can be trained on.
fn least_crop(description: &NetworkDescription) -> u32 {
    MIN_SIDE.max(description.least_side() as u32)
}

/// Refuses photographs that cannot be varied so.
pub(crate) fn photos_within(
    variation: &Variation,
    augmentation: &Augmentation,
    crop: u32,
) -> Result<(), TrainError> {
    within("--noise", variation.noise, 0.0, 255.0)?;
    within("--shift", variation.shift.into(), 0.0, (crop / 4).into())?;
    within("--light", variation.light, 0.0, 0.5)?;
    within("augmentation.min_scale", augmentation.min_scale, 0.01, 1.0)?;
    within("augmentation.contrast", augmentation.contrast, 0.0, 1.0)?;
    within("augmentation.brightness", augmentation.brightness, 0.0, 255.0)
}

/// Refuses samples that the network has no room for, or too many a step.
pub(crate) fn samples_within(
    description: &NetworkDescription,
    batch: usize,
    crop: u32,
) -> Result<(), TrainError> {
    within("--batch", batch as f64, 1.0, 256.0)?;
    within("--crop", crop.into(), least_crop(description).into(), 2048.0)?;
    let multiple = description.side_multiple as u32;
    if crop.is_multiple_of(multiple) {
        return Ok(());
    }
    let allowed = format!("a multiple of {multiple}");
    Err(TrainError::Setting { name: "--crop", value: crop.to_string(), allowed })
}

/// Refuses a setting outside its range.
pub(crate) fn within(name: &'static str, value: f64, least: f64, most: f64) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(TrainError::Setting { name, value: value.to_string(), allowed: format!("from {least} to {most}") })
}
