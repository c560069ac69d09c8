//! The plainest way to run a network: one loop a layer, in `f64`, straight from the definitions.

use std::collections::BTreeMap;

use pastiche_nn::{BatchNorm, Convolution, Layer, Network, NetworkDescription, Norm, PadMode};
use rayon::prelude::*;

/// A picture or activation: (C, H, W).
#[derive(Clone)]
pub(crate) struct Planes {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) values: Vec<f64>,
}

impl Planes {
    /// One number a channel and pixel.
    pub(crate) fn new(
        [channels, height, width]: [usize; 3],
        value: impl Fn(usize, usize, usize) -> f64 + Sync,
    ) -> Self {
        let mut values = vec![0.0; channels * height * width];
        values.par_chunks_mut(height * width).enumerate().for_each(|(channel, plane)| {
            for (at, number) in plane.iter_mut().enumerate() {
                *number = value(channel, at / width, at % width);
            }
        });
        Self { channels, height, width, values }
    }

    fn at(&self, channel: usize, y: usize, x: usize) -> f64 {
        self.values[(channel * self.height + y) * self.width + x]
    }
}

type Weights = BTreeMap<String, Vec<f64>>;

/// Runs a style network on a picture of any size: mirrored at the far edges to what the network needs, and cut again.
pub(crate) fn paint(network: &Network, picture: &Planes) -> Planes {
    let NetworkDescription { layers, side_multiple, .. } = network.description();
    let factor = network.description().enlargement();
    let weights = network.parameters().iter().map(|(name, tensor)| {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (name.clone(), values.into_iter().map(f64::from).collect())
    });
    let (height, width) = (picture.height, picture.width);
    let mirrored = |at: usize, side: usize| if at < side { at } else { 2 * (side - 1) - at };
    let sides = [height, width].map(|side| side.next_multiple_of(*side_multiple));
    let padded = Planes::new([3, sides[0], sides[1]], |channel, y, x| {
        picture.at(channel, mirrored(y, height), mirrored(x, width))
    });
    let painting = run(layers, padded, &weights.collect());
    Planes::new([3, factor * height, factor * width], |channel, y, x| painting.at(channel, y, x))
}

fn run(layers: &[Layer], mut flow: Planes, weights: &Weights) -> Planes {
    for layer in layers {
        let Planes { channels, height, width, .. } = flow;
        let each = |value: &(dyn Fn(f64) -> f64 + Sync)| Planes {
            values: flow.values.iter().map(|number| value(*number)).collect(),
            ..flow.clone()
        };
        flow = match layer {
            Layer::Pad(padding) => {
                let (mode, margins) = padding.margins(height, width);
                let size =
                    [channels, height + margins.top + margins.bottom, width + margins.left + margins.right];
                let source = |at: usize, before: usize, side: usize| match at.checked_sub(before) {
                    Some(at) if at < side => Some(at),
                    _ if mode == PadMode::Zero => None,
                    Some(at) => Some(2 * (side - 1) - at),
                    None => Some(before - at),
                };
                Planes::new(size, |channel, y, x| {
                    let place = source(y, margins.top, height).zip(source(x, margins.left, width));
                    place.map_or(0.0, |(y, x)| flow.at(channel, y, x))
                })
            }
            Layer::Conv(conv) => convolution(conv, &flow, weights),
            Layer::ConvTranspose(conv) => transposed(conv, &flow, weights),
            Layer::InstanceNorm(norm) => instance_norm(norm, &flow, weights),
            Layer::BatchNorm(norm) => batch_norm(norm, &flow, weights),
            Layer::Relu => each(&|number| number.max(0.0)),
            Layer::ScaledTanh { gain, offset } => each(&|number| number.tanh() * gain + offset),
            Layer::UpsampleNearest(factor) => {
                let size = [channels, height * factor, width * factor];
                Planes::new(size, |channel, y, x| flow.at(channel, y / factor, x / factor))
            }
            Layer::StandardizeRgb { mean, deviation } => Planes::new([3, height, width], |channel, y, x| {
                (flow.at(channel, y, x) / 255.0 - mean[channel]) / deviation[channel]
            }),
            Layer::SpaceToDepth(factor) => {
                let square = factor * factor;
                Planes::new([channels * square, height / factor, width / factor], |channel, y, x| {
                    let part = channel % square;
                    flow.at(channel / square, y * factor + part / factor, x * factor + part % factor)
                })
            }
            Layer::Residual(layers) => {
                let sum = run(layers, flow.clone(), weights);
                let (top, left) = ((height - sum.height) / 2, (width - sum.width) / 2);
                Planes::new([channels, sum.height, sum.width], |channel, y, x| {
                    flow.at(channel, top + y, left + x) + sum.at(channel, y, x)
                })
            }
            other => panic!("{other:?} is in no style network"),
        };
    }
    flow
}

fn bias(conv: &Convolution, weights: &Weights, channel: usize) -> f64 {
    conv.bias.as_ref().map_or(0.0, |name| weights[name][channel])
}

fn convolution(conv: &Convolution, flow: &Planes, weights: &Weights) -> Planes {
    let Convolution { kernel, stride, in_channels, out_channels, .. } = *conv;
    let side = |side: usize| (side - kernel) / stride + 1;
    let (height, width) = (side(flow.height), side(flow.width));
    let mut values = vec![0.0; out_channels * height * width];
    values.par_chunks_mut(height * width).enumerate().for_each(|(output, plane)| {
        plane.fill(bias(conv, weights, output));
        for (tap, weight) in weights[&conv.weight]
            .chunks(kernel * kernel * in_channels)
            .nth(output)
            .unwrap()
            .iter()
            .enumerate()
        {
            let (input, row, column) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel);
            for (y, sums) in plane.chunks_mut(width).enumerate() {
                let start = (input * flow.height + y * stride + row) * flow.width + column;
                for (sum, number) in sums.iter_mut().zip(flow.values[start..].iter().step_by(stride)) {
                    *sum += weight * number;
                }
            }
        }
    });
    Planes { channels: out_channels, height, width, values }
}

/// Cut to `stride` times the input's size.
fn transposed(conv: &Convolution, flow: &Planes, weights: &Weights) -> Planes {
    let Convolution { kernel, stride, in_channels, out_channels, .. } = *conv;
    let weight = &weights[&conv.weight];
    Planes::new([out_channels, stride * flow.height, stride * flow.width], |output, y, x| {
        let mut sum = bias(conv, weights, output);
        for input in 0..in_channels {
            for row in (0..kernel).filter(|row| y >= *row && (y - row) % stride == 0) {
                for column in (0..kernel).filter(|column| x >= *column && (x - column) % stride == 0) {
                    let (from_y, from_x) = ((y - row) / stride, (x - column) / stride);
                    if from_y < flow.height && from_x < flow.width {
                        let at = ((input * out_channels + output) * kernel + row) * kernel + column;
                        sum += weight[at] * flow.at(input, from_y, from_x);
                    }
                }
            }
        }
        sum
    })
}

fn instance_norm(norm: &Norm, flow: &Planes, weights: &Weights) -> Planes {
    let count = (flow.height * flow.width) as f64;
    let moments: Vec<(f64, f64)> = flow
        .values
        .chunks(flow.height * flow.width)
        .map(|plane| {
            let mean = plane.iter().sum::<f64>() / count;
            let variance = plane.iter().map(|number| (number - mean) * (number - mean)).sum::<f64>() / count;
            (mean, 1.0 / (variance + norm.eps).sqrt())
        })
        .collect();
    Planes::new([flow.channels, flow.height, flow.width], |channel, y, x| {
        let (mean, gain) = moments[channel];
        (flow.at(channel, y, x) - mean) * gain * weights[&norm.scale][channel] + weights[&norm.shift][channel]
    })
}

fn batch_norm(BatchNorm { norm, mean, variance }: &BatchNorm, flow: &Planes, weights: &Weights) -> Planes {
    Planes::new([flow.channels, flow.height, flow.width], |channel, y, x| {
        let centred = flow.at(channel, y, x) - weights[mean][channel];
        let normalised = centred / (weights[variance][channel] + norm.eps).sqrt();
        normalised * weights[&norm.scale][channel] + weights[&norm.shift][channel]
    })
}
