//! The gradients of a convolution with stride 1 whose output has far fewer channels than its input, as convolutions that
//! run the other way: patches are then taken of the gradient, which has few channels, not of the input.

use super::{
    conv::{self, ConvShape},
    pad::{self, Margins, PadMode, PadShape},
};

/// Whether patches of the output's gradient are this much cheaper than of the input.
pub(crate) fn suits(shape: &ConvShape) -> bool {
    shape.stride == 1 && shape.kernel > 1 && 2 * shape.out_channels <= shape.in_channels
}

/// The convolution from the gradient of the output, with margins around it, to that of the input.
fn turned(shape: &ConvShape) -> ConvShape {
    ConvShape {
        batch: shape.batch,
        in_channels: shape.out_channels,
        in_height: shape.in_height + shape.kernel - 1,
        in_width: shape.in_width + shape.kernel - 1,
        out_channels: shape.in_channels,
        kernel: shape.kernel,
        stride: 1,
    }
}

/// The gradient of the output with zeros around it, as wide as the kernel reaches.
fn with_margins(shape: &ConvShape, grad_output: &[f32]) -> Vec<f32> {
    let margins = Margins::uniform(shape.kernel - 1);
    let (height, width) = (shape.out_height(), shape.out_width());
    let mut padded = vec![0.0; turned(shape).in_len()];
    pad::forward(&PadShape { height, width, margins, mode: PadMode::Zero }, grad_output, &mut padded);
    padded
}

/// Weights (O, C, K, K) to (C, O, K, K), every kernel turned by 180 degrees.
fn turn(weight: &[f32], out_channels: usize, in_channels: usize, taps: usize, output: &mut [f32]) {
    for (at, kernel) in weight.chunks_exact(taps).enumerate() {
        let (o, c) = (at / in_channels, at % in_channels);
        let to = &mut output[(c * out_channels + o) * taps..][..taps];
        for (to, value) in to.iter_mut().zip(kernel.iter().rev()) {
            *to = *value;
        }
    }
}

/// As [`conv::backward_data`].
pub(crate) fn backward_data(shape: &ConvShape, weight: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    let mut turned_weight = vec![0.0; weight.len()];
    let taps = shape.kernel * shape.kernel;
    turn(weight, shape.out_channels, shape.in_channels, taps, &mut turned_weight);
    let no_bias = vec![0.0; shape.in_channels];
    let grad_output = with_margins(shape, grad_output);
    conv::forward(&turned(shape), &grad_output, &turned_weight, &no_bias, grad_input);
}

/// As [`conv::backward_weight`].
pub(crate) fn backward_weight(
    shape: &ConvShape,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    let mut turned_grad = vec![0.0; grad_weight.len()];
    conv::backward_weight(&turned(shape), &with_margins(shape, grad_output), input, &mut turned_grad);
    let taps = shape.kernel * shape.kernel;
    turn(&turned_grad, shape.in_channels, shape.out_channels, taps, grad_weight);
}
