//! Every operation against a plain scalar loop, against candle's own composition, and its gradients against finite
//! differences.

#[cfg(feature = "cuda")]
pub(crate) mod card;
mod descriptions;
mod double;
mod gradients;
pub(crate) mod scalar;
mod values;

use candle_core::{Device, Tensor};

/// A tensor of reproducible numbers from -1 to 1.
pub(crate) fn noise(shape: &[usize], seed: u32) -> Tensor {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Largest absolute difference; the shapes must agree.
pub(crate) fn max_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let pairs = values(a).into_iter().zip(values(b));
    pairs
        .map(|(a, b)| if a.is_nan() || b.is_nan() { f32::INFINITY } else { (a - b).abs() })
        .fold(0.0, f32::max)
}

#[track_caller]
pub(crate) fn assert_close(actual: &Tensor, expected: &Tensor, tolerance: f32) {
    let difference = max_difference(actual, expected);
    assert!(difference <= tolerance, "differs by {difference}, more than {tolerance}");
}
