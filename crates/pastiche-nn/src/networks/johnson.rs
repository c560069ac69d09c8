//! The style network of Johnson et al. 2016, section 3.1 and table 1 of its supplementary material, as it is printed there:
//! batch norm, transposed convolutions, a scaled tanh.
//!
//! The picture is mirrored by 40 pixels at the start, and the convolutions of the residual blocks, which are not padded,
//! take them away again; a block adds the middle of its input (Gross and Wilber 2016, without the last ReLU). All other
//! convolutions are padded with zeros so that their sizes are those of the table.

use super::layers::{Channels, convolution, width_of_first_layer};
use crate::{
    Margins, NetworkDescription, PadMode, WeightsError,
    description::{BatchNorm, Layer, Norm, Output, Padding},
    weights::WeightsFile,
};

const RESIDUAL_BLOCKS: usize = 5;
/// What the residual blocks take away at each edge: two pixels a block, at a quarter of the size.
const MARGIN: usize = 4 * 2 * RESIDUAL_BLOCKS;
/// Wider networks than this would be a mistake in a file, not a style.
const MAX_WIDTH: usize = 512;

/// The network with `width`, 2 `width` and 4 `width` channels; 32 is the published size. Pictures must have more than 40
/// pixels on either side.
pub fn johnson(width: usize) -> NetworkDescription {
    let mut layers = vec![Layer::Pad(Padding::Fixed(PadMode::Reflect, Margins::uniform(MARGIN)))];
    for (index, channels, kernel, stride) in [
        (1, Channels(3, width), 9, 1),
        (2, Channels(width, 2 * width), 3, 2),
        (3, Channels(2 * width, 4 * width), 3, 2),
    ] {
        layers.push(Layer::Pad(Padding::Same { kernel, stride }));
        layers.push(Layer::Conv(convolution(format!("conv{index}.weight"), None, channels, kernel, stride)));
        layers.extend([norm(format!("bn{index}"), channels.1), Layer::Relu]);
    }
    layers.extend((1..=RESIDUAL_BLOCKS).map(|block| residual(&format!("res{block}"), 4 * width)));
    for (index, channels) in [(1, Channels(4 * width, 2 * width)), (2, Channels(2 * width, width))] {
        layers.push(Layer::ConvTranspose(convolution(format!("deconv{index}.weight"), None, channels, 3, 2)));
        layers.extend([norm(format!("bn{}", 3 + index), channels.1), Layer::Relu]);
    }
    let (weight, bias) = ("conv_out.weight".to_owned(), Some("conv_out.bias".to_owned()));
    layers.push(Layer::Pad(Padding::Same { kernel: 9, stride: 1 }));
    layers.push(Layer::Conv(convolution(weight, bias, Channels(width, 3), 9, 1)));
    layers.push(Layer::ScaledTanh { gain: 127.5, offset: 127.5 });
    NetworkDescription {
        architecture: "johnson".to_owned(),
        layers,
        sizes: vec![("width", width)],
        side_multiple: 4,
        output: Output::Painting,
    }
}

/// The network of the width that a file's first layer has.
pub(super) fn of_file(file: &WeightsFile) -> Result<NetworkDescription, WeightsError> {
    width_of_first_layer(file, "conv1.weight", MAX_WIDTH).map(johnson)
}

fn norm(name: String, channels: usize) -> Layer {
    let (scale, shift) = (format!("{name}.weight"), format!("{name}.bias"));
    let (mean, variance) = (format!("{name}.running_mean"), format!("{name}.running_var"));
    Layer::BatchNorm(BatchNorm { norm: Norm { scale, shift, channels, eps: 1e-5 }, mean, variance })
}

fn residual(name: &str, channels: usize) -> Layer {
    let conv = |index: usize| {
        let weight = format!("{name}.conv{index}.weight");
        Layer::Conv(convolution(weight, None, Channels(channels, channels), 3, 1))
    };
    let norm = |index: usize| norm(format!("{name}.bn{index}"), channels);
    Layer::Residual(vec![conv(1), norm(1), Layer::Relu, conv(2), norm(2)])
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::Network;

    #[test]
    fn what_is_mirrored_at_the_start_is_gone_in_the_end() {
        let network = Network::random(johnson(2), 0, &Device::Cpu).unwrap();
        for (height, width) in [(44, 64), (256, 48)] {
            let picture =
                Tensor::zeros((1, 3, height, width), candle_core::DType::F32, &Device::Cpu).unwrap();
            assert_eq!(network.forward(&picture).unwrap().dims(), [1, 3, height, width]);
        }
        assert_eq!((johnson(2).least_side(), crate::networks::transformer_net(2).least_side()), (44, 8));
        let count = |width: usize| -> usize {
            let description = johnson(width);
            let trained = |name: &str| !name.contains(".running_");
            let parameters = description.parameters().into_iter().filter(|(name, _)| trained(name));
            parameters.map(|(_, spec)| spec.shape.iter().product::<usize>()).sum()
        };
        // Convolutions, two numbers a channel of each norm, and the bias of the last convolution.
        let convolutions = 2 * 3 * 32 * 81 + 2 * (32 * 64 + 64 * 128) * 9 + 10 * 128 * 128 * 9;
        assert_eq!(count(32), convolutions + 2 * (2 * 32 + 2 * 64 + 128 + 10 * 128) + 3);
    }
}
