//! Whole style networks against the values that an independent PyTorch implementation gave.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use candle_core::{Device, Tensor};
use pastiche_nn::{CompiledNetwork, Level, Network, Plan, WeightsFile};
use support::{golden, max_difference, relative_difference, shared};

/// On the 0-255 scale.
const TOLERANCE: f64 = 1e-2;

fn network(file: &str) -> Option<Network> {
    let path = shared(&format!("assets/style_nets/{file}.safetensors"))?;
    Some(WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap())
}

fn check(file: &str, input: &str, expected: &str, finish: impl Fn(Tensor) -> Tensor) {
    let (Some(network), Some(golden)) = (network(file), golden("style_nets.safetensors")) else { return };
    let output = finish(network.forward(&golden[input]).unwrap());
    let difference = max_difference(&output, &golden[expected]);
    println!("{file} on {input}: max |diff| {difference:.1e}");
    assert!(difference <= TOLERANCE, "{file}: {difference}");
    let (_, _, height, width) = golden[input].dims4().unwrap();
    if height % 4 != 0 || width % 4 != 0 {
        // At other sizes plans keep the picture's size, which the reference does not.
        return;
    }
    for level in Level::available() {
        let compiled = CompiledNetwork::new(Plan::new(&network, level).unwrap());
        let output = finish(compiled.forward(&golden[input]).unwrap());
        let difference = max_difference(&output, &golden[expected]);
        println!("{file} on {input}, compiled for {level}: max |diff| {difference:.1e}");
        assert!(difference <= TOLERANCE, "{file}, {level}: {difference}");
    }
}

#[test]
fn transformer_nets_match_at_even_and_odd_sizes() {
    for name in ["starrynight", "pointillism"] {
        for size in ["even", "odd"] {
            let (input, expected) = (format!("{size}.input"), format!("{size}.{name}"));
            check(&format!("{name}.transformer_net"), &input, &expected, |output| output);
        }
    }
}

#[test]
fn lengstrom_net_matches() {
    // The reference clamps to the range of pictures.
    check("wave.lengstrom", "even.input", "even.wave", |output| output.clamp(0f32, 255f32).unwrap());
}

#[test]
fn the_comparison_sees_a_single_nan() {
    let mut values = vec![1f32; 12];
    let sound = Tensor::new(values.as_slice(), &Device::Cpu).unwrap();
    assert_eq!(max_difference(&sound, &sound), 0.0);
    values[7] = f32::NAN;
    let spoilt = Tensor::new(values.as_slice(), &Device::Cpu).unwrap();
    assert_eq!(max_difference(&spoilt, &sound), f64::INFINITY);
    assert_eq!(relative_difference(&spoilt, &sound), f64::INFINITY);
}

#[test]
fn another_style_s_weights_do_not_match() {
    let (Some(network), Some(golden)) =
        (network("pointillism.transformer_net"), golden("style_nets.safetensors"))
    else {
        return;
    };
    let output = network.forward(&golden["even.input"]).unwrap();
    assert!(max_difference(&output, &golden["even.starrynight"]) > 100.0 * TOLERANCE);
}
