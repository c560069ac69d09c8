//! Every kernel against plain loops, at every instruction set that there is.

use candle_core::{Device, Tensor};

use super::{Conv3x3, Direction, Planes, Size, Source, Weights, max_pool_2x2, unpool_2x2};
use crate::{
    Level, Margins, PadMode,
    kernels::{pad, pool},
    ops::tests::{assert_close, max_difference, noise, scalar, values},
    plan::lines::Lines,
};

/// Sizes with channels that fill no vector, one vector, some vectors and a part; pictures smaller than a tile, of whole
/// tiles, and larger; more tiles than a task takes.
const SIZES: [(usize, usize, usize, usize); 8] = [
    (1, 1, 3, 3),
    (2, 3, 4, 8),
    (2, 8, 5, 9),
    (1, 13, 12, 16),
    (3, 16, 7, 2),
    (1, 24, 31, 33),
    (2, 37, 9, 10),
    (1, 4, 50, 61),
];

fn levels() -> Vec<Level> {
    let mut levels = Level::available();
    levels.push(Level::Wide);
    println!("levels: {levels:?}");
    levels
}

fn size_of(tensor: &Tensor) -> Size {
    let (batch, channels, height, width) = tensor.dims4().unwrap();
    Size { batch, channels, height, width }
}

fn planes(level: Level, tensor: &Tensor) -> Planes {
    Planes::from_planar(level, size_of(tensor), &values(tensor), None)
}

fn tensor(level: Level, planes: &Planes, ring: usize) -> Tensor {
    let Size { batch, channels, height, width } = planes.size();
    let shape = (batch, channels, height - 2 * ring, width - 2 * ring);
    let mut values = vec![f32::NAN; batch * channels * shape.2 * shape.3];
    planes.to_planar(level, ring, &mut values);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The values where the mask is positive, zeros elsewhere.
fn masked(values: &Tensor, mask: &Tensor) -> Tensor {
    let zeros = values.zeros_like().unwrap();
    mask.gt(0f32).unwrap().where_cond(values, &zeros).unwrap()
}

/// The gradient of [`pad`].
fn pad_backward(gradient: &Tensor, mode: PadMode) -> Tensor {
    let (batch, channels, height, width) = gradient.dims4().unwrap();
    let (height, width) = (height - 2, width - 2);
    let shape = pad::PadShape { height, width, margins: Margins::uniform(1), mode };
    let mut output = vec![0.0; batch * channels * height * width];
    pad::backward(&shape, &values(gradient), &mut output);
    Tensor::from_vec(output, (batch, channels, height, width), &Device::Cpu).unwrap()
}

fn lines(level: Level, bias: &Tensor) -> Lines {
    let mut bias = values(bias);
    bias.resize(bias.len().next_multiple_of(level.lanes()), 0.0);
    Lines::of(&bias)
}

#[test]
fn planes_hold_what_was_planar() {
    for level in levels() {
        for (n, c, h, w) in SIZES {
            let (input, mask) = (noise(&[n, c, h, w], 1), noise(&[n, c, h, w], 2));
            assert_close(&tensor(level, &planes(level, &input), 0), &input, 0.0);
            let kept = Planes::from_planar(level, size_of(&input), &values(&input), Some(&values(&mask)));
            assert_close(&tensor(level, &kept, 0), &masked(&input, &mask), 0.0);
            if h > 2 && w > 2 {
                let inner = input.narrow(2, 1, h - 2).unwrap().narrow(3, 1, w - 2).unwrap();
                assert_close(&tensor(level, &planes(level, &input), 1), &inner, 0.0);
            }
        }
    }
}

#[test]
fn convolutions_are_their_definition() {
    for level in levels() {
        for (n, c, h, w) in SIZES {
            for (out, mode) in [(5, PadMode::Zero), (40, PadMode::Reflect)] {
                let (input, bias) = (noise(&[n, c, h, w], 1), noise(&[out], 3));
                let weight = noise(&[out, c, 3, 3], 2);
                let packed = Weights::new(level, &values(&weight), (out, c), Direction::Forward);
                let bias_lines = lines(level, &bias);
                let conv = Conv3x3 { weights: &packed, bias: Some(&bias_lines), relu: true, mode, margin: 1 };
                let output = conv.run(level, Source::from(&planes(level, &input)));
                let padded = scalar::pad(&input, Margins::uniform(1), mode);
                let expected = scalar::conv2d(&padded, &weight, &bias, 1).relu().unwrap();
                assert_close(&tensor(level, &output, 0), &expected, 5e-4);
            }
        }
    }
}

#[test]
fn the_comparison_sees_turned_kernels() {
    let level = Level::Portable;
    let (input, weight) = (noise(&[1, 3, 8, 8], 1), noise(&[4, 3, 3, 3], 2));
    let packed = Weights::new(level, &values(&weight), (4, 3), Direction::Forward);
    let turned = noise(&[4, 3, 3, 3], 2).transpose(2, 3).unwrap().contiguous().unwrap();
    let conv = Conv3x3 { weights: &packed, bias: None, relu: false, mode: PadMode::Zero, margin: 0 };
    let output = tensor(level, &conv.run(level, Source::from(&planes(level, &input))), 0);
    assert!(max_difference(&output, &scalar::conv2d(&input, &turned, &noise(&[4], 9), 1)) > 0.1);
}

#[test]
fn data_gradients_are_their_definition() {
    for level in levels() {
        for (n, c, h, w) in SIZES {
            for (out, mode) in [(5, PadMode::Zero), (24, PadMode::Reflect)] {
                // A gradient with a ring around it that must not count, and a mask.
                let ringed = noise(&[n, out, h + 2, w + 2], 1);
                let (mask, weight) = (noise(&[n, out, h, w], 2), noise(&[out, c, 3, 3], 3));
                let inner = ringed.narrow(2, 1, h).unwrap().narrow(3, 1, w).unwrap();
                let gradient = masked(&inner.contiguous().unwrap(), &mask);
                let no_bias = Tensor::zeros(c, candle_core::DType::F32, &Device::Cpu).unwrap();
                let expected = pad_backward(&scalar::conv_transpose2d(&gradient, &weight, &no_bias, 1), mode);
                let packed = Weights::new(level, &values(&weight), (out, c), Direction::BackwardData);
                let ring = usize::from(mode == PadMode::Reflect);
                let (mode, margin) = (PadMode::Zero, 1 + ring);
                let conv = Conv3x3 { weights: &packed, bias: None, relu: false, mode, margin };
                let (ringed, mask) = (planes(level, &ringed), planes(level, &mask));
                let mut output = conv.run(level, Source { planes: &ringed, ring: 1, mask: Some(&mask) });
                if ring == 1 {
                    output.fold_ring();
                }
                assert_close(&tensor(level, &output, ring), &expected, 5e-4);
            }
        }
    }
}

#[test]
fn pooling_and_its_gradient_are_their_definitions() {
    for level in levels() {
        for (n, c, h, w) in SIZES {
            // Few different values, so that the largest is often not alone.
            let input = (noise(&[n, c, h, w], 1) * 3.0).unwrap().round().unwrap();
            let blocked = planes(level, &input);
            assert_close(
                &tensor(level, &max_pool_2x2(level, &blocked), 0),
                &scalar::max_pool_2x2(&input),
                0.0,
            );
            for ring in [0, 1] {
                let gradient = noise(&[n, c, h / 2 + 2 * ring, w / 2 + 2 * ring], 2);
                let inner = gradient.narrow(2, ring, h / 2).unwrap().narrow(3, ring, w / 2).unwrap();
                let mut expected = vec![0.0; n * c * h * w];
                pool::backward(h, w, &values(&input), &values(&inner), &mut expected);
                let expected = Tensor::from_vec(expected, (n, c, h, w), &Device::Cpu).unwrap();
                let output = unpool_2x2(level, &blocked, &planes(level, &gradient), ring);
                assert_close(&tensor(level, &output, 0), &masked(&expected, &input), 0.0);
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let level = Level::best().unwrap();
    let (input, weight) = (noise(&[2, 20, 45, 37], 1), noise(&[30, 20, 3, 3], 2));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let packed = Weights::new(level, &values(&weight), (30, 20), Direction::Forward);
            let conv =
                Conv3x3 { weights: &packed, bias: None, relu: false, mode: PadMode::Reflect, margin: 1 };
            values(&tensor(level, &conv.run(level, Source::from(&planes(level, &input))), 0))
        })
    };
    let expected = run(1);
    assert_eq!(run(2), expected);
    assert_eq!(run(3), expected);
}
