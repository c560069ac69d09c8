//! Training of style networks: perceptual losses, photographs, the trainer, and the measures of what it made.
//!
//! Start with [`TrainingConfig`] and [`run::train`], which is `pastiche-train style`; below it, [`PerceptualLoss`] is the
//! paper's equation 5 and [`Trainer`] takes one step at a time.
//!
//! Pictures are tensors (N, 3, H, W), `f32`, RGB on 0-255.

mod adam;
mod checkpoint;
mod config;
mod error;
pub mod evaluate;
mod fingerprint;
pub mod loss_net;
pub mod losses;
pub mod optimize;
pub mod photos;
pub mod run;
mod stability;
mod trainer;

pub use config::{TrainingConfig, ValidConfig};
pub use error::TrainError;
pub use losses::{LossWeights, PerceptualLoss};
pub use trainer::{StepReport, Trainer};
