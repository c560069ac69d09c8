//! The loss networks: VGG-16 and VGG-19 (Simonyan and Zisserman 2014), cut after the last layer that is needed.
//!
//! Every activation `reluB_L` is a tap of that name.

use super::layers::{Channels, convolution};
use crate::{
    Margins, NetworkDescription, PadMode,
    description::{Layer, Output, Padding},
};

/// What a loss network expects of a picture that is RGB on 0-255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LossNetInput {
    /// BGR on 0-255 minus the Caffe means (103.939, 116.779, 123.68).
    Caffe,
    /// RGB on 0-1 minus mean, divided by deviation, as torchvision's networks.
    Torchvision,
}

/// How a file names the tensors of a loss network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VggNaming {
    /// `conv3_1.weight`.
    Blocks,
    /// `features.10.weight`: torchvision's place in the list of layers.
    Features,
}

/// VGG-16 up to and including activation `last`, e.g. `relu3_3`; nothing where there is no such activation.
pub fn vgg16(
    last: &str,
    naming: VggNaming,
    input: LossNetInput,
    padding: PadMode,
) -> Option<NetworkDescription> {
    vgg("vgg16", &[2, 2, 3, 3, 3], last, naming, input, padding)
}

/// VGG-19 up to and including activation `last`, e.g. `relu4_1`; nothing where there is no such activation.
pub fn vgg19(
    last: &str,
    naming: VggNaming,
    input: LossNetInput,
    padding: PadMode,
) -> Option<NetworkDescription> {
    vgg("vgg19", &[2, 2, 4, 4, 4], last, naming, input, padding)
}

/// Channels of the five blocks.
const BLOCK_CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

fn vgg(
    architecture: &str,
    convolutions: &[usize; 5],
    last: &str,
    naming: VggNaming,
    input: LossNetInput,
    padding: PadMode,
) -> Option<NetworkDescription> {
    let mut layers = vec![match input {
        LossNetInput::Caffe => Layer::BgrMinusMean([103.939, 116.779, 123.68]),
        LossNetInput::Torchvision => {
            Layer::StandardizeRgb { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }
        }
    }];
    // A convolution and its ReLU take two places in torchvision's list, a pooling one.
    let (mut place, mut from) = (0, 3);
    for (block, (&count, &channels)) in convolutions.iter().zip(&BLOCK_CHANNELS).enumerate() {
        for index in 1..=count {
            let id = format!("{}_{index}", block + 1);
            let name = match naming {
                VggNaming::Blocks => format!("conv{id}"),
                VggNaming::Features => format!("features.{place}"),
            };
            let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
            let tap = format!("relu{id}");
            let done = tap == last;
            layers.extend([
                Layer::Pad(Padding::Fixed(padding, Margins::uniform(1))),
                Layer::Conv(convolution(weight, bias, Channels(from, channels), 3, 1)),
                Layer::Relu,
                Layer::Tap(tap),
            ]);
            if done {
                let architecture = architecture.to_owned();
                return Some(NetworkDescription {
                    architecture,
                    layers,
                    sizes: Vec::new(),
                    side_multiple: 1,
                    output: Output::Painting,
                });
            }
            (place, from) = (place + 2, channels);
        }
        layers.push(Layer::MaxPool);
        place += 1;
    }
    None
}
