//! One step of training at a time; who prints, saves and draws looks at what it reports.

use std::{collections::BTreeMap, f64::consts::PI, time::Instant};

use candle_core::{DType, Device, Tensor, Var};
use pastiche_nn::Network;
use serde::{Deserialize, Serialize};

use crate::{
    PerceptualLoss, TrainError, TrainingConfig, ValidConfig,
    adam::Adam,
    photos::Batch,
    stability::{Pair, stability_loss},
};

/// Steps over which the learning rate rises to its largest.
const WARM_UP_STEPS: f64 = 50.0;
/// Part of the steps over which the stability term rises.
const STABILITY_RISE: f64 = 0.05;
/// What the learning rate falls to in the end, as a part of its largest.
const LAST_RATE: f64 = 0.01;

/// A network that learns a painting's manner.
#[derive(Debug)]
pub struct Trainer {
    config: ValidConfig,
    loss: PerceptualLoss,
    device: Device,
    network: Network,
    pub(crate) variables: BTreeMap<String, Var>,
    pub(crate) adam: Adam,
    pub(crate) step: u64,
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
        let mut variables = BTreeMap::new();
        for (name, tensor) in start.parameters() {
            variables.insert(name.clone(), Var::from_tensor(tensor)?);
        }
        let parameters = variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let network = Network::new(config.description().clone(), parameters.collect())?;
        let adam = Adam::new(&variables)?;
        Ok(Self { config, loss, device: device.clone(), network, variables, adam, step: 0 })
    }

    /// The settings.
    pub fn config(&self) -> &ValidConfig {
        &self.config
    }

    /// How many steps are done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
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
            let outputs = self.network.forward(&Tensor::cat(&[&photos, &varied], 0)?)?;
            let (of_plain, of_varied) = (outputs.narrow(0, 0, number)?, outputs.narrow(0, number, number)?);
            let outputs = Pair { plain: &of_plain, varied: &of_varied };
            let photos = Pair { plain: &photos, varied: &varied };
            let gain = stability_loss(outputs, photos, batch.shift)?;
            (of_plain, Some((gain * stability_weight)?))
        } else {
            (self.network.forward(&photos)?, None)
        };
        let terms = self.loss.terms(&output, &content)?;
        let mut total = terms.total()?;
        if let Some(stability) = &stability {
            total = (total + stability)?;
        }
        let learning_rate = self.learning_rate();
        let scalar = |tensor: &Tensor| tensor.to_scalar::<f32>();
        let mut report = StepReport {
            step: self.step + 1,
            total: scalar(&total)?,
            content: scalar(&terms.content)?,
            style: scalar(&terms.style)?,
            total_variation: scalar(&terms.total_variation)?,
            stability: stability.as_ref().map_or(Ok(0.0), scalar)?,
            learning_rate,
            step_ms: 0.0,
        };
        let diverged = || {
            let kept = "nothing was saved yet".to_owned();
            Err(TrainError::Diverged { step: report.step, loss: report.total, kept })
        };
        if !report.total.is_finite() {
            return diverged();
        }
        let gradients = total.backward()?;
        // Of squares, as Adam will take them.
        let mut sum = Tensor::zeros((), DType::F32, &self.device)?;
        for gradient in self.variables.values().filter_map(|var| gradients.get(var)) {
            sum = (sum + gradient.sqr()?.sum_all()?)?;
        }
        if !scalar(&sum)?.is_finite() {
            return diverged();
        }
        let specs = self.config.description().parameters();
        let of = |name: &str| learning_rate * specs.get(name).map_or(1.0, |spec| f64::from(spec.scale));
        self.adam.step(report.step, of, &self.variables, &gradients)?;
        self.step = report.step;
        report.step_ms = start.elapsed().as_secs_f64() * 1000.0;
        Ok(report)
    }

    /// The factor of the stability term in the next step: none at first, unless it is to count from the start; then it
    /// rises in a line to all of it.
    fn stability_weight(&self) -> f64 {
        let TrainingConfig { steps, stability, stability_from, .. } = *self.config;
        let progress = self.step as f64 / steps as f64;
        let rise = STABILITY_RISE.min(stability_from);
        if progress >= stability_from + rise {
            stability
        } else {
            stability * ((progress - stability_from) / rise).max(0.0)
        }
    }

    /// Adam's step size for the next step: rises in a line at first, then falls along a cosine.
    fn learning_rate(&self) -> f64 {
        let done = self.step as f64;
        let warm = ((done + 1.0) / WARM_UP_STEPS).min(1.0);
        let progress = (done / self.config.steps as f64).min(1.0);
        let fall = LAST_RATE + (1.0 - LAST_RATE) * 0.5 * (1.0 + (PI * progress).cos());
        self.config.learning_rate * warm * fall
    }
}
