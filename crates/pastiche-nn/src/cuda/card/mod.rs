//! What runs on the card itself.

#[cfg(feature = "cudnn")]
mod cudnn;
mod error;
pub(crate) mod modules;
mod plan;
mod queue;
mod session;
mod sized;
mod slot;
mod ways;

pub use error::CudaError;
pub use plan::CudaPlan;
