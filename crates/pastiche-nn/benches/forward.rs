//! Whole networks forwards, and their commonest convolution beside candle's own: `cargo bench -p pastiche-nn`.
//!
//! `RAYON_NUM_THREADS` sets the number of threads.

use candle_core::{DType, Device, Tensor};
use divan::{Bencher, black_box};
use pastiche_nn::{Architecture, Network, ops};

fn main() {
    divan::main();
}

const SIZES: [(usize, usize); 2] = [(256, 256), (640, 480)];

#[divan::bench(args = SIZES, sample_count = 10)]
fn transformer_net(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    network(bencher, Architecture::TransformerNet, size);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn lengstrom(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    network(bencher, Architecture::Lengstrom, size);
}

fn network(bencher: Bencher<'_, '_>, architecture: Architecture, (width, height): (usize, usize)) {
    let network = Network::random(architecture.usual(), 0, &Device::Cpu).expect("weights in main memory");
    let picture =
        Tensor::full(100f32, (1, 3, height, width), &Device::Cpu).expect("a picture in main memory");
    bencher.bench_local(|| network.forward(black_box(&picture)).expect("a size that fits"));
}

/// The convolution of a residual block at 256x256: 128 channels, 3x3, on 64x64 pixels.
fn residual_convolution() -> (Tensor, Tensor) {
    let ones = |shape: [usize; 4]| Tensor::ones(&shape, DType::F32, &Device::Cpu).expect("main memory");
    (ones([1, 128, 66, 66]), ones([128, 128, 3, 3]))
}

#[divan::bench(sample_count = 20)]
fn convolution_ours(bencher: Bencher<'_, '_>) {
    let (input, weight) = residual_convolution();
    bencher.bench_local(|| ops::conv2d(black_box(&input), &weight, None, 1).expect("shapes that fit"));
}

#[divan::bench(sample_count = 20)]
fn convolution_candle(bencher: Bencher<'_, '_>) {
    let (input, weight) = residual_convolution();
    bencher.bench_local(|| black_box(&input).conv2d(&weight, 0, 1, 1, 1).expect("shapes that fit"));
}
