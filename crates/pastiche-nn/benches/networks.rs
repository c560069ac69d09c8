//! Whole networks by size: compiled for each instruction set that this processor has, and layer by layer on candle.
//!
//!     cargo bench -p pastiche-nn --bench networks
//!
//! `RAYON_NUM_THREADS` sets the number of threads.

use candle_core::{Device, Tensor};
use divan::{Bencher, black_box};
use pastiche_nn::{Architecture, Canvas, Level, Network, Picture, Plan, networks};

fn main() {
    divan::main();
}

/// An architecture, a width and a height.
const CASES: [(Architecture, usize, usize); 6] = [
    (Architecture::TransformerNet, 256, 256),
    (Architecture::TransformerNet, 640, 480),
    (Architecture::Lengstrom, 640, 480),
    (Architecture::Swift, 256, 256),
    (Architecture::Swift, 640, 480),
    (Architecture::Swift, 1280, 720),
];

fn random(architecture: Architecture) -> Network {
    Network::random(architecture.usual(), 0, &Device::Cpu).expect("weights in main memory")
}

fn compiled(
    bencher: Bencher<'_, '_>,
    (architecture, width, height): (Architecture, usize, usize),
    level: Level,
) {
    let mut plan = Plan::new(&random(architecture), level).expect("a network that plans know");
    let picture = vec![100; 3 * height * width];
    let mut painting = vec![0.0; picture.len()];
    bencher.bench_local(|| {
        let canvas = Canvas::Rgb(&mut painting);
        plan.paint(Picture::Rgb8(black_box(&picture)), (height, width), canvas).expect("a size that fits");
    });
}

#[divan::bench(args = CASES, sample_count = 10)]
fn best(bencher: Bencher<'_, '_>, case: (Architecture, usize, usize)) {
    compiled(bencher, case, Level::best().expect("a word that PASTICHE_CPU may be"));
}

#[divan::bench(args = CASES, sample_count = 3)]
fn portable(bencher: Bencher<'_, '_>, case: (Architecture, usize, usize)) {
    compiled(bencher, case, Level::Portable);
}

/// The executor that training uses, which is also the reference.
#[divan::bench(args = CASES, sample_count = 3)]
fn layer_by_layer(bencher: Bencher<'_, '_>, (architecture, width, height): (Architecture, usize, usize)) {
    let network = random(architecture);
    let picture =
        Tensor::full(100f32, (1, 3, height, width), &Device::Cpu).expect("a picture in main memory");
    bencher.bench_local(|| network.forward(black_box(&picture)).expect("a size that fits"));
}

/// Packing the weights, which a style costs once.
#[divan::bench(args = Architecture::ALL, sample_count = 5)]
fn packing(bencher: Bencher<'_, '_>, architecture: Architecture) {
    let network = random(architecture);
    let level = Level::best().expect("a word that PASTICHE_CPU may be");
    bencher.bench_local(|| Plan::new(black_box(&network), level).expect("a network that plans know"));
}

/// Compiling for another picture size, without the memory for it.
#[divan::bench(sample_count = 10)]
fn compiling_for_a_size(bencher: Bencher<'_, '_>) {
    let network =
        Network::random(networks::transformer_net(32), 0, &Device::Cpu).expect("weights in main memory");
    let plan = Plan::new(&network, Level::Portable).expect("a network that plans know");
    bencher.bench_local(|| plan.memory_bytes(black_box(1080), 1920).expect("a size that fits"));
}
