//! Our own network for processors: the manner of [`super::transformer_net`] at a fraction of its cost.
//!
//! Almost all work is done at a quarter of the size, most of it in 3x3 convolutions of equal width, which the engine
//! does with the fewest products; the picture goes in as stacked squares of 2x2 pixels, and comes out by two
//! enlargements with a convolution behind each, since stacked pixels on the way out leave a grid in the painting.

use super::layers::{Channels, convolution, reflect_for, told_number};
use crate::{
    NetworkDescription, WeightsError,
    description::{Layer, Norm, Output},
    weights::WeightsFile,
};

/// What a swift network can have more or less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwiftSize {
    /// Channels of the residual blocks, a multiple of 6 (the best are those of 48); half of them after the first enlargement,
    /// a sixth after the second.
    pub width: usize,
    /// Residual blocks.
    pub blocks: usize,
}

impl Default for SwiftSize {
    fn default() -> Self {
        Self { width: 48, blocks: 4 }
    }
}

/// The network of that size. Its receptive field is 14 + 16 `blocks` pixels wide: 78 with 4 blocks.
pub fn swift(SwiftSize { width, blocks }: SwiftSize) -> NetworkDescription {
    let mut layers = vec![Layer::SpaceToDepth(2)];
    layers.extend(conv("down", Channels(12, width), 2));
    layers.extend([norm("down_norm", width), Layer::Relu]);
    layers.extend((1..=blocks).map(|block| residual(&format!("res{block}"), width)));
    for (name, from, to) in [("up1", width, width / 2), ("up2", width / 2, width / 6)] {
        layers.push(Layer::UpsampleNearest(2));
        layers.extend(conv(name, Channels(from, to), 1));
        layers.extend([norm(&format!("{name}_norm"), to), Layer::Relu]);
    }
    layers.extend(conv("out", Channels(width / 6, 3), 1));
    NetworkDescription {
        architecture: "swift".to_owned(),
        layers,
        sizes: vec![("width", width), ("blocks", blocks)],
        side_multiple: 4,
        output: Output::Painting,
    }
}

/// The network of the size that a file's metadata tells; what it does not tell is as usual.
pub(super) fn of_file(file: &WeightsFile) -> Result<NetworkDescription, WeightsError> {
    let usual = SwiftSize::default();
    let width = told_number(file, "pastiche.swift.width", usual.width, (6, 384))?;
    let blocks = told_number(file, "pastiche.swift.blocks", usual.blocks, (1, 32))?;
    Ok(swift(SwiftSize { width, blocks }))
}

fn conv(name: &str, channels: Channels, stride: usize) -> [Layer; 2] {
    let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
    [reflect_for(3), Layer::Conv(convolution(weight, bias, channels, 3, stride))]
}

fn norm(name: &str, channels: usize) -> Layer {
    let (scale, shift) = (format!("{name}.scale"), format!("{name}.shift"));
    Layer::InstanceNorm(Norm { scale, shift, channels, eps: 1e-5 })
}

fn residual(name: &str, channels: usize) -> Layer {
    let mut layers = Vec::new();
    layers.extend(conv(&format!("{name}.conv1"), Channels(channels, channels), 1));
    layers.extend([norm(&format!("{name}.norm1"), channels), Layer::Relu]);
    layers.extend(conv(&format!("{name}.conv2"), Channels(channels, channels), 1));
    layers.push(norm(&format!("{name}.norm2"), channels));
    Layer::Residual(layers)
}
