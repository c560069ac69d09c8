//! A network compiled for a CUDA card.

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
