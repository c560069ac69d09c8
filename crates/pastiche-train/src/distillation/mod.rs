//! Distillation (Hinton et al. 2015): a small network learns to paint what a large one paints. It needs neither the painting
//! nor a loss network, and turns a style that only a card can paint live into one that a processor can.

mod config;
mod trainer;

use std::{path::PathBuf, sync::atomic::AtomicBool};

use candle_core::Device;
use pastiche_nn::{WeightsError, WeightsFile};
use serde::Serialize;
use serde_json::Value;

pub use self::{
    config::{DistillationConfig, ValidDistillationConfig},
    trainer::{DistillationStep, DistillationTrainer},
};
use crate::{
    TrainError, fingerprint,
    photos::{Draw, PhotoFolder, PhotoLoader, threads_beside},
    recipe::painting_recipe,
    run::{Ending, HeldOutPhotos, RunOptions, Session, population},
};

/// What to distil, on what, and where to.
#[derive(Debug)]
pub struct DistillationJob {
    /// The settings.
    pub config: ValidDistillationConfig,
    /// The style to learn from, of any architecture.
    pub teacher: PathBuf,
    /// The style to start from; chance where there is none.
    pub from: Option<PathBuf>,
    /// The photographs.
    pub photos: PhotoFolder,
    /// What the network learns on.
    pub device: Device,
    /// Where to.
    pub options: RunOptions,
}

/// The settings and the files that a distillation started with.
#[derive(Serialize)]
struct DistillationRecipe {
    #[serde(flatten)]
    config: DistillationConfig,
    /// SHA-256 of the style that it learned from.
    teacher: String,
    /// What that was trained with on its painting, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    teacher_recipe: Option<Value>,
    photos: String,
    /// SHA-256 of the style that it started from, where it did not start from chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// Distils. `watch` sees every step's report; `cancel` ends the training after the step in hand.
///
/// # Errors
/// The teacher has no room for the samples, a file cannot be read or written, the photographs end, or the loss is no number
/// any more. The last checkpoint is then as it was.
pub fn distil(
    job: &DistillationJob,
    cancel: &AtomicBool,
    watch: &mut dyn FnMut(&DistillationStep),
) -> Result<Ending, TrainError> {
    let DistillationJob { config, photos, device, options, .. } = job;
    let unusable = |source| TrainError::Style { source, path: job.teacher.clone() };
    let teacher = WeightsFile::open(&job.teacher).map_err(unusable)?;
    let recipe = recipe(job, &teacher)?;
    let teacher = teacher.style_network(device).map_err(unusable)?;
    let (held_out, training_photos) = photos.hold_out(HeldOutPhotos::COUNT);
    let multiple = config.description().side_multiple.max(teacher.description().side_multiple);
    let held_out = HeldOutPhotos::open(&held_out, multiple, device)?.beside_paintings(&teacher)?;
    let mut trainer = DistillationTrainer::new(config.clone(), teacher, job.from.as_deref(), device)?;
    let session = Session::begin(options, recipe, &mut trainer.learner)?;
    let draw = Draw::from(&**config);
    if !config.description().batch_norms().is_empty() {
        trainer.learner.population = population(&training_photos, &draw, config.stability > 0.0, device)?;
    }
    let loader = PhotoLoader::start(training_photos, draw, trainer.steps_done(), threads_beside(device))?;
    session.run(&mut trainer, loader, held_out, cancel, watch)
}

/// What the job starts with.
fn recipe(job: &DistillationJob, teacher: &WeightsFile) -> Result<DistillationRecipe, TrainError> {
    let unreadable =
        |source| TrainError::Style { source: WeightsError::Read { source }, path: job.teacher.clone() };
    Ok(DistillationRecipe {
        config: (*job.config).clone(),
        teacher: fingerprint::sha256(&job.teacher).map_err(unreadable)?,
        teacher_recipe: painting_recipe(teacher),
        photos: job.photos.fingerprint(),
        from: fingerprint::of_start(job.from.as_deref())?,
    })
}
