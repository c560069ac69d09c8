//! Layers that are but a factor and a summand a channel, put into the convolution beside them: the same network with fewer
//! layers, for inference.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use crate::{
    Network, PadMode,
    description::{BatchNorm, Convolution, Layer, Norm, Padding},
    ops,
};

type Parameters = BTreeMap<String, Tensor>;

/// The same network with its standardisation folded into its first convolution, where that is possible (where what lies
/// between them adds nothing that was not standardised), and with each batch norm folded into the convolution before it.
pub(crate) fn folded(network: &Network) -> Result<Network> {
    let mut description = network.description().clone();
    let mut parameters = network.parameters().clone();
    description.layers = without_batch_norms(description.layers, &mut parameters)?;
    let standardised = match description.layers.as_slice() {
        [Layer::StandardizeRgb { mean, deviation }, Layer::Conv(conv), ..] => Some((mean, deviation, conv)),
        [
            Layer::StandardizeRgb { mean, deviation },
            Layer::Pad(Padding::Fixed(PadMode::Reflect, _)),
            Layer::Conv(conv),
            ..,
        ] => Some((mean, deviation, conv)),
        _ => None,
    };
    if let Some((mean, deviation, conv)) = standardised {
        fold_standardisation(conv, mean, deviation, &mut parameters)?;
        description.layers.remove(0);
    }
    Network::new(description, parameters)
}

/// The layers without those batch norms that follow a convolution.
fn without_batch_norms(layers: Vec<Layer>, parameters: &mut Parameters) -> Result<Vec<Layer>> {
    let mut folded: Vec<Layer> = Vec::with_capacity(layers.len());
    for layer in layers {
        match (layer, folded.last_mut()) {
            (Layer::BatchNorm(norm), Some(Layer::Conv(conv))) => fold_norm(conv, 0, &norm, parameters)?,
            (Layer::BatchNorm(norm), Some(Layer::ConvTranspose(conv))) => {
                fold_norm(conv, 1, &norm, parameters)?;
            }
            (Layer::Residual(layers), _) => {
                folded.push(Layer::Residual(without_batch_norms(layers, parameters)?));
            }
            (other, _) => folded.push(other),
        }
    }
    Ok(folded)
}

/// `(sum w * x + b) * f + s` is `sum (w f) * x + (b f + s)`; `axis` is that of the weights' output channels. What is added
/// takes the name of the norm's summands.
fn fold_norm(
    conv: &mut Convolution,
    axis: usize,
    BatchNorm { norm: Norm { scale, shift, eps, .. }, mean, variance }: &BatchNorm,
    parameters: &mut Parameters,
) -> Result<()> {
    let of = |name: &String| {
        parameters.get(name).ok_or_else(|| candle_core::Error::Msg(format!("{name} is missing")))
    };
    let (factor, mut summand) = ops::norm_factors(of(scale)?, of(shift)?, (of(mean)?, of(variance)?), *eps)?;
    if let Some(bias) = &conv.bias {
        summand = (summand + (of(bias)? * &factor)?)?;
    }
    let mut by_channel = [1; 4];
    by_channel[axis] = factor.dim(0)?;
    let weight = of(&conv.weight)?.broadcast_mul(&factor.reshape(&by_channel)?)?;
    parameters.insert(conv.weight.clone(), weight);
    parameters.insert(shift.clone(), summand);
    conv.bias = Some(shift.clone());
    Ok(())
}

/// `sum w * (x / 255 - m) / d + b` is `sum w / (255 d) * x + b - sum w * m / d`.
fn fold_standardisation(
    conv: &Convolution,
    mean: &[f64; 3],
    deviation: &[f64; 3],
    parameters: &mut Parameters,
) -> Result<()> {
    let Some(bias) = &conv.bias else {
        candle_core::bail!("{} has no bias to take up what is subtracted", conv.weight)
    };
    let (Some(weight), Some(summand)) = (parameters.get(&conv.weight), parameters.get(bias)) else {
        candle_core::bail!("{} or {bias} is missing", conv.weight)
    };
    let by_channel = |value: &dyn Fn(usize) -> f64| {
        let values: Vec<f32> = (0..3).map(|channel| value(channel) as f32).collect();
        Tensor::from_vec(values, (1, 3, 1, 1), weight.device())
    };
    let subtracted = weight.broadcast_mul(&by_channel(&|c| mean[c] / deviation[c])?)?.sum((1, 2, 3))?;
    let summand = (summand - subtracted)?;
    let weight = weight.broadcast_mul(&by_channel(&|c| 1.0 / (255.0 * deviation[c]))?)?;
    parameters.insert(conv.weight.clone(), weight);
    parameters.insert(bias.clone(), summand);
    Ok(())
}
