//! The variant of Logan Engstrom's TensorFlow port (`fast-style-transfer`, 2016): zero `SAME` padding, transposed
//! convolutions, instance norm with eps 1e-3 after every convolution, and an output of tanh * 150 + 127.5.

use super::layers::{Channels, convolution};
use crate::{
    NetworkDescription,
    description::{Layer, Norm, Output, Padding},
};

const RESIDUAL_BLOCKS: usize = 5;

/// The network with 32, 64 and 128 channels. Its output may lie a little outside 0-255; pictures are clamped.
pub fn lengstrom() -> NetworkDescription {
    let mut layers = Vec::new();
    for (name, channels, kernel, stride) in [
        ("conv1", Channels(3, 32), 9, 1),
        ("conv2", Channels(32, 64), 3, 2),
        ("conv3", Channels(64, 128), 3, 2),
    ] {
        layers.extend(conv(name, channels, kernel, stride));
        layers.push(Layer::Relu);
    }
    layers.extend((1..=RESIDUAL_BLOCKS).map(|block| residual(&format!("res{block}"), 128)));
    for (name, channels) in [("deconv1", Channels(128, 64)), ("deconv2", Channels(64, 32))] {
        layers.push(Layer::ConvTranspose(convolution(format!("{name}.weight"), None, channels, 3, 2)));
        layers.extend([norm(name, channels.1), Layer::Relu]);
    }
    layers.extend(conv("conv_out", Channels(32, 3), 9, 1));
    layers.push(Layer::ScaledTanh { gain: 150.0, offset: 127.5 });
    NetworkDescription {
        architecture: "lengstrom".to_owned(),
        layers,
        sizes: Vec::new(),
        side_multiple: 4,
        output: Output::Painting,
    }
}

fn conv(name: &str, channels: Channels, kernel: usize, stride: usize) -> [Layer; 3] {
    [
        Layer::Pad(Padding::Same { kernel, stride }),
        Layer::Conv(convolution(format!("{name}.weight"), None, channels, kernel, stride)),
        norm(name, channels.1),
    ]
}

fn norm(name: &str, channels: usize) -> Layer {
    let (scale, shift) = (format!("{name}.in.scale"), format!("{name}.in.shift"));
    Layer::InstanceNorm(Norm { scale, shift, channels, eps: 1e-3 })
}

fn residual(name: &str, channels: usize) -> Layer {
    let mut layers = Vec::new();
    layers.extend(conv(&format!("{name}.conv1"), Channels(channels, channels), 3, 1));
    layers.push(Layer::Relu);
    layers.extend(conv(&format!("{name}.conv2"), Channels(channels, channels), 3, 1));
    Layer::Residual(layers)
}
