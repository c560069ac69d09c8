//! Gradients against finite differences of the forward kernels, and against those of the processor's operations.

use candle_core::{Result, Tensor, Var};

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
    ops::{self, tests::values},
};

const BATCH: usize = 2;
const CHANNELS: usize = 3;
const PLANES: usize = BATCH * CHANNELS;
const HEIGHT: usize = 6;
const WIDTH: usize = 7;
const PLANE: usize = HEIGHT * WIDTH;
const DIMS: [usize; 4] = [BATCH, CHANNELS, HEIGHT, WIDTH];

/// Checks `gradient`, that of the sum of `forward`'s outputs times `weighting`, in eight directions.
fn check(
    input: &[f32],
    weighting: &[f32],
    step: f32,
    gradient: &[f32],
    forward: impl Fn(&[f32]) -> Vec<f32>,
) {
    let objective = |input: &[f32]| -> f64 {
        let output = forward(input);
        assert_eq!(output.len(), weighting.len());
        output.iter().zip(weighting).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    for seed in 0..8 {
        let direction = noise(input.len(), 1000 + seed);
        let moved = |sign: f32| -> Vec<f32> {
            input.iter().zip(&direction).map(|(value, d)| value + sign * step * d).collect()
        };
        let expected = (objective(&moved(1.0)) - objective(&moved(-1.0))) / (2.0 * f64::from(step));
        let actual: f64 = gradient.iter().zip(&direction).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let error = (actual - expected).abs() / expected.abs().max(1.0);
        assert!(error <= 5e-3, "{actual} instead of {expected}");
    }
}

/// The gradient of the sum of `f`'s outputs times `weighting`, by the processor's operations.
fn on_the_processor(input: &[f32], weighting: &[f32], f: impl Fn(&Tensor) -> Result<Tensor>) -> Vec<f32> {
    let var = Var::from_tensor(&tensor(input, &DIMS)).unwrap();
    let output = f(&var).unwrap();
    let weighting = tensor(weighting, output.dims());
    let gradients = (output * weighting).unwrap().sum_all().unwrap().backward().unwrap();
    values(gradients.get(&var).unwrap())
}

#[test]
fn of_padding() {
    let input = noise(PLANES * PLANE, 1);
    for (mode, margins) in [
        (PadMode::Reflect, Margins { top: 2, bottom: 5, left: 0, right: 4 }),
        (PadMode::Reflect, Margins::uniform(5)),
        (PadMode::Zero, Margins { top: 1, bottom: 0, left: 3, right: 2 }),
    ] {
        let shape = PadShape { height: HEIGHT, width: WIDTH, margins, mode };
        let len = PLANES * shape.padded_height() * shape.padded_width();
        let weighting = noise(len, 2);
        let gradient =
            made(input.len(), |to| reshape::pad_backward(&shape, PLANES, span(&weighting), None, to));
        check(&input, &weighting, 0.1, &gradient, |input| {
            made(len, |to| reshape::pad_forward(&shape, PLANES, span(input), to))
        });
        let expected = on_the_processor(&input, &weighting, |input| ops::pad(input, margins, mode));
        assert_close(&gradient, &expected, 1e-5);

        // Behind a ReLU, whose output `input` then is.
        let masked = made(input.len(), |to| {
            reshape::pad_backward(&shape, PLANES, span(&weighting), Some(span(&input)), to)
        });
        let expected = gradient.iter().zip(&input).map(|(g, x)| if *x > 0.0 { *g } else { 0.0 });
        assert_close(&masked, &expected.collect::<Vec<_>>(), 0.0);
    }
}

#[test]
fn of_upsampling() {
    let input = noise(PLANES * PLANE, 1);
    for factor in [1, 2, 3] {
        let len = input.len() * factor * factor;
        let weighting = noise(len, 2);
        let gradient =
            made(input.len(), |to| reshape::upsample_backward([HEIGHT, WIDTH], factor, span(&weighting), to));
        check(&input, &weighting, 0.1, &gradient, |input| {
            made(len, |to| reshape::upsample_forward([HEIGHT, WIDTH], factor, span(input), to))
        });
        let expected = on_the_processor(&input, &weighting, |input| ops::upsample_nearest(input, factor));
        assert_close(&gradient, &expected, 1e-5);
    }
}

#[test]
fn of_pooling() {
    // With ties, and an odd column that is left out.
    let input: Vec<f32> = noise(PLANES * PLANE, 1).iter().map(|value| (value * 3.0).round()).collect();
    let len = PLANES * (HEIGHT / 2) * (WIDTH / 2);
    let weighting = noise(len, 2);
    let backward = |masked| {
        made(input.len(), |to| {
            reshape::pool_backward(PLANES, [HEIGHT, WIDTH], masked, [span(&input), span(&weighting)], to)
        })
    };
    let expected = on_the_processor(&input, &weighting, ops::max_pool_2x2);
    assert_close(&backward(false), &expected, 0.0);
    let behind_relu = expected.iter().zip(&input).map(|(g, x)| if *x > 0.0 { *g } else { 0.0 });
    assert_close(&backward(true), &behind_relu.collect::<Vec<_>>(), 0.0);

    let input = noise(PLANES * PLANE, 3);
    let gradient = made(input.len(), |to| {
        reshape::pool_backward(PLANES, [HEIGHT, WIDTH], false, [span(&input), span(&weighting)], to)
    });
    check(&input, &weighting, 1e-4, &gradient, |input| {
        made(len, |to| reshape::pool_forward(PLANES, [HEIGHT, WIDTH], span(input), to))
    });
}

#[test]
fn of_instance_norm() {
    let (input, scale, shift) = (noise(PLANES * PLANE, 1), noise(CHANNELS, 2), noise(CHANNELS, 3));
    let weighting = noise(input.len(), 4);
    let eps = 1e-5;
    let forward = |input: &[f32], scale: &[f32], shift: &[f32]| {
        made(PLANES * PLANE, |to| {
            instance_norm::forward(PLANE, eps, false, [span(input), span(scale), span(shift)], to)
        })
    };
    let mut sums = vec![f32::NAN; 2 * PLANES];
    let mut gradient = vec![f32::NAN; input.len()];
    let job = instance_norm::backward(
        PLANE,
        eps,
        [span(&input), span(&scale), span(&weighting)],
        gradient.as_mut_slice().into(),
        sums.as_mut_slice().into(),
    );
    super::emulator::run(job.unwrap());
    let of_parameters = made(2 * CHANNELS, |to| instance_norm::batch_sum(BATCH, CHANNELS, span(&sums), to));
    let (of_scale, of_shift) = of_parameters.split_at(CHANNELS);
    check(&input, &weighting, 3e-3, &gradient, |input| forward(input, &scale, &shift));
    check(&scale, &weighting, 3e-3, of_scale, |scale| forward(&input, scale, &shift));
    check(&shift, &weighting, 3e-3, of_shift, |shift| forward(&input, &scale, shift));
    let expected = on_the_processor(&input, &weighting, |input| {
        ops::instance_norm(input, &tensor(&scale, &[CHANNELS]), &tensor(&shift, &[CHANNELS]), eps)
    });
    assert_close(&gradient, &expected, 1e-5);
}

#[test]
fn of_relu_and_colours() {
    let (input, weighting) = (noise(PLANES * PLANE, 1), noise(PLANES * PLANE, 2));
    let output = made(input.len(), |to| pointwise::relu_forward(span(&input), to));
    let gradient = made(input.len(), |to| pointwise::relu_backward(span(&output), span(&weighting), to));
    assert_close(&gradient, &on_the_processor(&input, &weighting, ops::relu), 0.0);

    let colours = Colours { order: [2, 0, 1], scale: [0.5, 2.0, -1.0], shift: [1.0, 0.0, -3.0] };
    let gradient = made(input.len(), |to| colours.backward(PLANE, span(&weighting), to));
    check(&input, &weighting, 0.1, &gradient, |input| {
        made(input.len(), |to| colours.forward(PLANE, span(input), to))
    });
}

#[test]
fn of_losses() {
    let (a, b, of_loss) = (noise(PLANES * PLANE, 1), noise(PLANES * PLANE, 2), [100.0f32]);
    let count = a.len() as f32;
    let gradient =
        made(a.len(), |to| pointwise::difference(2.0 / count, [span(&a), span(&b), span(&of_loss)], to));
    check(&a, &of_loss, 0.1, &gradient, |a| {
        let of_parts = made(parts(a.len()), |to| losses::squares(span(a), Some(span(&b)), to));
        made(1, |to| losses::total(1.0 / count, span(&of_parts), to))
    });
    let expected =
        on_the_processor(&a, &of_loss, |a| ops::mean_squared_error(a, &tensor(&b, &DIMS))?.reshape(1));
    assert_close(&gradient, &expected, 1e-4);

    let gradient =
        made(a.len(), |to| losses::variation_backward([HEIGHT, WIDTH], span(&a), span(&of_loss), to));
    check(&a, &of_loss, 0.1, &gradient, |a| {
        let of_parts = made(parts(a.len()), |to| losses::variation([HEIGHT, WIDTH], span(a), to));
        made(1, |to| losses::total(1.0, span(&of_parts), to))
    });
    let expected = on_the_processor(&a, &of_loss, |a| ops::total_variation(a)?.reshape(1));
    assert_close(&gradient, &expected, 1e-4);
}
