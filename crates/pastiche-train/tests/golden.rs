//! The losses and their gradients beside the values that PyTorch gave.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use candle_core::{Device, Tensor, Var};
use pastiche_train::{
    LossWeights,
    loss_net::LossNetFile,
    losses::{feature_reconstruction, gram_matrix, style_reconstruction, total_variation},
};
use support::shared;

const TOLERANCE: f32 = 1e-3;
const STYLE_LAYERS: [&str; 4] = ["relu1_2", "relu2_2", "relu3_3", "relu4_1"];

/// Largest difference, as a part of the largest expected value.
fn check(name: &str, actual: &Tensor, expected: &Tensor) {
    let largest = |tensor: &Tensor| {
        tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap()
    };
    let difference = largest(&(actual - expected).unwrap()) / largest(expected);
    println!("{name}: {difference:.1e}");
    assert!(difference <= TOLERANCE, "{name}: {difference}");
}

#[test]
fn losses_and_gradients_match_the_reference() {
    let (Some(vgg), Some(golden)) = (
        shared("assets/loss_nets/vgg19_normalised.safetensors"),
        shared("reference/golden/perceptual_loss.safetensors"),
    ) else {
        return;
    };
    let golden = candle_core::safetensors::load(golden, &Device::Cpu).unwrap();
    // What the network takes comes from its file's metadata.
    let network = LossNetFile::open(&vgg, None).unwrap();
    let network = network.network(&LossWeights::default(), &Device::Cpu).unwrap();
    let features = |picture: &Tensor| network.features(picture, &STYLE_LAYERS).unwrap();
    let output = Var::from_tensor(&golden["output"]).unwrap();
    let (of_output, of_content) = (features(&output), features(&golden["content"]));
    let of_painting = features(&golden["style"]);
    let style = STYLE_LAYERS.map(|layer| {
        let painting = gram_matrix(&of_painting[layer]).unwrap();
        check(layer, &painting, &golden[&format!("style.gram.{layer}")]);
        style_reconstruction(&gram_matrix(&of_output[layer]).unwrap(), &painting).unwrap()
    });
    let style = style.into_iter().reduce(|a, b| (a + b).unwrap()).unwrap();
    let content = feature_reconstruction(&of_output["relu2_2"], &of_content["relu2_2"]).unwrap();
    let smoothness = total_variation(&output).unwrap();
    for (name, loss) in [("content_loss", content), ("style_loss", style), ("tv_loss", smoothness)] {
        check(name, &loss.reshape(1).unwrap(), &golden[name]);
        let gradients = loss.backward().unwrap();
        let gradient = gradients.get(&output).unwrap();
        check(&format!("{name}.grad"), gradient, &golden[&format!("{name}.grad")]);
    }
}
