//! 3x3 convolutions with stride 1 for training: Winograd's tiles over channel-blocked planes, forwards and for the
//! gradient of the input.
//!
//! Here weights change from step to step and activations must be kept, so this knows no compiled plan: each convolution
//! is one call, with its packing, over [`Planes`].

mod conv;
mod edges;
mod memory;
mod planes;
mod pool;
mod weights;

#[cfg(test)]
mod tests;

pub(crate) use conv::{Conv3x3, Source};
pub(crate) use planes::{Planes, Size};
pub(crate) use pool::{max_pool_2x2, unpool_2x2};
pub(crate) use weights::{Direction, Weights};

/// A pointer that tasks share, each of which writes places of its own.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

#[allow(unsafe_code)]
// SAFETY: whoever writes through it promises that no two threads touch the same number.
unsafe impl Sync for Shared {}

#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    /// The pointer; a method, so that closures take the whole of `Shared` with them.
    #[inline(always)]
    fn get(self) -> *mut f32 {
        self.0
    }
}
