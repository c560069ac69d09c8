//! Features and data gradients beside those of the network that was frozen.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use super::FrozenNetwork;
use crate::{
    Features, Level, Network, NetworkDescription, Output, PadMode,
    description::{Convolution, Layer, Padding},
    kernels::pad::Margins,
    networks::{self, LossNetInput, VggNaming},
    ops::tests::{assert_close, noise, values},
};

/// A small network of the kind, with channels that fill no vector: two convolutions, pooling, two, pooling, one.
pub(super) fn small(input: Option<Layer>, mode: PadMode) -> Network {
    let mut layers: Vec<Layer> = input.into_iter().collect();
    for (index, (from, to)) in [(3, 5), (5, 18), (18, 11), (11, 24), (24, 9)].into_iter().enumerate() {
        if index == 2 || index == 4 {
            layers.push(Layer::MaxPool);
        }
        layers.extend([
            Layer::Pad(Padding::Fixed(mode, Margins::uniform(1))),
            Layer::Conv(Convolution {
                weight: format!("{index}.weight"),
                bias: Some(format!("{index}.bias")),
                in_channels: from,
                out_channels: to,
                kernel: 3,
                stride: 1,
            }),
            Layer::Relu,
            Layer::Tap(index.to_string()),
        ]);
    }
    let description = NetworkDescription {
        architecture: "small".to_owned(),
        layers,
        sizes: Vec::new(),
        side_multiple: 1,
        output: Output::Painting,
    };
    let network = Network::random(description.clone(), 5, &Device::Cpu).unwrap();
    // Biases start as zeros; here they shall count.
    let parameters: BTreeMap<String, Tensor> = network.parameters().clone();
    let parameters = parameters.into_iter().map(|(name, tensor)| {
        let tensor = if name.ends_with("bias") { noise(tensor.dims(), 8) } else { tensor };
        (name, tensor)
    });
    Network::new(description, parameters.collect()).unwrap()
}

pub(super) fn pictures(batch: usize, height: usize, width: usize) -> Tensor {
    ((noise(&[batch, 3, height, width], 1) + 1.0).unwrap() * 127.5).unwrap()
}

/// The gradient of the pictures for a fixed random weighting of the named features, each brought to the same scale.
pub(super) fn gradient(pictures: &Tensor, taps: &[&str], features: impl Fn(&Tensor) -> Features) -> Tensor {
    let var = Var::from_tensor(pictures).unwrap();
    let features = features(&var);
    let mut sum = Tensor::new(0f32, pictures.device()).unwrap();
    for (seed, tap) in taps.iter().enumerate() {
        let feature = &features[*tap];
        let weighting = noise(feature.dims(), 20 + seed as u32).to_device(feature.device()).unwrap();
        let weighted = (feature * weighting).unwrap();
        sum = (sum + weighted.sum_all().unwrap()).unwrap();
    }
    sum.backward().unwrap().get(&var).unwrap().clone()
}

fn largest(tensor: &Tensor) -> f32 {
    values(tensor).into_iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

#[track_caller]
pub(super) fn assert_alike(actual: &Tensor, expected: &Tensor) {
    assert_close(actual, expected, 1e-4 * largest(expected).max(1e-3));
}

fn compare(network: &Network, pictures: &Tensor, taps: &[&str]) {
    for level in Level::available().into_iter().chain([Level::Wide]) {
        println!("level {level}");
        let frozen = FrozenNetwork::with_level(network, level).unwrap();
        let features = frozen.features(pictures, taps).unwrap();
        let expected = network.features(pictures).unwrap();
        assert_eq!(features.len(), taps.len());
        for tap in taps {
            assert_alike(&features[*tap], &expected[*tap]);
        }
        let actual = gradient(pictures, taps, |pictures| frozen.features(pictures, taps).unwrap());
        let expected = gradient(pictures, taps, |pictures| network.features(pictures).unwrap());
        assert_alike(&actual, &expected);
    }
}

#[test]
fn features_and_their_gradient_are_those_of_the_network() {
    let caffe = || Layer::BgrMinusMean([103.939, 116.779, 123.68]);
    let torchvision =
        || Layer::StandardizeRgb { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
    for (input, mode) in [
        (None, PadMode::Reflect),
        (Some(caffe()), PadMode::Reflect),
        (Some(torchvision()), PadMode::Reflect),
        (Some(caffe()), PadMode::Zero),
    ] {
        let network = small(input, mode);
        for (batch, height, width) in [(2, 24, 32), (1, 19, 27), (3, 8, 9)] {
            let pictures = pictures(batch, height, width);
            compare(&network, &pictures, &["0", "1", "2", "3", "4"]);
            // Pooling at the beginning of a segment and within one; taps in any order.
            compare(&network, &pictures, &["3", "1"]);
            compare(&network, &pictures, &["4"]);
        }
    }
}

#[cfg(feature = "cuda")]
#[test]
fn on_a_card_they_are_those_of_the_processor() {
    use crate::ops::tests::card::{card, relative_difference};

    let Some(card) = card() else { return };
    for mode in [PadMode::Reflect, PadMode::Zero] {
        let network = small(Some(Layer::BgrMinusMean([103.939, 116.779, 123.68])), mode);
        let on_card = FrozenNetwork::new(&network.to_device(&card).unwrap()).unwrap();
        let (pictures, taps) = (pictures(2, 38, 27), ["1", "4"]);
        let there = pictures.to_device(&card).unwrap();
        let features = on_card.features(&there, &taps).unwrap();
        let expected = network.features(&pictures).unwrap();
        for tap in taps {
            let difference = relative_difference(&features[tap], &expected[tap]);
            assert!(difference <= 1e-2, "{tap}: {difference}");
        }
        let actual = gradient(&there, &taps, |pictures| on_card.features(pictures, &taps).unwrap());
        let expected = gradient(&pictures, &taps, |pictures| network.features(pictures).unwrap());
        let difference = relative_difference(&actual, &expected);
        assert!(difference <= 1e-2, "gradient: {difference}");
    }
}

#[test]
fn vgg_is_such_a_network() {
    let description =
        networks::vgg19("relu2_1", VggNaming::Blocks, LossNetInput::Caffe, PadMode::Reflect).unwrap();
    let network = Network::random(description, 1, &Device::Cpu).unwrap();
    compare(&network, &pictures(1, 21, 18), &["relu1_2", "relu2_1"]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let network = small(None, PadMode::Reflect);
    let pictures = pictures(2, 45, 38);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let frozen = FrozenNetwork::new(&network).unwrap();
            let taps = ["1", "4"];
            values(&gradient(&pictures, &taps, |pictures| frozen.features(pictures, &taps).unwrap()))
        })
    };
    let expected = run(1);
    assert_eq!(run(2), expected);
    assert_eq!(run(3), expected);
}

#[test]
fn a_backward_pass_can_be_made_twice() {
    let frozen = FrozenNetwork::new(&small(None, PadMode::Reflect)).unwrap();
    let var = Var::from_tensor(&pictures(1, 16, 16)).unwrap();
    let sum = frozen.features(&var, &["3"]).unwrap()["3"].sum_all().unwrap();
    let once = |sum: &Tensor| values(sum.backward().unwrap().get(&var).unwrap());
    assert_eq!(once(&sum), once(&sum));
}

#[test]
fn what_does_not_fit_is_an_error_not_a_panic() {
    let network = small(None, PadMode::Reflect);
    let frozen = FrozenNetwork::new(&network).unwrap();
    let error = |result: candle_core::Result<Features>| result.unwrap_err().to_string();
    assert!(error(frozen.features(&pictures(1, 16, 16), &["9"])).contains("no tap 9"));
    assert!(error(frozen.features(&pictures(1, 7, 16), &["4"])).contains("too few"));
    assert!(frozen.features(&noise(&[1, 4, 16, 16], 1), &["4"]).is_err());
    assert!(frozen.features(&noise(&[3, 16, 16], 1), &["4"]).is_err());
    let doubles = pictures(1, 16, 16).to_dtype(candle_core::DType::F64).unwrap();
    assert!(frozen.features(&doubles, &["4"]).is_err());
    let style = Network::random(networks::transformer_net(8), 0, &Device::Cpu).unwrap();
    assert!(FrozenNetwork::new(&style).unwrap_err().to_string().contains("frozen network"));
}
