//! Short words for the layers that descriptions are made of.

use crate::{
    Margins, PadMode, WeightsError,
    description::{Convolution, Layer, Padding},
    weights::WeightsFile,
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

/// A size that a file's metadata tell, or the usual one: `least` to `most`, and a multiple of `least`.
pub(super) fn told_number(
    file: &WeightsFile,
    key: &str,
    usual: usize,
    (least, most): (usize, usize),
) -> Result<usize, WeightsError> {
    let Some(text) = file.metadata(key) else { return Ok(usual) };
    let fits =
        |number: &usize| (least..=most).contains(number) && (least == 1 || number.is_multiple_of(least));
    text.parse().ok().filter(fits).ok_or_else(|| WeightsError::Metadata {
        key: key.to_owned(),
        value: text.to_owned(),
        expected: if least == 1 {
            format!("a number from 1 to {most}")
        } else {
            format!("a multiple of {least} up to {most}")
        },
    })
}
