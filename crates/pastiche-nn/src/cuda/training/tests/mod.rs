//! Every kernel, run on the processor, against the operations' definitions, and gradients against finite differences and those
//! of the processor's operations.

mod adam;
pub(crate) mod emulator;
mod gradients;
mod libraries;
mod values;

use candle_core::{Device, Tensor};

use super::jobs::Span;
use crate::ops::tests::values;

/// Reproducible numbers from -1 to 1.
fn noise(len: usize, seed: u32) -> Vec<f32> {
    values(&crate::ops::tests::noise(&[len], seed))
}

fn span(numbers: &[f32]) -> Span<'_> {
    numbers.into()
}

fn tensor(numbers: &[f32], dims: &[usize]) -> Tensor {
    Tensor::from_slice(numbers, dims, &Device::Cpu).unwrap()
}

#[track_caller]
fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len());
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs();
        assert!(difference <= tolerance, "number {index}: {actual} instead of {expected}");
    }
}
