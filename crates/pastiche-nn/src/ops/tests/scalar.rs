//! The operations as their definitions say, one number at a time.

use candle_core::{Device, Tensor};

use super::values;
use crate::{Margins, PadMode};

/// Reads a tensor (N, C, H, W) by index.
struct Reader {
    values: Vec<f32>,
    dims: [usize; 4],
}

impl Reader {
    fn new(tensor: &Tensor) -> Self {
        let (n, c, h, w) = tensor.dims4().unwrap();
        Self { values: values(tensor), dims: [n, c, h, w] }
    }

    fn at(&self, n: usize, c: usize, y: usize, x: usize) -> f64 {
        let [_, channels, height, width] = self.dims;
        f64::from(self.values[((n * channels + c) * height + y) * width + x])
    }
}

/// Makes a tensor (N, C, H, W) from a function of the index.
fn tensor_of(dims: [usize; 4], value: impl Fn(usize, usize, usize, usize) -> f64) -> Tensor {
    let [batch, channels, height, width] = dims;
    let mut values = Vec::with_capacity(dims.iter().product());
    for n in 0..batch {
        for c in 0..channels {
            for y in 0..height {
                values.extend((0..width).map(|x| value(n, c, y, x) as f32));
            }
        }
    }
    Tensor::from_vec(values, &dims, &Device::Cpu).unwrap()
}

pub(crate) fn conv2d(input: &Tensor, weight: &Tensor, bias: &Tensor, stride: usize) -> Tensor {
    let (input, weight, bias) = (Reader::new(input), Reader::new(weight), values(bias));
    let [batch, in_channels, height, width] = input.dims;
    let [out_channels, _, kernel, _] = weight.dims;
    let side = |side: usize| (side - kernel) / stride + 1;
    tensor_of([batch, out_channels, side(height), side(width)], |n, o, y, x| {
        let mut sum = f64::from(bias[o]);
        for c in 0..in_channels {
            for (dy, dx) in (0..kernel).flat_map(|dy| (0..kernel).map(move |dx| (dy, dx))) {
                sum += input.at(n, c, y * stride + dy, x * stride + dx) * weight.at(o, c, dy, dx);
            }
        }
        sum
    })
}

pub(crate) fn conv_transpose2d(input: &Tensor, weight: &Tensor, bias: &Tensor, stride: usize) -> Tensor {
    let (input, weight, bias) = (Reader::new(input), Reader::new(weight), values(bias));
    let [batch, in_channels, height, width] = input.dims;
    let [_, out_channels, kernel, _] = weight.dims;
    let side = |side: usize| (side - 1) * stride + kernel;
    tensor_of([batch, out_channels, side(height), side(width)], |n, o, y, x| {
        let mut sum = f64::from(bias[o]);
        for c in 0..in_channels {
            for (in_y, in_x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let (Some(dy), Some(dx)) = (y.checked_sub(in_y * stride), x.checked_sub(in_x * stride))
                else {
                    continue;
                };
                if dy < kernel && dx < kernel {
                    sum += input.at(n, c, in_y, in_x) * weight.at(c, o, dy, dx);
                }
            }
        }
        sum
    })
}

pub(crate) fn instance_norm(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Tensor {
    let (input, scale, shift) = (Reader::new(input), values(scale), values(shift));
    let [_, _, height, width] = input.dims;
    let count = (height * width) as f64;
    tensor_of(input.dims, |n, c, y, x| {
        let plane = || (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let mean = plane().map(|(y, x)| input.at(n, c, y, x)).sum::<f64>() / count;
        let variance = plane().map(|(y, x)| (input.at(n, c, y, x) - mean).powi(2)).sum::<f64>() / count;
        let normalised = (input.at(n, c, y, x) - mean) / (variance + eps).sqrt();
        normalised * f64::from(scale[c]) + f64::from(shift[c])
    })
}

/// Means and biased variances by channel.
pub(crate) fn batch_moments(input: &Tensor) -> (Vec<f64>, Vec<f64>) {
    let input = Reader::new(input);
    let [batch, channels, height, width] = input.dims;
    let all = |c: usize| {
        let places = (0..batch).flat_map(move |n| (0..height).map(move |y| (n, y)));
        let input = &input;
        places.flat_map(move |(n, y)| (0..width).map(move |x| input.at(n, c, y, x)))
    };
    let count = (batch * height * width) as f64;
    let mean = |c: usize| all(c).sum::<f64>() / count;
    let variance = |c: usize| all(c).map(|value| (value - mean(c)).powi(2)).sum::<f64>() / count;
    ((0..channels).map(mean).collect(), (0..channels).map(variance).collect())
}

pub(crate) fn batch_norm(input: &Tensor, scale: &Tensor, shift: &Tensor, eps: f64) -> Tensor {
    let (means, variances) = batch_moments(input);
    let (input, scale, shift) = (Reader::new(input), values(scale), values(shift));
    tensor_of(input.dims, |n, c, y, x| {
        let normalised = (input.at(n, c, y, x) - means[c]) / (variances[c] + eps).sqrt();
        normalised * f64::from(scale[c]) + f64::from(shift[c])
    })
}

pub(crate) fn pad(input: &Tensor, margins: Margins, mode: PadMode) -> Tensor {
    let input = Reader::new(input);
    let [batch, channels, height, width] = input.dims;
    let Margins { top, bottom, left, right } = margins;
    // Counts from the padded picture's corner to the picture's, walking back at its edges.
    let source = |at: usize, before: usize, side: usize| {
        let at = at as i64 - before as i64;
        let last = side as i64 - 1;
        match mode {
            PadMode::Reflect => Some((last - (last - at.abs()).abs()) as usize),
            PadMode::Zero => (0..=last).contains(&at).then_some(at as usize),
        }
    };
    tensor_of([batch, channels, top + height + bottom, left + width + right], |n, c, y, x| {
        let (y, x) = (source(y, top, height), source(x, left, width));
        y.zip(x).map_or(0.0, |(y, x)| input.at(n, c, y, x))
    })
}

pub(crate) fn upsample_nearest(input: &Tensor, factor: usize) -> Tensor {
    let input = Reader::new(input);
    let [batch, channels, height, width] = input.dims;
    tensor_of([batch, channels, height * factor, width * factor], |n, c, y, x| {
        input.at(n, c, y / factor, x / factor)
    })
}

pub(crate) fn max_pool_2x2(input: &Tensor) -> Tensor {
    let input = Reader::new(input);
    let [batch, channels, height, width] = input.dims;
    tensor_of([batch, channels, height / 2, width / 2], |n, c, y, x| {
        let at = |dy, dx| input.at(n, c, 2 * y + dy, 2 * x + dx);
        at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
    })
}

pub(crate) fn gram_matrix(features: &Tensor) -> Tensor {
    let features = Reader::new(features);
    let [batch, channels, height, width] = features.dims;
    let gram = tensor_of([batch, 1, channels, channels], |n, _, a, b| {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let sum: f64 = pixels.map(|(y, x)| features.at(n, a, y, x) * features.at(n, b, y, x)).sum();
        sum / (channels * height * width) as f64
    });
    gram.reshape((batch, channels, channels)).unwrap()
}
