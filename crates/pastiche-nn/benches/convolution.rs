//! Convolutions of training by shape, forwards and both gradients, beside candle's own and a plain loop:
//! `cargo bench -p pastiche-nn --bench convolution`.
//!
//! `RAYON_NUM_THREADS` sets the number of threads. The gradients are those of a sum, through candle's backward pass.

use std::fmt;

use candle_core::{Device, Result, Tensor, Var};
use divan::{Bencher, black_box};
use pastiche_nn::ops;

fn main() {
    divan::main();
}

/// A convolution of two pictures whose margins are there already.
#[derive(Clone, Copy)]
struct Shape {
    from: usize,
    to: usize,
    kernel: usize,
    stride: usize,
    side: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, kernel, stride, side } = self;
        write!(f, "{from}->{to} {kernel}x{kernel}/{stride} on {side}x{side}")
    }
}

const fn shape(from: usize, to: usize, kernel: usize, stride: usize, side: usize) -> Shape {
    Shape { from, to, kernel, stride, side }
}

/// The kinds of a transformer_net of width 16 at 160x160, then two of VGG.
const SHAPES: [Shape; 7] = [
    shape(3, 16, 9, 1, 168),
    shape(16, 32, 3, 2, 162),
    shape(64, 64, 3, 1, 42),
    shape(32, 16, 3, 1, 162),
    shape(16, 3, 9, 1, 168),
    shape(64, 64, 3, 1, 162),
    shape(256, 256, 3, 1, 42),
];

fn tensors(shape: Shape) -> (Tensor, Tensor) {
    let random = |dims: [usize; 4]| Tensor::randn(0f32, 1f32, &dims, &Device::Cpu).expect("main memory");
    let Shape { from, to, kernel, side, .. } = shape;
    (random([2, from, side, side]), random([to, from, kernel, kernel]))
}

type Convolve = fn(&Tensor, &Tensor, usize) -> Result<Tensor>;

fn ours(input: &Tensor, weight: &Tensor, stride: usize) -> Result<Tensor> {
    ops::conv2d(input, weight, None, stride)
}

fn candles(input: &Tensor, weight: &Tensor, stride: usize) -> Result<Tensor> {
    input.conv2d(weight, 0, stride, 1, 1)
}

fn forward(bencher: Bencher<'_, '_>, shape: Shape, convolve: Convolve) {
    let (input, weight) = tensors(shape);
    bencher.bench_local(|| convolve(black_box(&input), &weight, shape.stride).expect("shapes that fit"));
}

fn backward(bencher: Bencher<'_, '_>, shape: Shape, convolve: Convolve, of_weight: bool) {
    let (mut input, mut weight) = tensors(shape);
    let variable = if of_weight { &mut weight } else { &mut input };
    *variable = Var::from_tensor(variable).expect("main memory").into_inner();
    let sum = convolve(&input, &weight, shape.stride).and_then(|output| output.sum_all());
    let sum = sum.expect("shapes that fit");
    bencher.bench_local(|| black_box(&sum).backward().expect("a gradient"));
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn forward_ours(bencher: Bencher<'_, '_>, shape: Shape) {
    forward(bencher, shape, ours);
}

#[divan::bench(args = SHAPES, sample_count = 5)]
fn forward_candle(bencher: Bencher<'_, '_>, shape: Shape) {
    forward(bencher, shape, candles);
}

#[divan::bench(args = SHAPES, sample_count = 1)]
fn forward_scalar(bencher: Bencher<'_, '_>, shape: Shape) {
    let (input, weight) = tensors(shape);
    let values = |tensor: &Tensor| tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("floats");
    let (input, weight): (Vec<f32>, Vec<f32>) = (values(&input), values(&weight));
    bencher.bench_local(|| scalar(black_box(&input), &weight, shape));
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn backward_data_ours(bencher: Bencher<'_, '_>, shape: Shape) {
    backward(bencher, shape, ours, false);
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn backward_weight_ours(bencher: Bencher<'_, '_>, shape: Shape) {
    backward(bencher, shape, ours, true);
}

/// The convolution of two pictures as it is defined.
fn scalar(input: &[f32], weight: &[f32], shape: Shape) -> Vec<f32> {
    let Shape { from, to, kernel, stride, side } = shape;
    let out_side = (side - kernel) / stride + 1;
    let mut output = Vec::with_capacity(2 * to * out_side * out_side);
    for image in input.chunks_exact(from * side * side) {
        for weight in weight.chunks_exact(from * kernel * kernel) {
            for at in 0..out_side * out_side {
                let (y, x) = (at / out_side * stride, at % out_side * stride);
                let mut sum = 0.0;
                for (tap, weight) in weight.iter().enumerate() {
                    let (channel, dy, dx) = (tap / kernel / kernel, tap / kernel % kernel, tap % kernel);
                    sum += weight * image[(channel * side + y + dy) * side + x + dx];
                }
                output.push(sum);
            }
        }
    }
    output
}
