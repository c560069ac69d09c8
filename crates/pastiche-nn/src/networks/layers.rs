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

/// The width that a file's first layer has: a convolution of 3 channels to so many, 9x9.
pub(super) fn width_of_first_layer(
    file: &WeightsFile,
    name: &str,
    most: usize,
) -> Result<usize, WeightsError> {
    let shape = file.shape(name).ok_or_else(|| WeightsError::MissingTensor { name: name.to_owned() })?;
    match *shape {
        [width, 3, 9, 9] if (1..=most).contains(&width) => Ok(width),
        _ => Err(WeightsError::Shape {
            name: name.to_owned(),
            expected: format!("[1 to {most}, 3, 9, 9]"),
            found: shape.to_vec(),
        }),
    }
}
