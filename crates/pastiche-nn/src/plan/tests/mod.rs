//! Parts of plans on their own, and vectors as long as those of AVX-512 on any processor.
#![allow(unsafe_code)] // kernels are called as the tasks call them

use candle_core::{Device, Tensor};

use super::{
    Canvas, Picture, Plan, Products, bf16_bits,
    lines::Lines,
    multiply::{Operands, Walk, multiply},
    number::F32,
    transform,
};
use crate::{
    Architecture, Convolution, Layer, Level, Margins, Network, NetworkDescription, Output, PadMode, Padding,
    networks,
    simd::{Portable, Simd, by_level},
};

/// Every level that can run here, and the wide one of the tests.
fn levels() -> Vec<Level> {
    let mut levels = Level::available();
    levels.push(Level::Wide);
    levels
}

fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(next).collect()
}

/// A network as a training would leave it: with statistics in its batch norms.
fn network_of(description: NetworkDescription) -> Network {
    let batch = Tensor::from_vec(noise(3 * 44 * 48, 3), (1, 3, 44, 48), &Device::Cpu).unwrap();
    let batch = ((batch + 1.0).unwrap() * 127.5).unwrap();
    Network::random(description, 1, &Device::Cpu).unwrap().with_population(&[batch]).unwrap()
}

struct Product<'a> {
    walk: Walk,
    vectors: usize,
    count: usize,
    pixel_stride: usize,
    input: &'a [f32],
    weights: &'a [f32],
    bias: &'a [f32],
}

by_level! {
    fn product(product: &Product<'_>, output: &mut [f32]) = run_product
}

#[inline(always)]
fn run_product<S: Simd>(simd: S, product: &Product<'_>, output: &mut [f32]) {
    let Product { walk, vectors, count, pixel_stride, input, weights, bias } = *product;
    assert!(weights.len() >= walk.weights::<F32>() * vectors * S::LANES && bias.len() >= vectors * S::LANES);
    assert!(output.len() >= count * vectors * S::LANES);
    let extent = (walk.blocks - 1) * walk.block_stride + (walk.rows - 1) * walk.row_stride + walk.run;
    assert!(input.len() >= (count - 1) * pixel_stride + extent);
    let operands = Operands::<F32> {
        input: input.as_ptr(),
        pixel_stride,
        weights: weights.as_ptr(),
        bias: bias.as_ptr(),
        output: output.as_mut_ptr(),
        output_pixel_stride: vectors * S::LANES,
        output_block_stride: S::LANES,
    };
    // SAFETY: the asserts above.
    unsafe { multiply(simd, &walk, vectors, count, operands) };
}

#[test]
fn products_are_those_of_plain_loops_for_every_count_of_pixels_and_vectors() {
    for level in levels() {
        let lanes = level.lanes();
        for vectors in 1..=2 {
            for count in 1..=27 {
                let walk = Walk { blocks: 2, block_stride: 40, rows: 3, row_stride: 11, run: 5, last_run: 3 };
                // One float off a vector's natural place.
                let (input, weights) = (noise(200, 1), noise(1 + walk.weights::<F32>() * vectors * lanes, 2));
                let (bias, mut output) = (noise(vectors * lanes, 3), vec![f32::NAN; count * vectors * lanes]);
                let (input, weights, pixel_stride) = (&input[1..], &weights[1..], 2);
                let all = Product { walk, vectors, count, pixel_stride, input, weights, bias: &bias };
                product(level, &all, &mut output);
                for (at, value) in output.iter().enumerate() {
                    let (pixel, slot) = (at / (vectors * lanes), at % (vectors * lanes));
                    let mut sum = f64::from(bias[slot]);
                    let mut weight = weights[slot..].iter().step_by(vectors * lanes);
                    for block in 0..2 {
                        for row in 0..3 {
                            for place in 0..if block == 0 { 5 } else { 3 } {
                                let from = input[pixel * 2 + block * 40 + row * 11 + place];
                                sum += f64::from(from) * f64::from(*weight.next().unwrap());
                            }
                        }
                    }
                    assert!(
                        (f64::from(*value) - sum).abs() < 1e-5,
                        "{level}, {vectors} x {count}: {value} {sum}"
                    );
                }
            }
        }
    }
}

#[test]
fn winograd_s_tiles_are_those_of_the_definition() {
    const LANES: usize = 8;
    let simd = Portable::<LANES>;
    let (tiles, width) = (3, 14);
    let input = noise(6 * width * LANES, 5);
    let kernel: [[f64; 3]; 3] = [[0.3, -1.0, 0.2], [0.7, 0.1, -0.4], [-0.9, 0.5, 0.6]];
    let transformed = transform::weights(kernel);
    let mut products = vec![0.0; transform::PRODUCTS * tiles * LANES];
    // SAFETY: 6 rows of 4 * 3 + 2 vectors, and room for 36 products of 3 tiles.
    unsafe {
        let to = products.as_mut_ptr();
        transform::inputs(simd, tiles, input.as_ptr(), width * LANES, to, tiles * LANES);
    }
    for (at, product) in products.iter_mut().enumerate() {
        *product *= transformed.as_flattened()[at / (tiles * LANES)] as f32;
    }
    for tile in 0..tiles {
        // SAFETY: the products of this tile are there.
        let outputs = unsafe {
            let from = products.as_ptr().add(tile * LANES);
            transform::outputs(simd, from, tiles * LANES, simd.splat(0.25))
        };
        for (y, row) in outputs.iter().enumerate() {
            for (x, vector) in row.iter().enumerate() {
                for (lane, value) in vector.iter().enumerate() {
                    let mut sum = 0.25;
                    for (dy, kernel) in kernel.iter().enumerate() {
                        for (dx, weight) in kernel.iter().enumerate() {
                            let at = ((y + dy) * width + 4 * tile + x + dx) * LANES + lane;
                            sum += weight * f64::from(input[at]);
                        }
                    }
                    assert!((f64::from(*value) - sum).abs() < 1e-5, "{value} {sum}");
                }
            }
        }
    }
}

#[test]
fn wide_vectors_paint_the_same_picture() {
    let mut descriptions: Vec<_> = Architecture::ALL.map(Architecture::usual).into();
    descriptions.extend([1, 5, 20].map(networks::transformer_net));
    for description in descriptions {
        let network = network_of(description);
        // No smaller than every network can take.
        for (height, width) in [(43, 66), (61, 45)] {
            let picture: Vec<u8> =
                noise(3 * height * width, 9).iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
            let [narrow, wide] = [Level::Portable, Level::Wide].map(|level| {
                let mut painting = vec![f32::NAN; picture.len()];
                let mut plan = Plan::new(&network, level).unwrap();
                plan.paint(Picture::Rgb8(&picture), (height, width), Canvas::Rgb(&mut painting)).unwrap();
                painting
            });
            let difference = narrow.iter().zip(&wide).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference < 5e-3, "{}: {difference}", network.description().architecture);
            assert!(narrow.iter().chain(&wide).all(|value| value.is_finite()));
        }
    }
}

/// The painting of `network` at a level, with direct convolutions in `products`.
fn painted(
    network: &Network,
    level: Level,
    products: Products,
    picture: &[u8],
    size: (usize, usize),
) -> Vec<f32> {
    let mut painting = vec![f32::NAN; picture.len()];
    let mut plan = Plan::with_products(network, level, products).unwrap();
    plan.paint(Picture::Rgb8(picture), size, Canvas::Rgb(&mut painting)).unwrap();
    painting
}

#[test]
fn bf16_products_of_numbers_that_it_holds_exactly_are_those_of_f32() {
    for kernel in [1, 3, 5, 9] {
        let conv = Convolution {
            weight: "weight".to_owned(),
            bias: None,
            in_channels: 3,
            out_channels: 3,
            kernel,
            stride: 1,
        };
        let padding = Padding::Fixed(PadMode::Reflect, Margins::uniform(kernel / 2));
        let layers = vec![Layer::Pad(padding), Layer::Conv(conv)];
        let architecture = "one convolution".to_owned();
        let description = NetworkDescription {
            architecture,
            layers,
            sizes: Vec::new(),
            side_multiple: 1,
            output: Output::Painting,
        };
        let weights = noise(9 * kernel * kernel, 4).into_iter();
        let weights = weights.map(|weight| f32::from_bits(u32::from(bf16_bits(weight)) << 16)).collect();
        let weights = Tensor::from_vec(weights, (3, 3, kernel, kernel), &Device::Cpu).unwrap();
        let network = Network::new(description, [("weight".to_owned(), weights)].into()).unwrap();
        let size = (21, 35);
        let picture: Vec<u8> = noise(3 * 21 * 35, 9).iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
        for level in levels() {
            let [exact, pairs] = [Products::F32, Products::Bf16]
                .map(|products| painted(&network, level, products, &picture, size));
            let difference = exact.iter().zip(&pairs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference < 2e-3, "{level}, {kernel}: {difference}");
        }
    }
}

#[test]
fn bf16_products_change_a_painting_a_little_and_alike_at_every_level() {
    let picture: Vec<u8> = noise(3 * 43 * 50, 2).iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
    let rms = |a: &[f32], b: &[f32]| {
        (a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / a.len() as f32).sqrt()
    };
    for architecture in Architecture::ALL {
        let network = network_of(architecture.usual());
        let exact = painted(&network, Level::Portable, Products::F32, &picture, (43, 50));
        let spread = rms(&exact, &vec![exact.iter().sum::<f32>() / exact.len() as f32; exact.len()]);
        for level in levels() {
            let pairs = painted(&network, level, Products::Bf16, &picture, (43, 50));
            let error = rms(&exact, &pairs) / spread;
            assert!((1e-5..2e-2).contains(&error), "{}, {level}: {error}", architecture.name());
        }
    }
}

#[test]
fn many_floats_start_on_a_cache_line_and_are_zeros() {
    for len in [1, 16, 1000, (1 << 20) + 3] {
        let mut lines = Lines::zeros(len);
        assert_eq!((lines.as_ptr() as usize % 64, lines.len()), (0, len));
        assert!(lines.as_mut_slice().iter().all(|value| *value == 0.0));
        lines.as_mut_slice()[len - 1] = 1.0;
    }
}
