//! The matrix product at the heart of every convolution: for some pixels, sums over input numbers times weights.
//!
//! Input and output are channel-blocked (see [`super`]), so that the inputs of a pixel lie in runs, pixels are a fixed
//! step apart, and the weights of some output vectors lie in the order in which they are used. A tile of
//! pixels x output vectors stays in registers while the sums run.
#![allow(unsafe_code)] // pointers into packed weights and blocks: no bounds to check in the innermost loop

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
    /// Numbers that one pixel's sum runs over.
    pub(crate) fn len(&self) -> usize {
        ((self.blocks - 1) * self.run + self.last_run) * self.rows
    }
}

/// Where `count` pixels are read and written, and with which weights.
#[derive(Clone, Copy)]
pub(crate) struct Operands {
    /// The first number of the first pixel; pixels are `pixel_stride` apart.
    pub(crate) input: *const f32,
    pub(crate) pixel_stride: usize,
    /// `walk.len()` x `Q` vectors.
    pub(crate) weights: *const f32,
    /// `Q` vectors that the sums start from; null for zeros.
    pub(crate) bias: *const f32,
    /// The first output vector of the first pixel.
    pub(crate) output: *mut f32,
    pub(crate) output_pixel_stride: usize,
    pub(crate) output_block_stride: usize,
}

/// Most output vectors in one tile of registers.
pub(crate) const MAX_VECTORS: usize = 3;

/// How many vectors of `blocks` the tiles take together, in turn: as even as it goes, at most [`MAX_VECTORS`].
pub(crate) fn groups(blocks: usize) -> impl Iterator<Item = usize> {
    let threes = if blocks.is_multiple_of(2) { 0 } else { (blocks / MAX_VECTORS).min(1) };
    let rest = blocks - threes * MAX_VECTORS;
    std::iter::repeat_n(MAX_VECTORS, threes)
        .chain(std::iter::repeat_n(2, rest / 2))
        .chain(std::iter::repeat_n(1, rest % 2))
}

/// `output[pixel][vector] = bias[vector] + sum over k of input[pixel][k] * weights[k][vector]` for `count` pixels and
/// `vectors` output vectors.
///
/// # Safety
/// For every pixel the floats of the walk can be read and `vectors` vectors written, the weights and the bias can be
/// read, and the output overlaps none of them.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd>(
    simd: S,
    walk: &Walk,
    vectors: usize,
    count: usize,
    operands: Operands,
) {
    // SAFETY: the caller's promise is that of each of these.
    unsafe {
        match vectors {
            1 => pixels::<S, 1>(simd, walk, count, operands),
            2 => pixels::<S, 2>(simd, walk, count, operands),
            _ => pixels::<S, MAX_VECTORS>(simd, walk, count, operands),
        }
    }
}

/// [`multiply`] for `Q` vectors: full tiles, then smaller ones.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn pixels<S: Simd, const Q: usize>(simd: S, walk: &Walk, count: usize, mut operands: Operands) {
    let mut left = count;
    macro_rules! tiles_of {
        ($pixels:literal) => {
            while left >= $pixels {
                // SAFETY: at least this many pixels are left.
                unsafe {
                    tile::<S, $pixels, Q>(simd, walk, &operands);
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
    if S::SUMS / Q >= 8 {
        tiles_of!(8);
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

/// One tile of `P` pixels x `Q` vectors.
///
/// # Safety
/// As [`multiply`], for `P` pixels.
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const Q: usize>(simd: S, walk: &Walk, operands: &Operands) {
    let Operands { input, pixel_stride, mut weights, bias, output, .. } = *operands;
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
                for _ in 0..run {
                    let mut factors = [simd.splat(0.0); Q];
                    for (q, factor) in factors.iter_mut().enumerate() {
                        *factor = simd.load(weights.add(q * S::LANES));
                    }
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        let value = simd.splat(*at.add(pixel * pixel_stride));
                        for (sum, factor) in sums.iter_mut().zip(&factors) {
                            *sum = simd.mul_add(value, *factor, *sum);
                        }
                    }
                    at = at.add(1);
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

/// Cost of a full tile of registers, for [`cost`].
pub(crate) const FULL_TILE: usize = 12;

/// What `count` pixels cost in tiles of six and the smaller ones that are left, which use the processor less well.
pub(crate) fn cost(count: usize) -> usize {
    const SMALLER: [usize; 6] = [0, 5, 8, 13, 9, 14];
    count / 6 * FULL_TILE + SMALLER[count % 6]
}
