//! A whole training: from a painting and a folder of photographs to a style file, with everything that a long job needs
//! around it.

mod files;
mod held_out;
mod metrics;
mod report;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use candle_core::{DType, Device};
use pastiche_nn::{WeightsError, weights};

pub use self::files::RunFolder;
pub(crate) use self::files::write_whole;
use self::{held_out::HeldOut, metrics::Metrics, report::Report};
use crate::{
    PerceptualLoss, StepReport, TrainError, Trainer, ValidConfig,
    checkpoint::{self, Recipe},
    fingerprint,
    photos::{PhotoFolder, PhotoLoader},
};

/// What to train, from what, and where to.
#[derive(Debug)]
pub struct TrainJob {
    /// The settings.
    pub config: ValidConfig,
    /// The painting.
    pub painting: PathBuf,
    /// The photographs.
    pub photos: PhotoFolder,
    /// SHA-256 of the loss network's file.
    pub loss_net: String,
    /// What the network learns on.
    pub device: Device,
    /// The style file.
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
    /// What the style file says about itself: `pastiche.name`, `.credit`, `.license`. A training that goes on
    /// keeps what is not given anew.
    pub about: HashMap<String, String>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps are done and the style is written.
    Finished,
    /// It was interrupted after this many steps; a checkpoint is written.
    Interrupted {
        /// Steps done.
        steps: u64,
    },
}

/// Trains with the loss for the job's painting. `watch` sees every step's report; `cancel` ends the training after the step in hand.
///
/// # Errors
/// A file cannot be read or written, the photographs end, or the loss is no number any more. The last checkpoint is then
/// as it was.
pub fn train(
    job: &TrainJob,
    loss: PerceptualLoss,
    cancel: &AtomicBool,
    watch: &mut dyn FnMut(&StepReport),
) -> Result<Ending, TrainError> {
    let (held_out, training_photos) = job.photos.hold_out(HeldOut::COUNT);
    let recipe = Recipe {
        config: (*job.config).clone(),
        painting: fingerprint::sha256(&job.painting)
            .map_err(|source| TrainError::Picture { source: source.into(), path: job.painting.clone() })?,
        loss_net: job.loss_net.clone(),
        photos: job.photos.fingerprint(),
    };
    job.run.prepare(job.resume, job.replace)?;
    let mut trainer = Trainer::new(job.config.clone(), loss, &job.device)?;
    let checkpoint_path = job.run.checkpoint();
    let mut about = HashMap::new();
    if job.resume {
        about = checkpoint::restore(&mut trainer, &recipe, &checkpoint_path)?;
    }
    about.extend(job.about.clone());
    let files = Files { job, recipe, about };
    let mut metrics = Metrics::open(&job.run.metrics(), trainer.steps_done())?;
    let report = Report::new(&job.run, HeldOut::open(&held_out, &job.config, &job.device)?);
    let mut loader = PhotoLoader::start(training_photos, (&*job.config).into(), trainer.steps_done())?;
    let mut saved = trainer.steps_done();
    while trainer.steps_done() < job.config.steps && !cancel.load(Ordering::Relaxed) {
        let batch = match loader.next_batch() {
            Ok(batch) => batch,
            Err(error) => {
                // What was learned is sound.
                files.save(&trainer)?;
                return Err(error);
            }
        };
        let step = trainer.step(&batch).map_err(|error| told_kept(error, job, saved))?;
        metrics.add(&step)?;
        watch(&step);
        let last = step.step == job.config.steps;
        if step.step.is_multiple_of(job.checkpoint_every) || last {
            files.save(&trainer)?;
            saved = step.step;
        }
        if step.step.is_multiple_of(job.sample_every) || last {
            // The training is worth more than the look at it.
            report
                .refresh(&trainer, metrics.steps())
                .unwrap_or_else(|error| log::warn!("no report: {error}"));
        }
    }
    drop(loader);
    let steps = trainer.steps_done();
    if steps < job.config.steps {
        files.save(&trainer)?;
        return Ok(Ending::Interrupted { steps });
    }
    files.write_style(&trainer, &job.output)?;
    Ok(Ending::Finished)
}

/// What a training leaves, and what it says of itself.
struct Files<'a> {
    job: &'a TrainJob,
    recipe: Recipe,
    about: HashMap<String, String>,
}

impl Files<'_> {
    /// Writes the checkpoint, and beside it the style so far, which can be looked at.
    fn save(&self, trainer: &Trainer) -> Result<(), TrainError> {
        checkpoint::save(trainer, &self.recipe, &self.about, &self.job.run.checkpoint())?;
        self.write_style(trainer, &self.job.run.style_so_far())
    }

    fn write_style(&self, trainer: &Trainer, path: &Path) -> Result<(), TrainError> {
        let steps = trainer.steps_done();
        let mut metadata = self.about.clone();
        let trained_with = serde_json::json!({ "steps_done": steps, "recipe": self.recipe });
        metadata.insert("pastiche.trained_with".to_owned(), trained_with.to_string());
        metadata.insert("pastiche.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        weights::save(trainer.network(), &metadata, DType::F16, path).map_err(|error| match error {
            WeightsError::Write { source } => TrainError::Write {
                source,
                kept: format!("the checkpoint of step {steps} is written, and --resume goes on from there"),
                path: path.to_owned(),
            },
            source => TrainError::Style { source, path: path.to_owned() },
        })
    }
}

/// A failed step's error, with what remains of the training.
fn told_kept(error: TrainError, job: &TrainJob, saved: u64) -> TrainError {
    match error {
        TrainError::Diverged { step, loss, .. } if saved > 0 => {
            let path = job.run.checkpoint();
            let kept = format!("the last good checkpoint is that of step {saved}: {}", path.display());
            TrainError::Diverged { step, loss, kept }
        }
        other => other,
    }
}
