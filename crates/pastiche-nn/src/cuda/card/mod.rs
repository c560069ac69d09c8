//! What runs on the card itself.

mod error;
pub(crate) mod modules;
mod plan;

pub use error::CudaError;
pub use plan::CudaPlan;
