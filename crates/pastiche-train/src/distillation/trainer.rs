//! One step of distillation at a time.

use std::{path::Path, time::Instant};

use candle_core::{Device, Tensor};
use pastiche_nn::{Network, Uploads, ops};
use serde::{Deserialize, Serialize};

use super::ValidDistillationConfig;
use crate::{
    TrainError,
    config::samples_within,
    learner::{self, Learner, Taken},
    losses,
    photos::Batch,
    run::{StepFigures, Term, Training},
    stability,
};

/// What the variance of the teacher's pictures counts as at least, on 0-255 squared: a teacher may paint a single colour.
const LEAST_VARIANCE: f64 = 1.0;

/// A network that learns to paint what another one paints.
#[derive(Debug)]
pub struct DistillationTrainer {
    config: ValidDistillationConfig,
    teacher: Network,
    device: Device,
    uploads: Uploads,
    pub(crate) learner: Learner,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DistillationStep {
    /// The step's number, from 1.
    pub step: u64,
    /// The whole loss, before the step.
    pub total: f32,
    /// Squared distance from the teacher's pictures, as a part of their variance: 0 where they are alike, 1 for their mean
    /// colour.
    pub distance: f32,
    /// Stability, weighted.
    pub stability: f32,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How long the step took.
    pub step_ms: f64,
}

impl StepFigures for DistillationStep {
    const TERMS: &'static [Term<Self>] = &[
        ("total", |step| step.total, [40, 40, 40]),
        ("distance from the teacher", |step| step.distance, [196, 78, 42]),
        ("stability", |step| step.stability, [140, 90, 170]),
    ];

    fn step(&self) -> u64 {
        self.step
    }
}

impl DistillationTrainer {
    /// A distillation at its start, from the weights in the file `from`, or drawn by chance.
    ///
    /// # Errors
    /// The teacher has no room for the samples, `from` holds another network than the settings describe, or the device has no
    /// memory left.
    pub fn new(
        config: ValidDistillationConfig,
        teacher: Network,
        from: Option<&Path>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        samples_within(teacher.description(), config.batch, config.crop).map_err(for_the_teacher)?;
        let start = match from {
            None => Network::random(config.description().clone(), config.seed, device)?,
            Some(path) => learner::start(path, config.description().clone(), device)?,
        };
        let (learner, uploads) = (Learner::new(&start)?, Uploads::default());
        Ok(Self { config, teacher, device: device.clone(), uploads, learner })
    }

    /// How many steps are begun.
    pub fn steps_done(&self) -> u64 {
        self.learner.steps_done()
    }

    /// Begins a step. On a CUDA card it is still being computed when this returns, and [`Self::collect`] waits for it.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. (Of those on a card [`Self::collect`] tells.) Or
    /// the device fails.
    pub fn submit(&mut self, batch: &Batch) -> Result<(), TrainError> {
        let start = Instant::now();
        let (number, side) = (self.config.batch, self.config.crop as usize);
        let mut tensor = |values: &[f32]| self.uploads.tensor(values, (number, 3, side, side), &self.device);
        let photos = tensor(&batch.photos)?;
        // What is seen of a painting lies on 0-255.
        let target = self.teacher.forward(&photos)?.detach().clamp(0.0f32, 255.0f32)?;
        let weight = self.config.stability;
        let varied = if weight > 0.0 { Some(tensor(&batch.varied)?) } else { None };
        let varied = varied.as_ref().map(|varied| (varied, batch.shift));
        let (output, gain) = stability::painted(self.learner.network(), &photos, varied)?;
        let stability = gain.map(|gain| gain * weight).transpose()?;
        let distance = (losses::pixel(&output, &target)? / variance(&target)?)?;
        let total = match &stability {
            Some(stability) => (&distance + stability)?,
            None => distance.clone(),
        };
        let learning_rate = self.learner.learning_rate(self.config.learning_rate, self.config.steps);
        let mut figures = vec![&distance];
        figures.extend(&stability);
        self.learner.descend(&total, &figures, learning_rate, start)
    }

    /// What the oldest step came to that was begun and not collected yet; none where all are.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn collect(&mut self) -> Result<Option<DistillationStep>, TrainError> {
        let taken = self.learner.taken()?;
        Ok(taken.map(|Taken { step, learning_rate, figures, step_ms }| {
            let figure = |index: usize| figures.get(index).copied().unwrap_or(0.0);
            DistillationStep {
                step,
                total: figure(0),
                distance: figure(1),
                stability: figure(2),
                learning_rate,
                step_ms,
            }
        }))
    }
}

/// A refused setting, with the reason that the teacher is.
fn for_the_teacher(error: TrainError) -> TrainError {
    match error {
        TrainError::Setting { name, value, allowed } => {
            TrainError::Setting { name, value, allowed: format!("{allowed} for the style to learn from") }
        }
        other => other,
    }
}

/// The variance of pictures (N, 3, H, W) around their mean colours, a scalar; at least [`LEAST_VARIANCE`].
fn variance(pictures: &Tensor) -> candle_core::Result<Tensor> {
    let colours = pictures.mean_keepdim((2, 3))?;
    ops::mean_square(&pictures.broadcast_sub(&colours)?)?.maximum(LEAST_VARIANCE)
}

impl Training for DistillationTrainer {
    type Batch = Batch;
    type Step = DistillationStep;

    fn learner(&self) -> &Learner {
        &self.learner
    }

    fn steps(&self) -> u64 {
        self.config.steps
    }

    fn submit(&mut self, batch: &Batch) -> Result<(), TrainError> {
        Self::submit(self, batch)
    }

    fn collect(&mut self) -> Result<Option<DistillationStep>, TrainError> {
        Self::collect(self)
    }
}
