//! What every training does around its steps: it goes on from a checkpoint, keeps figures, saves, shows, and ends.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use candle_core::DType;
use pastiche_nn::{WeightsError, weights};
use serde::Serialize;

use super::{
    RunFolder,
    metrics::{Metrics, StepFigures},
    report::{HeldOut, Report},
};
use crate::{TrainError, checkpoint, learner::Learner, photos::PhotoLoader};

/// Where a training goes, and how it is kept.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The file of weights.
    pub output: PathBuf,
    /// Where checkpoints, figures and samples go.
    pub run: RunFolder,
    /// Goes on from the run's checkpoint.
    pub resume: bool,
    /// Replaces a training that is there.
    pub replace: bool,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
    /// Steps between two sheets of held-out photos.
    pub sample_every: u64,
    /// What the file says about itself: `pastiche.name`, `.credit`, `.license`. A training that goes on keeps what is not
    /// given anew.
    pub about: HashMap<String, String>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps are done and the weights are written.
    Finished,
    /// It was interrupted after this many steps; a checkpoint is written.
    Interrupted {
        /// Steps done.
        steps: u64,
    },
}

/// A network and how it learns.
pub(crate) trait Training {
    /// What one step learns from.
    type Batch: Send + 'static;
    /// What one step came to.
    type Step: StepFigures;

    /// The network.
    fn learner(&self) -> &Learner;

    /// How many steps there are to be.
    fn steps(&self) -> u64;

    /// Begins a step.
    fn submit(&mut self, batch: &Self::Batch) -> Result<(), TrainError>;

    /// What the oldest step came to that was begun and not collected yet; none where all are.
    fn collect(&mut self) -> Result<Option<Self::Step>, TrainError>;
}

/// A training under way: its files, and what it says of itself.
pub(crate) struct Session<'a, R> {
    options: &'a RunOptions,
    recipe: R,
    about: HashMap<String, String>,
}

impl<'a, R: Serialize> Session<'a, R> {
    /// Makes sure of the run's folder, in which nothing changes yet, and puts the learner where the checkpoint left off, where
    /// it is to go on.
    pub(crate) fn begin(
        options: &'a RunOptions,
        recipe: R,
        learner: &mut Learner,
    ) -> Result<Self, TrainError> {
        options.run.check(options.resume, options.replace)?;
        let mut about = HashMap::new();
        if options.resume {
            about = checkpoint::restore(learner, &recipe, &options.run.checkpoint())?;
        }
        about.extend(options.about.clone());
        Ok(Self { options, recipe, about })
    }

    /// Trains to the end. `watch` sees every step's report; `cancel` ends the training after the step in hand.
    pub(crate) fn run<T: Training>(
        &self,
        training: &mut T,
        mut loader: PhotoLoader<T::Batch>,
        held_out: impl HeldOut,
        cancel: &AtomicBool,
        watch: &mut dyn FnMut(&T::Step),
    ) -> Result<Ending, TrainError> {
        let (options, steps) = (self.options, training.steps());
        let mut saved = training.learner().steps_done();
        // An earlier training is replaced only by one that can begin.
        let mut first = if saved < steps { Some(loader.next_batch()?) } else { None };
        options.run.prepare(options.resume)?;
        let mut metrics = Metrics::open(&options.run.metrics(), saved)?;
        let report = Report::new(&options.run, held_out, steps);
        // Notes what steps came to, until `left` are under way.
        let mut note = |training: &mut T, metrics: &mut Metrics<T::Step>, left: usize| {
            while training.learner().under_way() > left {
                if let Some(figures) = training.collect()? {
                    metrics.add(&figures)?;
                    watch(&figures);
                }
            }
            Ok::<_, TrainError>(())
        };
        while training.learner().steps_done() < steps && !cancel.load(Ordering::Relaxed) {
            let batch = match first.take().map_or_else(|| loader.next_batch(), Ok) {
                Ok(batch) => batch,
                Err(error) => {
                    note(training, &mut metrics, 0).map_err(|error| self.told_kept(error, saved))?;
                    // What was learned is sound.
                    self.save(training.learner())?;
                    return Err(error);
                }
            };
            training.submit(&batch).map_err(|error| self.told_kept(error, saved))?;
            let step = training.learner().steps_done();
            let due = |every: u64| step.is_multiple_of(every) || step == steps;
            let (save_due, sample_due) = (due(options.checkpoint_every), due(options.sample_every));
            // What is kept and shown is known to be sound.
            let left = if save_due || sample_due { 0 } else { training.learner().ahead() };
            note(training, &mut metrics, left).map_err(|error| self.told_kept(error, saved))?;
            if save_due {
                self.save(training.learner())?;
                saved = step;
            }
            if sample_due {
                // The training is worth more than the look at it.
                report
                    .refresh(training.learner(), metrics.steps())
                    .unwrap_or_else(|error| log::warn!("no report: {error}"));
            }
        }
        drop(loader);
        note(training, &mut metrics, 0).map_err(|error| self.told_kept(error, saved))?;
        let done = training.learner().steps_done();
        if done < steps {
            self.save(training.learner())?;
            return Ok(Ending::Interrupted { steps: done });
        }
        self.write_weights(training.learner(), &options.output)?;
        Ok(Ending::Finished)
    }

    /// Writes the checkpoint, and beside it the weights so far, which can be looked at.
    fn save(&self, learner: &Learner) -> Result<(), TrainError> {
        checkpoint::save(learner, &self.recipe, &self.about, &self.options.run.checkpoint())?;
        self.write_weights(learner, &self.options.run.style_so_far())
    }

    fn write_weights(&self, learner: &Learner, path: &Path) -> Result<(), TrainError> {
        let steps = learner.steps_done();
        let mut metadata = self.about.clone();
        let trained_with = serde_json::json!({ "steps_done": steps, "recipe": self.recipe });
        metadata.insert("pastiche.trained_with".to_owned(), trained_with.to_string());
        metadata.insert("pastiche.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        weights::save(&learner.finished()?, &metadata, DType::F16, path).map_err(|error| match error {
            WeightsError::Write { source } => TrainError::Write {
                source,
                kept: format!("the checkpoint of step {steps} is written, and --resume goes on from there"),
                path: path.to_owned(),
            },
            source => TrainError::Style { source, path: path.to_owned() },
        })
    }

    /// A failed step's error, with what remains of the training.
    fn told_kept(&self, error: TrainError, saved: u64) -> TrainError {
        match error {
            TrainError::Diverged { step, loss, .. } if saved > 0 => {
                let kept = format!(
                    "the last good checkpoint is that of step {saved}: {}; --resume with a lower --learning-rate may get \
                     past this",
                    self.options.run.checkpoint().display()
                );
                TrainError::Diverged { step, loss, kept }
            }
            other => other,
        }
    }
}
