//! A network that learns: its weights as variables, Adam's state, and how many steps are done. What a checkpoint keeps.

use std::{collections::BTreeMap, f64::consts::PI};

use candle_core::{DType, Tensor, Var};
use pastiche_nn::Network;

use crate::{TrainError, adam::Adam};

/// Steps over which the learning rate rises to its largest.
const WARM_UP_STEPS: f64 = 50.0;
/// What the learning rate falls to in the end, as a part of its largest.
const LAST_RATE: f64 = 0.01;

/// A network on its way down a loss.
#[derive(Debug)]
pub(crate) struct Learner {
    network: Network,
    /// Photographs (N, 3, H, W) that the statistics of batch norms are measured over.
    pub(crate) population: Vec<Tensor>,
    pub(crate) variables: BTreeMap<String, Var>,
    pub(crate) adam: Adam,
    pub(crate) step: u64,
}

impl Learner {
    /// Starts from this network's weights.
    pub(crate) fn new(start: &Network) -> Result<Self, TrainError> {
        let mut variables = BTreeMap::new();
        for (name, tensor) in start.parameters() {
            variables.insert(name.clone(), Var::from_tensor(tensor)?);
        }
        let parameters = variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let network = Network::new(start.description().clone(), parameters.collect())?;
        let adam = Adam::new(&variables)?;
        Ok(Self { network, population: Vec::new(), variables, adam, step: 0 })
    }

    /// The network as it is now, for steps.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The network as it is now, for use: batch norms have the statistics of the population.
    ///
    /// # Errors
    /// There are batch norms but no population, or the device fails.
    pub(crate) fn finished(&self) -> Result<Network, TrainError> {
        Ok(self.network.with_population(&self.population)?)
    }

    /// How many steps are done.
    pub(crate) fn steps_done(&self) -> u64 {
        self.step
    }

    /// Takes a step down the gradient of `total`.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. Or the device fails.
    pub(crate) fn descend(&mut self, total: &Tensor, learning_rate: f64) -> Result<(), TrainError> {
        let step = self.step + 1;
        let loss = total.to_scalar::<f32>()?;
        let diverged = || Err(TrainError::Diverged { step, loss, kept: "nothing was saved yet".to_owned() });
        if !loss.is_finite() {
            return diverged();
        }
        let gradients = total.backward()?;
        // Of squares, as Adam will take them.
        let mut sum = Tensor::zeros((), DType::F32, total.device())?;
        for gradient in self.variables.values().filter_map(|var| gradients.get(var)) {
            sum = (sum + gradient.sqr()?.sum_all()?)?;
        }
        if !sum.to_scalar::<f32>()?.is_finite() {
            return diverged();
        }
        let specs = self.network.description().parameters();
        let of = |name: &str| learning_rate * specs.get(name).map_or(1.0, |spec| f64::from(spec.scale));
        self.adam.step(step, of, &self.variables, &gradients)?;
        self.step = step;
        Ok(())
    }

    /// Adam's step size for the next of `steps`: rises in a line to `largest` at first, then falls along a cosine.
    pub(crate) fn learning_rate(&self, largest: f64, steps: u64) -> f64 {
        let done = self.step as f64;
        let warm = ((done + 1.0) / WARM_UP_STEPS).min(1.0);
        let progress = (done / steps as f64).min(1.0);
        let fall = LAST_RATE + (1.0 - LAST_RATE) * 0.5 * (1.0 + (PI * progress).cos());
        largest * warm * fall
    }
}
