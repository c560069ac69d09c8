//! Mean and variance of every channel, gathered by tasks and joined in a fixed order.
#![allow(unsafe_code)] // pointers into blocks, whose bounds the callers know

use crate::simd::Simd;

/// Chains of sums that run side by side, so that none waits for the last addition.
const CHAINS: usize = 4;

/// Mean, and sum of squared differences from it, of `height` rows of `width` vectors, rows `row_stride` floats apart.
///
/// Sums are taken of differences from the first vector, which keeps a large mean from swallowing the variance.
///
/// # Safety
/// The rows can be read and both results written; there is at least one vector.
#[inline(always)]
pub(super) unsafe fn of_rows<S: Simd>(
    simd: S,
    rows: *const f32,
    row_stride: usize,
    (height, width): (usize, usize),
    mean: *mut f32,
    squares: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let first = simd.load(rows);
        let mut sums = [simd.splat(0.0); CHAINS];
        let mut square_sums = [simd.splat(0.0); CHAINS];
        for y in 0..height {
            let row = rows.add(y * row_stride);
            let mut x = 0;
            while x + CHAINS <= width {
                for (chain, (sum, square_sum)) in sums.iter_mut().zip(&mut square_sums).enumerate() {
                    let difference = simd.sub(simd.load(row.add((x + chain) * S::LANES)), first);
                    *sum = simd.add(*sum, difference);
                    *square_sum = simd.mul_add(difference, difference, *square_sum);
                }
                x += CHAINS;
            }
            while x < width {
                let difference = simd.sub(simd.load(row.add(x * S::LANES)), first);
                sums[0] = simd.add(sums[0], difference);
                square_sums[0] = simd.mul_add(difference, difference, square_sums[0]);
                x += 1;
            }
        }
        let sum = total(simd, &sums);
        let square_sum = total(simd, &square_sums);
        let offset = simd.mul(sum, simd.splat(1.0 / (height * width) as f32));
        simd.store(mean, simd.add(first, offset));
        let difference = simd.sub(square_sum, simd.mul(sum, offset));
        simd.store(squares, simd.max(difference, simd.splat(0.0)));
    }
}

#[inline(always)]
fn total<S: Simd>(simd: S, [a, b, c, d]: &[S::V; CHAINS]) -> S::V {
    simd.add(simd.add(*a, *b), simd.add(*c, *d))
}

/// Moments of a channel over some pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds `count` pixels with these moments (Chan, Golub and LeVeque 1979).
    pub(super) fn join(&mut self, count: usize, mean: f32, squares: f32) {
        let count = count as f64;
        let total = self.count + count;
        let difference = f64::from(mean) - self.mean;
        self.squares += f64::from(squares) + difference * difference * (self.count * count / total);
        self.mean += difference * (count / total);
        self.count = total;
    }

    /// `scale` and `shift` such that `x * scale + shift` is the normalised x, times `gain`, plus `offset`.
    pub(super) fn affine(&self, eps: f64, gain: f32, offset: f32) -> (f32, f32) {
        let scale = f64::from(gain) / (self.squares / self.count + eps).sqrt();
        (scale as f32, (f64::from(offset) - self.mean * scale) as f32)
    }
}
