//! The image transformation network of Johnson et al. 2016 (supplementary material, table 1) as the PyTorch project's
//! `fast_neural_style` example has it: instance norm, reflection padding, nearest upsampling before the convolution.

use super::layers::{Channels, convolution, reflect_for, width_of_first_layer};
use crate::{
    NetworkDescription, WeightsError,
    description::{Layer, Norm, Output},
    weights::WeightsFile,
};

const RESIDUAL_BLOCKS: usize = 5;
/// Wider networks than this would be a mistake in a file, not a style.
const MAX_WIDTH: usize = 512;

/// The network with `width`, 2 `width` and 4 `width` channels; 32 is the published size.
pub fn transformer_net(width: usize) -> NetworkDescription {
    let mut layers = Vec::new();
    layers.extend(conv("conv1", Channels(3, width), 9, 1));
    layers.extend([norm("in1", width), Layer::Relu]);
    layers.extend(conv("conv2", Channels(width, 2 * width), 3, 2));
    layers.extend([norm("in2", 2 * width), Layer::Relu]);
    layers.extend(conv("conv3", Channels(2 * width, 4 * width), 3, 2));
    layers.extend([norm("in3", 4 * width), Layer::Relu]);
    layers.extend((1..=RESIDUAL_BLOCKS).map(|block| residual(&format!("res{block}"), 4 * width)));
    for (name, norm_name, from) in [("deconv1", "in4", 4 * width), ("deconv2", "in5", 2 * width)] {
        layers.push(Layer::UpsampleNearest(2));
        layers.extend(conv(name, Channels(from, from / 2), 3, 1));
        layers.extend([norm(norm_name, from / 2), Layer::Relu]);
    }
    layers.extend(conv("deconv3", Channels(width, 3), 9, 1));
    NetworkDescription {
        architecture: "transformer_net".to_owned(),
        layers,
        sizes: vec![("width", width)],
        side_multiple: 4,
        output: Output::Painting,
    }
}

/// The network of the width that a file's first layer has.
pub(super) fn of_file(file: &WeightsFile) -> Result<NetworkDescription, WeightsError> {
    width_of_first_layer(file, "conv1.conv2d.weight", MAX_WIDTH).map(transformer_net)
}

fn conv(name: &str, channels: Channels, kernel: usize, stride: usize) -> [Layer; 2] {
    let weight = format!("{name}.conv2d.weight");
    let bias = Some(format!("{name}.conv2d.bias"));
    [reflect_for(kernel), Layer::Conv(convolution(weight, bias, channels, kernel, stride))]
}

fn norm(name: &str, channels: usize) -> Layer {
    let (scale, shift) = (format!("{name}.weight"), format!("{name}.bias"));
    Layer::InstanceNorm(Norm { scale, shift, channels, eps: 1e-5 })
}

fn residual(name: &str, channels: usize) -> Layer {
    let mut layers = Vec::new();
    layers.extend(conv(&format!("{name}.conv1"), Channels(channels, channels), 3, 1));
    layers.extend([norm(&format!("{name}.in1"), channels), Layer::Relu]);
    layers.extend(conv(&format!("{name}.conv2"), Channels(channels, channels), 3, 1));
    layers.push(norm(&format!("{name}.in2"), channels));
    Layer::Residual(layers)
}
