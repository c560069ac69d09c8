//! The loss networks beside the golden values: VGG-16 by torchvision's names, inputs, cut-offs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use pastiche_nn::{
    Layer, Network, NetworkDescription, Output, PadMode, WeightsError, WeightsFile,
    networks::{LossNetInput, VggNaming, vgg16, vgg19},
};
use support::{max_difference, shared};

#[test]
fn vgg16_is_read_by_torchvision_s_names() {
    let Some(path) = shared("assets/loss_nets/vgg16_conv1_1-conv2_2.safetensors") else { return };
    let file = WeightsFile::open(&path).unwrap();
    let describe = |last| vgg16(last, VggNaming::Features, LossNetInput::Caffe, PadMode::Zero).unwrap();
    let network = file.network(describe("relu2_2"), &Device::Cpu).unwrap();
    let picture = Tensor::full(128f32, (1, 3, 32, 48), &Device::Cpu).unwrap();
    let features = network.features(&picture).unwrap();
    assert_eq!(features.keys().collect::<Vec<_>>(), ["relu1_1", "relu1_2", "relu2_1", "relu2_2"]);
    assert_eq!(features["relu2_2"].dims(), [1, 128, 16, 24]);
    // Cut shorter, the file holds more than is needed; cut later, less.
    assert!(file.network_within(describe("relu1_2"), &Device::Cpu).is_ok());
    let missing = file.network_within(describe("relu3_3"), &Device::Cpu);
    assert!(matches!(missing, Err(WeightsError::MissingTensor { name }) if name.starts_with("features.10.")));
}

#[test]
fn activations_that_no_network_has_are_nothing() {
    for last in ["", "relu1_3", "relu6_1", "conv1_1"] {
        assert!(vgg19(last, VggNaming::Blocks, LossNetInput::Torchvision, PadMode::Zero).is_none(), "{last}");
    }
}

#[test]
fn torchvision_s_input_has_mean_0_and_deviation_1() {
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let layers = vec![Layer::StandardizeRgb { mean, deviation }];
    let description = NetworkDescription {
        architecture: "input".to_owned(),
        layers,
        sizes: Vec::new(),
        side_multiple: 1,
        output: Output::Painting,
    };
    let network = Network::new(description, BTreeMap::new()).unwrap();
    let pixel = |values: [f64; 3]| {
        let values: Vec<f32> = values.into_iter().map(|value| (value * 255.0) as f32).collect();
        Tensor::from_vec(values, (1, 3, 1, 1), &Device::Cpu).unwrap()
    };
    let brighter = std::array::from_fn(|channel| mean[channel] + deviation[channel]);
    for (input, expected) in [(mean, 0f32), (brighter, 1f32)] {
        let output = network.forward(&pixel(input)).unwrap();
        let expected = Tensor::full(expected, (1, 3, 1, 1), &Device::Cpu).unwrap();
        assert!(max_difference(&output, &expected) < 1e-5);
    }
}
