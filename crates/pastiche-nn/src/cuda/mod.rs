//! A network compiled for inference on a CUDA card: the same layers as [`crate::Network`] runs, fused, in half precision, and
//! started as a whole.
//!
//! **No speed has been measured yet**: all below is counted or reasoned. What is tested without a card is the arithmetic: the
//! tests compile the kernels' own source as C++, play the card with fibers and an emulated tensor core, and run every network
//! through the same steps that a card runs.
//!
//! # How it is fast
//!
//! - Numbers lie as (H, W, C), which tensor cores want, with channels filled up to multiples of eight. Sums are `f32`.
//! - A convolution is one product of matrices without padding; what stands before it is done by one pass that writes its
//!   input: the norm's factors, ReLU, the residual sum, padding of any kind, enlargement. Tables say for each row and column
//!   of that input where it comes from, so a new kind of padding is a new table. A bias is added by that pass, or not at all
//!   where a norm takes it away again. What a residual adds is read from inside the padded input where it lies already.
//! - A 3x3 convolution behind a nearest enlargement by two is one 2x2 convolution at the small size with four times the outputs:
//!   four ninths of the products, and nothing enlarged in memory. A transposed one is made the same way. Nobody puts the four
//!   phases in order: who reads them computes where they are.
//! - Three channels are poor for tensor cores. Neighbours of a row lie together in memory, so pixels are taken together as one
//!   with more channels, without moving them: two of the picture (RGB and a zero each) as 8 channels, from which the first
//!   convolution makes two pixels; eight of the painting as 32 outputs of the last one, which sees 16 pixels of a row.
//! - Each convolution is done by whoever is fastest at that size on that card, which is measured once: cuDNN's algorithms, or
//!   our own kernels, which leave the moments of what they write for the norm that follows.
//! - All buffers are places in one arena by lifetime. The steps of a picture are recorded as a CUDA graph and started by one
//!   call; upload, steps and download run on three streams, so that two pictures under way overlap. Steady state makes no
//!   memory, on the card or beside it.
//!
//! # The floor
//!
//! `transformer_net` with 32, 64 and 128 channels at 1920x1080, in half precision (see [`Counts`]), and how long that takes by
//! the figures that NVIDIA gives for an H100 SXM:
//!
//! | | | at 3.35 TB/s and 989 TFLOP/s |
//! |---|---|---|
//! | operations of the layers | 638 GFLOP | 0.64 ms |
//! | operations that are done | 613 GFLOP | 0.62 ms |
//! | operands of the convolutions, each once | 1.6 GB | 0.47 ms |
//! | all that is read and written, with norms in passes of their own | 4.1 GB | 1.23 ms |
//! | the same where convolutions leave the moments | 3.4 GB | 1.00 ms |
//! | memory for activations | 267 MB | |
//! | picture and painting as bytes | 12 MB | 0.23 ms at 55 GB/s, beside the rest |
//!
//! # Considered
//!
//! - Normalising while a convolution gathers its input, as the plan for the processor does, would save the passes between, half
//!   of the 3.4 GB; but every number is gathered up to nine times, through registers instead of straight into shared memory,
//!   and cuDNN could not be used.
//! - Winograd's transforms save products that tensor cores have to spare, and cost digits that half precision has not.
//! - For the last convolution, the shares of each kernel column in each output (27, added up along the row by another pass)
//!   instead of eight pixels at once: half the products, but shares are rounded to half precision and 133 MB more are moved.

mod address;
mod arguments;
#[cfg(feature = "cuda")]
mod card;
mod flow;
mod lower;
mod passes;
mod program;
mod recipe;
#[cfg(test)]
mod tests;
pub(crate) mod training;

#[cfg(feature = "cuda")]
pub use card::{CudaError, CudaPlan};

/// The number type of activations and weights on the card; sums are `f32` in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CudaPrecision {
    /// Single.
    F32,
    /// Half: twice as much through memory, and the tensor cores.
    F16,
}

impl CudaPrecision {
    /// Bytes of a number.
    const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// What painting one picture takes, for comparison with what a card can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Multiplications and additions of the network as it is described.
    pub direct_operations: u64,
    /// Multiplications and additions that the plan does, with those of padded channels.
    pub operations: u64,
    /// Bytes of the card's memory that the convolutions must read and write, with the picture and the painting.
    pub least_bytes: u64,
    /// Bytes of the card's memory that all steps read and write, where norms take passes of their own.
    pub bytes: u64,
    /// Bytes that go to the card and come back: RGB8 both.
    pub transferred_bytes: u64,
    /// Kernels that are started, where norms take passes of their own.
    pub launches: u64,
}
