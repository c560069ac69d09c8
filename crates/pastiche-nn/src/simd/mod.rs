//! Vectors of `f32`, and the choice of instruction set at run time.
//!
//! A kernel is written once, generic over [`Simd`], with `#[inline(always)]` on all of its parts; [`by_level`] makes the
//! function that runs it compiled for the instruction set of a [`Level`].
#![allow(unsafe_code)] // calls into code compiled for instruction sets whose presence a `Level` proves

mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::{Level, UnknownLevel};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Avx512Bf16};

use crate::plan::bf16_bits;

/// Most lanes of any instruction set.
const MAX_LANES: usize = 16;

/// A vector instruction set for `f32`. The value is the proof that the processor has it.
///
/// Pointers need no alignment.
pub(crate) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vectors that a matrix product can keep in registers as its sums.
    const SUMS: usize;

    /// All lanes the same.
    fn splat(self, value: f32) -> Self::V;
    /// Reads a vector.
    ///
    /// # Safety
    /// `LANES` numbers can be read at `from`.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// Writes a vector.
    ///
    /// # Safety
    /// `LANES` numbers can be written at `to`.
    unsafe fn store(self, to: *mut f32, value: Self::V);
    /// Asks for the cache line at `at`, which need not be memory that can be read.
    fn prefetch(self, at: *const f32);
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a - b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a * b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a * b + c, rounded once where the processor can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of both, lane by lane; `b`, which must be a number, where `a` is none.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// Rounds to bf16 and writes `LANES` of them.
    ///
    /// # Safety
    /// They can be written at `to`.
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, value: Self::V) {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: a vector has at most so many lanes; the caller promises the memory.
        unsafe {
            self.store(lanes.as_mut_ptr(), value);
            for (lane, value) in lanes[..Self::LANES].iter().enumerate() {
                to.add(lane).write(bf16_bits(*value));
            }
        }
    }

    /// `c` and the two products of the bf16 pairs in `a` and `b`, lane by lane.
    #[inline(always)]
    fn add_pairs(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        let (mut first, mut second, mut sum) = ([0.0; MAX_LANES], [0.0; MAX_LANES], [0.0; MAX_LANES]);
        // SAFETY: a vector has at most so many lanes.
        unsafe {
            self.store(first.as_mut_ptr(), a);
            self.store(second.as_mut_ptr(), b);
            self.store(sum.as_mut_ptr(), c);
            for (lane, sum) in sum[..Self::LANES].iter_mut().enumerate() {
                let (a, b) = (first[lane].to_bits(), second[lane].to_bits());
                *sum += f32::from_bits(a << 16) * f32::from_bits(b << 16);
                *sum += f32::from_bits(a & 0xffff_0000) * f32::from_bits(b & 0xffff_0000);
            }
            self.load(sum.as_ptr())
        }
    }
    /// `value` where `by` is larger than zero, else zero, lane by lane.
    fn where_positive(self, value: Self::V, by: Self::V) -> Self::V;

    /// Turns `LANES` rows of `LANES` numbers into columns.
    ///
    /// # Safety
    /// The rows at `from` can be read and those at `to` written; they do not overlap.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                // SAFETY: the caller's promise.
                unsafe { *to.add(column * to_stride + row) = *from.add(row * from_stride + column) };
            }
        }
    }
}

/// `by_level!(fn name(argument: Type, ...) = generic)` makes `fn name(level: Level, ...)`, which runs
/// `generic(simd, ...)` compiled for that level. `generic` and all it calls must be `#[inline(always)]`.
macro_rules! by_level {
    ($(#[$attribute:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $generic:path) => {
        $(#[$attribute])*
        $vis fn $name(level: $crate::simd::Level, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                $generic($crate::simd::Avx2::new(), $($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
            fn avx512($($argument: $type),*) {
                $generic($crate::simd::Avx512::new(), $($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512bf16,avx512f,avx512vl,avx2,fma")]
            fn avx512_bf16($($argument: $type),*) {
                $generic($crate::simd::Avx512Bf16::new(), $($argument),*)
            }
            match level {
                $crate::simd::Level::Portable => $generic($crate::simd::Portable::<8>, $($argument),*),
                #[cfg(test)]
                $crate::simd::Level::Wide => $generic($crate::simd::Portable::<16>, $($argument),*),
                // SAFETY: a level with these instructions is only made where the processor has them.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2(_) => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512(_) => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512Bf16(_) => unsafe { avx512_bf16($($argument),*) },
                #[cfg(target_arch = "aarch64")]
                $crate::simd::Level::Neon => $generic($crate::simd::Neon, $($argument),*),
            }
        }
    };
}
pub(crate) use by_level;
