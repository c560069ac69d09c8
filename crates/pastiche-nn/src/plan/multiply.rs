//! The matrix product at the heart of every convolution: for some pixels, sums over input numbers times weights.
//!
//! Input and output are channel-blocked (see [`super`]), so that the inputs of a pixel lie in runs, pixels are a fixed
//! step apart, and the weights of some output vectors lie in the order in which they are used. A tile of
//! pixels x output vectors stays in registers while the sums run.
#![allow(unsafe_code)] // pointers into packed weights and blocks: no bounds to check in the innermost loop

use super::number::Number;
use crate::simd::Simd;

/// The input numbers of one pixel: `blocks` x `rows` runs of `run` neighbouring floats, in the last block of `last_run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) blocks: usize,
    pub(crate) block_stride: usize,
    pub(crate) rows: usize,
    pub(crate) row_stride: usize,
    pub(crate) run: usize,
    pub(crate) last_run: usize,
}

impl Walk {
    /// Vectors of weights for each output vector: a run takes them [`Number::AT_ONCE`] numbers at a time.
    pub(crate) fn weights<N: Number>(&self) -> usize {
        let steps = |run: usize| run.div_ceil(N::AT_ONCE);
        ((self.blocks - 1) * steps(self.run) + steps(self.last_run)) * self.rows
    }
}

/// Where `count` pixels are read and written, and with which weights.
#[derive(Clone, Copy)]
pub(crate) struct Operands<N: Number> {
    /// The first number of the first pixel; pixels are `pixel_stride` apart.
    pub(crate) input: *const N::Stored,
    pub(crate) pixel_stride: usize,
    /// `walk.weights()` x `Q` vectors.
    pub(crate) weights: *const f32,
    /// `Q` vectors that the sums start from; null for zeros.
    pub(crate) bias: *const f32,
    /// The first output vector of the first pixel.
    pub(crate) output: *mut f32,
    pub(crate) output_pixel_stride: usize,
    pub(crate) output_block_stride: usize,
}

/// Most output vectors in one tile of registers.
pub(crate) const MAX_VECTORS: usize = 2;

/// How many vectors of `count` the tiles take together, in turn.
pub(crate) fn groups(count: usize) -> impl Iterator<Item = usize> {
    std::iter::repeat_n(MAX_VECTORS, count / MAX_VECTORS)
        .chain((!count.is_multiple_of(MAX_VECTORS)).then_some(1))
}

/// `output[pixel][vector] = bias[vector] + sum over k of input[pixel][k] * weights[k][vector]` for `count` pixels and
/// `vectors` output vectors, at most [`MAX_VECTORS`].
///
/// # Safety
/// For every pixel the floats of the walk can be read and `vectors` vectors written, the weights and the bias can be
/// read, and the output overlaps none of them.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd, N: Number>(
    simd: S,
    walk: &Walk,
    vectors: usize,
    count: usize,
    operands: Operands<N>,
) {
    // SAFETY: the caller's promise is that of each of these.
    unsafe {
        // Pixels that are one vector apart, as they mostly are, have addresses that the compiler can work out.
        match (vectors, operands.pixel_stride == S::LANES) {
            (1, true) => pixels::<S, N, 1, true>(simd, walk, count, operands),
            (1, false) => pixels::<S, N, 1, false>(simd, walk, count, operands),
            (_, true) => pixels::<S, N, MAX_VECTORS, true>(simd, walk, count, operands),
            (_, false) => pixels::<S, N, MAX_VECTORS, false>(simd, walk, count, operands),
        }
    }
}

/// [`multiply`] for `Q` vectors: full tiles, then smaller ones.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn pixels<S: Simd, N: Number, const Q: usize, const DENSE: bool>(
    simd: S,
    walk: &Walk,
    count: usize,
    mut operands: Operands<N>,
) {
    let mut left = count;
    macro_rules! tiles_of {
        ($pixels:literal) => {
            while left >= $pixels {
                // SAFETY: at least this many pixels are left.
                unsafe {
                    tile::<S, N, $pixels, Q, DENSE>(simd, walk, &operands);
                    operands.input = operands.input.add($pixels * operands.pixel_stride);
                    operands.output = operands.output.add($pixels * operands.output_pixel_stride);
                }
                left -= $pixels;
            }
        };
    }
    if S::SUMS / Q >= 12 {
        tiles_of!(12);
    }
    if S::SUMS / Q >= 6 {
        tiles_of!(6);
    }
    if S::SUMS / Q >= 4 {
        tiles_of!(4);
    }
    tiles_of!(2);
    tiles_of!(1);
}

/// One tile of `P` pixels x `Q` vectors; `DENSE` where the pixels are one vector apart.
///
/// # Safety
/// As [`multiply`], for `P` pixels.
#[inline(always)]
unsafe fn tile<S: Simd, N: Number, const P: usize, const Q: usize, const DENSE: bool>(
    simd: S,
    walk: &Walk,
    operands: &Operands<N>,
) {
    let Operands { input, mut weights, bias, output, .. } = *operands;
    let pixel_stride = if DENSE { S::LANES } else { operands.pixel_stride };
    // SAFETY: the caller's promise: every pointer stays inside what may be read or written.
    unsafe {
        let mut sums = [[simd.splat(0.0); Q]; P];
        if !bias.is_null() {
            for sums in &mut sums {
                for (q, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.load(bias.add(q * S::LANES));
                }
            }
        }
        for block in 0..walk.blocks {
            let run = if block + 1 == walk.blocks { walk.last_run } else { walk.run };
            for row in 0..walk.rows {
                let mut at = input.add(block * walk.block_stride + row * walk.row_stride);
                let steps = run.div_ceil(N::AT_ONCE);
                // A constant number of steps at a time costs fewer jumps.
                for _ in 0..steps / STEPS {
                    for step in 0..STEPS {
                        let (at, weights) = (at.add(step * N::AT_ONCE), weights.add(step * Q * S::LANES));
                        add_products::<S, N, P, Q>(simd, &mut sums, at, pixel_stride, weights);
                    }
                    at = at.add(STEPS * N::AT_ONCE);
                    weights = weights.add(STEPS * Q * S::LANES);
                }
                for _ in 0..steps % STEPS {
                    add_products::<S, N, P, Q>(simd, &mut sums, at, pixel_stride, weights);
                    at = at.add(N::AT_ONCE);
                    weights = weights.add(Q * S::LANES);
                }
            }
        }
        for (pixel, sums) in sums.iter().enumerate() {
            for (q, sum) in sums.iter().enumerate() {
                let to = pixel * operands.output_pixel_stride + q * operands.output_block_stride;
                simd.store(output.add(to), *sum);
            }
        }
    }
}

/// Steps of a pixel's sum between two jumps.
const STEPS: usize = 8;

/// Adds the products of [`Number::AT_ONCE`] input numbers of each pixel with their weights.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn add_products<S: Simd, N: Number, const P: usize, const Q: usize>(
    simd: S,
    sums: &mut [[S::V; Q]; P],
    input: *const N::Stored,
    pixel_stride: usize,
    weights: *const f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut factors = [simd.splat(0.0); Q];
        for (q, factor) in factors.iter_mut().enumerate() {
            *factor = simd.load(weights.add(q * S::LANES));
        }
        for (pixel, sums) in sums.iter_mut().enumerate() {
            let value = N::splat(simd, input.add(pixel * pixel_stride));
            for (sum, factor) in sums.iter_mut().zip(&factors) {
                *sum = N::add_products(simd, value, *factor, *sum);
            }
        }
    }
}

/// Cost of a full tile of registers, for [`cost`].
pub(crate) const FULL_TILE: usize = 12;

/// What `count` pixels cost in tiles of six and the smaller ones that are left, which use the processor less well.
pub(crate) fn cost(count: usize) -> usize {
    const SMALLER: [usize; 6] = [0, 5, 8, 13, 9, 14];
    count / 6 * FULL_TILE + SMALLER[count % 6]
}
