//! 3x3 convolution with stride 1 and the gradient of its input, by way of [`crate::blocked`].

use super::conv::ConvShape;
use crate::{
    PadMode,
    blocked::{Conv3x3, Direction, Planes, Size, Source, Weights},
    plan::lines::Lines,
    simd::Level,
};

/// Fewer channels than this, in or out, leave too much of a vector unused.
const MIN_CHANNELS: usize = 4;

/// Whether a convolution is made this way.
pub(crate) fn suits(shape: &ConvShape) -> bool {
    (shape.kernel, shape.stride) == (3, 1) && shape.in_channels.min(shape.out_channels) >= MIN_CHANNELS
}

fn in_size(shape: &ConvShape) -> Size {
    let ConvShape { batch, in_channels: channels, in_height: height, in_width: width, .. } = *shape;
    Size { batch, channels, height, width }
}

fn out_size(shape: &ConvShape) -> Size {
    let (height, width) = (shape.out_height(), shape.out_width());
    Size { batch: shape.batch, channels: shape.out_channels, height, width }
}

/// As [`super::conv::forward`].
pub(crate) fn forward(
    level: Level,
    shape: &ConvShape,
    [input, weight, bias]: [&[f32]; 3],
    output: &mut [f32],
) {
    let channels = (shape.out_channels, shape.in_channels);
    let weights = Weights::new(level, weight, channels, Direction::Forward);
    let mut padded_bias = bias.to_vec();
    padded_bias.resize(bias.len().next_multiple_of(level.lanes()), 0.0);
    let bias = Lines::of(&padded_bias);
    let conv = Conv3x3 { weights: &weights, bias: Some(&bias), relu: false, mode: PadMode::Zero, margin: 0 };
    let input = Planes::from_planar(level, in_size(shape), input, None);
    conv.run(level, Source::from(&input)).to_planar(level, 0, output);
}

/// As [`super::conv::backward_data`].
pub(crate) fn backward_data(
    level: Level,
    shape: &ConvShape,
    [weight, grad_output]: [&[f32]; 2],
    grad_input: &mut [f32],
) {
    let channels = (shape.out_channels, shape.in_channels);
    let weights = Weights::new(level, weight, channels, Direction::BackwardData);
    let conv = Conv3x3 { weights: &weights, bias: None, relu: false, mode: PadMode::Zero, margin: 2 };
    let grad_output = Planes::from_planar(level, out_size(shape), grad_output, None);
    conv.run(level, Source::from(&grad_output)).to_planar(level, 0, grad_input);
}
