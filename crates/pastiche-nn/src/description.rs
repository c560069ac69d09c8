//! A network as data: a list of layers with their sizes and the names of their weights.
//!
//! Everything that knows networks reads this description: the executor here, the loading and checking of weights,
//! random initialisation, export. A new architecture is a new description, not new code.

use std::collections::BTreeMap;

use crate::{Margins, PadMode};

/// Spatial padding in front of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Always these margins.
    Fixed(PadMode, Margins),
    /// TensorFlow's `SAME` with zeros: output side = ceil(input side / stride), the odd pixel at the bottom and right.
    Same {
        /// Side of the kernel that follows.
        kernel: usize,
        /// Stride of the convolution that follows.
        stride: usize,
    },
}

impl Padding {
    /// The margins for a picture of `height` x `width`.
    pub fn margins(self, height: usize, width: usize) -> (PadMode, Margins) {
        match self {
            Self::Fixed(mode, margins) => (mode, margins),
            Self::Same { kernel, stride } => {
                let total =
                    |side: usize| ((side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(side);
                let (vertical, horizontal) = (total(height), total(width));
                let margins = Margins {
                    top: vertical / 2,
                    bottom: vertical - vertical / 2,
                    left: horizontal / 2,
                    right: horizontal - horizontal / 2,
                };
                (PadMode::Zero, margins)
            }
        }
    }
}

/// Sizes and weight names of a convolution, plain or transposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convolution {
    /// Name of the weights.
    pub weight: String,
    /// Name of the bias, where there is one.
    pub bias: Option<String>,
    /// Channels in.
    pub in_channels: usize,
    /// Channels out.
    pub out_channels: usize,
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step between outputs (between inputs for a transposed convolution).
    pub stride: usize,
}

/// Weight names and constant of a norm.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Name of the factors, one a channel.
    pub scale: String,
    /// Name of the summands, one a channel.
    pub shift: String,
    /// How many channels.
    pub channels: usize,
    /// Added to the variance.
    pub eps: f64,
}

/// A norm by the statistics of many pictures: in training of the batch, in use of those that it was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// Its factors and summands.
    pub norm: Norm,
    /// Name of the means over many pictures, one a channel.
    pub mean: String,
    /// Name of the variances around them, one a channel.
    pub variance: String,
}

/// One step of a network.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Adds margins.
    Pad(Padding),
    /// Convolution without padding; weights (out, in, K, K).
    Conv(Convolution),
    /// Transposed convolution, cut to `stride` times the input's size; weights (in, out, K, K).
    ConvTranspose(Convolution),
    /// Instance normalisation.
    InstanceNorm(Norm),
    /// Batch normalisation (see [`crate::Network::forward_in_training`]).
    BatchNorm(BatchNorm),
    /// max(x, 0).
    Relu,
    /// tanh(x) * gain + offset.
    ScaledTanh {
        /// Factor after the tanh.
        gain: f64,
        /// Summand after that.
        offset: f64,
    },
    /// Repeats every pixel this many times in both directions.
    UpsampleNearest(usize),
    /// Stacks every square of this side as channels, in the order channel, row, column (PyTorch's `pixel_unshuffle`).
    SpaceToDepth(usize),
    /// 2x2 maximum with stride 2.
    MaxPool,
    /// x + layers(x). Where layers(x) is smaller, the middle of x is added.
    Residual(Vec<Layer>),
    /// Reorders the channels RGB to BGR and subtracts these means, given in BGR order.
    BgrMinusMean([f64; 3]),
    /// Subtracts the first and divides by the second, channel by channel, after dividing by 255.
    StandardizeRgb {
        /// Means of R, G, B on 0-1.
        mean: [f64; 3],
        /// Deviations of R, G, B on 0-1.
        deviation: [f64; 3],
    },
    /// Keeps what flows here, under this name (see [`crate::Network::features`]).
    Tap(String),
}

/// A whole network: the architecture's name and its layers.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkDescription {
    /// Name of the architecture, as in a style file's metadata.
    pub architecture: String,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// What the architecture can have more or less of, and how much this network has: told in a style file's metadata, as
    /// `pastiche.swift.width`.
    pub sizes: Vec<(&'static str, usize)>,
    /// Both sides of the input must be multiples of this for the output to have the input's size.
    pub side_multiple: usize,
    /// What comes out.
    pub output: Output,
}

/// What comes out of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A picture on 0-255.
    Painting,
    /// What is to be added to the bicubic enlargement of a picture by `factor`, on 0-255. A network that does not enlarge
    /// takes that enlargement for its input.
    Correction {
        /// How many times as wide and as high as the picture.
        factor: usize,
    },
}

/// How a parameter starts out before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initialisation {
    /// Normal with mean 0 and variance 2 / fan-in (He et al. 2015, equation 10).
    He {
        /// Inputs that feed one output.
        fan_in: usize,
    },
    /// All the same.
    Constant(f32),
}

/// Shape and start of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// Sizes along its axes.
    pub shape: Vec<usize>,
    /// What it is before training.
    pub initialisation: Initialisation,
    /// How large its values are beside those of other parameters: what is random in the beginning is this many times as
    /// large, and training should move it by steps this many times as long.
    pub scale: f32,
}

/// Where the pixels of a fresh network's paintings lie.
const PAINTING_MEAN: f32 = 127.5;
/// About how far they lie from there.
const PAINTING_DEVIATION: f32 = 64.0;
/// How small the last weights of a correction are at first, so that training starts from the enlargement as it is.
const CORRECTION_SCALE: f32 = 0.05;

impl NetworkDescription {
    /// Every parameter that the layers name, the statistics of batch norms among them, which are measured, not learned.
    pub fn parameters(&self) -> BTreeMap<&str, ParameterSpec> {
        let mut parameters = BTreeMap::new();
        collect_parameters(&self.layers, &mut parameters);
        if let Output::Correction { .. } = self.output {
            let last = self.layers.iter().rev().find_map(|layer| match layer {
                Layer::Conv(conv) => Some(conv.weight.as_str()),
                _ => None,
            });
            if let Some(spec) = last.and_then(|weight| parameters.get_mut(weight)) {
                spec.scale = CORRECTION_SCALE;
            }
        } else if let Some(Layer::Conv(Convolution { weight, bias: Some(bias), .. })) = self.layers.last() {
            // It makes pixels on 0-255 out of numbers around 1.
            for name in [weight, bias] {
                if let Some(spec) = parameters.get_mut(name.as_str()) {
                    spec.scale = PAINTING_DEVIATION;
                }
            }
            if let Some(spec) = parameters.get_mut(bias.as_str()) {
                spec.initialisation = Initialisation::Constant(PAINTING_MEAN);
            }
        }
        parameters
    }

    /// The batch norms, whose statistics must be measured when the network has learned
    /// ([`crate::Network::with_population`]).
    pub fn batch_norms(&self) -> Vec<&BatchNorm> {
        fn collect<'a>(layers: &'a [Layer], norms: &mut Vec<&'a BatchNorm>) {
            for layer in layers {
                match layer {
                    Layer::BatchNorm(norm) => norms.push(norm),
                    Layer::Residual(layers) => collect(layers, norms),
                    _ => {}
                }
            }
        }
        let mut norms = Vec::new();
        collect(&self.layers, &mut norms);
        norms
    }

    /// The smallest side that the first mirror fits into and that is a multiple of [`Self::side_multiple`].
    pub fn least_side(&self) -> usize {
        let mirror = self.layers.iter().find_map(|layer| match layer {
            Layer::Pad(Padding::Fixed(PadMode::Reflect, Margins { top, bottom, left, right })) => {
                [top, bottom, left, right].into_iter().max().copied()
            }
            _ => None,
        });
        (mirror.unwrap_or(0) + 1).next_multiple_of(self.side_multiple)
    }

    /// How many times as wide and as high as the input the output is.
    pub fn enlargement(&self) -> usize {
        let (mut larger, mut smaller) = (1, 1);
        for layer in &self.layers {
            match layer {
                Layer::UpsampleNearest(factor) => larger *= factor,
                Layer::ConvTranspose(conv) => larger *= conv.stride,
                Layer::Conv(conv) => smaller *= conv.stride,
                Layer::SpaceToDepth(factor) => smaller *= factor,
                Layer::MaxPool => smaller *= 2,
                _ => {}
            }
        }
        (larger / smaller).max(1)
    }

    /// The same, where the network is to enlarge; a painting is as large as its picture.
    pub(crate) fn painting_factor(&self) -> usize {
        match self.output {
            Output::Painting => 1,
            Output::Correction { .. } => self.enlargement(),
        }
    }

    /// How many pixels of the input around a place the output there depends on, at most; nothing where it depends on all of
    /// them, as with an instance norm.
    pub fn reach(&self) -> Option<usize> {
        reach(&self.layers, 0)
    }
}

/// What `after` pixels around a place in the output of some layers make in their input.
fn reach(layers: &[Layer], after: usize) -> Option<usize> {
    layers.iter().rev().try_fold(after, |after, layer| {
        Some(match layer {
            Layer::Conv(conv) => after * conv.stride + conv.kernel / 2,
            Layer::ConvTranspose(conv) => (after + conv.kernel).div_ceil(conv.stride),
            Layer::UpsampleNearest(factor) => after.div_ceil(*factor),
            Layer::SpaceToDepth(factor) => after * factor + factor - 1,
            Layer::MaxPool => 2 * after + 1,
            Layer::Residual(layers) => reach(layers, after)?,
            Layer::InstanceNorm(_) => return None,
            _ => after,
        })
    })
}

fn collect_parameters<'a>(layers: &'a [Layer], parameters: &mut BTreeMap<&'a str, ParameterSpec>) {
    for layer in layers {
        match layer {
            Layer::Conv(conv) => {
                let shape = [conv.out_channels, conv.in_channels];
                collect_convolution(conv, shape, conv.in_channels * conv.kernel * conv.kernel, parameters);
            }
            Layer::ConvTranspose(conv) => {
                // Each output pixel sees one tap in every stride x stride.
                let taps = (conv.kernel * conv.kernel).div_ceil(conv.stride * conv.stride);
                let shape = [conv.in_channels, conv.out_channels];
                collect_convolution(conv, shape, conv.in_channels * taps, parameters);
            }
            Layer::InstanceNorm(norm) => collect_norm(norm, parameters),
            Layer::BatchNorm(BatchNorm { norm, mean, variance }) => {
                collect_norm(norm, parameters);
                parameters.insert(mean, by_channel(norm, 0.0));
                parameters.insert(variance, by_channel(norm, 1.0));
            }
            Layer::Residual(layers) => collect_parameters(layers, parameters),
            _ => {}
        }
    }
}

fn collect_norm<'a>(norm: &'a Norm, parameters: &mut BTreeMap<&'a str, ParameterSpec>) {
    parameters.insert(&norm.scale, by_channel(norm, 1.0));
    parameters.insert(&norm.shift, by_channel(norm, 0.0));
}

/// One number a channel, all the same at first.
fn by_channel(norm: &Norm, value: f32) -> ParameterSpec {
    ParameterSpec { shape: vec![norm.channels], initialisation: Initialisation::Constant(value), scale: 1.0 }
}

fn collect_convolution<'a>(
    conv: &'a Convolution,
    [first, second]: [usize; 2],
    fan_in: usize,
    parameters: &mut BTreeMap<&'a str, ParameterSpec>,
) {
    let shape = vec![first, second, conv.kernel, conv.kernel];
    let initialisation = Initialisation::He { fan_in };
    parameters.insert(&conv.weight, ParameterSpec { shape, initialisation, scale: 1.0 });
    if let Some(bias) = &conv.bias {
        let initialisation = Initialisation::Constant(0.0);
        let shape = vec![conv.out_channels];
        parameters.insert(bias, ParameterSpec { shape, initialisation, scale: 1.0 });
    }
}
