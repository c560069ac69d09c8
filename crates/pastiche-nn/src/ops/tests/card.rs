//! On a card, where there is one: every operation and its gradients beside those of the processor.

use std::io::{Write, stderr};

use candle_core::{Device, Result, Tensor, Var};

use super::{noise, values};
use crate::{DeviceChoice, Margins, PadMode, ops};

/// Cards may round factors to 10 binary digits.
const TOLERANCE: f32 = 1e-2;

/// The first card. Whoever builds for cards has one, unless `PASTICHE_NO_CARD` is set: then this says visibly that the test
/// skips, and gives nothing.
pub(crate) fn card() -> Option<Device> {
    match DeviceChoice::Cuda(0).open() {
        Ok(opened) => {
            opened.prepare_training(false).unwrap();
            Some(opened.device().clone())
        }
        Err(error) => {
            assert!(std::env::var_os("PASTICHE_NO_CARD").is_some(), "no card can be used: {error}");
            // Not `eprintln!`, which is kept back where the test passes.
            let _ = writeln!(stderr(), "SKIPPED: {error}");
            None
        }
    }
}

/// The output, and the gradients of all arguments for a fixed random weighting of it.
fn run(arguments: &[Tensor], device: &Device, f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Vec<Tensor> {
    let on_device = |tensor: &Tensor| Var::from_tensor(&tensor.to_device(device).unwrap()).unwrap();
    let vars: Vec<Var> = arguments.iter().map(on_device).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let output = f(&tensors).unwrap();
    let weighting = noise(output.dims(), 99).to_device(device).unwrap();
    let gradients = (&output * weighting).unwrap().sum_all().unwrap().backward().unwrap();
    let gradients = vars.iter().map(|var| gradients.get(var).unwrap().clone());
    std::iter::once(output).chain(gradients).collect()
}

/// Largest difference, as a part of the largest expected value.
pub(crate) fn relative_difference(actual: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(actual.dims(), expected.dims());
    let (actual, expected) = (values(actual), values(expected));
    let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let differences = actual.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most: f32, d| if d.is_nan() { f32::INFINITY } else { most.max(d) }) / largest
}

fn check(name: &str, arguments: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let Some(card) = card() else { return };
    let (actual, expected) = (run(arguments, &card, &f), run(arguments, &Device::Cpu, &f));
    for (index, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        let difference = relative_difference(actual, expected);
        let what = if index == 0 { "output".to_owned() } else { format!("gradient {index}") };
        println!("{name}, {what}: {difference:.1e}");
        assert!(difference <= TOLERANCE, "{name}, {what}: {difference}");
    }
}

#[test]
fn convolutions_are_those_of_the_processor() {
    for (kernel, stride, from, to) in
        [(3, 1, 16, 24), (3, 2, 8, 16), (9, 1, 3, 16), (9, 1, 16, 3), (1, 1, 5, 7)]
    {
        let arguments =
            [noise(&[2, from, 21, 18], 1), noise(&[to, from, kernel, kernel], 2), noise(&[to], 3)];
        check("conv2d", &arguments, |a| ops::conv2d(&a[0], &a[1], Some(&a[2]), stride));
    }
    let arguments = [noise(&[2, 8, 21, 18], 1), noise(&[12, 8, 3, 3], 2), noise(&[12], 3)];
    let margins = Margins { top: 1, bottom: 2, left: 3, right: 1 };
    for mode in [PadMode::Reflect, PadMode::Zero] {
        check("conv2d_padded", &arguments, |a| {
            ops::conv2d_padded(&a[0], &a[1], Some(&a[2]), 2, margins, mode)
        });
    }
    for (kernel, stride) in [(3, 2), (2, 2), (3, 1)] {
        let arguments = [noise(&[2, 8, 9, 7], 1), noise(&[8, 6, kernel, kernel], 2), noise(&[6], 3)];
        check("conv_transpose2d", &arguments, |a| ops::conv_transpose2d(&a[0], &a[1], Some(&a[2]), stride));
    }
}

#[test]
fn norms_pads_pools_and_enlargements_are_those_of_the_processor() {
    let picture = || noise(&[2, 5, 33, 47], 1);
    let norm = [picture(), noise(&[5], 2), noise(&[5], 3)];
    check("instance_norm", &norm, |a| ops::instance_norm(&a[0], &a[1], &a[2], 1e-5));
    check("instance_norm_relu", &norm, |a| ops::instance_norm_relu(&a[0], &a[1], &a[2], 1e-5));
    let margins = Margins { top: 4, bottom: 1, left: 0, right: 7 };
    for mode in [PadMode::Reflect, PadMode::Zero] {
        check("pad", &[picture()], |a| ops::pad(&a[0], margins, mode));
    }
    check("upsample_nearest", &[picture()], |a| ops::upsample_nearest(&a[0], 2));
    check("max_pool_2x2", &[picture()], |a| ops::max_pool_2x2(&a[0]));
    check("relu", &[picture()], |a| ops::relu(&a[0]));
}

#[test]
fn losses_are_those_of_the_processor() {
    let features = [noise(&[2, 37, 25, 31], 1), noise(&[2, 37, 25, 31], 2)];
    check("gram_matrix", &features[..1], |a| ops::gram_matrix(&a[0]));
    check("mean_squared_error", &features, |a| ops::mean_squared_error(&a[0], &a[1]));
    check("total_variation", &features[..1], |a| ops::total_variation(&a[0]));
}
