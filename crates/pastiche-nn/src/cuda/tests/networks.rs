//! Whole networks.

use candle_core::{Device, Tensor};

use super::{
    super::{
        CudaPrecision,
        address::Region,
        arguments::{Convolve, Output},
        lower::compile,
        program::{Program, Step},
    },
    emulated::{Choice, paint},
    noise, say, shared,
};
use crate::{
    Canvas, Convolution, Layer, Level, Margins, Network, NetworkDescription, PadMode, Padding, Picture, Plan,
    PlanError, WeightsFile,
    description::{Norm, Output as Out},
    fold::folded,
    networks::{self, SuperResSize, SwiftSize},
    plan::parameters,
};

/// Slopes, edges and grain.
fn picture(height: usize, width: usize) -> Vec<u8> {
    let grain = noise(3 * height * width, 5);
    let pixel = |at: usize| {
        let (y, x) = (at / 3 / width, at / 3 % width);
        let edge = if (x / 5 + y / 7) % 2 == 0 { 90.0 } else { 0.0 };
        (edge + 40.0 * (grain[at] + 1.0) + (x + 2 * y) as f32 / 2.0).clamp(0.0, 255.0) as u8
    };
    (0..3 * height * width).map(pixel).collect()
}

/// The narrowest kernel that can do a convolution, with passes for the norms.
fn simplest(precision: CudaPrecision) -> impl Fn(&Convolve<u64>) -> Choice {
    move |convolve| (convolve.kernels(precision, false)[0], false)
}

/// The widest kernel that can do a convolution, with moments where a norm follows.
fn widest(convolve: &Convolve<u64>) -> Choice {
    let leaves_moments = convolve.norm_channels > 0;
    (*convolve.kernels(CudaPrecision::F16, leaves_moments).last().unwrap(), leaves_moments)
}

fn painted(
    network: &Network,
    picture: &[u8],
    size: (usize, usize),
    precision: CudaPrecision,
    choose: impl Fn(&Convolve<u64>) -> Choice,
) -> Vec<f32> {
    let network = folded(network).unwrap();
    let program = compile(network.description(), size, precision).unwrap();
    let weights = parameters(&network).unwrap();
    paint(&program, &weights, picture, Output::F32, choose)
}

/// What the plan for the processor paints.
fn expected(network: &Network, picture: &[u8], size: (usize, usize)) -> Vec<f32> {
    let mut plan = Plan::new(network, Level::best().unwrap()).unwrap();
    let mut painting = vec![f32::NAN; picture.len() * plan.factor() * plan.factor()];
    plan.paint(Picture::Rgb8(picture), size, Canvas::Rgb(&mut painting)).unwrap();
    painting
}

/// Largest difference, and the root of the mean square; a NaN counts as infinite.
fn differences(a: &[f32], b: &[f32]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let (mut most, mut squares) = (0.0f64, 0.0);
    for (a, b) in a.iter().zip(b) {
        let difference = f64::from(a - b).abs();
        most = if difference.is_nan() { f64::INFINITY } else { most.max(difference) };
        squares += difference * difference;
    }
    (most, (squares / a.len() as f64).sqrt())
}

/// As after a training, not as before, where next to nothing comes out of a network that enlarges.
fn random(description: NetworkDescription) -> Network {
    let network = Network::random(description.clone(), 7, &Device::Cpu).unwrap();
    let specs = description.parameters();
    let louder = |scale: f32| if scale < 1.0 { 0.3 / f64::from(scale) } else { 1.0 };
    let weights = network
        .parameters()
        .iter()
        .map(|(name, tensor)| (name.clone(), (tensor * louder(specs[name.as_str()].scale)).unwrap()));
    // Where there are batch norms, with statistics as a training would leave them.
    let batch = Tensor::from_vec(noise(2 * 3 * 48 * 44, 11), (2, 3, 48, 44), &Device::Cpu).unwrap();
    let batch = ((batch + 1.0).unwrap() * 127.5).unwrap();
    Network::new(description.clone(), weights.collect()).unwrap().with_population(&[batch]).unwrap()
}

/// A size as large as `size` or, for networks that see too far for it, larger.
fn large_enough(network: &Network, (height, width): (usize, usize)) -> (usize, usize) {
    let more = network.description().least_side().saturating_sub(16);
    (height + more, width + more)
}

/// Every architecture, at its usual size or a small one, and networks that enlarge.
fn descriptions() -> Vec<NetworkDescription> {
    let small = SuperResSize { width: 12, blocks: 1 };
    vec![
        networks::transformer_net(8),
        networks::transformer_net(5),
        networks::lengstrom(),
        networks::swift(SwiftSize { width: 48, blocks: 1 }),
        networks::swift(SwiftSize { width: 6, blocks: 2 }),
        networks::super_res(4, small),
        networks::super_res(8, small),
        networks::srcnn(4),
        networks::johnson(3),
    ]
}

#[test]
fn every_network_paints_in_single_precision_what_it_paints_on_the_processor() {
    for description in descriptions() {
        let name = description.architecture.clone();
        let network = random(description);
        let mut worst = 0.0f64;
        for size in [(17, 23), (20, 33)] {
            let (height, width) = large_enough(&network, size);
            let picture = picture(height, width);
            let precision = CudaPrecision::F32;
            let actual = painted(&network, &picture, (height, width), precision, simplest(precision));
            let expected = expected(&network, &picture, (height, width));
            let (most, _) = differences(&actual, &expected);
            assert!(most <= 5e-3, "{name}, {width}x{height}: {most}");
            worst = worst.max(most);
        }
        say(&format!("{name} as for a card, f32: within {worst:.1e} of the processor"));
    }
}

#[test]
fn every_network_paints_in_half_precision_nearly_what_it_paints_on_the_processor() {
    for description in descriptions() {
        let name = description.architecture.clone();
        let network = random(description);
        let size = large_enough(&network, (17, 23));
        let picture = picture(size.0, size.1);
        let expected = expected(&network, &picture, size);
        let precision = CudaPrecision::F16;
        let one_by_one = painted(&network, &picture, size, precision, simplest(precision));
        let with_moments = painted(&network, &picture, size, precision, widest);
        for (how, actual) in [("norms apart", one_by_one), ("norms by convolutions", with_moments)] {
            let (most, rms) = differences(&actual, &expected);
            let psnr = 20.0 * (255.0 / rms).log10();
            say(&format!("{name} as for a card, f16, {how}: {psnr:.1} dB, {most:.2} at most"));
            assert!(psnr >= 45.0, "{name}, {how}: {psnr} dB");
        }
    }
}

#[test]
fn trained_networks_stay_within_the_range_of_half_precision() {
    for file in ["starrynight.transformer_net", "pointillism.transformer_net", "wave.lengstrom"] {
        let Some(path) = shared(&format!("assets/style_nets/{file}.safetensors")) else { return };
        let network = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap();
        let size = (24, 33);
        let picture = picture(size.0, size.1);
        let actual = painted(&network, &picture, size, CudaPrecision::F16, widest);
        let (most, rms) = differences(&actual, &expected(&network, &picture, size));
        let psnr = 20.0 * (255.0 / rms).log10();
        say(&format!("{file} as for a card, f16: {psnr:.1} dB, {most:.2} at most"));
        assert!(psnr >= 45.0, "{file}: {psnr} dB");
    }
}

#[test]
fn one_column_that_comes_from_beside_its_place_is_noticed() {
    let network = random(networks::transformer_net(8));
    let size = (17, 23);
    let picture = picture(size.0, size.1);
    let mut program = compile(network.description(), size, CudaPrecision::F32).unwrap();
    let middle = program.tables.len() / 2;
    program.tables[middle] = program.tables[middle - 1];
    let weights = parameters(&network).unwrap();
    let actual: Vec<f32> = paint(&program, &weights, &picture, Output::F32, simplest(CudaPrecision::F32));
    let (most, _) = differences(&actual, &expected(&network, &picture, size));
    assert!(most > 0.5, "{most}");
}

#[test]
fn bytes_are_the_painting_clamped_and_rounded() {
    for (height, width) in [(16, 16), (17, 19)] {
        let network = random(networks::transformer_net(4));
        let picture = picture(height, width);
        let program = compile(network.description(), (height, width), CudaPrecision::F32).unwrap();
        let weights = parameters(&network).unwrap();
        let floats: Vec<f32> = paint(&program, &weights, &picture, Output::F32, simplest(CudaPrecision::F32));
        let bytes: Vec<u8> = paint(&program, &weights, &picture, Output::Rgb8, simplest(CudaPrecision::F32));
        let rounded: Vec<u8> = floats.iter().map(|value| value.clamp(0.0, 255.0).round() as u8).collect();
        assert_eq!(bytes, rounded);
        assert!(rounded.contains(&0) && rounded.contains(&255));
    }
}

/// The same program with a place of its own for every buffer.
fn apart(mut program: Program) -> Program {
    for address in program.steps.iter().flat_map(Step::addresses) {
        if let Region::Buffer(id) = address.region {
            program.arena.used(id, usize::MAX);
        }
    }
    program.arena.lay_out();
    program
}

#[test]
fn a_place_that_is_used_again_changes_no_bit() {
    let small = [
        networks::transformer_net(8),
        networks::swift(SwiftSize { width: 48, blocks: 1 }),
        networks::super_res(4, SuperResSize { width: 12, blocks: 2 }),
    ];
    for description in small {
        let name = description.architecture.clone();
        let size = (17, 20);
        let picture = picture(size.0, size.1);
        let network = folded(&random(description)).unwrap();
        let weights = parameters(&network).unwrap();
        let program = compile(network.description(), size, CudaPrecision::F16).unwrap();
        let spread = apart(program.clone());
        assert!(program.arena_bytes() < spread.arena_bytes(), "{name}");
        let choose_simplest = simplest(CudaPrecision::F16);
        for with_moments in [false, true] {
            let choose = |convolve: &Convolve<u64>| {
                if with_moments { widest(convolve) } else { choose_simplest(convolve) }
            };
            let together: Vec<u32> = paint(&program, &weights, &picture, Output::F32, choose);
            let spread: Vec<u32> = paint(&spread, &weights, &picture, Output::F32, choose);
            assert!(together == spread, "{name}");
        }
    }
}

fn conv(name: &str, from: usize, to: usize, kernel: usize, stride: usize) -> [Layer; 2] {
    let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
    let conv = Convolution { weight, bias, in_channels: from, out_channels: to, kernel, stride };
    [Layer::Pad(Padding::Fixed(PadMode::Reflect, Margins::uniform(kernel / 2))), Layer::Conv(conv)]
}

fn norm(name: &str, channels: usize) -> Layer {
    let (scale, shift) = (format!("{name}.scale"), format!("{name}.shift"));
    Layer::InstanceNorm(Norm { scale, shift, channels, eps: 1e-5 })
}

fn network(layers: Vec<Layer>) -> Network {
    random(NetworkDescription {
        architecture: "odd".to_owned(),
        layers,
        sizes: Vec::new(),
        side_multiple: 1,
        output: Out::Painting,
    })
}

/// Against candle's tensors, layer by layer.
fn check_against_tensors(what: &str, layers: Vec<Layer>) {
    let network = network(layers);
    // What is halved or divided by three on the way comes back to the same size.
    let (height, width) = (14, 18);
    let picture = picture(height, width);
    let planes: Vec<f32> =
        (0..3).flat_map(|c| picture.iter().skip(c).step_by(3).map(|v| f32::from(*v))).collect();
    let input = candle_core::Tensor::from_vec(planes, (1, 3, height, width), &Device::Cpu).unwrap();
    let output = network.forward(&input).unwrap().permute((0, 2, 3, 1)).unwrap();
    let expected: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
    let scale = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    let precision = CudaPrecision::F32;
    let actual = painted(&network, &picture, (height, width), precision, simplest(precision));
    let (most, _) = differences(&actual, &expected);
    assert!(most <= 1e-5 * f64::from(scale), "{what}: {most} of {scale}");
}

#[test]
fn layers_in_unusual_order_give_what_they_give_one_by_one() {
    let end = || conv("end", 16, 3, 3, 1).to_vec();
    let start = || conv("start", 3, 16, 3, 1).to_vec();
    let mid = |name: &str| conv(name, 16, 16, 3, 1).to_vec();
    let cases: [(&str, Vec<Layer>); 9] = [
        ("one convolution", conv("only", 3, 3, 5, 1).to_vec()),
        ("a norm behind a ReLU", [start(), vec![Layer::Relu, norm("n", 16)], end()].concat()),
        ("a ReLU behind a residual", [start(), vec![Layer::Residual(mid("a")), Layer::Relu], end()].concat()),
        (
            "residuals in residuals",
            [
                start(),
                vec![norm("n", 16), Layer::Residual([vec![Layer::Residual(mid("a"))], mid("b")].concat())],
                end(),
            ]
            .concat(),
        ),
        (
            "a residual that ends with a ReLU",
            [start(), vec![Layer::Residual([mid("a"), vec![Layer::Relu]].concat())], end()].concat(),
        ),
        (
            "an enlargement by three and back",
            [
                start(),
                vec![Layer::UpsampleNearest(3)],
                conv("back", 16, 16, 3, 3).to_vec(),
                vec![Layer::Relu],
                end(),
            ]
            .concat(),
        ),
        (
            "an enlargement before a wide convolution",
            [
                conv("half", 3, 16, 3, 2).to_vec(),
                vec![Layer::UpsampleNearest(2)],
                conv("end", 16, 3, 5, 1).to_vec(),
            ]
            .concat(),
        ),
        ("two norms at the end", [start(), end(), vec![norm("m", 3), norm("n", 3)]].concat()),
        (
            "an end in phases",
            [conv("half", 3, 16, 3, 2).to_vec(), vec![Layer::UpsampleNearest(2)], end()].concat(),
        ),
    ];
    for (what, layers) in cases {
        check_against_tensors(what, layers);
    }
}

fn refused(layers: Vec<Layer>) -> String {
    match compile(network(layers).description(), (16, 16), CudaPrecision::F16).unwrap_err() {
        PlanError::Unsupported { what } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn what_plans_do_not_know_is_refused_by_name() {
    let start = || conv("start", 3, 8, 3, 1).to_vec();
    assert!(refused(vec![Layer::MaxPool]).contains("MaxPool"));
    assert!(refused(Vec::new()).contains("does not end"));
    assert!(refused(start()).contains("does not end"));
    assert!(refused(vec![Layer::UpsampleNearest(0)]).contains("by 0"));
    assert!(refused([start(), vec![Layer::SpaceToDepth(2)]].concat()).contains("after the first"));
    assert!(refused([start(), conv("end", 9, 3, 3, 1).to_vec()].concat()).contains("8 channels"));
    assert!(refused([start(), vec![norm("n", 9)]].concat()).contains("9 channels after 8"));
    let tanh = Layer::ScaledTanh { gain: 1.0, offset: 0.0 };
    assert!(refused([start(), vec![tanh], conv("end", 8, 3, 3, 1).to_vec()].concat()).contains("ScaledTanh"));
    let small = [conv("half", 3, 8, 3, 2), conv("end", 8, 3, 3, 1)].concat();
    assert!(refused(small).contains("same size"));
    let narrower = Layer::Residual(conv("in", 8, 4, 3, 1).to_vec());
    assert!(refused([start(), vec![narrower]].concat()).contains("another size"));
}

#[test]
fn a_picture_too_small_for_its_reflection_is_refused() {
    let description = networks::transformer_net(4);
    let error = compile(&description, (3, 40), CudaPrecision::F16).unwrap_err();
    assert!(matches!(error, PlanError::TooSmall { .. }), "{error}");
}

#[test]
fn counts_are_those_of_the_layers() {
    let program = compile(&networks::transformer_net(32), (1080, 1920), CudaPrecision::F16).unwrap();
    let counts = program.counts();
    say(&format!("transformer_net at 1920x1080, f16: {counts:?}, arena {}", program.arena_bytes()));
    let pixels = 1080 * 1920;
    let layers = [
        (pixels, 81 * 3 * 32),
        (pixels / 4, 9 * 32 * 64),
        (pixels / 16, 9 * 64 * 128),
        (pixels / 16, 10 * 9 * 128 * 128),
        (pixels / 4, 9 * 128 * 64),
        (pixels, 9 * 64 * 32),
        (pixels, 81 * 32 * 3),
    ];
    let direct: usize = layers.iter().map(|(pixels, products)| 2 * pixels * products).sum();
    assert_eq!(counts.direct_operations, direct as u64);
    // The two enlargements take four ninths; the ends take more, for channels that fill up.
    let more = counts.operations as f64 / direct as f64;
    assert!((0.9..1.1).contains(&more), "{more}");
    assert_eq!(counts.transferred_bytes, 2 * 3 * pixels as u64);
    assert!(counts.least_bytes < counts.bytes);
    // 16 convolutions with an input each, 15 norms of two passes, and the painting.
    assert_eq!(counts.launches, 2 * 16 + 2 * 15 + 1);
}
