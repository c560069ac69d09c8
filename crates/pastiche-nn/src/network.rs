//! A description with its weights, run layer by layer on candle tensors: for training, and the reference for every
//! faster executor.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, bail};

use crate::{
    description::{BatchNorm, Convolution, Initialisation, Layer, NetworkDescription, Norm},
    ops,
    random::NormalSource,
};

/// A network that can be run.
#[derive(Debug, Clone)]
pub struct Network {
    description: NetworkDescription,
    parameters: BTreeMap<String, Tensor>,
}

/// Named tensors that flowed through the [`Layer::Tap`]s of a network.
pub type Features = BTreeMap<String, Tensor>;

/// What batch norms go by.
pub(crate) enum Statistics<'a> {
    /// The parameters: means and variances over many pictures.
    Population,
    /// The batch.
    Batch,
    /// The batch, whose moments are noted under the parameters' names.
    Noted(&'a mut Features),
}

impl Network {
    /// Joins a description and its weights, which may be variables or plain tensors.
    ///
    /// # Errors
    /// A parameter is missing or has another shape. (Files are checked, with better words, by
    /// [`crate::weights::WeightsFile`].)
    pub fn new(description: NetworkDescription, parameters: BTreeMap<String, Tensor>) -> Result<Self> {
        for (name, spec) in description.parameters() {
            match parameters.get(name) {
                Some(tensor) if tensor.dims() == spec.shape => {}
                Some(tensor) => bail!("{name} has shape {:?}, not {:?}", tensor.dims(), spec.shape),
                None => bail!("{name} is missing"),
            }
        }
        Ok(Self { description, parameters })
    }

    /// A network before training: weights drawn from `seed`, the same on every machine.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn random(description: NetworkDescription, seed: u64, device: &Device) -> Result<Self> {
        let mut normal = NormalSource::new(seed);
        let mut parameters = BTreeMap::new();
        for (name, spec) in description.parameters() {
            let count = spec.shape.iter().product();
            let values: Vec<f32> = match spec.initialisation {
                Initialisation::Constant(value) => vec![value; count],
                Initialisation::He { fan_in } => {
                    let deviation = (2.0 / fan_in as f32).sqrt() * spec.scale;
                    (0..count).map(|_| normal.sample() * deviation).collect()
                }
            };
            parameters.insert(name.to_owned(), Tensor::from_vec(values, spec.shape, device)?);
        }
        Self::new(description, parameters)
    }

    /// What the network is made of.
    pub fn description(&self) -> &NetworkDescription {
        &self.description
    }

    /// The weights by name.
    pub fn parameters(&self) -> &BTreeMap<String, Tensor> {
        &self.parameters
    }

    /// The same network with its weights on another device.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        let moved = |(name, tensor): (&String, &Tensor)| Ok((name.clone(), tensor.to_device(device)?));
        let parameters = self.parameters.iter().map(moved).collect::<Result<_>>()?;
        Ok(Self { description: self.description.clone(), parameters })
    }

    /// Runs the network on `input` (N, 3, H, W).
    ///
    /// A style network takes and gives RGB on 0-255 (not clamped) and keeps the size where both sides are multiples of
    /// [`NetworkDescription::side_multiple`].
    ///
    /// # Errors
    /// The input's shape does not fit the first layer, or is too small for a later one.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.pass(input, Statistics::Population, &mut Features::new())
    }

    /// Runs the network as it is while it learns: as [`Self::forward`], but that batch norms go by the mean and variance of
    /// this very batch.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_in_training(&self, input: &Tensor) -> Result<Tensor> {
        self.pass(input, Statistics::Batch, &mut Features::new())
    }

    /// Runs the network and gives what flowed through its taps.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn features(&self, input: &Tensor) -> Result<Features> {
        let mut features = Features::new();
        self.pass(input, Statistics::Population, &mut features)?;
        Ok(features)
    }

    /// Runs the network once.
    pub(crate) fn pass(
        &self,
        input: &Tensor,
        mut statistics: Statistics<'_>,
        features: &mut Features,
    ) -> Result<Tensor> {
        self.run(&self.description.layers, input.clone(), &mut statistics, features)
    }

    fn run(
        &self,
        layers: &[Layer],
        mut flow: Tensor,
        statistics: &mut Statistics<'_>,
        features: &mut Features,
    ) -> Result<Tensor> {
        let mut layers = layers;
        while let Some((layer, rest)) = layers.split_first() {
            layers = rest;
            flow = match layer {
                Layer::Pad(padding) => {
                    let (_, _, height, width) = flow.dims4()?;
                    let (mode, margins) = padding.margins(height, width);
                    if let [Layer::Conv(conv), behind @ ..] = rest {
                        layers = behind;
                        let (weight, bias) = self.convolution(conv)?;
                        ops::conv2d_padded(&flow, weight, bias, conv.stride, margins, mode)?
                    } else {
                        ops::pad(&flow, margins, mode)?
                    }
                }
                Layer::Conv(conv) => {
                    let (weight, bias) = self.convolution(conv)?;
                    ops::conv2d(&flow, weight, bias, conv.stride)?
                }
                Layer::ConvTranspose(conv) => {
                    let (weight, bias) = self.convolution(conv)?;
                    let (_, _, height, width) = flow.dims4()?;
                    ops::conv_transpose2d(&flow, weight, bias, conv.stride)?
                        .narrow(2, 0, height * conv.stride)?
                        .narrow(3, 0, width * conv.stride)?
                }
                Layer::InstanceNorm(Norm { scale, shift, eps, .. }) => {
                    let (scale, shift) = (self.parameter(scale)?, self.parameter(shift)?);
                    if let [Layer::Relu, behind @ ..] = rest {
                        layers = behind;
                        ops::instance_norm_relu(&flow, scale, shift, *eps)?
                    } else {
                        ops::instance_norm(&flow, scale, shift, *eps)?
                    }
                }
                Layer::BatchNorm(norm) => self.batch_norm(norm, &flow, statistics)?,
                Layer::Relu => ops::relu(&flow)?,
                Layer::ScaledTanh { gain, offset } => flow.tanh()?.affine(*gain, *offset)?,
                Layer::UpsampleNearest(factor) => ops::upsample_nearest(&flow, *factor)?,
                Layer::SpaceToDepth(factor) => space_to_depth(&flow, *factor)?,
                Layer::MaxPool => ops::max_pool_2x2(&flow)?,
                Layer::Residual(layers) => {
                    let sum = self.run(layers, flow.clone(), statistics, features)?;
                    (middle(&flow, &sum)? + sum)?
                }
                Layer::BgrMinusMean(means) => bgr_minus_mean(&flow, means)?,
                Layer::StandardizeRgb { mean, deviation } => standardize_rgb(&flow, mean, deviation)?,
                Layer::Tap(name) => {
                    features.insert(name.clone(), flow.clone());
                    flow
                }
            };
        }
        Ok(flow)
    }

    fn batch_norm(
        &self,
        BatchNorm { norm: Norm { scale, shift, eps, .. }, mean, variance }: &BatchNorm,
        flow: &Tensor,
        statistics: &mut Statistics<'_>,
    ) -> Result<Tensor> {
        let (scale, shift) = (self.parameter(scale)?, self.parameter(shift)?);
        match statistics {
            Statistics::Population => {
                let given = (self.parameter(mean)?, self.parameter(variance)?);
                let (factor, summand) = ops::norm_factors(scale, shift, given, *eps)?;
                let by_channel = (1, factor.dim(0)?, 1, 1);
                return flow
                    .broadcast_mul(&factor.reshape(by_channel)?)?
                    .broadcast_add(&summand.reshape(by_channel)?);
            }
            Statistics::Noted(moments) => {
                let (of_mean, of_variance) = ops::batch_moments(flow)?;
                moments.extend([(mean.clone(), of_mean), (variance.clone(), of_variance)]);
            }
            Statistics::Batch => {}
        }
        ops::batch_norm(flow, scale, shift, *eps)
    }

    fn parameter(&self, name: &str) -> Result<&Tensor> {
        self.parameters.get(name).ok_or_else(|| candle_core::Error::Msg(format!("{name} is missing")))
    }

    fn convolution(&self, conv: &Convolution) -> Result<(&Tensor, Option<&Tensor>)> {
        let bias = conv.bias.as_deref().map(|name| self.parameter(name)).transpose()?;
        Ok((self.parameter(&conv.weight)?, bias))
    }
}

/// The middle of `input` that is as large as `like`.
fn middle(input: &Tensor, like: &Tensor) -> Result<Tensor> {
    let ((_, _, height, width), (_, _, inner_height, inner_width)) = (input.dims4()?, like.dims4()?);
    let (Some(rows), Some(columns)) = (height.checked_sub(inner_height), width.checked_sub(inner_width))
    else {
        bail!("a residual of {inner_width}x{inner_height} is larger than its input of {width}x{height}")
    };
    input.narrow(2, rows / 2, inner_height)?.narrow(3, columns / 2, inner_width)
}

/// One number a channel, ready to be broadcast over (N, 3, H, W).
fn by_channel(values: &[f64; 3], like: &Tensor) -> Result<Tensor> {
    Tensor::new(values.as_slice(), like.device())?.to_dtype(like.dtype())?.reshape((1, 3, 1, 1))
}

fn space_to_depth(input: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = input.dims4()?;
    input
        .reshape(vec![batch, channels, height / factor, factor, width / factor, factor])?
        .permute(vec![0, 1, 3, 5, 2, 4])?
        .contiguous()?
        .reshape((batch, channels * factor * factor, height / factor, width / factor))
}

fn bgr_minus_mean(rgb: &Tensor, means: &[f64; 3]) -> Result<Tensor> {
    let bgr = Tensor::new(&[2u32, 1, 0], rgb.device())?;
    rgb.index_select(&bgr, 1)?.broadcast_sub(&by_channel(means, rgb)?)
}

fn standardize_rgb(rgb: &Tensor, mean: &[f64; 3], deviation: &[f64; 3]) -> Result<Tensor> {
    let centred = (rgb / 255.0)?.broadcast_sub(&by_channel(mean, rgb)?)?;
    centred.broadcast_div(&by_channel(deviation, rgb)?)
}
