//! Compiled networks against a plain reference in `f64`, for every instruction set that this processor has.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write;

use candle_core::{Device, Tensor};
use pastiche_nn::{
    Architecture, Canvas, CompiledNetwork, Convolution, Layer, Level, Margins, Network, NetworkDescription,
    Output, PadMode, Padding, Picture, Plan, PlanError, WeightsFile, networks, networks::SuperResSize,
};
use rayon::prelude::*;
use support::{
    golden, max_difference,
    reference::{self, Planes},
    relative_difference, shared,
};

/// On the 0-255 scale.
const TOLERANCE: f64 = 5e-3;

fn random(architecture: Architecture) -> Network {
    with_statistics(Network::random(architecture.usual(), 7, &Device::Cpu).unwrap())
}

/// With statistics in its batch norms as a training would leave them.
fn with_statistics(network: Network) -> Network {
    let batch = (Tensor::rand(0f32, 1f32, (2, 3, 48, 44), &Device::Cpu).unwrap() * 255.0).unwrap();
    network.with_population(&[batch]).unwrap()
}

/// Slopes, edges and grain.
fn picture(height: usize, width: usize) -> Planes {
    Planes::new([3, height, width], |channel, y, x| {
        let grain = (x * 7 + y * 13 + channel * 5).wrapping_mul(2_654_435_761) % 97;
        let edge = if (x / 5 + y / 7) % 2 == 0 { 90.0 } else { 0.0 };
        (edge + grain as f64 + (x + 2 * y) as f64 / 2.0).min(255.0)
    })
}

fn painted(network: &Network, level: Level, picture: &Planes) -> Vec<f32> {
    let values: Vec<f32> = picture.values.iter().map(|value| *value as f32).collect();
    let mut plan = Plan::new(network, level).unwrap();
    let mut painting = vec![f32::NAN; values.len() * plan.factor() * plan.factor()];
    let size = (picture.height, picture.width);
    plan.paint(Picture::Planes(&values), size, Canvas::Planes(&mut painting)).unwrap();
    painting
}

/// Largest difference; a NaN counts as infinite.
fn difference(painting: &[f32], reference: &Planes) -> f64 {
    let pairs = painting.iter().zip(&reference.values);
    let each = pairs.map(|(a, b)| (f64::from(*a) - b).abs());
    each.fold(0.0, |most, one| if one.is_nan() { f64::INFINITY } else { one.max(most) })
}

/// Says it even where the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn check(name: &str, network: &Network, sizes: &[(usize, usize)]) {
    let levels = Level::available();
    let mut worst = vec![0.0f64; levels.len()];
    for &(height, width) in sizes {
        let picture = picture(height, width);
        let expected = reference::paint(network, &picture);
        for (level, worst) in levels.iter().zip(&mut worst) {
            let difference = difference(&painted(network, *level, &picture), &expected);
            assert!(difference <= TOLERANCE, "{name}, {level}, {width}x{height}: {difference}");
            *worst = worst.max(difference);
        }
    }
    for (level, worst) in levels.iter().zip(worst) {
        say(&format!("{name}, {level}: within {worst:.1e} of f64 at {} sizes", sizes.len()));
    }
}

/// Every odd side from 17 to 67, each with another one.
fn odd_sizes() -> Vec<(usize, usize)> {
    (17..=67).step_by(2).map(|side| (side, 84 - side)).collect()
}

#[test]
fn random_networks_are_close_to_the_reference_at_every_odd_size() {
    for architecture in Architecture::ALL {
        // Which sees far around, and takes no picture of less than 41.
        let few = [(41, 83), (67, 45), (59, 63)];
        let sizes = if architecture == Architecture::Johnson { few.to_vec() } else { odd_sizes() };
        check(architecture.name(), &random(architecture), &sizes);
    }
}

#[test]
fn networks_that_enlarge_are_close_to_the_reference_at_any_size() {
    let size = SuperResSize { width: 24, blocks: 2 };
    for description in [networks::super_res(4, size), networks::super_res(8, size), networks::srcnn(4)] {
        let (name, factor) = (description.architecture.clone(), description.enlargement());
        // As after a training, not as before, where next to nothing comes out.
        let specs = description.parameters();
        let trained = Network::random(description.clone(), 7, &Device::Cpu).unwrap();
        let louder = |scale: f32| if scale == 1.0 { 1.0 } else { 0.3 / f64::from(scale) };
        let weights = trained
            .parameters()
            .iter()
            .map(|(name, tensor)| (name.clone(), (tensor * louder(specs[name.as_str()].scale)).unwrap()));
        let network = Network::new(description.clone(), weights.collect()).unwrap();
        check(&name, &network, &[(9, 14), (16, 16), (23, 31)]);
        let picture = (Tensor::rand(0f32, 1f32, (2, 3, 12, 17), &Device::Cpu).unwrap() * 255.0).unwrap();
        let compiled = CompiledNetwork::new(Plan::new(&network, Level::best().unwrap()).unwrap());
        let (fast, plain) = (compiled.forward(&picture).unwrap(), network.forward(&picture).unwrap());
        assert_eq!(fast.dims(), [2, 3, 12 * factor, 17 * factor]);
        assert!(max_difference(&fast, &plain) < 5e-3);
        assert!(max_difference(&plain, &plain.zeros_like().unwrap()) > 20.0, "{name} says something");
    }
}

#[test]
fn trained_networks_are_close_to_the_reference_at_every_odd_size() {
    for file in ["starrynight.transformer_net", "wave.lengstrom"] {
        let Some(path) = shared(&format!("assets/style_nets/{file}.safetensors")) else { return };
        let network = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap();
        check(file, &network, &odd_sizes());
    }
}

#[test]
fn a_photo_is_close_to_the_reference() {
    let (Some(path), Some(golden)) = (
        shared("assets/style_nets/pointillism.transformer_net.safetensors"),
        golden("style_nets.safetensors"),
    ) else {
        return;
    };
    let network = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap();
    for size in ["even", "odd"] {
        let photo = &golden[&format!("{size}.input")];
        let (_, _, height, width) = photo.dims4().unwrap();
        let values = photo.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let photo =
            Planes::new([3, height, width], |c, y, x| f64::from(values[(c * height + y) * width + x]));
        let expected = reference::paint(&network, &photo);
        for level in Level::available() {
            let difference = difference(&painted(&network, level, &photo), &expected);
            say(&format!("a photo of {width}x{height}, {level}: within {difference:.1e} of f64"));
            assert!(difference <= TOLERANCE, "{level}: {difference}");
        }
    }
}

#[test]
fn narrow_and_odd_networks_are_close_to_the_reference() {
    let sizes = [(17, 40), (33, 19)];
    for width in [1, 3, 9, 13] {
        let network = Network::random(networks::transformer_net(width), 3, &Device::Cpu).unwrap();
        check(&format!("transformer_net({width})"), &network, &sizes);
    }
    for width in [1, 3, 9] {
        let network = Network::random(networks::johnson(width), 3, &Device::Cpu).unwrap();
        check(&format!("johnson({width})"), &with_statistics(network), &[(43, 50), (61, 45)]);
    }
    for (width, blocks) in [(6, 1), (36, 2), (54, 1)] {
        let description = networks::swift(networks::SwiftSize { width, blocks });
        let network = Network::random(description, 3, &Device::Cpu).unwrap();
        check(&format!("swift({width}, {blocks})"), &network, &sizes);
    }
}

#[test]
fn a_plain_colour_gives_numbers() {
    for architecture in Architecture::ALL {
        let network = random(architecture);
        for colour in [0.0, 127.0, 255.0] {
            let plain = Planes::new([3, 43, 47], |_, _, _| colour);
            for level in Level::available() {
                let painting = painted(&network, level, &plain);
                assert!(painting.iter().all(|value| value.is_finite()), "{}, {level}", architecture.name());
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_and_a_plan_can_be_used_again_at_other_sizes() {
    for architecture in Architecture::ALL {
        let mut plan = Plan::new(&random(architecture), Level::best().unwrap()).unwrap();
        let mut paint = |threads: usize, height: usize, width: usize| {
            let bytes: Vec<u8> = picture(height, width).values.iter().map(|value| *value as u8).collect();
            let mut painting = vec![f32::NAN; bytes.len()];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let canvas = Canvas::Rgb(&mut painting);
            pool.install(|| plan.paint(Picture::Rgb8(&bytes), (height, width), canvas)).unwrap();
            painting.iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        };
        let first = paint(1, 61, 83);
        paint(2, 44, 200);
        for threads in [2, 3, 5] {
            assert_eq!(paint(threads, 61, 83), first, "{}", architecture.name());
        }
    }
}

#[test]
fn interleaved_bytes_and_planes_are_the_same_picture() {
    let (height, width) = (30, 22);
    let network = random(Architecture::Lengstrom);
    let planes = Planes::new([3, height, width], |c, y, x| ((c * 50 + y * 6 + x * 3) % 256) as f64);
    let bytes: Vec<u8> = (0..3 * height * width)
        .map(|i| ((i % 3) * 50 + i / 3 / width * 6 + i / 3 % width * 3) as u8)
        .collect();
    let level = Level::best().unwrap();
    let expected = painted(&network, level, &planes);
    let mut painting = vec![f32::NAN; bytes.len()];
    let mut plan = Plan::new(&network, level).unwrap();
    plan.paint(Picture::Rgb8(&bytes), (height, width), Canvas::Rgb(&mut painting)).unwrap();
    for (at, value) in painting.iter().enumerate() {
        assert_eq!(*value, expected[at % 3 * height * width + at / 3]);
    }
}

#[test]
fn as_a_candle_operation_a_plan_gives_what_the_network_gives() {
    let network = random(Architecture::Swift);
    let compiled = CompiledNetwork::new(Plan::new(&network, Level::best().unwrap()).unwrap());
    // Waves, the same every time.
    let pixels: Vec<f32> = (0..2 * 3 * 40 * 52).map(|at| 127.5 + 127.0 * (at as f32 * 0.37).sin()).collect();
    let batch = Tensor::from_vec(pixels, (2, 3, 40, 52), &Device::Cpu).unwrap();
    let (actual, expected) = (compiled.forward(&batch).unwrap(), network.forward(&batch).unwrap());
    let difference = relative_difference(&actual, &expected);
    assert!(difference < 2e-5, "{difference}");
}

#[test]
fn statistics_over_one_batch_make_of_it_what_training_does_and_over_several_are_those_of_all() {
    let network = Network::random(networks::johnson(4), 5, &Device::Cpu).unwrap();
    let batch = |level: f64| {
        let noise = Tensor::rand(0f32, 1f32, (2, 3, 44, 52), &Device::Cpu).unwrap();
        ((noise * 100.0).unwrap() + level).unwrap()
    };
    let (dark, bright) = (batch(0.0), batch(150.0));
    let of_dark = network.with_population(std::slice::from_ref(&dark)).unwrap();
    let learning = network.forward_in_training(&dark).unwrap();
    assert!(max_difference(&of_dark.forward(&dark).unwrap(), &learning) < 1e-2);
    assert!(max_difference(&network.forward(&dark).unwrap(), &learning) > 10.0);

    // The first layer sees the same whatever is normalised behind it.
    let both = network.with_population(&[dark.clone(), bright.clone()]).unwrap();
    let together = network.with_population(&[Tensor::cat(&[&dark, &bright], 0).unwrap()]).unwrap();
    for name in ["bn1.running_mean", "bn1.running_var"] {
        let of = |network: &Network| network.parameters()[name].clone();
        assert!(relative_difference(&of(&both), &of(&together)) < 1e-4, "{name}");
        assert!(relative_difference(&of(&of_dark), &of(&together)) > 0.1, "{name}");
    }
    // Compiled, the norms are in the convolutions.
    let compiled = CompiledNetwork::new(Plan::new(&both, Level::best().unwrap()).unwrap());
    let (fast, plain) = (compiled.forward(&bright).unwrap(), both.forward(&bright).unwrap());
    assert!(max_difference(&fast, &plain) < 5e-3);
}

#[test]
fn swift_sees_at_least_60_pixels() {
    // A network of ones, without norms, spreads one pixel over all outputs that see it.
    fn without_norms(layers: Vec<Layer>) -> Vec<Layer> {
        let plain = |layer| match layer {
            Layer::InstanceNorm(_) => None,
            Layer::Residual(layers) => Some(Layer::Residual(without_norms(layers))),
            other => Some(other),
        };
        layers.into_iter().filter_map(plain).collect()
    }
    let mut description = Architecture::Swift.usual();
    description.layers = without_norms(description.layers);
    let ones = description.parameters().into_iter().map(|(name, spec)| {
        let value = if spec.shape.len() == 4 { 1f32 } else { 0f32 };
        (name.to_owned(), Tensor::full(value, spec.shape, &Device::Cpu).unwrap())
    });
    let network = Network::new(description.clone(), ones.collect()).unwrap();
    let (side, middle) = (160, 80);
    let picture = Planes::new([3, side, side], |_, y, x| if (y, x) == (middle, middle) { 1.0 } else { 0.0 });
    let painting = reference::paint(&network, &picture);
    let row = &painting.values[middle * side..(middle + 1) * side];
    let seen = row.iter().filter(|value| **value > 0.0).count();
    assert!((60..=110).contains(&seen), "{seen} pixels");
    say(&format!("swift: one pixel shows in {seen}"));
}

fn conv(name: &str, from: usize, to: usize, kernel: usize, stride: usize) -> [Layer; 2] {
    let (weight, bias) = (format!("{name}.weight"), Some(format!("{name}.bias")));
    let conv = Convolution { weight, bias, in_channels: from, out_channels: to, kernel, stride };
    [Layer::Pad(Padding::Fixed(PadMode::Reflect, Margins::uniform(kernel / 2))), Layer::Conv(conv)]
}

fn network(layers: Vec<Layer>) -> Network {
    let architecture = "odd".to_owned();
    let description = NetworkDescription {
        architecture,
        layers,
        sizes: Vec::new(),
        side_multiple: 1,
        output: Output::Painting,
    };
    Network::random(description, 0, &Device::Cpu).unwrap()
}

/// A network without norms, whose numbers keep the picture's range: a last convolution that makes pixels out of numbers
/// around 1 would lead out of it.
fn network_without_norms(layers: Vec<Layer>) -> Network {
    let network = network(layers);
    let description = network.description();
    let specs = description.parameters();
    let unscaled = network.parameters().iter().map(|(name, tensor)| {
        let scale = f64::from(specs[name.as_str()].scale);
        (name.clone(), (tensor / scale).unwrap())
    });
    Network::new(description.clone(), unscaled.collect()).unwrap()
}

fn refused(layers: Vec<Layer>) -> String {
    match Plan::new(&network(layers), Level::Portable).unwrap_err() {
        PlanError::Unsupported { what } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn what_plans_do_not_know_is_refused_by_name() {
    assert!(refused(vec![Layer::MaxPool]).contains("MaxPool"));
    assert!(refused(vec![Layer::Relu]).contains("Relu"));
    assert!(refused(Vec::new()).contains("does not end"));
    assert!(refused(vec![Layer::UpsampleNearest(0)]).contains("by 0"));
}

#[test]
fn a_network_that_does_not_end_with_a_picture_of_the_same_size_is_refused() {
    for channels in [1, 2, 4, 8] {
        assert!(refused(conv("end", 3, channels, 3, 1).into()).contains("3 channels"), "{channels}");
    }
    let smaller = [conv("half", 3, 8, 3, 2), conv("end", 8, 3, 3, 1)].concat();
    assert!(refused(smaller).contains("same size"));
    let larger = [vec![Layer::UpsampleNearest(2)], conv("end", 3, 3, 3, 1).to_vec()].concat();
    assert!(refused(larger).contains("same size"));
}

#[test]
fn residuals_of_residuals_are_refused_where_they_would_write_what_is_still_needed() {
    let inner = |name: &str| Layer::Residual(conv(name, 8, 8, 3, 1).into());
    let whole = |inside: Vec<Layer>| {
        let start = conv("start", 3, 8, 3, 1).to_vec();
        [start, vec![Layer::Residual(inside)], conv("end", 8, 3, 3, 1).to_vec()].concat()
    };
    let last = || conv("last", 8, 8, 3, 1).to_vec();
    assert!(
        refused(whole([vec![inner("a"), inner("b")], last()].concat())).contains("residuals of residuals")
    );
    assert!(
        refused(whole([vec![Layer::Relu, inner("a")], last()].concat())).contains("residuals of residuals")
    );
    // One after another, and one inside that changes nothing, are right.
    for layers in [
        [conv("start", 3, 8, 3, 1).to_vec(), vec![inner("a"), inner("b")], conv("end", 8, 3, 3, 1).to_vec()]
            .concat(),
        whole(last()),
    ] {
        check("residuals", &network_without_norms(layers), &[(17, 30)]);
    }
}

#[test]
fn layers_that_change_with_the_picture_s_size_are_refused_at_the_sizes_that_do_not_fit() {
    let same = Layer::Pad(Padding::Same { kernel: 2, stride: 2 });
    let start = conv("start", 3, 16, 3, 1).to_vec();
    // At even sizes nothing is padded and the enlargement is done by phases; at odd sizes it is not.
    let layers = [start, vec![same, Layer::UpsampleNearest(2)], conv("mid", 16, 16, 3, 1).to_vec()];
    let layers =
        [layers.concat(), conv("down", 16, 16, 3, 2).to_vec(), conv("end", 16, 3, 3, 1).to_vec()].concat();
    let mut plan = Plan::new(&network(layers), Level::best().unwrap()).unwrap();
    let mut paint = |side: usize| {
        let (picture, mut painting) = (vec![9; 3 * side * side], vec![0.0; 3 * side * side]);
        plan.paint(Picture::Rgb8(&picture), (side, side), Canvas::Rgb(&mut painting))
    };
    assert!(paint(20).is_ok());
    assert!(matches!(paint(21), Err(PlanError::Unsupported { .. })));
}

#[test]
fn a_compiled_network_says_what_it_cannot_take() {
    let network = random(Architecture::Swift);
    let compiled = CompiledNetwork::new(Plan::new(&network, Level::best().unwrap()).unwrap());
    for (shape, word) in
        [([1, 4, 40, 40], "3 channels"), ([1, 3, 0, 40], "no pixels"), ([0, 3, 40, 40], "no pixels")]
    {
        let input = Tensor::zeros(&shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let error = compiled.forward(&input).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    // Two threads of one pool at once: each call is done or refused, and none waits for ever.
    let picture = Tensor::zeros((1, 3, 64, 64), candle_core::DType::F32, &Device::Cpu).unwrap();
    let done = (0..16).into_par_iter().filter(|_| compiled.forward(&picture).is_ok()).count();
    assert!(done >= 1);
}

#[test]
fn too_small_a_picture_is_refused_and_the_plan_still_works() {
    let network = random(Architecture::TransformerNet);
    let mut plan = Plan::new(&network, Level::best().unwrap()).unwrap();
    let mut paint = |side: usize| {
        let (picture, mut painting) = (vec![9; 3 * side * side], vec![0.0; 3 * side * side]);
        plan.paint(Picture::Rgb8(&picture), (side, side), Canvas::Rgb(&mut painting))
    };
    assert!(paint(20).is_ok());
    assert!(matches!(paint(4), Err(PlanError::TooSmall { .. })));
    assert!(paint(20).is_ok());
}

#[test]
fn memory_is_told_beforehand() {
    let plan = Plan::new(&random(Architecture::TransformerNet), Level::best().unwrap()).unwrap();
    let bytes = plan.memory_bytes(1080, 1920).unwrap();
    // Two activations of 32 channels at full size would be 530 MB.
    assert!((300_000_000..600_000_000).contains(&bytes), "{bytes}");
    assert!(plan.memory_bytes(4096, 4096).unwrap() > 4 * bytes);
}

#[test]
fn a_wrong_reference_is_noticed() {
    let network = random(Architecture::Swift);
    let picture = picture(40, 40);
    let other = Network::random(Architecture::Swift.usual(), 8, &Device::Cpu).unwrap();
    let painting = painted(&network, Level::best().unwrap(), &picture);
    assert!(difference(&painting, &reference::paint(&other, &picture)) > 20.0 * TOLERANCE);
    let spoilt: Vec<f32> =
        painting.par_iter().enumerate().map(|(i, v)| if i == 5 { f32::NAN } else { *v }).collect();
    assert_eq!(difference(&spoilt, &reference::paint(&network, &picture)), f64::INFINITY);
}
