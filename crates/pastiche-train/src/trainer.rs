//! One step of training at a time; who prints, saves and draws looks at what it reports.

use std::time::Instant;

use candle_core::{Device, Tensor};
use pastiche_nn::Network;
use serde::{Deserialize, Serialize};

use crate::{
    PerceptualLoss, TrainError, TrainingConfig, ValidConfig,
    learner::Learner,
    photos::Batch,
    stability::{Pair, stability_loss},
};

/// Part of the steps over which the stability term rises.
const STABILITY_RISE: f64 = 0.05;

/// A network that learns a painting's manner.
#[derive(Debug)]
pub struct Trainer {
    config: ValidConfig,
    loss: PerceptualLoss,
    device: Device,
    pub(crate) learner: Learner,
}

/// What a step came to. The terms are weighted; `total` is their sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step's number, from 1.
    pub step: u64,
    /// The whole loss, before the step.
    pub total: f32,
    /// Content, equation 2.
    pub content: f32,
    /// Style, equation 4.
    pub style: f32,
    /// Total variation.
    pub total_variation: f32,
    /// Stability.
    pub stability: f32,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How long the step took.
    pub step_ms: f64,
}

impl Trainer {
    /// A training at its start.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn new(config: ValidConfig, loss: PerceptualLoss, device: &Device) -> Result<Self, TrainError> {
        let start = Network::random(config.description().clone(), config.seed, device)?;
        Ok(Self { config, loss, device: device.clone(), learner: Learner::new(&start)? })
    }

    /// The settings.
    pub fn config(&self) -> &ValidConfig {
        &self.config
    }

    /// How many steps are done.
    pub fn steps_done(&self) -> u64 {
        self.learner.steps_done()
    }

    /// The network as it is now. Batch norms have no statistics in it yet: [`Network::with_population`] gives them.
    pub fn network(&self) -> &Network {
        self.learner.network()
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. Or the device fails.
    pub fn step(&mut self, batch: &Batch) -> Result<StepReport, TrainError> {
        let start = Instant::now();
        let (number, side) = (self.config.batch, self.config.crop as usize);
        let tensor = |values: &[f32]| Tensor::from_slice(values, (number, 3, side, side), &self.device);
        let photos = tensor(&batch.photos)?;
        let content = self.loss.content_target(&photos)?;
        let stability_weight = self.stability_weight();
        let (output, stability) = if stability_weight > 0.0 {
            let varied = tensor(&batch.varied)?;
            let outputs = self.network().forward_in_training(&Tensor::cat(&[&photos, &varied], 0)?)?;
            let (of_plain, of_varied) = (outputs.narrow(0, 0, number)?, outputs.narrow(0, number, number)?);
            let outputs = Pair { plain: &of_plain, varied: &of_varied };
            let photos = Pair { plain: &photos, varied: &varied };
            let gain = stability_loss(outputs, photos, batch.shift)?;
            (of_plain, Some((gain * stability_weight)?))
        } else {
            (self.network().forward_in_training(&photos)?, None)
        };
        let terms = self.loss.terms(&output, &content)?;
        let mut total = terms.total()?;
        if let Some(stability) = &stability {
            total = (total + stability)?;
        }
        let TrainingConfig { learning_rate, steps, .. } = *self.config;
        let learning_rate = self.learner.learning_rate(learning_rate, steps);
        let scalar = |tensor: &Tensor| tensor.to_scalar::<f32>();
        let mut report = StepReport {
            step: self.steps_done() + 1,
            total: scalar(&total)?,
            content: scalar(&terms.content)?,
            style: scalar(&terms.style)?,
            total_variation: scalar(&terms.total_variation)?,
            stability: stability.as_ref().map_or(Ok(0.0), scalar)?,
            learning_rate,
            step_ms: 0.0,
        };
        self.learner.descend(&total, learning_rate)?;
        report.step_ms = start.elapsed().as_secs_f64() * 1000.0;
        Ok(report)
    }

    /// The factor of the stability term in the next step: none at first, unless it is to count from the start; then it
    /// rises in a line to all of it.
    fn stability_weight(&self) -> f64 {
        let TrainingConfig { steps, stability, stability_from, .. } = *self.config;
        let progress = self.steps_done() as f64 / steps as f64;
        let rise = STABILITY_RISE.min(stability_from);
        if progress >= stability_from + rise {
            stability
        } else {
            stability * ((progress - stability_from) / rise).max(0.0)
        }
    }
}
