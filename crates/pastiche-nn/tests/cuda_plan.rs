//! Compiled networks on a CUDA card against those on the processor.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;

use candle_core::{CudaDevice, Device, Tensor};
use pastiche_nn::{
    Canvas, CudaError, CudaPlan, CudaPrecision, Level, Network, NetworkDescription, Picture, Plan,
    networks::{self, SuperResSize, SwiftSize},
};

/// The first card. Whoever builds for cards has one, unless `PASTICHE_NO_CARD` is set: then this says visibly that the test
/// skips.
fn card() -> Option<CudaDevice> {
    match CudaDevice::new_with_stream(0) {
        Ok(card) => Some(card),
        Err(error) => {
            assert!(std::env::var_os("PASTICHE_NO_CARD").is_some(), "no card can be used: {error}");
            say(&format!("SKIPPED: no CUDA card can be used ({error})"));
            None
        }
    }
}

/// Says it even where the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn descriptions() -> Vec<NetworkDescription> {
    let size = SuperResSize { width: 24, blocks: 2 };
    vec![
        networks::transformer_net(32),
        networks::transformer_net(5),
        networks::lengstrom(),
        networks::swift(SwiftSize::default()),
        networks::swift(SwiftSize { width: 6, blocks: 1 }),
        networks::super_res(4, size),
        networks::super_res(8, size),
        networks::srcnn(4),
        networks::johnson(3),
    ]
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
    let batch = (Tensor::rand(0f32, 1f32, (2, 3, 48, 44), &Device::Cpu).unwrap() * 255.0).unwrap();
    Network::new(description.clone(), weights.collect()).unwrap().with_population(&[batch]).unwrap()
}

/// A size as large as `size` or, for networks that see too far for it, larger.
fn large_enough(network: &Network, (height, width): (usize, usize)) -> (usize, usize) {
    let more = network.description().least_side().saturating_sub(16);
    (height + more, width + more)
}

/// Slopes, edges and grain; another one for each `seed`.
fn picture(height: usize, width: usize, seed: usize) -> Vec<u8> {
    let pixel = |at: usize| {
        let (y, x) = (at / 3 / width, at / 3 % width);
        let grain = (at * 7 + seed * 5).wrapping_mul(2_654_435_761) % 97;
        let edge = if (x / 5 + y / 7 + seed).is_multiple_of(2) { 90 } else { 0 };
        (edge + grain + (x + 2 * y) / 4).min(255) as u8
    };
    (0..3 * height * width).map(pixel).collect()
}

/// What the processor paints.
fn expected(network: &Network, picture: &[u8], size: (usize, usize)) -> Vec<f32> {
    let mut plan = Plan::new(network, Level::best().unwrap()).unwrap();
    let mut painting = vec![f32::NAN; picture.len() * plan.factor() * plan.factor()];
    plan.paint(Picture::Rgb8(picture), size, Canvas::Rgb(&mut painting)).unwrap();
    painting
}

/// Largest difference, and the peak signal-to-noise ratio in decibels; a NaN counts as infinite.
fn differences(a: &[f32], b: &[f32]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let (mut most, mut squares) = (0.0f64, 0.0);
    for (a, b) in a.iter().zip(b) {
        let difference = f64::from(a - b).abs();
        most = if difference.is_nan() { f64::INFINITY } else { most.max(difference) };
        squares += difference * difference;
    }
    (most, 10.0 * (255.0 * 255.0 * a.len() as f64 / squares).log10())
}

/// Every network at some sizes, odd ones among them, on the card and on the processor.
fn check(precision: CudaPrecision, close: impl Fn(f64, f64) -> bool) {
    let Some(card) = card() else { return };
    for description in descriptions() {
        let name = description.architecture.clone();
        let network = random(description);
        let mut plan = CudaPlan::new(&network, &card, precision).unwrap();
        for size in [(17, 23), (64, 64), (101, 131), (240, 320)] {
            let size = large_enough(&network, size);
            let picture = picture(size.0, size.1, 0);
            let mut painting = vec![f32::NAN; picture.len() * plan.factor() * plan.factor()];
            plan.paint(&picture, size, &mut painting).unwrap();
            let (most, decibels) = differences(&painting, &expected(&network, &picture, size));
            say(&format!(
                "{name}, {precision:?}, {}x{}: {decibels:.1} dB, {most:.1e} at most",
                size.1, size.0
            ));
            assert!(close(most, decibels), "{name}, {}x{}: {decibels} dB, {most}", size.1, size.0);
        }
    }
}

#[test]
fn in_single_precision_a_card_paints_what_the_processor_paints() {
    check(CudaPrecision::F32, |most, _| most <= 2e-2);
}

#[test]
fn in_half_precision_a_card_paints_nearly_what_the_processor_paints() {
    check(CudaPrecision::F16, |_, decibels| decibels >= 45.0);
}

#[test]
fn pictures_under_way_come_back_in_turn_and_as_when_they_are_painted_alone() {
    let Some(card) = card() else { return };
    let size = (50, 70);
    let network = random(networks::transformer_net(16));
    let mut plan = CudaPlan::new(&network, &card, CudaPrecision::F16).unwrap();
    let pictures: Vec<Vec<u8>> = (0..7).map(|seed| picture(size.0, size.1, seed)).collect();
    let alone: Vec<Vec<u8>> = pictures
        .iter()
        .map(|picture| {
            let (mut bytes, mut floats) = (vec![0; picture.len()], vec![0.0; picture.len()]);
            plan.paint_rgb8(picture, size, &mut bytes).unwrap();
            plan.paint(picture, size, &mut floats).unwrap();
            let rounded: Vec<u8> = floats.iter().map(|value| value.clamp(0.0, 255.0).round() as u8).collect();
            assert_eq!(bytes, rounded);
            bytes
        })
        .collect();
    assert_ne!(alone[0], alone[1]);
    let mut collected = vec![0; pictures[0].len()];
    plan.submit(&pictures[0], size).unwrap();
    for at in 1..pictures.len() {
        plan.submit(&pictures[at], size).unwrap();
        assert!(matches!(plan.submit(&pictures[at], size), Err(CudaError::OutOfTurn { .. })));
        plan.collect(&mut collected).unwrap();
        assert_eq!(collected, alone[at - 1], "picture {}", at - 1);
    }
    assert!(matches!(plan.submit(&picture(30, 30, 0), (30, 30)), Err(CudaError::OutOfTurn { .. })));
    let mut floats = vec![0.0; pictures[0].len()];
    assert!(matches!(plan.paint(&pictures[0], size, &mut floats), Err(CudaError::OutOfTurn { .. })));
    plan.collect(&mut collected).unwrap();
    assert_eq!(&collected, alone.last().unwrap());
    assert!(matches!(plan.collect(&mut collected), Err(CudaError::OutOfTurn { .. })));
}

#[test]
fn a_plan_can_be_used_again_at_other_sizes_and_after_its_memory_was_given_back() {
    let Some(card) = card() else { return };
    let network = random(networks::swift(SwiftSize::default()));
    let mut plan = CudaPlan::new(&network, &card, CudaPrecision::F16).unwrap();
    let mut paint = |size: (usize, usize)| {
        let picture = picture(size.0, size.1, 3);
        let mut painting = vec![0; picture.len()];
        plan.paint_rgb8(&picture, size, &mut painting).unwrap();
        painting
    };
    let first = paint((61, 83));
    paint((240, 320));
    assert_eq!(paint((61, 83)), first);
    plan.release();
    let picture = picture(61, 83, 3);
    let mut painting = vec![0; picture.len()];
    plan.paint_rgb8(&picture, (61, 83), &mut painting).unwrap();
    assert_eq!(painting, first);
    assert!(plan.memory_bytes(240, 320) > plan.memory_bytes(61, 83));
    assert!(plan.memory_bytes(61, 83) > plan.weight_bytes() && plan.weight_bytes() > 0);
}

#[test]
fn a_size_that_the_network_cannot_take_is_an_error_and_the_plan_goes_on() {
    let Some(card) = card() else { return };
    let network = random(networks::transformer_net(8));
    let mut plan = CudaPlan::new(&network, &card, CudaPrecision::F16).unwrap();
    let error = plan.paint_rgb8(&[0; 3 * 3 * 40], (3, 40), &mut [0; 3 * 3 * 40]).unwrap_err();
    assert!(matches!(error, CudaError::Network(_)), "{error}");
    assert_eq!(plan.memory_bytes(3, 40), 0);
    let picture = picture(32, 32, 0);
    plan.paint_rgb8(&picture, (32, 32), &mut vec![0; picture.len()]).unwrap();
}
