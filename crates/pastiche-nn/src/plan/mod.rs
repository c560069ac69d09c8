//! A network compiled for inference on the processor: the same layers as [`crate::Network`] runs, fused, laid out for
//! one picture size and one instruction set, and run without an allocation.
//!
//! # How it is fast
//!
//! - Every convolution is one step with all that stands before and after it. Tasks gather a window of the input into
//!   scratch memory that fits the second-level cache, and on the way do what the layers before still owe: the norm's
//!   factors, ReLU, residual sums, and, by a table of indices, padding and enlargement. They multiply, write, and leave
//!   the moments of what they wrote, from which the next norm is made.
//! - Numbers lie in channel blocks, (C / lanes, H, W, lanes): a vector is some channels of one pixel. The picture goes in
//!   and the painting comes out interleaved or in planes, with no pass of their own.
//! - 3x3 convolutions with stride 1 take Winograd's F(4x4, 3x3), which needs a quarter of the products, from 16 channels on. A 3x3 convolution
//!   behind a nearest enlargement by two is four of them at the small size (a quarter of the pixels), and so is a
//!   transposed one.
//! - The last convolution has three outputs, too few for a vector: it makes the shares of each kernel column in each
//!   output, which are added up along the row.
//! - Products run in tiles of registers, 6 pixels x 16 channels with AVX2 and 12 x 32 with AVX-512.
//! - A value that a residual sum needs again is settled in place, and buffers that live at different times share a place
//!   in one arena of huge pages: what a step touches should fit the last-level cache.
//!
//! # What each step gained
//!
//! Two threads of an EPYC (Zen 3, AVX2), each state measured in turns with the one before; medians in ms:
//!
//! | state | `transformer_net` 256x256 | `swift` 640x480 |
//! |---|---|---|
//! | layer by layer: im2col and a general matrix product | 270 | |
//! | plan: fused steps, Winograd, channel blocks | 95 | |
//! | no vector leaves the function that is compiled for it (no closures, no iterators by value) | 75 | 55 |
//! | input fetched ahead, a block before it is gathered | | 45 |
//! | vectors of all phases in common groups, unused lanes left out; 8 channels at full size, not 12 | 0.96x | 0.80x |
//! | huge pages | 1.0x | 0.93x |
//! | bytes converted in runs; 4 residual blocks, not 5 | | 0.92x |
//! | pixels of a product one vector apart, eight steps between two jumps | 0.98x | 0.95x |
//! | residual sums settled in place | 0.95x | 0.94x |
//!
//! Tried without gain: tiles of 4 pixels x 24 channels (registers spill), other sizes of tasks, fetching the output's lines
//! ahead.
//!
//! # How far from the roof
//!
//! Two threads of that processor do at most 180 GFLOP/s in `f32`; they copy 70 to 88 GB/s (read and written) where all fits the
//! last-level cache, of which a virtual machine has about 16 MB, and 24 GB/s beyond.
//!
//! | | `transformer_net` 256x256 | `swift` 640x480 |
//! |---|---|---|
//! | operations of the direct convolutions | 20.2 GFLOP | 9.4 GFLOP |
//! | operations that are done | 7.7 GFLOP: 43 ms | 3.1 GFLOP: 17 ms |
//! | activations read and written | 0.1 GB: 1 to 4 ms | 0.2 GB: 3 to 8 ms |
//! | measured, at best | 54 ms | 25 ms |
//!
//! Of a frame's time the products take 80 % in the first and 57 % in the second, where the transforms of 48 channels and
//! passes over memory weigh more.

pub(crate) mod arena;
pub(crate) mod axis;
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

#[cfg(any(feature = "cuda", test))]
pub(crate) use compile::MAX_CHANNELS;
#[cfg(any(feature = "cuda", test))]
pub(crate) use compiled::parameters;
pub use compiled::{Canvas, Plan};
pub use error::PlanError;
pub use gather::Picture;
pub use number::Products;
pub(crate) use number::bf16_bits;
pub use op::CompiledNetwork;
