//! Instance normalisation: each plane is brought to mean 0 and variance 1, then scaled and shifted by channel.

use rayon::prelude::*;

/// Mean and 1 / sqrt(variance + eps) of one plane.
#[derive(Debug, Clone, Copy)]
struct Moments {
    mean: f32,
    inverse_deviation: f32,
}

/// Sum of `term` over two planes read side by side: short runs in eight `f32` lanes, their totals in `f64`, so that it
/// is fast and exact enough for planes of any size.
fn sum_of(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f64 {
    const LANES: usize = 8;
    let mut total = 0.0;
    for (a, b) in a.chunks(LANES * 128).zip(b.chunks(LANES * 128)) {
        let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
        total += rest.map(|(a, b)| f64::from(term(*a, *b))).sum::<f64>();
        let mut lanes = [0.0f32; LANES];
        for (a, b) in a_lanes.zip(b_lanes) {
            for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                *lane += term(*a, *b);
            }
        }
        total += lanes.into_iter().map(f64::from).sum::<f64>();
    }
    total
}

impl Moments {
    fn of(plane: &[f32], eps: f64) -> Self {
        let count = plane.len() as f64;
        let mean = (sum_of(plane, plane, |value, _| value) / count) as f32;
        let variance = sum_of(plane, plane, |value, _| (value - mean) * (value - mean)) / count;
        Self { mean, inverse_deviation: (1.0 / (variance + eps).sqrt()) as f32 }
    }
}

/// `output = (input - mean) / sqrt(variance + eps) * scale + shift`, plane by plane; plane `i` is channel `i % channels`.
pub(crate) fn forward(plane_len: usize, eps: f64, [input, scale, shift]: [&[f32]; 3], output: &mut [f32]) {
    let planes = output.par_chunks_exact_mut(plane_len).zip(input.par_chunks_exact(plane_len));
    planes.enumerate().for_each(|(index, (output, input))| {
        let channel = index % scale.len();
        let moments = Moments::of(input, eps);
        let gain = moments.inverse_deviation * scale[channel];
        let offset = shift[channel];
        for (to, from) in output.iter_mut().zip(input) {
            *to = (from - moments.mean) * gain + offset;
        }
    });
}

/// Gradient of the input: `scale / deviation * (g - mean(g) - x_hat * mean(g * x_hat))`.
pub(crate) fn backward_data(
    plane_len: usize,
    eps: f64,
    [input, scale, grad_output]: [&[f32]; 3],
    grad_input: &mut [f32],
) {
    let planes = grad_input.par_chunks_exact_mut(plane_len).zip(input.par_chunks_exact(plane_len));
    planes.zip(grad_output.par_chunks_exact(plane_len)).enumerate().for_each(
        |(index, ((grad_input, input), grad_output))| {
            let Moments { mean, inverse_deviation } = Moments::of(input, eps);
            let [grad_scale, grad_shift] = parameter_sums(input, grad_output, mean, inverse_deviation);
            let mean_grad = (grad_shift / plane_len as f64) as f32;
            let mean_grad_x_hat = (grad_scale / plane_len as f64) as f32;
            let gain = inverse_deviation * scale[index % scale.len()];
            for ((to, x), g) in grad_input.iter_mut().zip(input).zip(grad_output) {
                let x_hat = (x - mean) * inverse_deviation;
                *to = gain * (g - mean_grad - x_hat * mean_grad_x_hat);
            }
        },
    );
}

/// Gradients of scale and shift, summed over the batch: the first and second half of `grads`.
pub(crate) fn backward_parameters(
    plane_len: usize,
    eps: f64,
    input: &[f32],
    grad_output: &[f32],
    grads: &mut [f32],
) {
    let channels = grads.len() / 2;
    let planes = input.par_chunks_exact(plane_len).zip(grad_output.par_chunks_exact(plane_len));
    let sums: Vec<[f64; 2]> = planes
        .map(|(input, grad_output)| {
            let Moments { mean, inverse_deviation } = Moments::of(input, eps);
            parameter_sums(input, grad_output, mean, inverse_deviation)
        })
        .collect();
    let mut totals = vec![[0.0f64; 2]; channels];
    for (index, [scale, shift]) in sums.into_iter().enumerate() {
        totals[index % channels][0] += scale;
        totals[index % channels][1] += shift;
    }
    for (channel, [scale, shift]) in totals.into_iter().enumerate() {
        grads[channel] = scale as f32;
        grads[channels + channel] = shift as f32;
    }
}

/// Sums of `g * x_hat` and of `g` over one plane.
fn parameter_sums(input: &[f32], grad_output: &[f32], mean: f32, inverse_deviation: f32) -> [f64; 2] {
    let scale = sum_of(input, grad_output, |x, g| (x - mean) * inverse_deviation * g);
    [scale, sum_of(grad_output, grad_output, |g, _| g)]
}
