//! Layers that are but a factor and a summand a channel, put into the convolution beside them: the same network with fewer
//! layers, for inference.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use crate::{
    Network, PadMode,
    description::{Convolution, Layer, Padding},
};

/// The same network with its standardisation folded into its first convolution, where that is possible: where what lies
/// between them adds nothing that was not standardised.
pub(crate) fn folded(network: &Network) -> Result<Network> {
    let mut description = network.description().clone();
    let mut parameters = network.parameters().clone();
    let (mean, deviation, conv) = match description.layers.as_slice() {
        [Layer::StandardizeRgb { mean, deviation }, Layer::Conv(conv), ..] => (mean, deviation, conv),
        [
            Layer::StandardizeRgb { mean, deviation },
            Layer::Pad(Padding::Fixed(PadMode::Reflect, _)),
            Layer::Conv(conv),
            ..,
        ] => (mean, deviation, conv),
        _ => return Ok(network.clone()),
    };
    fold_standardisation(conv, mean, deviation, &mut parameters)?;
    description.layers.remove(0);
    Network::new(description, parameters)
}

/// `sum w * (x / 255 - m) / d + b` is `sum w / (255 d) * x + b - sum w * m / d`.
fn fold_standardisation(
    conv: &Convolution,
    mean: &[f64; 3],
    deviation: &[f64; 3],
    parameters: &mut BTreeMap<String, Tensor>,
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
