//! Forward values, shapes, errors, and independence of layout and threads.

use candle_core::{Device, Tensor};
use proptest::prelude::*;

use super::{assert_close, max_difference, noise, scalar, values};
use crate::{
    Margins, PadMode,
    ops::{self, instance_norm::instance_norm_composed, reshape},
};

const TOLERANCE: f32 = 1e-4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn conv2d_is_its_definition(
        batch in 1usize..3, in_channels in 1usize..20, out_channels in 1usize..20,
        kernel in prop::sample::select(vec![1usize, 3, 9]), stride in 1usize..3,
        height in 9usize..30, width in 9usize..30,
    ) {
        let input = noise(&[batch, in_channels, height, width], 1);
        let weight = noise(&[out_channels, in_channels, kernel, kernel], 2);
        let bias = noise(&[out_channels], 3);
        let output = ops::conv2d(&input, &weight, Some(&bias), stride).unwrap();
        assert_close(&output, &scalar::conv2d(&input, &weight, &bias, stride), TOLERANCE * 10.0);
    }

    #[test]
    fn conv_transpose2d_is_its_definition(
        batch in 1usize..3, in_channels in 1usize..20, out_channels in 1usize..20,
        kernel in 1usize..4, stride in 1usize..3, height in 1usize..12, width in 1usize..12,
    ) {
        let input = noise(&[batch, in_channels, height, width], 1);
        let weight = noise(&[in_channels, out_channels, kernel, kernel], 2);
        let bias = noise(&[out_channels], 3);
        let output = ops::conv_transpose2d(&input, &weight, Some(&bias), stride).unwrap();
        assert_close(&output, &scalar::conv_transpose2d(&input, &weight, &bias, stride), TOLERANCE);
    }

    #[test]
    fn instance_norm_is_its_definition(
        batch in 1usize..3, channels in 1usize..5, height in 1usize..40, width in 1usize..40,
        eps in prop::sample::select(vec![1e-5, 1e-3]),
    ) {
        let input = ((noise(&[batch, channels, height, width], 1) * 20.0).unwrap() + 100.0).unwrap();
        let (scale, shift) = (noise(&[channels], 2), noise(&[channels], 3));
        let expected = scalar::instance_norm(&input, &scale, &shift, eps);
        assert_close(&ops::instance_norm(&input, &scale, &shift, eps).unwrap(), &expected, 1e-3);
        assert_close(&instance_norm_composed(&input, &scale, &shift, eps).unwrap(), &expected, 1e-3);
    }

    #[test]
    fn batch_norm_is_its_definition(
        batch in 1usize..4, channels in 1usize..5, height in 1usize..20, width in 1usize..20,
        eps in prop::sample::select(vec![1e-5, 1e-3]),
    ) {
        let input = ((noise(&[batch, channels, height, width], 1) * 20.0).unwrap() + 100.0).unwrap();
        let (scale, shift) = (noise(&[channels], 2), noise(&[channels], 3));
        let expected = scalar::batch_norm(&input, &scale, &shift, eps);
        assert_close(&ops::batch_norm(&input, &scale, &shift, eps).unwrap(), &expected, 1e-3);
        let (mean, variance) = ops::batch_moments(&input).unwrap();
        let (means, variances) = scalar::batch_moments(&input);
        for (found, expected) in [(&mean, means), (&variance, variances)] {
            for (found, expected) in values(found).into_iter().zip(expected) {
                prop_assert!((f64::from(found) - expected).abs() < 2e-3, "{} {}", found, expected);
            }
        }
        // By the moments of the batch a norm by given moments is the same.
        let (factor, summand) = ops::norm_factors(&scale, &shift, (&mean, &variance), eps).unwrap();
        let by_channel = (1, channels, 1, 1);
        let given = input.broadcast_mul(&factor.reshape(by_channel).unwrap()).unwrap();
        let given = given.broadcast_add(&summand.reshape(by_channel).unwrap()).unwrap();
        assert_close(&given, &expected, 1e-2);
    }

    #[test]
    fn padding_is_its_definition(
        height in 5usize..12, width in 5usize..12, top in 0usize..5, bottom in 0usize..5,
        left in 0usize..5, right in 0usize..5, reflect: bool,
    ) {
        let input = noise(&[2, 3, height, width], 1);
        let mode = if reflect { PadMode::Reflect } else { PadMode::Zero };
        let margins = Margins { top, bottom, left, right };
        let expected = scalar::pad(&input, margins, mode);
        assert_close(&ops::pad(&input, margins, mode).unwrap(), &expected, 0.0);
        assert_close(&reshape::pad_composed(&input, margins, mode).unwrap(), &expected, 0.0);
    }

    #[test]
    fn upsampling_and_pooling_are_their_definitions(
        height in 2usize..12, width in 2usize..12, factor in 1usize..4,
    ) {
        let input = noise(&[2, 3, height, width], 1);
        let expected = scalar::upsample_nearest(&input, factor);
        assert_close(&ops::upsample_nearest(&input, factor).unwrap(), &expected, 0.0);
        assert_close(&reshape::upsample_composed(&input, factor).unwrap(), &expected, 0.0);
        assert_close(&ops::max_pool_2x2(&input).unwrap(), &scalar::max_pool_2x2(&input), 0.0);
    }
}

#[test]
fn a_wide_convolution_is_right_across_its_tiles() {
    // Wide enough for several tiles of rows, the last one shorter.
    let (input, weight) = (noise(&[1, 40, 21, 150], 1), noise(&[5, 40, 3, 3], 2));
    let bias = noise(&[5], 3);
    let expected = scalar::conv2d(&input, &weight, &bias, 1);
    assert_close(&ops::conv2d(&input, &weight, Some(&bias), 1).unwrap(), &expected, 1e-3);
}

#[test]
fn the_comparison_sees_a_broken_kernel() {
    let (input, weight) = (noise(&[1, 2, 9, 9], 1), noise(&[2, 2, 3, 3], 2));
    let bias = noise(&[2], 3);
    let turned = weight.transpose(2, 3).unwrap().contiguous().unwrap();
    let output = ops::conv2d(&input, &turned, Some(&bias), 1).unwrap();
    assert!(max_difference(&output, &scalar::conv2d(&input, &weight, &bias, 1)) > 0.1);
}

#[test]
fn arguments_in_any_layout_give_the_same() {
    let input = noise(&[1, 12, 10, 3], 1);
    let turned = input.permute((0, 3, 2, 1)).unwrap();
    let dense = turned.contiguous().unwrap();
    let weight = noise(&[4, 3, 3, 3], 2);
    let convolved = ops::conv2d(&turned, &weight, None, 1).unwrap();
    assert_close(&convolved, &ops::conv2d(&dense, &weight, None, 1).unwrap(), 0.0);
    let padded = ops::reflection_pad(&turned, 2).unwrap();
    assert_close(&padded, &ops::reflection_pad(&dense, 2).unwrap(), 0.0);
    let part = noise(&[3, 3, 10, 12], 4).narrow(0, 1, 1).unwrap();
    assert_eq!(values(&ops::upsample_nearest(&part, 2).unwrap()).len(), 3 * 20 * 24);
}

#[test]
fn a_constant_picture_is_normalised_to_its_shift() {
    let input = Tensor::full(200f32, (1, 1, 8, 8), &Device::Cpu).unwrap();
    let (scale, shift) = (noise(&[1], 1), noise(&[1], 2));
    let output = ops::instance_norm(&input, &scale, &shift, 1e-5).unwrap();
    assert_close(&output, &shift.reshape((1, 1, 1, 1)).unwrap().broadcast_as((1, 1, 8, 8)).unwrap(), 0.0);
}

#[test]
fn what_does_not_fit_is_an_error_not_a_panic() {
    let (picture, bias) = (noise(&[1, 3, 4, 5], 1), noise(&[2], 1));
    let weight = |shape: [usize; 4]| noise(&shape, 2);
    let errors = [
        ops::conv2d(&picture, &weight([2, 4, 3, 3]), None, 1),
        ops::conv2d(&picture, &weight([2, 3, 3, 1]), None, 1),
        ops::conv2d(&picture, &weight([2, 3, 5, 5]), None, 1),
        ops::conv2d(&picture, &weight([2, 3, 3, 3]), None, 0),
        ops::conv2d(&picture, &weight([4, 3, 3, 3]), Some(&bias), 1),
        ops::conv2d(&noise(&[3, 4, 5], 1), &weight([2, 3, 3, 3]), None, 1),
        ops::conv2d(&picture.to_dtype(candle_core::DType::F64).unwrap(), &weight([2, 3, 3, 3]), None, 1),
        ops::conv2d(&picture, &weight([0, 3, 3, 3]), None, 1),
        ops::conv2d(&noise(&[1, 0, 4, 5], 1), &weight([2, 0, 3, 3]), None, 1),
        ops::conv_transpose2d(&picture, &weight([4, 3, 3, 3]), None, 2),
        ops::conv_transpose2d(&picture, &weight([3, 0, 3, 3]), None, 2),
        ops::instance_norm(&picture, &bias, &bias, 1e-5),
        ops::reflection_pad(&picture, 4),
        ops::upsample_nearest(&picture, 0),
        ops::max_pool_2x2(&noise(&[1, 3, 1, 5], 1)),
        ops::mean_squared_error(&picture, &bias),
        ops::gram_matrix(&noise(&[1, 3, 0, 5], 1)),
        ops::mean_square(&noise(&[1, 3, 0, 5], 1)),
        ops::total_variation(&noise(&[1, 3, 1, 5], 1)),
        ops::relu(&picture.to_dtype(candle_core::DType::F64).unwrap()),
    ];
    for (index, result) in errors.into_iter().enumerate() {
        assert!(result.is_err(), "case {index} was accepted");
    }
}

#[test]
fn losses_and_relu_are_their_definitions() {
    for shape in [[1, 1, 1, 1], [2, 3, 5, 7], [1, 45, 9, 11], [2, 64, 40, 33]] {
        let (a, b) = (noise(&shape, 1), noise(&shape, 2));
        assert_close(&ops::gram_matrix(&a).unwrap(), &scalar::gram_matrix(&a), 1e-5);
        let squares = values(&a).into_iter().zip(values(&b)).map(|(a, b)| f64::from(a - b).powi(2));
        let mean = (squares.sum::<f64>() / a.elem_count() as f64) as f32;
        let expected = Tensor::new(mean, &Device::Cpu).unwrap();
        assert_close(&ops::mean_squared_error(&a, &b).unwrap(), &expected, 1e-6);
        let of_zeros = ops::mean_squared_error(&a, &a.zeros_like().unwrap()).unwrap();
        assert_close(&ops::mean_square(&a).unwrap(), &of_zeros, 1e-6);
        let relu = ops::relu(&a).unwrap();
        assert!(values(&relu).into_iter().zip(values(&a)).all(|(to, from)| to == from.max(0.0)));
    }
}
