//! Short words for the layers that descriptions are made of.

use crate::{
    Margins, PadMode,
    description::{Convolution, Layer, Padding},
};

/// Mirrors by `kernel / 2`, so that a convolution with stride 1 keeps the size.
pub(super) fn reflect_for(kernel: usize) -> Layer {
    Layer::Pad(Padding::Fixed(PadMode::Reflect, Margins::uniform(kernel / 2)))
}

/// From and to how many channels.
#[derive(Clone, Copy)]
pub(super) struct Channels(pub(super) usize, pub(super) usize);

pub(super) fn convolution(
    weight: String,
    bias: Option<String>,
    Channels(in_channels, out_channels): Channels,
    kernel: usize,
    stride: usize,
) -> Convolution {
    Convolution { weight, bias, in_channels, out_channels, kernel, stride }
}
