//! The operations that style networks need and candle lacks or does slowly, with gradients.
//!
//! All take and give `f32` tensors, of shape `(N, C, H, W)` where nothing else is told, and report wrong shapes as errors. On the CPU each is one
//! candle custom op over this crate's kernels; on other devices it is composed of candle's own operations, whose
//! gradients are right, so both give the same values.
//!
//! A gradient is computed only for the arguments that lead to a variable: a frozen weight costs nothing.

mod batch_norm;
mod convolution;
pub(crate) mod cpu;
mod instance_norm;
mod losses;
mod max_pool;
mod relu;
mod reshape;
#[cfg(test)]
pub(crate) mod tests;

pub use batch_norm::{batch_moments, batch_norm, norm_factors};
pub use convolution::{conv_transpose2d, conv2d};
pub use instance_norm::instance_norm;
pub use losses::{gram_matrix, mean_squared_error};
pub use max_pool::max_pool_2x2;
pub use relu::relu;
pub use reshape::{pad, reflection_pad, upsample_nearest, zero_pad};
