//! Number by number: ReLU, squared differences, their gradients, and sums.

use rayon::prelude::*;

/// Numbers that one thread takes at a time. Fixed, so that sums keep their order whatever the number of threads.
const PART: usize = 1 << 14;

/// `output = max(input, 0)`; NaN stays, so that it shows instead of vanishing.
pub(crate) fn relu(input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len());
    output.par_chunks_mut(PART).zip(input.par_chunks(PART)).for_each(|(output, input)| {
        for (to, from) in output.iter_mut().zip(input) {
            *to = if *from < 0.0 { 0.0 } else { *from };
        }
    });
}

/// The gradient where the output of [`relu`] is larger than zero, else zero.
pub(crate) fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    assert_eq!((output.len(), grad_output.len()), (grad_input.len(), grad_input.len()));
    let parts = output.par_chunks(PART).zip(grad_output.par_chunks(PART));
    grad_input.par_chunks_mut(PART).zip(parts).for_each(|(grad_input, (output, grad_output))| {
        for (to, (value, grad)) in grad_input.iter_mut().zip(output.iter().zip(grad_output)) {
            *to = if *value > 0.0 { *grad } else { 0.0 };
        }
    });
}

/// Sum of squared differences.
pub(crate) fn squared_difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    const LANES: usize = 16;
    let part = |(a, b): (&[f32], &[f32])| {
        let mut sums = [0.0f32; LANES];
        for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += (a - b) * (a - b);
            }
        }
        sums.into_iter().map(f64::from).sum::<f64>()
    };
    let sums: Vec<f64> = a.par_chunks(PART).zip(b.par_chunks(PART)).map(part).collect();
    sums.into_iter().sum()
}

/// Sum of squares.
pub(crate) fn squares(values: &[f32]) -> f64 {
    const LANES: usize = 16;
    let part = |values: &[f32]| {
        let mut sums = [0.0f32; LANES];
        for values in values.chunks(LANES) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * value;
            }
        }
        sums.into_iter().map(f64::from).sum::<f64>()
    };
    let sums: Vec<f64> = values.par_chunks(PART).map(part).collect();
    sums.into_iter().sum()
}

/// `output = factor * (a - b)`.
pub(crate) fn scaled_difference(factor: f32, a: &[f32], b: &[f32], output: &mut [f32]) {
    assert_eq!((a.len(), b.len()), (output.len(), output.len()));
    let parts = a.par_chunks(PART).zip(b.par_chunks(PART));
    output.par_chunks_mut(PART).zip(parts).for_each(|(output, (a, b))| {
        for (to, (a, b)) in output.iter_mut().zip(a.iter().zip(b)) {
            *to = factor * (a - b);
        }
    });
}

/// Sums of all planes of `plane` numbers of each channel, over the batch.
pub(crate) fn channel_sums(plane: usize, values: &[f32], sums: &mut [f32]) {
    assert!(values.len().is_multiple_of(plane * sums.len()));
    const LANES: usize = 16;
    let part = |plane: &[f32]| {
        let mut total = 0.0;
        for part in plane.chunks(PART) {
            let mut lanes = [0.0f32; LANES];
            for values in part.chunks(LANES) {
                for (lane, value) in lanes.iter_mut().zip(values) {
                    *lane += value;
                }
            }
            total += lanes.into_iter().map(f64::from).sum::<f64>();
        }
        total
    };
    let planes: Vec<f64> = values.par_chunks_exact(plane).map(part).collect();
    let channels = sums.len();
    for (channel, sum) in sums.iter_mut().enumerate() {
        *sum = planes.iter().skip(channel).step_by(channels).sum::<f64>() as f32;
    }
}
