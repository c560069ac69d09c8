//! A network that learns: its weights as variables, Adam's state, and how many steps are done. What a checkpoint keeps.

use std::{
    collections::{BTreeMap, VecDeque},
    f64::consts::PI,
    path::Path,
    time::Instant,
};

use candle_core::{DType, Device, Tensor, Var};
use pastiche_nn::{Figures, Network, NetworkDescription, WeightsFile};

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
    figures: Figures,
    /// The steps whose figures were not asked for yet, the oldest first.
    begun: VecDeque<Begun>,
    /// When a step was last known to be taken.
    last_taken: Option<Instant>,
}

/// A step that is begun.
#[derive(Debug, Clone, Copy)]
struct Begun {
    step: u64,
    learning_rate: f64,
    start: Instant,
}

/// A step that is taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Its number, from 1.
    pub(crate) step: u64,
    /// Adam's step size.
    pub(crate) learning_rate: f64,
    /// The loss, and the figures that came with it.
    pub(crate) figures: Vec<f32>,
    /// How long it took; where several were under way, since the one before.
    pub(crate) step_ms: f64,
}

/// The network in the file of a style, to start from.
///
/// # Errors
/// The file cannot be read, or holds another network than is described.
pub(crate) fn start(
    file: &Path,
    description: NetworkDescription,
    device: &Device,
) -> Result<Network, TrainError> {
    WeightsFile::open(file)
        .and_then(|weights| weights.network(description, device))
        .map_err(|source| TrainError::Start { source, path: file.to_owned() })
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
        let (figures, begun) = (Figures::default(), VecDeque::new());
        Ok(Self {
            network,
            population: Vec::new(),
            variables,
            adam,
            step: 0,
            figures,
            begun,
            last_taken: None,
        })
    }

    /// Steps that may be begun before the figures of an earlier one are asked for: on a card one, so that it is never idle.
    pub(crate) fn ahead(&self) -> usize {
        usize::from(self.variables.values().any(|var| !var.device().is_cpu()))
    }

    /// How many steps' figures were not asked for yet.
    pub(crate) fn under_way(&self) -> usize {
        self.begun.len()
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

    /// How many steps are begun.
    pub(crate) fn steps_done(&self) -> u64 {
        self.step
    }

    /// Takes a step, begun at `start`, down the gradient of `total`. That and some more figures of the step, scalars too, are
    /// there for [`Self::taken`]; on a card they and the step are still being computed when this returns.
    ///
    /// # Errors
    /// The loss or its gradient is infinite or NaN; then nothing has changed. (On a card [`Self::taken`] says so.) Or the
    /// device fails.
    pub(crate) fn descend(
        &mut self,
        total: &Tensor,
        figures: &[&Tensor],
        learning_rate: f64,
        start: Instant,
    ) -> Result<(), TrainError> {
        let step = self.step + 1;
        let specs = self.network.description().parameters();
        let rate = |name: &str| learning_rate * specs.get(name).map_or(1.0, |spec| f64::from(spec.scale));
        let figures = [&[total], figures].concat();
        match total.device() {
            Device::Cpu => {
                let loss = total.to_scalar::<f32>()?;
                if !loss.is_finite() {
                    return diverged(step, loss);
                }
                let gradients = total.backward()?;
                // Of squares, as Adam will take them.
                let mut sum = Tensor::zeros((), DType::F32, total.device())?;
                for gradient in self.variables.values().filter_map(|var| gradients.get(var)) {
                    sum = (sum + gradient.sqr()?.sum_all()?)?;
                }
                if !sum.to_scalar::<f32>()?.is_finite() {
                    return diverged(step, loss);
                }
                self.adam.step(step, rate, &self.variables, &gradients)?;
                self.figures.send(&figures)?;
            }
            #[cfg(feature = "cuda")]
            _card => {
                let gradients = total.backward()?;
                let ended = self.adam.step_on_card(step, rate, &self.variables, &gradients, total)?;
                self.figures.send(&[&figures[..], &[&ended]].concat())?;
            }
            #[cfg(not(feature = "cuda"))]
            other => {
                let reason = format!("{other:?} cannot train in this build: build with `--features cuda`");
                return Err(candle_core::Error::Msg(reason).into());
            }
        }
        self.begun.push_back(Begun { step, learning_rate, start });
        self.step = step;
        Ok(())
    }

    /// What the oldest step came to that was not asked for yet.
    ///
    /// # Errors
    /// On a card that step's loss or its gradient was infinite or NaN; since then nothing has changed. Or the device failed.
    pub(crate) fn taken(&mut self) -> Result<Option<Taken>, TrainError> {
        let Some(Begun { step, learning_rate, start }) = self.begun.pop_front() else { return Ok(None) };
        let mut figures = self.figures.receive()?.unwrap_or_default();
        if self.ahead() > 0 && figures.pop() != Some(0.0) {
            return diverged(step, figures.first().copied().unwrap_or(f32::NAN));
        }
        let now = Instant::now();
        let from = self.last_taken.replace(now).map_or(start, |last| last.max(start));
        let step_ms = (now - from).as_secs_f64() * 1000.0;
        Ok(Some(Taken { step, learning_rate, figures, step_ms }))
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

fn diverged<T>(step: u64, loss: f32) -> Result<T, TrainError> {
    let kept = "nothing was saved yet: start again with a lower --learning-rate".to_owned();
    Err(TrainError::Diverged { step, loss, kept })
}
