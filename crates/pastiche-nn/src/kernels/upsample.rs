//! Enlargement by repeating pixels, and its gradient.

use rayon::prelude::*;

/// Repeats every pixel of planes `width` wide `factor` times in both directions.
pub(crate) fn forward(width: usize, factor: usize, input: &[f32], output: &mut [f32]) {
    let out_width = width * factor;
    let bands = output.par_chunks_exact_mut(factor * out_width).zip(input.par_chunks_exact(width));
    bands.for_each(|(band, row)| {
        let (first, others) = band.split_at_mut(out_width);
        for (pixels, value) in first.chunks_exact_mut(factor).zip(row) {
            pixels.fill(*value);
        }
        for other in others.chunks_exact_mut(out_width) {
            other.copy_from_slice(first);
        }
    });
}

/// Sums the gradients of the `factor * factor` copies of every pixel.
pub(crate) fn backward(width: usize, factor: usize, grad_output: &[f32], grad_input: &mut [f32]) {
    let out_width = width * factor;
    let bands = grad_input.par_chunks_exact_mut(width).zip(grad_output.par_chunks_exact(factor * out_width));
    bands.for_each(|(row, band)| {
        row.fill(0.0);
        for line in band.chunks_exact(out_width) {
            for (sum, copies) in row.iter_mut().zip(line.chunks_exact(factor)) {
                *sum += copies.iter().sum::<f32>();
            }
        }
    });
}
