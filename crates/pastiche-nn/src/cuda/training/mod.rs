//! Training on a card: kernels in f32, (N, C, H, W), for all that cuDNN and cuBLAS do not do.
//!
//! [`jobs`] says what each kernel is started with, and needs no card: the tests run the same kernels, compiled as C++, on the
//! processor. The operations themselves are beside those for the processor, in [`crate::ops`].
//!
//! What is to make a step fast: nobody waits for the card within it. Convolutions keep their descriptors, algorithms and
//! workspace from step to step (`convolutions`), batches go up from pinned memory and figures come back a step later
//! (`transfer`), Adam is a few launches over all variables (`adam`), and between two taps a frozen network is one operation
//! that keeps nothing but activations. None of it has been run on a card yet, and no speed has been measured.

#[cfg(feature = "cuda")]
pub(crate) mod adam;
#[cfg(feature = "cuda")]
pub(crate) mod card;
#[cfg(feature = "cudnn")]
pub(crate) mod convolutions;
#[cfg(feature = "cuda")]
pub(crate) mod gram;
pub(crate) mod jobs;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(feature = "cuda")]
pub(crate) mod transfer;
