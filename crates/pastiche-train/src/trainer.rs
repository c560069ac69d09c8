//! One step of training at a time; who prints, saves and draws looks at what it reports.

use std::{path::Path, time::Instant};

use candle_core::Device;
use pastiche_nn::{Network, Uploads};
use serde::{Deserialize, Serialize};

use crate::{
    PerceptualLoss, TrainError, TrainingConfig, ValidConfig,
    learner::{self, Learner, Taken},
    photos::Batch,
    stability,
};

/// Part of the steps over which the stability term rises.
const STABILITY_RISE: f64 = 0.05;

/// A network that learns a painting's manner.
#[derive(Debug)]
pub struct Trainer {
    config: ValidConfig,
    loss: PerceptualLoss,
    device: Device,
    uploads: Uploads,
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
    /// A training at its start, from weights drawn by chance.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn new(config: ValidConfig, loss: PerceptualLoss, device: &Device) -> Result<Self, TrainError> {
        let start = Network::random(config.description().clone(), config.seed, device)?;
        Self::starting_from(&start, config, loss, device)
    }

    /// A training at its start, from the weights of a style that is there: another painting, or more steps, take far fewer
    /// steps from there than from chance.
    ///
    /// # Errors
    /// `file` holds another network than the settings describe, or the device has no memory left.
    pub fn from_style(
        file: &Path,
        config: ValidConfig,
        loss: PerceptualLoss,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let start = learner::start(file, config.description().clone(), device)?;
        Self::starting_from(&start, config, loss, device)
    }

    fn starting_from(
        start: &Network,
        config: ValidConfig,
        loss: PerceptualLoss,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let (learner, uploads) = (Learner::new(start)?, Uploads::default());
        Ok(Self { config, loss, device: device.clone(), uploads, learner })
    }

    /// The settings.
    pub fn config(&self) -> &ValidConfig {
        &self.config
    }

    /// How many steps are begun.
    pub fn steps_done(&self) -> u64 {
        self.learner.steps_done()
    }

    /// The network as it is now. Batch norms have no statistics in it yet: [`Network::with_population`] gives them.
    pub fn network(&self) -> &Network {
        self.learner.network()
    }

    /// Begins a step. On a CUDA card it is still being computed when this returns, and [`Self::collect`] waits for it.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. (Of those on a card [`Self::collect`] tells.) Or
    /// the device fails.
    pub fn submit(&mut self, batch: &Batch) -> Result<(), TrainError> {
        let start = Instant::now();
        let stability_weight = self.stability_weight();
        let (number, side) = (self.config.batch, self.config.crop as usize);
        let mut tensor = |values: &[f32]| self.uploads.tensor(values, (number, 3, side, side), &self.device);
        let photos = tensor(&batch.photos)?;
        let varied = if stability_weight > 0.0 { Some(tensor(&batch.varied)?) } else { None };
        let content = self.loss.content_target(&photos)?;
        let varied = varied.as_ref().map(|varied| (varied, batch.shift));
        let (output, gain) = stability::painted(self.network(), &photos, varied)?;
        let stability = gain.map(|gain| gain * stability_weight).transpose()?;
        let terms = self.loss.terms(&output, &content)?;
        let mut total = terms.total()?;
        if let Some(stability) = &stability {
            total = (total + stability)?;
        }
        let TrainingConfig { learning_rate, steps, .. } = *self.config;
        let learning_rate = self.learner.learning_rate(learning_rate, steps);
        let mut figures = vec![&terms.content, &terms.style, &terms.total_variation];
        figures.extend(&stability);
        self.learner.descend(&total, &figures, learning_rate, start)
    }

    /// What the oldest step came to that was begun and not collected yet; none where all are.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn collect(&mut self) -> Result<Option<StepReport>, TrainError> {
        let taken = self.learner.taken()?;
        Ok(taken.map(|Taken { step, learning_rate, figures, step_ms }| {
            let figure = |index: usize| figures.get(index).copied().unwrap_or(0.0);
            StepReport {
                step,
                total: figure(0),
                content: figure(1),
                style: figure(2),
                total_variation: figure(3),
                stability: figure(4),
                learning_rate,
                step_ms,
            }
        }))
    }

    /// How many steps are begun and not collected yet.
    pub fn under_way(&self) -> usize {
        self.learner.under_way()
    }

    /// How many steps are best left under way: one on a card, so that it is never idle.
    pub fn ahead(&self) -> usize {
        self.learner.ahead()
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
