//! The operations that style networks need and candle lacks or does slowly, with gradients.
//!
//! All take and give `f32` tensors, of shape `(N, C, H, W)` where nothing else is told, and report wrong shapes as errors.
//! Each is one candle custom op over this crate's kernels, on the CPU and on CUDA cards, where cuDNN convolves; without it
//! (feature `cudnn`) convolutions on cards are candle's own.
//!
//! A gradient is computed only for the arguments that lead to a variable: a frozen weight costs nothing.

mod batch_norm;
#[cfg(feature = "cuda")]
pub(crate) mod card;
mod convolution;
pub(crate) mod cpu;
mod instance_norm;
mod losses;
mod max_pool;
mod padded_convolution;
mod relu;
mod reshape;
#[cfg(test)]
pub(crate) mod tests;

pub use batch_norm::{batch_moments, batch_norm, norm_factors};
pub use convolution::{conv_transpose2d, conv2d};
pub use instance_norm::{instance_norm, instance_norm_relu};
pub use losses::{gram_matrix, mean_square, mean_squared_error, total_variation};
pub use max_pool::max_pool_2x2;
pub use padded_convolution::conv2d_padded;
pub use relu::relu;
pub use reshape::{pad, reflection_pad, upsample_nearest, zero_pad};
