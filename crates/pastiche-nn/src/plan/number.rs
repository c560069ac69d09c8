//! What direct convolutions multiply in.
#![allow(unsafe_code)] // reads through pointers, as the kernels do

use crate::simd::Simd;

/// The type of the numbers that direct convolutions multiply. Sums are `f32` with either, and so are all products of
/// Winograd's transforms, which would lose too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Products {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, 8 of them for the digits: twice as fast where the processor has instructions for it.
    Bf16,
}

/// A type of [`Products`], for the kernels.
pub(crate) trait Number: Copy {
    /// How an input number lies in memory.
    type Stored: Copy + Default;
    /// Input numbers that one instruction takes from each pixel.
    const AT_ONCE: usize;

    /// The nearest such number.
    fn stored(value: f32) -> Self::Stored;
    /// `AT_ONCE` weights of one output channel, as a lane of a vector.
    fn pack(weights: [f32; 2]) -> f32;
    /// Writes a vector's numbers.
    ///
    /// # Safety
    /// There is room for them.
    unsafe fn store<S: Simd>(simd: S, to: *mut Self::Stored, value: S::V);
    /// `AT_ONCE` input numbers in every lane.
    ///
    /// # Safety
    /// They can be read.
    unsafe fn splat<S: Simd>(simd: S, from: *const Self::Stored) -> S::V;
    /// `sum` and the products of inputs and weights.
    fn add_products<S: Simd>(simd: S, inputs: S::V, weights: S::V, sum: S::V) -> S::V;
}

/// [`Products::F32`].
#[derive(Clone, Copy)]
pub(crate) struct F32;

/// [`Products::Bf16`]: pairs.
#[derive(Clone, Copy)]
pub(crate) struct Bf16;

impl Number for F32 {
    type Stored = f32;
    const AT_ONCE: usize = 1;

    #[inline(always)]
    fn stored(value: f32) -> f32 {
        value
    }

    fn pack([weight, _]: [f32; 2]) -> f32 {
        weight
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, to: *mut f32, value: S::V) {
        // SAFETY: the caller's promise.
        unsafe { simd.store(to, value) };
    }

    #[inline(always)]
    unsafe fn splat<S: Simd>(simd: S, from: *const f32) -> S::V {
        // SAFETY: the caller's promise.
        simd.splat(unsafe { *from })
    }

    #[inline(always)]
    fn add_products<S: Simd>(simd: S, inputs: S::V, weights: S::V, sum: S::V) -> S::V {
        simd.mul_add(inputs, weights, sum)
    }
}

impl Number for Bf16 {
    type Stored = u16;
    const AT_ONCE: usize = 2;

    #[inline(always)]
    fn stored(value: f32) -> u16 {
        bf16_bits(value)
    }

    fn pack([first, second]: [f32; 2]) -> f32 {
        f32::from_bits(u32::from(bf16_bits(first)) | u32::from(bf16_bits(second)) << 16)
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, to: *mut u16, value: S::V) {
        // SAFETY: the caller's promise.
        unsafe { simd.store_bf16(to, value) };
    }

    #[inline(always)]
    unsafe fn splat<S: Simd>(simd: S, from: *const u16) -> S::V {
        // SAFETY: the caller's promise; a pair is read as the bits of one lane.
        simd.splat(f32::from_bits(unsafe { from.cast::<u32>().read_unaligned() }))
    }

    #[inline(always)]
    fn add_products<S: Simd>(simd: S, inputs: S::V, weights: S::V, sum: S::V) -> S::V {
        simd.add_pairs(inputs, weights, sum)
    }
}

/// The upper half of the nearest number whose lower half is zero, ties to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn bf16_bits(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_is_the_nearest_even_one() {
        for (value, bits) in [
            (0.0, 0),
            (1.0, 0x3f80),
            (-2.0, 0xc000),
            (255.0, 0x437f),
            (f32::from_bits(0x3f80_8000), 0x3f80),
            (f32::from_bits(0x3f81_8000), 0x3f82),
            (f32::from_bits(0x3f80_8001), 0x3f81),
            (f32::INFINITY, 0x7f80),
        ] {
            assert_eq!(bf16_bits(value), bits, "{value}");
        }
        assert!(f32::from_bits(u32::from(bf16_bits(f32::NAN)) << 16).is_nan());
    }
}
