//! A network compiled for a CUDA card.

#[cfg(feature = "cuda")]
mod card;
pub(crate) mod training;

#[cfg(feature = "cuda")]
pub use card::{CudaError, CudaPlan, CudaPrecision};

/// What painting one picture takes, for comparison with what a card can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Multiplications and additions of the network as it is described.
    pub direct_operations: u64,
    /// Multiplications and additions that the plan does, with those of padded channels.
    pub operations: u64,
    /// Bytes of the card's memory that the steps read and write, each once.
    pub bytes: u64,
    /// Bytes that go to the card and come back: RGB8 both.
    pub transferred_bytes: u64,
    /// Kernels that are started.
    pub launches: u64,
}
