//! Gradients against finite differences, and against candle's own through the composed operations.

use candle_core::{Result, Tensor, Var};

use super::{assert_close, noise, values};
use crate::{
    Margins, PadMode,
    ops::{self, instance_norm::instance_norm_composed, reshape},
};

/// Checks the gradients of `f` with respect to all `arguments`, for a fixed random weighting of its outputs, in eight
/// random directions each.
fn check(arguments: &[Tensor], step: f64, tolerance: f64, f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let vars: Vec<Var> = arguments.iter().map(|tensor| Var::from_tensor(tensor).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let output = f(&tensors).unwrap();
    let weighting = noise(output.dims(), 99);
    let gradients = (output * &weighting).unwrap().sum_all().unwrap().backward().unwrap();
    // Summed in f64: the differences are small against the sum.
    let objective = |arguments: &[Tensor]| -> f64 {
        let output = values(&f(arguments).unwrap());
        output.iter().zip(values(&weighting)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum()
    };
    for (index, var) in vars.iter().enumerate() {
        let gradient = values(gradients.get(var).expect("every argument is a variable"));
        for seed in 0..8 {
            let direction = noise(var.dims(), 1000 + seed);
            let moved = |distance: f64| {
                let mut moved = arguments.to_vec();
                moved[index] = (&moved[index] + (&direction * distance).unwrap()).unwrap();
                objective(&moved)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            let actual: f64 =
                gradient.iter().zip(values(&direction)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
            let error = (actual - expected).abs() / expected.abs().max(1.0);
            assert!(error <= tolerance, "argument {index}: {actual} instead of {expected}");
        }
    }
}

/// The gradient of `f` at `argument`, for a fixed random weighting of its outputs.
fn gradient(argument: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Tensor {
    let var = Var::from_tensor(argument).unwrap();
    let output = f(&var).unwrap();
    let weighting = noise(output.dims(), 99);
    let gradients = (output * weighting).unwrap().sum_all().unwrap().backward().unwrap();
    gradients.get(&var).unwrap().clone()
}

#[test]
fn conv2d_gradients() {
    for (kernel, stride, [height, width]) in
        [(3, 1, [6, 7]), (3, 2, [8, 9]), (9, 1, [10, 11]), (1, 1, [4, 4])]
    {
        let arguments = [noise(&[2, 9, height, width], 1), noise(&[5, 9, kernel, kernel], 2), noise(&[5], 3)];
        check(&arguments, 0.1, 1e-3, |a| ops::conv2d(&a[0], &a[1], Some(&a[2]), stride));
    }
}

#[test]
fn conv2d_gradients_of_few_outputs_and_of_parts() {
    // Fewer channels out than in; more pixels than one tile of the gradient of weights takes.
    for (from, to, kernel, [height, width]) in
        [(16, 3, 9, [14, 12]), (10, 2, 3, [7, 5]), (3, 5, 9, [60, 70]), (4, 2, 1, [3, 3])]
    {
        let arguments =
            [noise(&[2, from, height, width], 1), noise(&[to, from, kernel, kernel], 2), noise(&[to], 3)];
        check(&arguments, 0.1, 1e-3, |a| ops::conv2d(&a[0], &a[1], Some(&a[2]), 1));
    }
}

#[test]
fn conv_transpose2d_gradients() {
    for (kernel, stride) in [(3, 2), (3, 1), (2, 2)] {
        let arguments = [noise(&[2, 9, 4, 5], 1), noise(&[9, 5, kernel, kernel], 2), noise(&[5], 3)];
        check(&arguments, 0.1, 1e-3, |a| ops::conv_transpose2d(&a[0], &a[1], Some(&a[2]), stride));
    }
}

#[test]
fn instance_norm_gradients() {
    let arguments = [noise(&[2, 3, 5, 7], 1), noise(&[3], 2), noise(&[3], 3)];
    check(&arguments, 3e-3, 2e-3, |a| ops::instance_norm(&a[0], &a[1], &a[2], 1e-5));
    check(&arguments, 3e-3, 2e-3, |a| instance_norm_composed(&a[0], &a[1], &a[2], 1e-5));
}

#[test]
fn batch_norm_gradients() {
    let arguments = [noise(&[3, 4, 5, 3], 1), noise(&[4], 2), noise(&[4], 3)];
    check(&arguments, 3e-3, 2e-3, |a| ops::batch_norm(&a[0], &a[1], &a[2], 1e-5));
}

#[test]
fn padding_gradients() {
    let margins = Margins { top: 2, bottom: 3, left: 1, right: 4 };
    let input = noise(&[2, 3, 5, 6], 1);
    for mode in [PadMode::Reflect, PadMode::Zero] {
        check(std::slice::from_ref(&input), 0.1, 1e-3, |a| ops::pad(&a[0], margins, mode));
        let composed = gradient(&input, |input| reshape::pad_composed(input, margins, mode));
        assert_close(&gradient(&input, |input| ops::pad(input, margins, mode)), &composed, 1e-5);
    }
}

#[test]
fn upsampling_gradients() {
    let input = noise(&[2, 3, 4, 5], 1);
    check(std::slice::from_ref(&input), 0.1, 1e-3, |a| ops::upsample_nearest(&a[0], 2));
    let composed = gradient(&input, |input| reshape::upsample_composed(input, 3));
    assert_close(&gradient(&input, |input| ops::upsample_nearest(input, 3)), &composed, 1e-5);
}

#[test]
fn a_picture_that_is_upsampled_and_used_elsewhere_gets_both_gradients() {
    check(&[noise(&[1, 2, 4, 4], 1)], 0.1, 1e-3, |a| {
        let large = ops::upsample_nearest(&a[0], 2)?;
        ops::max_pool_2x2(&large)? + (&a[0] * 3.0)?
    });
}

#[test]
fn pooling_gives_the_gradient_to_the_first_of_the_largest() {
    let values = [1f32, 5., 2., 2., 0., 3., 2., 2., 9., 9.];
    let input = Tensor::new(&values, &candle_core::Device::Cpu).unwrap().reshape((1, 1, 2, 5)).unwrap();
    let var = Var::from_tensor(&input).unwrap();
    let gradients = ops::max_pool_2x2(&var).unwrap().sum_all().unwrap().backward().unwrap();
    // Rows `1 5 2 2 0` and `3 2 2 9 9`: the 5 wins left, the 9 right; the last column is left out.
    assert_eq!(super::values(gradients.get(&var).unwrap()), [0., 1., 0., 0., 0., 0., 0., 0., 1., 0.]);
    check(&[noise(&[2, 2, 6, 5], 1)], 1e-4, 5e-3, |a| ops::max_pool_2x2(&a[0]));
}

#[test]
fn frozen_weights_get_no_gradient() {
    let input = Var::from_tensor(&noise(&[1, 2, 6, 6], 1)).unwrap();
    let (weight, bias) = (noise(&[2, 2, 3, 3], 2), noise(&[2], 3));
    let output = ops::conv2d(&input, &weight, Some(&bias), 1).unwrap();
    let gradients = ops::instance_norm(&output, &bias, &bias, 1e-5).unwrap().backward().unwrap();
    assert!(gradients.get(&input).is_some());
    assert!(gradients.get(&weight).is_none() && gradients.get(&bias).is_none());
}

#[test]
fn relu_gradients() {
    // Away from the kink at zero.
    let input = (noise(&[3, 40], 1).round().unwrap() + noise(&[3, 40], 2) * 0.1).unwrap();
    check(std::slice::from_ref(&input), 1e-3, 1e-3, |a| ops::relu(&a[0]));
}

#[test]
fn loss_gradients() {
    let features = [noise(&[2, 37, 5, 7], 1), noise(&[2, 37, 5, 7], 2)];
    check(&features[..1], 0.1, 1e-3, |a| ops::gram_matrix(&a[0])?.affine(100.0, 0.0));
    check(&features, 0.1, 1e-3, |a| ops::mean_squared_error(&a[0], &a[1])?.affine(100.0, 0.0));
}
