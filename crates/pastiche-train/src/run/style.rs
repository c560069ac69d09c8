//! The training of a style: from a painting and a folder of photographs to a style file.

use std::{io, path::PathBuf, sync::atomic::AtomicBool};

use candle_core::{Device, Tensor};

use super::{
    held_out::HeldOutPhotos,
    session::{Ending, RunOptions, Session, Training},
};
use crate::{
    PerceptualLoss, StepReport, TrainError, Trainer, ValidConfig, fingerprint,
    learner::Learner,
    photos::{Batch, Draw, PhotoFolder, PhotoLoader, threads_beside},
    recipe::Recipe,
};

/// How many photographs the statistics of batch norms are measured over, at least.
const POPULATION: usize = 16;

/// What to train, from what, and where to.
#[derive(Debug)]
pub struct TrainJob {
    /// The settings.
    pub config: ValidConfig,
    /// The painting.
    pub painting: PathBuf,
    /// The style to start from; chance where there is none.
    pub from: Option<PathBuf>,
    /// The photographs.
    pub photos: PhotoFolder,
    /// SHA-256 of the loss network's file.
    pub loss_net: String,
    /// What the network learns on.
    pub device: Device,
    /// Where to.
    pub options: RunOptions,
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
    let (held_out, training_photos) = job.photos.hold_out(HeldOutPhotos::COUNT);
    let recipe = recipe(job)?;
    let mut trainer = match &job.from {
        Some(style) => Trainer::from_style(style, job.config.clone(), loss, &job.device)?,
        None => Trainer::new(job.config.clone(), loss, &job.device)?,
    };
    let session = Session::begin(&job.options, recipe, &mut trainer.learner)?;
    let held_out = HeldOutPhotos::open(&held_out, job.config.description().side_multiple, &job.device)?;
    let (draw, threads) = (Draw::from(&*job.config), threads_beside(&job.device));
    if !job.config.description().batch_norms().is_empty() {
        let in_pairs = job.config.stability > 0.0 && job.config.stability_from < 1.0;
        trainer.learner.population = population(&training_photos, &draw, in_pairs, &job.device)?;
    }
    let loader = PhotoLoader::start(training_photos, draw, trainer.steps_done(), threads)?;
    session.run(&mut trainer, loader, held_out, cancel, watch)
}

/// What the job starts with.
fn recipe(job: &TrainJob) -> Result<Recipe, TrainError> {
    let picture =
        |source: io::Error| TrainError::Picture { source: source.into(), path: job.painting.clone() };
    Ok(Recipe {
        config: (*job.config).clone(),
        painting: fingerprint::sha256(&job.painting).map_err(picture)?,
        loss_net: job.loss_net.clone(),
        photos: job.photos.fingerprint(),
        from: fingerprint::of_start(job.from.as_deref())?,
    })
}

/// What the statistics of batch norms are measured over: what the network sees in the first steps, whatever step the
/// training is at, so that it makes the same style however often it went on. Where steadiness counts, and be it only in the
/// end, these are the photographs together with the varied ones: `in_pairs`.
pub(crate) fn population(
    photos: &PhotoFolder,
    draw: &Draw,
    in_pairs: bool,
    device: &Device,
) -> Result<Vec<Tensor>, TrainError> {
    let mut loader = PhotoLoader::start(photos.clone(), draw.clone(), 0, threads_beside(device))?;
    let side = draw.side as usize;
    let tensors = (0..POPULATION.div_ceil(draw.batch)).map(|_| {
        let Batch { mut photos, varied, .. } = loader.next_batch()?;
        if in_pairs {
            photos.extend(varied);
        }
        let number = photos.len() / (3 * side * side);
        Ok(Tensor::from_vec(photos, (number, 3, side, side), device)?)
    });
    tensors.collect()
}

impl Training for Trainer {
    type Batch = Batch;
    type Step = StepReport;

    fn learner(&self) -> &Learner {
        &self.learner
    }

    fn steps(&self) -> u64 {
        self.config().steps
    }

    fn submit(&mut self, batch: &Batch) -> Result<(), TrainError> {
        Self::submit(self, batch)
    }

    fn collect(&mut self) -> Result<Option<StepReport>, TrainError> {
        Self::collect(self)
    }
}
