//! Forward values against the operations' definitions.

use proptest::prelude::*;

use super::{assert_close, emulator::made, noise, span, tensor};
use crate::{
    Margins, PadMode,
    cuda::training::jobs::{
        instance_norm,
        losses::{self, parts},
        pointwise::{self, Colours},
        reshape,
    },
    kernels::pad::PadShape,
    ops::tests::{scalar, values},
};

const BATCH: usize = 2;
const CHANNELS: usize = 3;
const PLANES: usize = BATCH * CHANNELS;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn padding_is_its_definition(
        height in 5usize..12, width in 5usize..12, top in 0usize..5, bottom in 0usize..5,
        left in 0usize..5, right in 0usize..5, reflect: bool,
    ) {
        let margins = Margins { top, bottom, left, right };
        let mode = if reflect { PadMode::Reflect } else { PadMode::Zero };
        let shape = PadShape { height, width, margins, mode };
        let input = noise(PLANES * height * width, 1);
        let len = PLANES * shape.padded_height() * shape.padded_width();
        let output = made(len, |to| reshape::pad_forward(&shape, PLANES, span(&input), to));
        let expected = scalar::pad(&tensor(&input, &[BATCH, CHANNELS, height, width]), margins, mode);
        assert_close(&output, &values(&expected), 0.0);
    }

    #[test]
    fn upsampling_and_pooling_are_their_definitions(
        height in 2usize..12, width in 2usize..12, factor in 1usize..4,
    ) {
        let input = noise(PLANES * height * width, 1);
        let picture = tensor(&input, &[BATCH, CHANNELS, height, width]);
        let len = input.len() * factor * factor;
        let large = made(len, |to| reshape::upsample_forward([height, width], factor, span(&input), to));
        assert_close(&large, &values(&scalar::upsample_nearest(&picture, factor)), 0.0);
        let len = PLANES * (height / 2) * (width / 2);
        let small = made(len, |to| reshape::pool_forward(PLANES, [height, width], span(&input), to));
        assert_close(&small, &values(&scalar::max_pool_2x2(&picture)), 0.0);
    }

    #[test]
    fn instance_norm_is_its_definition(
        height in 1usize..40, width in 1usize..40, eps in prop::sample::select(vec![1e-5, 1e-3]), relu: bool,
    ) {
        let plane = height * width;
        let input: Vec<f32> = noise(PLANES * plane, 1).iter().map(|value| value * 20.0 + 100.0).collect();
        let (scale, shift) = (noise(CHANNELS, 2), noise(CHANNELS, 3));
        let output = made(input.len(), |to| {
            instance_norm::forward(plane, eps, relu, [span(&input), span(&scale), span(&shift)], to)
        });
        let (scale, shift) = (tensor(&scale, &[CHANNELS]), tensor(&shift, &[CHANNELS]));
        let picture = tensor(&input, &[BATCH, CHANNELS, height, width]);
        let mut expected = values(&scalar::instance_norm(&picture, &scale, &shift, eps));
        if relu {
            expected.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        assert_close(&output, &expected, 1e-3);
    }

    #[test]
    fn sums_are_their_definitions(batch in 1usize..4, channels in 1usize..5, plane in 1usize..5000) {
        let (a, b) = (noise(batch * channels * plane, 1), noise(batch * channels * plane, 2));
        let zeros = vec![0.0; b.len()];
        for (b, subtracted) in [(Some(span(&b)), &b), (None, &zeros)] {
            let squares = made(parts(a.len()), |to| losses::squares(span(&a), b, to));
            let mean = made(1, |to| losses::total(1.0 / a.len() as f32, span(&squares), to));
            let sum: f64 = a.iter().zip(subtracted).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            assert_close(&mean, &[(sum / a.len() as f64) as f32], 1e-5);
        }

        let sum_parts = parts(batch * plane);
        let of_parts = made(sum_parts * channels, |to| losses::channel_sum(channels, plane, span(&a), to));
        let sums = made(channels, |to| instance_norm::batch_sum(sum_parts, channels, span(&of_parts), to));
        for (channel, sum) in sums.into_iter().enumerate() {
            let planes = a.chunks(plane).skip(channel).step_by(channels);
            let expected: f64 = planes.flatten().map(|value| f64::from(*value)).sum();
            prop_assert!((f64::from(sum) - expected).abs() < 1e-3, "{sum} {expected}");
        }
    }
}

#[test]
fn pointwise_kernels_are_their_definitions() {
    let (plane, count) = (35, PLANES * 35);
    let input = noise(count, 1);
    let relu = made(count, |to| pointwise::relu_forward(span(&input), to));
    assert!(relu.iter().zip(&input).all(|(to, from)| *to == from.max(0.0)));

    let bias = noise(CHANNELS, 2);
    for rectified in [false, true] {
        let mut values = input.clone();
        let job = pointwise::bias(plane, rectified, span(&bias), values.as_mut_slice().into());
        super::emulator::run(job.unwrap());
        let expected = |i: usize| {
            let value = input[i] + bias[i / plane % CHANNELS];
            if rectified { value.max(0.0) } else { value }
        };
        assert_close(&values, &(0..count).map(expected).collect::<Vec<_>>(), 0.0);
    }

    let colours = Colours { order: [2, 0, 1], scale: [0.5, 2.0, -1.0], shift: [1.0, 0.0, -3.0] };
    let coloured = made(count, |to| colours.forward(plane, span(&input), to));
    for (i, value) in coloured.into_iter().enumerate() {
        let (image, channel, pixel) = (i / (3 * plane), i / plane % 3, i % plane);
        let from = input[(image * 3 + colours.order[channel]) * plane + pixel];
        assert_eq!(value, from * colours.scale[channel] + colours.shift[channel]);
    }

    let scalars = [[1.0f32], [2.0], [3.0]];
    let spans = scalars.each_ref().map(|scalar| span(scalar));
    assert_eq!(made(3, |to| pointwise::collect(&spans, to)), [1.0, 2.0, 3.0]);
}

#[test]
fn nan_shows_instead_of_vanishing() {
    let input = [f32::NAN, -1.0, 2.0];
    let output = made(3, |to| pointwise::relu_forward(span(&input), to));
    assert!(output[0].is_nan() && output[1..] == [0.0, 2.0]);
}

#[test]
fn total_variation_is_its_definition() {
    for [height, width] in [[2, 2], [5, 7], [90, 60]] {
        let pictures = noise(PLANES * height * width, 1);
        let of_parts =
            made(parts(pictures.len()), |to| losses::variation([height, width], span(&pictures), to));
        let total = made(1, |to| losses::total(1.0, span(&of_parts), to));
        let at = |plane: usize, y: usize, x: usize| f64::from(pictures[(plane * height + y) * width + x]);
        let (mut across, mut down) = (0.0, 0.0);
        for (plane, y, x) in (0..PLANES)
            .flat_map(|plane| (0..height).flat_map(move |y| (0..width).map(move |x| (plane, y, x))))
        {
            if x > 0 {
                across += (at(plane, y, x) - at(plane, y, x - 1)).powi(2);
            }
            if y > 0 {
                down += (at(plane, y, x) - at(plane, y - 1, x)).powi(2);
            }
        }
        let expected =
            across / (PLANES * height * (width - 1)) as f64 + down / (PLANES * (height - 1) * width) as f64;
        assert_close(&total, &[expected as f32], 1e-5);
    }
}

#[test]
fn what_is_too_large_is_an_error() {
    // Nothing is read: the sizes alone are judged.
    let huge = crate::cuda::training::jobs::Span::new(0, 1 << 32);
    let to = crate::cuda::training::jobs::SpanMut::new(0, 1 << 32);
    let error = pointwise::relu_forward(huge, to).unwrap_err().to_string();
    assert!(error.contains("too many"), "{error}");
}
