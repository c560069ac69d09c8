//! One step of training at a time.

use std::{path::Path, time::Instant};

use candle_core::{Device, Tensor};
use pastiche_nn::{Network, Uploads, WeightsFile};
use serde::{Deserialize, Serialize};

use super::{EnlargingLoss, ValidEnlargingConfig, patches::PatchBatch};
use crate::{
    PerceptualLoss, TrainError,
    learner::{Learner, Taken},
    losses,
    run::{StepFigures, Term, Training},
};

/// Largest value of a pixel.
const PEAK: f64 = 255.0;

/// A network that learns to enlarge.
#[derive(Debug)]
pub struct EnlargingTrainer {
    config: ValidEnlargingConfig,
    features: Option<PerceptualLoss>,
    device: Device,
    uploads: Uploads,
    pub(crate) learner: Learner,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnlargingStep {
    /// The step's number, from 1.
    pub step: u64,
    /// The loss, before the step.
    pub loss: f32,
    /// Peak signal-to-noise ratio of the patches, red, green and blue, in decibels.
    pub psnr: f32,
    /// The same of their bicubic enlargement.
    pub bicubic_psnr: f32,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How long the step took.
    pub step_ms: f64,
}

impl StepFigures for EnlargingStep {
    const TERMS: &'static [Term<Self>] = &[
        ("loss", |step| step.loss, [40, 40, 40]),
        ("PSNR in dB", |step| step.psnr, [196, 78, 42]),
        ("PSNR of the bicubic enlargement", |step| step.bicubic_psnr, [42, 110, 187]),
    ];

    fn step(&self) -> u64 {
        self.step
    }
}

/// What a network makes of pictures (N, 3, H, W), RGB on 0-255, whose bicubic enlargement is `base`: that, corrected.
pub(crate) fn enlarged(network: &Network, small: &Tensor, base: &Tensor) -> candle_core::Result<Tensor> {
    let input = if network.description().enlargement() > 1 { small } else { base };
    base + network.forward(input)?
}

impl EnlargingTrainer {
    /// A training at its start, from weights drawn by chance; `features` is for the loss of features.
    ///
    /// # Errors
    /// The loss is that of features, but there are none; or the device has no memory left.
    pub fn new(
        config: ValidEnlargingConfig,
        features: Option<PerceptualLoss>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let start = Network::random(config.description().clone(), config.seed, device)?;
        Self::starting_from(&start, config, features, device)
    }

    /// As [`Self::new`], from the weights in a file: the loss of features learns far sooner from what the loss of pixels has
    /// learned than from chance.
    ///
    /// # Errors
    /// As [`Self::new`], or the file holds another network than the settings describe.
    pub fn from_network(
        file: &Path,
        config: ValidEnlargingConfig,
        features: Option<PerceptualLoss>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let weights = WeightsFile::open(file);
        let start = weights.and_then(|weights| weights.network(config.description().clone(), device));
        let start = start.map_err(|source| TrainError::StartEnlarging { source, path: file.to_owned() })?;
        Self::starting_from(&start, config, features, device)
    }

    fn starting_from(
        start: &Network,
        config: ValidEnlargingConfig,
        features: Option<PerceptualLoss>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        if config.loss == EnlargingLoss::Feature && features.is_none() {
            let allowed = "pixel where there is no loss network".to_owned();
            return Err(TrainError::Setting { name: "--loss", value: config.loss.to_string(), allowed });
        }
        let (learner, uploads) = (Learner::new(start)?, Uploads::default());
        Ok(Self { config, features, device: device.clone(), uploads, learner })
    }

    /// How many steps are begun.
    pub fn steps_done(&self) -> u64 {
        self.learner.steps_done()
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        self.learner.network()
    }

    /// Begins a step. On a CUDA card it is still being computed when this returns, and [`Self::collect`] waits for it.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. (Of those on a card [`Self::collect`] tells.) Or
    /// the device fails.
    pub fn submit(&mut self, batch: &PatchBatch) -> Result<(), TrainError> {
        let start = Instant::now();
        let (count, side) = (self.config.batch, self.config.patch as usize);
        let mut tensor =
            |values: &[f32], side| self.uploads.tensor(values, (count, 3, side, side), &self.device);
        let small = tensor(&batch.small, side / self.config.factor as usize)?;
        let (base, large) = (tensor(&batch.base, side)?, tensor(&batch.large, side)?);
        let output = enlarged(self.network(), &small, &base)?;
        let error = losses::pixel(&output, &large)?;
        let total = match (&self.features, self.config.loss) {
            (Some(features), EnlargingLoss::Feature) => {
                features.terms(&output, &features.content_target(&large)?)?.total()?
            }
            _ => (&error / (PEAK * PEAK))?,
        };
        let learning_rate = self.learner.learning_rate(self.config.learning_rate, self.config.steps);
        let of_bicubic = losses::pixel(&base, &large)?;
        self.learner.descend(&total, &[&error, &of_bicubic], learning_rate, start)
    }

    /// What the oldest step came to that was begun and not collected yet; none where all are.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn collect(&mut self) -> Result<Option<EnlargingStep>, TrainError> {
        let taken = self.learner.taken()?;
        Ok(taken.map(|Taken { step, learning_rate, figures, step_ms }| {
            let figure = |index: usize| figures.get(index).copied().unwrap_or(f32::NAN);
            EnlargingStep {
                step,
                loss: figure(0),
                psnr: decibels(figure(1)),
                bicubic_psnr: decibels(figure(2)),
                learning_rate,
                step_ms,
            }
        }))
    }
}

impl Training for EnlargingTrainer {
    type Batch = PatchBatch;
    type Step = EnlargingStep;

    fn learner(&self) -> &Learner {
        &self.learner
    }

    fn steps(&self) -> u64 {
        self.config.steps
    }

    fn submit(&mut self, batch: &PatchBatch) -> Result<(), TrainError> {
        Self::submit(self, batch)
    }

    fn collect(&mut self) -> Result<Option<EnlargingStep>, TrainError> {
        Self::collect(self)
    }
}

/// The mean squared error on 0-255 as a ratio to the peak.
fn decibels(error: f32) -> f32 {
    // Pictures that are alike are called 100 dB apart, which a file of figures can hold.
    let error = f64::from(error).max(PEAK * PEAK * 1e-10);
    (10.0 * (PEAK * PEAK / error).log10()) as f32
}
