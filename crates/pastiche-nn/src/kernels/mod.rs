//! The CPU's inner loops, on plain slices of `f32` in (N, C, H, W) order.
//!
//! Everything here runs on the rayon pool that the caller is in, gives the same bits whatever the number of threads,
//! and has a scalar twin in the tests. Lengths are asserted at each entry; the checks that a user can trip over are
//! made in [`crate::ops`].

pub(crate) mod conv;
pub(crate) mod elementwise;
pub(crate) mod gram;
mod im2col;
pub(crate) mod instance_norm;
mod matmul;
pub(crate) mod pad;
pub(crate) mod pool;
pub(crate) mod turned;
pub(crate) mod upsample;
pub(crate) mod winograd;
