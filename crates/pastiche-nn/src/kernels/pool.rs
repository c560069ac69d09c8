//! 2x2 maximum pooling with stride 2, and its gradient.

use rayon::prelude::*;

/// The place of the largest of the four pixels whose first is at `at`; the first of equals, as in PyTorch.
fn place_of_max(plane: &[f32], width: usize, at: usize) -> usize {
    let mut best = at;
    for candidate in [at + 1, at + width, at + width + 1] {
        // A NaN wins, so that it shows instead of vanishing.
        if plane[candidate] > plane[best] || plane[candidate].is_nan() {
            best = candidate;
        }
    }
    best
}

/// Halves planes of `height` x `width`; an odd last row or column is left out.
pub(crate) fn forward(height: usize, width: usize, input: &[f32], output: &mut [f32]) {
    let (out_height, out_width) = (height / 2, width / 2);
    let planes = output.par_chunks_exact_mut(out_height * out_width);
    planes.zip(input.par_chunks_exact(height * width)).for_each(|(output, plane)| {
        for (y, row) in output.chunks_exact_mut(out_width).enumerate() {
            for (x, to) in row.iter_mut().enumerate() {
                *to = plane[place_of_max(plane, width, 2 * y * width + 2 * x)];
            }
        }
    });
}

/// Gives each output's gradient to the pixel that won.
pub(crate) fn backward(
    height: usize,
    width: usize,
    input: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
) {
    let (out_height, out_width) = (height / 2, width / 2);
    let planes = grad_input.par_chunks_exact_mut(height * width).zip(input.par_chunks_exact(height * width));
    planes.zip(grad_output.par_chunks_exact(out_height * out_width)).for_each(
        |((grad_input, plane), grad_output)| {
            grad_input.fill(0.0);
            for (y, row) in grad_output.chunks_exact(out_width).enumerate() {
                for (x, grad) in row.iter().enumerate() {
                    grad_input[place_of_max(plane, width, 2 * y * width + 2 * x)] = *grad;
                }
            }
        },
    );
}
