//! Gram matrices of features, and their gradient.

use rayon::prelude::*;

use super::matmul::{Matrix, matmul};

/// Rows of a matrix that one thread makes at a time.
const ROWS: usize = 32;

/// Sizes of one picture's features: (channels, pixels).
#[derive(Debug, Clone, Copy)]
pub(crate) struct GramShape {
    pub(crate) channels: usize,
    pub(crate) pixels: usize,
}

impl GramShape {
    /// What the products are multiplied by.
    pub(crate) fn factor(self) -> f32 {
        1.0 / (self.channels * self.pixels) as f32
    }
}

/// For every picture the products of all pairs of channels, over (channels * pixels).
pub(crate) fn forward(shape: GramShape, features: &[f32], grams: &mut [f32]) {
    let GramShape { channels, pixels } = shape;
    assert_eq!(features.len() * channels, grams.len() * pixels, "as many Gram matrices as pictures");
    let images = features.par_chunks_exact(channels * pixels);
    grams.par_chunks_exact_mut(channels * channels).zip(images).for_each(|(gram, features)| {
        let right = Matrix::row_major(features, channels, pixels, pixels).transposed();
        gram.par_chunks_mut(ROWS * channels).enumerate().for_each(|(part, gram)| {
            let rows = gram.len() / channels;
            let left = Matrix::row_major(&features[part * ROWS * pixels..], rows, pixels, pixels);
            matmul(gram, channels, left, right, false);
            for value in gram {
                *value *= shape.factor();
            }
        });
    });
}

/// Gradient of the features: `(g + g^T) * features / (channels * pixels)` for every picture.
pub(crate) fn backward(shape: GramShape, features: &[f32], grad_grams: &[f32], grad_features: &mut [f32]) {
    let GramShape { channels, pixels } = shape;
    let inputs =
        features.par_chunks_exact(channels * pixels).zip(grad_grams.par_chunks_exact(channels * channels));
    let images = grad_features.par_chunks_exact_mut(channels * pixels).zip(inputs);
    images.for_each(|(grad_features, (features, grad))| {
        let mut both = vec![0.0; channels * channels];
        for (row, to) in both.chunks_exact_mut(channels).enumerate() {
            for (column, to) in to.iter_mut().enumerate() {
                *to = shape.factor() * (grad[row * channels + column] + grad[column * channels + row]);
            }
        }
        let right = Matrix::row_major(features, channels, pixels, pixels);
        grad_features.par_chunks_mut(ROWS * pixels).enumerate().for_each(|(part, grad_features)| {
            let rows = grad_features.len() / pixels;
            let left = Matrix::row_major(&both[part * ROWS * channels..], rows, channels, channels);
            matmul(grad_features, pixels, left, right, false);
        });
    });
}
