//! Networks that enlarge: those of Johnson et al. 2016 (supplementary material, table 2), and SRCNN (Dong et al. 2014), with
//! which they are compared.
//!
//! Three things differ from the papers, all for the same end, that a network is quickly trained and treats every part of a
//! picture alike:
//!
//! - What comes out is a correction of the bicubic enlargement, not the picture ([`Output::Correction`]). A network that
//!   must make the whole picture spends most of its training on learning to pass colours through.
//! - There is no norm, where the paper has batch norm. An instance norm would take away the brightness and contrast of
//!   each picture, or each tile of one, which must come out as they went in. Batch norm needs large batches to learn from
//!   and was found to do harm in this task (Lim et al. 2017, section 3.1); residual blocks of this depth train without.
//! - Edges are mirrored, not filled with black, which would show as a frame in the enlargement.

use super::layers::{Channels, convolution, reflect_for, told_number};
use crate::{
    NetworkDescription, WeightsError,
    description::{Layer, Output},
    weights::WeightsFile,
};

/// How far a correction can go, on 0-255: the tanh's range.
const LARGEST_CORRECTION: f64 = 127.5;
/// Convolutions without a norm learn best from numbers around 0 with a deviation around 1.
const STANDARDIZE: Layer = Layer::StandardizeRgb { mean: [0.5; 3], deviation: [0.25; 3] };

/// What a super-resolution network can have more or less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuperResSize {
    /// Channels of every layer.
    pub width: usize,
    /// Residual blocks.
    pub blocks: usize,
}

impl Default for SuperResSize {
    /// As in the paper.
    fn default() -> Self {
        Self { width: 64, blocks: 4 }
    }
}

/// A kind of network that enlarges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enlarger {
    /// Works on the small picture and enlarges in the end.
    SuperRes,
    /// Three convolutions on the bicubic enlargement.
    Srcnn,
}

impl Enlarger {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SuperRes, Self::Srcnn];
    /// By how much they enlarge.
    pub const FACTORS: [usize; 2] = [4, 8];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SuperRes => "super_res",
            Self::Srcnn => "srcnn",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of the networks of an architecture, as files name it.
    pub(super) fn of_architecture(name: &str) -> Option<Self> {
        match name {
            "super_res_x4" | "super_res_x8" => Some(Self::SuperRes),
            "srcnn" => Some(Self::Srcnn),
            _ => None,
        }
    }

    /// The network that a file describes.
    ///
    /// # Errors
    /// The file is of no network that enlarges, or its sizes make no sense.
    pub fn describe(file: &WeightsFile) -> Result<NetworkDescription, WeightsError> {
        let size = |key: &str, usual, range| told_number(file, key, usual, range);
        let architecture = file.metadata("pastiche.architecture").unwrap_or("none");
        let super_res = |factor: usize| {
            let of = |what: &str| format!("pastiche.{architecture}.{what}");
            let usual = SuperResSize::default();
            let width = size(&of("width"), usual.width, (1, 512))?;
            let blocks = size(&of("blocks"), usual.blocks, (1, 64))?;
            Ok(super_res(factor, SuperResSize { width, blocks }))
        };
        match architecture {
            "super_res_x4" => super_res(4),
            "super_res_x8" => super_res(8),
            "srcnn" => {
                let factor = size("pastiche.srcnn.factor", Self::FACTORS[0], (1, 16))?;
                Ok(srcnn(factor))
            }
            other => Err(WeightsError::NoEnlarger { architecture: other.to_owned() }),
        }
    }
}

/// The network that enlarges by `factor`, a power of two: a 9x9 convolution, residual blocks at the small size, an
/// enlargement by two and a 3x3 convolution for each factor of two, a 9x9 convolution, a scaled tanh.
pub fn super_res(factor: usize, SuperResSize { width, blocks }: SuperResSize) -> NetworkDescription {
    let mut layers = vec![STANDARDIZE];
    layers.extend(conv("conv_in", Channels(3, width), 9));
    layers.push(Layer::Relu);
    layers.extend((1..=blocks).map(|block| residual(&format!("res{block}"), width)));
    for level in 1..=factor.ilog2() {
        layers.push(Layer::UpsampleNearest(2));
        layers.extend(conv(&format!("up{level}"), Channels(width, width), 3));
        layers.push(Layer::Relu);
    }
    layers.extend(conv("conv_out", Channels(width, 3), 9));
    layers.push(Layer::ScaledTanh { gain: LARGEST_CORRECTION, offset: 0.0 });
    NetworkDescription {
        architecture: format!("super_res_x{factor}"),
        layers,
        sizes: vec![("width", width), ("blocks", blocks)],
        side_multiple: 1,
        output: Output::Correction { factor },
    }
}

/// SRCNN with kernels of 9, 5 and 5 and 64 and 32 channels, on red, green and blue, for pictures to be enlarged by `factor`.
pub fn srcnn(factor: usize) -> NetworkDescription {
    let mut layers = vec![STANDARDIZE];
    layers.extend(conv("conv1", Channels(3, 64), 9));
    layers.push(Layer::Relu);
    layers.extend(conv("conv2", Channels(64, 32), 5));
    layers.push(Layer::Relu);
    layers.extend(conv("conv3", Channels(32, 3), 5));
    // Not in the paper: it keeps numbers near 1 all through the network.
    layers.push(Layer::ScaledTanh { gain: LARGEST_CORRECTION, offset: 0.0 });
    NetworkDescription {
        architecture: "srcnn".to_owned(),
        layers,
        sizes: vec![("factor", factor)],
        side_multiple: 1,
        output: Output::Correction { factor },
    }
}

fn conv(name: &str, channels: Channels, kernel: usize) -> [Layer; 2] {
    let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
    [reflect_for(kernel), Layer::Conv(convolution(weight, bias, channels, kernel, 1))]
}

fn residual(name: &str, width: usize) -> Layer {
    let mut layers = Vec::new();
    layers.extend(conv(&format!("{name}.conv1"), Channels(width, width), 3));
    layers.push(Layer::Relu);
    layers.extend(conv(&format!("{name}.conv2"), Channels(width, width), 3));
    Layer::Residual(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_reach_are_those_of_the_layers() {
        for (factor, reach) in [(4, 14), (8, 14)] {
            let description = super_res(factor, SuperResSize::default());
            assert_eq!((description.enlargement(), description.reach()), (factor, Some(reach)));
            let levels = factor.ilog2() as usize;
            let weights = 3 * 64 * 81 * 2 + (8 + levels) * 64 * 64 * 9;
            let biases = (1 + 8 + levels) * 64 + 3;
            let count: usize =
                description.parameters().values().map(|spec| spec.shape.iter().product::<usize>()).sum();
            assert_eq!(count, weights + biases);
        }
        assert_eq!((srcnn(4).enlargement(), srcnn(4).reach()), (1, Some(4 + 2 + 2)));
        assert_eq!(crate::networks::transformer_net(8).reach(), None, "a norm sees everything");
    }
}
