//! Training of style networks: perceptual losses, photographs, the trainer, and the measures of what it made.
//!
//! Start with [`TrainingConfig`] and [`run::train`], which is `pastiche-train style`; below it, [`PerceptualLoss`] is the
//! paper's equation 5 and [`Trainer`] takes one step at a time. [`distillation`] makes a small style of a large one, and
//! [`super_resolution`] trains the networks that enlarge.
//!
//! ```no_run
//! use candle_core::Device;
//! use pastiche_train::{PerceptualLoss, TrainingConfig, Trainer, loss_net::LossNetFile};
//!
//! let config = TrainingConfig { steps: 2000, ..TrainingConfig::default() }.validate()?;
//! let loss_net = LossNetFile::open("vgg19.safetensors".as_ref(), None)?;
//! let painting = "night.jpg".as_ref();
//! let loss = PerceptualLoss::open(&loss_net, config.loss.clone(), painting, config.style_size, &Device::Cpu)?;
//! let trainer = Trainer::new(config, loss, &Device::Cpu)?;
//! assert_eq!(trainer.steps_done(), 0);
//! # Ok::<(), pastiche_train::TrainError>(())
//! ```
//!
//! Pictures are tensors (N, 3, H, W), `f32`, RGB on 0-255.

mod adam;
mod checkpoint;
mod config;
pub mod distillation;
mod error;
pub mod evaluate;
mod fingerprint;
mod learner;
pub mod loss_net;
pub mod losses;
pub mod optimize;
pub mod photos;
mod recipe;
pub mod run;
mod stability;
pub mod super_resolution;
mod trainer;

pub use config::{TrainingConfig, ValidConfig};
pub use error::TrainError;
pub use fingerprint::sha256;
pub use losses::{LossWeights, PerceptualLoss};
pub use recipe::painting_recipe;
pub use trainer::{StepReport, Trainer};
