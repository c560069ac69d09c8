//! Training of networks that enlarge pictures: Johnson et al. 2016, section 4.2, and the baseline that it compares with.
//!
//! Patches of photographs are blurred and made small as [`crate::evaluate::Reduction`] does it; the network's correction
//! of their bicubic enlargement is compared with the patches as they were, by pixels or by features.

mod config;
mod held_out;
mod patches;
mod trainer;

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use candle_core::Device;
use pastiche_nn::WeightsError;
use serde::Serialize;

pub(crate) use self::trainer::enlarged;
pub use self::{
    config::{EnlargingConfig, EnlargingLoss, ValidEnlargingConfig},
    trainer::{EnlargingStep, EnlargingTrainer},
};
use self::{held_out::HeldOutPatches, patches::PatchDraw};
use crate::{
    PerceptualLoss, TrainError, fingerprint,
    photos::{PhotoFolder, PhotoLoader, threads_beside},
    run::{Ending, RunOptions, Session},
};

/// What to train, from what, and where to.
#[derive(Debug)]
pub struct EnlargingJob {
    /// The settings.
    pub config: ValidEnlargingConfig,
    /// The network to start from; chance where there is none.
    pub from: Option<PathBuf>,
    /// The photographs.
    pub photos: PhotoFolder,
    /// The loss of features, and SHA-256 of the loss network's file; nothing for the loss of pixels.
    pub features: Option<(PerceptualLoss, String)>,
    /// What the network learns on.
    pub device: Device,
    /// Where to.
    pub options: RunOptions,
}

/// The settings and the files that a training started with.
#[derive(Serialize)]
struct EnlargingRecipe {
    #[serde(flatten)]
    config: EnlargingConfig,
    /// What the network's output is added to.
    base: &'static str,
    loss_net: Option<String>,
    photos: String,
    /// SHA-256 of the network that it started from, where it did not start from chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// Trains a network that enlarges. `watch` sees every step's report; `cancel` ends the training after the step in hand.
///
/// # Errors
/// A file cannot be read or written, the photographs end, or the loss is no number any more. The last checkpoint is then
/// as it was.
pub fn train(
    job: EnlargingJob,
    cancel: &AtomicBool,
    watch: &mut dyn FnMut(&EnlargingStep),
) -> Result<Ending, TrainError> {
    let EnlargingJob { config, from, photos, features, device, options } = job;
    let (held_out, training_photos) = photos.hold_out(HeldOutPatches::COUNT);
    let (features, loss_net) = features.unzip();
    let recipe = EnlargingRecipe {
        config: (*config).clone(),
        base: "bicubic",
        loss_net,
        photos: photos.fingerprint(),
        from: from.as_deref().map(fingerprint_of_start).transpose()?,
    };
    let draw = PatchDraw::from(&config);
    let held_out = HeldOutPatches::open(&held_out, &draw, &device)?;
    let mut trainer = match from {
        Some(file) => EnlargingTrainer::from_network(&file, config, features, &device)?,
        None => EnlargingTrainer::new(config, features, &device)?,
    };
    let session = Session::begin(&options, recipe, &mut trainer.learner)?;
    let threads = threads_beside(&device);
    let loader = PhotoLoader::start(training_photos, draw, trainer.steps_done(), threads)?;
    session.run(&mut trainer, loader, held_out, cancel, watch)
}

fn fingerprint_of_start(path: &Path) -> Result<String, TrainError> {
    let failed =
        |source| TrainError::StartEnlarging { source: WeightsError::Read { source }, path: path.to_owned() };
    fingerprint::sha256(path).map_err(failed)
}
