//! 2x2 maximum pooling over channel-blocked planes, and its gradient.
#![allow(unsafe_code)] // vectors are read and written through pointers, after their bounds were checked

use rayon::prelude::*;

use super::{Planes, Size};
use crate::simd::{Level, Simd, by_level};

/// The largest of every 2x2 pixels; an odd last row or column is left out.
pub(crate) fn max_pool_2x2(level: Level, input: &Planes) -> Planes {
    assert_eq!(level.lanes(), input.lanes);
    let Size { height, width, .. } = input.size;
    let mut output = Planes::unset(Size { height: height / 2, width: width / 2, ..input.size }, input.lanes);
    let blocks = input.values.as_slice().par_chunks_exact(input.block_len());
    let out_len = output.block_len();
    output.values.as_mut_slice().par_chunks_exact_mut(out_len).zip(blocks).for_each(|(output, input)| {
        pool_block(level, input, (height, width), output);
    });
    output
}

/// Gives the gradient of every output of [`max_pool_2x2`] to the first of the largest of its four inputs, where that is
/// larger than zero, as after a ReLU; `gradient` may have a ring of pixels that are passed over.
pub(crate) fn unpool_2x2(level: Level, input: &Planes, gradient: &Planes, ring: usize) -> Planes {
    assert_eq!((level.lanes(), gradient.lanes), (input.lanes, input.lanes));
    let Size { height, width, .. } = input.size;
    let (ringed_height, ringed_width) = (height / 2 + 2 * ring, width / 2 + 2 * ring);
    assert_eq!(gradient.size, Size { height: ringed_height, width: ringed_width, ..input.size });
    let mut output = Planes::unset(input.size, input.lanes);
    let blocks = input.values.as_slice().par_chunks_exact(input.block_len());
    let gradients = gradient.values.as_slice().par_chunks_exact(gradient.block_len());
    let start = (ring * ringed_width + ring) * input.lanes;
    output.values.as_mut_slice().par_chunks_exact_mut(input.block_len()).zip(blocks.zip(gradients)).for_each(
        |(output, (input, gradient))| {
            unpool_block(level, input, (height, width), (&gradient[start..], ringed_width), output);
        },
    );
    output
}

by_level! {
    fn pool_block(input: &[f32], size: (usize, usize), output: &mut [f32]) = pool
}

by_level! {
    fn unpool_block(
        input: &[f32], size: (usize, usize), gradient: (&[f32], usize), output: &mut [f32],
    ) = unpool
}

#[inline(always)]
fn pool<S: Simd>(simd: S, input: &[f32], (height, width): (usize, usize), output: &mut [f32]) {
    assert!(input.len() >= height * width * S::LANES);
    assert!(output.len() >= (height / 2) * (width / 2) * S::LANES);
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            // SAFETY: the four pixels lie inside the input, the one inside the output.
            unsafe {
                let above = input.as_ptr().add((2 * y * width + 2 * x) * S::LANES);
                let below = above.add(width * S::LANES);
                let first = simd.max(simd.load(above), simd.load(above.add(S::LANES)));
                let second = simd.max(simd.load(below), simd.load(below.add(S::LANES)));
                let to = output.as_mut_ptr().add((y * (width / 2) + x) * S::LANES);
                simd.store(to, simd.max(first, second));
            }
        }
    }
}

#[inline(always)]
fn unpool<S: Simd>(
    simd: S,
    input: &[f32],
    (height, width): (usize, usize),
    (gradient, gradient_width): (&[f32], usize),
    output: &mut [f32],
) {
    assert!(input.len() >= height * width * S::LANES && output.len() >= height * width * S::LANES);
    let (out_height, out_width) = (height / 2, width / 2);
    if height % 2 + width % 2 > 0 {
        // The last row or column is in no square.
        output.fill(0.0);
    }
    assert!(gradient.len() >= ((out_height - 1) * gradient_width + out_width) * S::LANES);
    for y in 0..out_height {
        for x in 0..out_width {
            let places = [0, 1, width, width + 1];
            // SAFETY: the four pixels lie inside input and output, the one inside the gradient.
            unsafe {
                let at = (2 * y * width + 2 * x) * S::LANES;
                let from = input.as_ptr().add(at);
                let to = output.as_mut_ptr().add(at);
                // What is not yet given away, and the largest input so far passed over.
                let mut left = simd.load(gradient.as_ptr().add((y * gradient_width + x) * S::LANES));
                let mut largest = simd.splat(0.0);
                for place in places {
                    largest = simd.max(simd.load(from.add(place * S::LANES)), largest);
                }
                for place in places {
                    let value = simd.load(from.add(place * S::LANES));
                    // The largest wins, that is, what is not below it, and only where it is positive.
                    let lost = simd.where_positive(left, simd.sub(largest, value));
                    let won = simd.where_positive(simd.sub(left, lost), value);
                    simd.store(to.add(place * S::LANES), won);
                    left = lost;
                }
            }
        }
    }
}
