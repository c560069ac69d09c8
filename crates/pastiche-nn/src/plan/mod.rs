//! A network compiled for inference on the processor: the same layers as [`crate::Network`] runs, fused, laid out for
//! one picture size and one instruction set, and run without an allocation.
//!
//! # How it is fast
//!
//! - Every convolution is one [`step`] with all that stands before and after it. Tasks gather a window of the input into
//!   scratch memory that fits the second-level cache, and on the way do what the layers before still owe: the norm's
//!   factors, ReLU, residual sums, and, by a table of indices, padding and enlargement. They multiply, write, and leave
//!   the moments of what they wrote, from which the next norm is made.
//! - Numbers lie in channel blocks, (C / lanes, H, W, lanes): a vector is some channels of one pixel. The picture goes in
//!   and the painting comes out interleaved or in planes, with no pass of their own.
//! - 3x3 convolutions with stride 1 take Winograd's F(4x4, 3x3), which needs a quarter of the products. A 3x3 convolution
//!   behind a nearest enlargement by two is four of them at the small size (a quarter of the pixels), and so is a
//!   transposed one.
//! - The last convolution has three outputs, too few for a vector: it makes the shares of each kernel column in each
//!   output, which are added up along the row.
//! - Products run in tiles of registers, 6 pixels x 16 channels with AVX2 and 12 x 32 with AVX-512.
//! - Buffers that live at different times share a place in one arena of huge pages.
//!
//! # What each step gained
//!
//! `transformer_net` at 256x256 with two threads of a processor with AVX2 (EPYC, Zen 3), one after the other:
//!
//! | state | ms |
//! |---|---|
//! | layer by layer, im2col and a general matrix product | 270 |
//! | plan: fused steps, Winograd, channel blocks | 95 |
//! | vectors never leave the function that was compiled for them | 75 |
//! | channels of a Winograd product side by side, gathering without branches, prefetched | 70 |
//!
//! The roofline is in the README, beside the command that measures it.

mod arena;
mod axis;
mod compile;
mod compiled;
mod cut;
mod emit;
mod error;
mod gather;
pub(crate) mod lines;
mod moments;
pub(crate) mod multiply;
mod norm;
pub(crate) mod number;
mod op;
mod pack;
mod settle;
mod step;
mod task;
#[cfg(test)]
mod tests;
pub(crate) mod transform;

pub use compiled::{Canvas, Plan};
pub use error::PlanError;
pub use gather::Picture;
pub use number::Products;
pub(crate) use number::bf16_bits;
pub use op::CompiledNetwork;
