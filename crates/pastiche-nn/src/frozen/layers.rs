//! The layers that a frozen network may have, read from its description.

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use crate::{
    Convolution, Layer, Margins, Network, PadMode, Padding,
    blocked::{Conv3x3, Direction, Weights},
    plan::lines::Lines,
    simd::Level,
};

/// What is done to the pictures first: channel `c` is `order[c]` of theirs, times `scale[c]`, plus `shift[c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct InputLayer {
    order: [usize; Self::CHANNELS],
    scale: [f32; Self::CHANNELS],
    shift: [f32; Self::CHANNELS],
}

impl InputLayer {
    pub(super) const CHANNELS: usize = 3;
    const NONE: Self = Self { order: [0, 1, 2], scale: [1.0; 3], shift: [0.0; 3] };

    fn of(layer: &Layer) -> Option<Self> {
        match layer {
            Layer::BgrMinusMean(means) => {
                Some(Self { order: [2, 1, 0], shift: means.map(|mean| -mean as f32), ..Self::NONE })
            }
            Layer::StandardizeRgb { mean, deviation } => {
                let shift = |channel: usize| (-mean[channel] / deviation[channel]) as f32;
                Some(Self {
                    scale: deviation.map(|deviation| (1.0 / (255.0 * deviation)) as f32),
                    shift: [shift(0), shift(1), shift(2)],
                    ..Self::NONE
                })
            }
            _ => None,
        }
    }

    /// The same for the kernels of cards.
    #[cfg(any(feature = "cudnn", test))]
    pub(super) fn colours(&self) -> crate::cuda::training::jobs::pointwise::Colours {
        let Self { order, scale, shift } = *self;
        crate::cuda::training::jobs::pointwise::Colours { order, scale, shift }
    }

    /// Pictures (N, 3, H, W) with `plane` pixels a plane.
    pub(super) fn forward(&self, pictures: &[f32], plane: usize) -> Vec<f32> {
        let mut output = vec![0.0; pictures.len()];
        output.par_chunks_exact_mut(plane).enumerate().for_each(|(index, output)| {
            let (image, channel) = (index / Self::CHANNELS, index % Self::CHANNELS);
            let from = &pictures[(image * Self::CHANNELS + self.order[channel]) * plane..][..plane];
            let (scale, shift) = (self.scale[channel], self.shift[channel]);
            for (to, value) in output.iter_mut().zip(from) {
                *to = value * scale + shift;
            }
        });
        output
    }

    /// The gradient of the pictures from that of [`Self::forward`].
    pub(super) fn backward(&self, gradient: &[f32], plane: usize, output: &mut [f32]) {
        let images = output.chunks_exact_mut(Self::CHANNELS * plane);
        for (output, gradient) in images.zip(gradient.chunks_exact(Self::CHANNELS * plane)) {
            for (channel, from) in gradient.chunks_exact(plane).enumerate() {
                let to = &mut output[self.order[channel] * plane..][..plane];
                for (to, value) in to.iter_mut().zip(from) {
                    *to = value * self.scale[channel];
                }
            }
        }
    }
}

/// Padding by one pixel, convolution, bias and ReLU, with pooling before where there is some.
#[derive(Debug)]
pub(super) struct FrozenConv {
    pub(super) pooled: bool,
    pub(super) mode: PadMode,
    /// Its channels and the names of its parameters.
    #[cfg_attr(not(any(feature = "cudnn", test)), allow(dead_code, reason = "only cards read it"))]
    pub(super) layer: Convolution,
    weights: Weights,
    backward: Weights,
    /// Filled up to whole vectors.
    bias: Lines,
    /// Names under which the activations are known.
    pub(super) taps: Vec<String>,
}

impl FrozenConv {
    pub(super) fn forward(&self) -> Conv3x3<'_> {
        let (weights, bias) = (&self.weights, Some(&self.bias));
        Conv3x3 { weights, bias, relu: true, mode: self.mode, margin: 1 }
    }

    /// From the gradient of the output before its ReLU to that of the input, with a ring of [`Self::ring`] pixels around
    /// it.
    pub(super) fn backward(&self) -> Conv3x3<'_> {
        let margin = 1 + self.ring();
        Conv3x3 { weights: &self.backward, bias: None, relu: false, mode: PadMode::Zero, margin }
    }

    /// Pixels of padding whose gradients belong to other pixels.
    pub(super) fn ring(&self) -> usize {
        match self.mode {
            PadMode::Reflect => 1,
            PadMode::Zero => 0,
        }
    }

    /// Sides of the input, after pooling, from which on padding is possible.
    pub(super) fn least_side(&self) -> usize {
        1 + self.ring()
    }
}

/// Reads the layers and packs their weights.
pub(super) fn prepare(network: &Network, level: Level) -> Result<(InputLayer, Vec<FrozenConv>)> {
    let mut layers = network.description().layers.as_slice();
    let mut input = InputLayer::NONE;
    if let Some(found) = layers.first().and_then(InputLayer::of) {
        (input, layers) = (found, &layers[1..]);
    }
    let mut convs: Vec<FrozenConv> = Vec::new();
    let mut pooled = false;
    while let Some((first, rest)) = layers.split_first() {
        layers = match (first, rest) {
            (
                Layer::Pad(Padding::Fixed(mode, margins)),
                [Layer::Conv(conv @ Convolution { kernel: 3, stride: 1, .. }), Layer::Relu, rest @ ..],
            ) if *margins == Margins::uniform(1) => {
                convs.push(pack(network, conv, *mode, std::mem::take(&mut pooled), level)?);
                rest
            }
            (Layer::MaxPool, rest) if !convs.is_empty() && !pooled => {
                pooled = true;
                rest
            }
            (Layer::Tap(name), rest) if !pooled => {
                match convs.last_mut() {
                    Some(conv) => conv.taps.push(name.clone()),
                    None => bail!("a frozen network cannot have a tap before its first convolution"),
                }
                rest
            }
            _ => bail!("a frozen network cannot have {first:?} here"),
        };
    }
    Ok((input, convs))
}

fn pack(
    network: &Network,
    conv: &Convolution,
    mode: PadMode,
    pooled: bool,
    level: Level,
) -> Result<FrozenConv> {
    let values = |name: &str| -> Result<Vec<f32>> {
        match network.parameters().get(name).map(Tensor::flatten_all) {
            Some(values) => values?.to_vec1(),
            None => bail!("{name} is missing"),
        }
    };
    let weight = values(&conv.weight)?;
    let mut bias = conv.bias.as_deref().map(values).transpose()?.unwrap_or_default();
    bias.resize(conv.out_channels.next_multiple_of(level.lanes()), 0.0);
    let weights = |direction| Weights::new(level, &weight, (conv.out_channels, conv.in_channels), direction);
    Ok(FrozenConv {
        pooled,
        mode,
        layer: conv.clone(),
        weights: weights(Direction::Forward),
        backward: weights(Direction::BackwardData),
        bias: Lines::of(&bias),
        taps: Vec::new(),
    })
}
