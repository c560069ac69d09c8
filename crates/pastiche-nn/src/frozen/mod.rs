//! A network whose weights never change: the loss network of perceptual training.
//!
//! Its weights are transformed once, forwards and for the gradient of the input, which is the only one that it gives.
//! Between two taps everything stays in channel blocks, and only what a backward pass will read is kept.

#[cfg(feature = "cudnn")]
mod card;
mod layers;
#[cfg(any(feature = "cudnn", test))]
mod pass;
#[cfg(test)]
mod pass_tests;
mod segment;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, bail};

use self::{
    layers::{FrozenConv, InputLayer},
    segment::Segment,
};
use crate::{
    Features, Network,
    blocked::{Planes, Size, Source, max_pool_2x2},
    ops::cpu::{best_level, dense, elements},
    simd::Level,
};

/// A VGG-like network (3x3 convolutions with stride 1, each padded, with bias and ReLU; 2x2 maximum pooling between
/// them) that is prepared to give features and their data gradient, but no gradients of its weights.
///
/// Features agree with those of [`Network::features`] up to rounding. On CUDA cards it is that network where there is no cuDNN
/// (feature `cudnn`).
#[derive(Debug, Clone)]
pub struct FrozenNetwork {
    network: Network,
    prepared: Arc<Prepared>,
}

/// What backward passes share.
#[derive(Debug)]
struct Prepared {
    level: Level,
    input: InputLayer,
    convs: Vec<FrozenConv>,
}

impl FrozenNetwork {
    /// Prepares a network. Its weights count as constants, even where they are variables.
    ///
    /// # Errors
    /// It has other layers than those told above, or `PASTICHE_CPU` names no instruction set.
    pub fn new(network: &Network) -> Result<Self> {
        Self::with_level(network, best_level()?)
    }

    fn with_level(network: &Network, level: Level) -> Result<Self> {
        let (input, convs) = layers::prepare(network, level)?;
        let constants = network.parameters().iter().map(|(name, tensor)| (name.clone(), tensor.detach()));
        let network = Network::new(network.description().clone(), constants.collect())?;
        Ok(Self { network, prepared: Arc::new(Prepared { level, input, convs }) })
    }

    /// Features (N, C, H, W) of pictures (N, 3, H, W) at the named taps; nothing after the last of them is computed. RGB on
    /// 0-255 comes in.
    ///
    /// # Errors
    /// There is no such tap, or the pictures are not `f32`, have other channels, or are too small or empty.
    pub fn features(&self, pictures: &Tensor, taps: &[&str]) -> Result<Features> {
        let mut wanted = Vec::new();
        for tap in taps {
            let is_tap = |conv: &FrozenConv| conv.taps.iter().any(|name| name == tap);
            match self.prepared.convs.iter().position(is_tap) {
                Some(index) => wanted.push(index),
                None => bail!("the network has no tap {tap}"),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if pictures.elem_count() == 0 {
            bail!("pictures of {:?} have no pixels", pictures.dims())
        }
        let pictures = dense("features", pictures)?;
        let outputs = match pictures.device() {
            Device::Cpu => self.outputs(&pictures, &wanted)?,
            #[cfg(feature = "cudnn")]
            _card => self.outputs_on_card(&pictures, &wanted)?,
            #[cfg(not(feature = "cudnn"))]
            _card => {
                let mut features = self.network.features(&pictures)?;
                features.retain(|name, _| taps.contains(&name.as_str()));
                return Ok(features);
            }
        };
        let mut features = Features::new();
        for (index, output) in wanted.into_iter().zip(outputs) {
            let names = self.prepared.convs[index].taps.iter();
            let names = names.filter(|name| taps.contains(&name.as_str()));
            features.extend(names.map(|name| (name.clone(), output.clone())));
        }
        Ok(features)
    }

    /// The outputs of the convolutions `wanted`, which are in rising order.
    fn outputs(&self, pictures: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>> {
        let mut outputs: Vec<Tensor> = Vec::new();
        let mut flow = Arc::new(self.blocked(pictures)?);
        let mut first = 0;
        for &last in wanted {
            let from = outputs.last().unwrap_or(pictures).clone();
            let tracked = from.track_op();
            let mut kept = Vec::new();
            for index in first..=last {
                flow = Arc::new(self.prepared.forward(index, &flow)?);
                if tracked && index < last {
                    kept.push(Arc::clone(&flow));
                }
            }
            let Size { batch, channels, height, width } = flow.size();
            let mut planar = vec![0.0f32; flow.size().len()];
            flow.to_planar(self.prepared.level, 0, &mut planar);
            let shape = (batch, channels, height, width);
            outputs.push(if tracked {
                let prepared = Arc::clone(&self.prepared);
                from.apply_op1(Segment::new(prepared, first..=last, kept, planar, shape.into()))?
            } else {
                Tensor::from_vec(planar, shape, pictures.device())?
            });
            first = last + 1;
        }
        Ok(outputs)
    }

    /// As [`Self::outputs`].
    #[cfg(feature = "cudnn")]
    fn outputs_on_card(&self, pictures: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>> {
        let mut outputs: Vec<Tensor> = Vec::new();
        let mut first = 0;
        for &last in wanted {
            let from = outputs.last().unwrap_or(pictures);
            let segment = card::Segment::new(self.clone(), first..=last, from.track_op());
            outputs.push(from.apply_op1(segment)?);
            first = last + 1;
        }
        Ok(outputs)
    }

    /// The pictures as the first convolution takes them.
    fn blocked(&self, pictures: &Tensor) -> Result<Planes> {
        let (batch, channels, height, width) = pictures.dims4()?;
        if channels != InputLayer::CHANNELS {
            bail!("a loss network takes 3 channels, not {channels}")
        }
        let (storage, layout) = pictures.storage_and_layout();
        let candle_core::Storage::Cpu(storage) = &*storage else { bail!("the pictures are not on the CPU") };
        let values = elements("features", storage, layout)?;
        let values = self.prepared.input.forward(values, height * width);
        let size = Size { batch, channels, height, width };
        Ok(Planes::from_planar(self.prepared.level, size, &values, None))
    }
}

impl Prepared {
    /// The activations of one convolution from those before it.
    fn forward(&self, index: usize, flow: &Planes) -> Result<Planes> {
        let conv = &self.convs[index];
        let Size { height, width, .. } = flow.size();
        let (least, pooled) = (conv.least_side(), if conv.pooled { 2 } else { 1 });
        if height.min(width) / pooled < least {
            bail!("features: {width}x{height} pixels are too few for layer {index}")
        }
        let conv = conv.forward();
        Ok(if pooled == 2 {
            conv.run(self.level, Source::from(&max_pool_2x2(self.level, flow)))
        } else {
            conv.run(self.level, Source::from(flow))
        })
    }
}
