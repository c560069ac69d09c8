//! The engine from frame to frame, at any size, with untrained networks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pastiche_frame::{ColorMatrix, Frame, FramePool, PixelFormat, Rational, Timestamp};
use pastiche_inference::{
    ComputeDevice, Controls, DeviceChoice, InferenceError, Precision, Style, Stylizer, StylizerOptions,
};
use proptest::prelude::*;

const ARCHITECTURES: [&str; 3] = ["transformer_net", "lengstrom", "swift"];

fn stylizer(architecture: &str, options: StylizerOptions) -> Stylizer {
    let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
    Stylizer::new(Style::random(architecture).unwrap(), &device, &options).unwrap()
}

/// A picture with some texture, the same for the same seed.
fn picture(width: u32, height: u32, seed: u32) -> Frame {
    let pixel = |at: u32| ((at.wrapping_add(seed).wrapping_mul(2_654_435_761)) >> 24) as u8;
    Frame::from_data(width, height, PixelFormat::Rgb8, (0..width * height * 3).map(pixel).collect())
}

fn painted(stylizer: &mut Stylizer, frame: Frame) -> Vec<u8> {
    stylizer.stylize(frame).unwrap().data().to_vec()
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_size_from_16_up_keeps_its_size(width in 16u32..90, height in 16u32..90, which in 0usize..3) {
        let mut stylizer = stylizer(ARCHITECTURES[which], StylizerOptions::default());
        let frame = stylizer.stylize(picture(width, height, 0)).unwrap();
        prop_assert_eq!((frame.width(), frame.height()), (width, height));
        prop_assert!(frame.data() != picture(width, height, 0).data());
    }
}

#[test]
fn sizes_out_of_range_are_refused() {
    let mut stylizer = stylizer("transformer_net", StylizerOptions::default());
    for (width, height) in [(15, 40), (40, 15), (1, 1), (16_385, 16)] {
        let error = stylizer.stylize(picture(width, height, 0)).unwrap_err();
        assert!(matches!(error, InferenceError::Size { .. }), "{error}");
    }
    let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
    let options = StylizerOptions { process_size: Some((8, 100)), ..StylizerOptions::default() };
    let style = Style::random("transformer_net").unwrap();
    assert!(matches!(Stylizer::new(style, &device, &options), Err(InferenceError::Size { .. })));
}

#[test]
fn a_painted_copy_is_the_painted_frame_and_leaves_the_frame_alone() {
    let pool = FramePool::new(1);
    for process_size in [None, Some((40, 32))] {
        let mut stylizer = stylizer("swift", StylizerOptions { process_size, ..StylizerOptions::default() });
        for (strength, keep_colors) in [(1.0, false), (1.0, true), (0.4, false)] {
            stylizer.set_controls(Controls { strength, keep_colors, smoothing: 0.0 }).unwrap();
            let frame = picture(52, 36, 3);
            let copy = stylizer.stylize_copy(&frame, &pool).unwrap();
            assert_eq!(frame.data(), picture(52, 36, 3).data());
            assert!(
                copy.data() == painted(&mut stylizer, frame),
                "{process_size:?}, {strength}, {keep_colors}"
            );
        }
    }
}

#[test]
fn time_and_color_space_travel_with_the_frame() {
    let mut frame = picture(20, 20, 0);
    frame.timestamp = Timestamp::new(42, Rational::new(1, 90_000).unwrap());
    frame.duration_ticks = Some(3000);
    frame.color_space.matrix = ColorMatrix::Bt601;
    let frame = stylizer("lengstrom", StylizerOptions::default()).stylize(frame).unwrap();
    assert_eq!((frame.timestamp.ticks, frame.duration_ticks), (42, Some(3000)));
    assert_eq!(frame.color_space.matrix, ColorMatrix::Bt601);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let paint = |threads| {
        let options = StylizerOptions { threads: Some(threads), ..StylizerOptions::default() };
        painted(&mut stylizer("transformer_net", options), picture(70, 50, 1))
    };
    let one = paint(1);
    assert_eq!(one, paint(2));
    assert_eq!(one, paint(5));
}

#[test]
fn no_strength_shows_the_input_and_controls_apply_from_the_next_frame() {
    let mut stylizer = stylizer("transformer_net", StylizerOptions::default());
    let full = painted(&mut stylizer, picture(32, 24, 0));
    stylizer.set_controls(Controls { strength: 0.0, ..Controls::default() }).unwrap();
    assert_eq!(painted(&mut stylizer, picture(32, 24, 0)), picture(32, 24, 0).data());
    stylizer.set_controls(Controls { strength: 0.5, ..Controls::default() }).unwrap();
    let half = painted(&mut stylizer, picture(32, 24, 0));
    let input = picture(32, 24, 0);
    for ((half, full), input) in half.iter().zip(&full).zip(input.data()) {
        let expected = (f64::from(*full) + f64::from(*input)) / 2.0;
        assert!((f64::from(*half) - expected).abs() <= 0.5);
    }
    let refused = stylizer.set_controls(Controls { strength: 2.0, ..Controls::default() });
    assert!(refused.is_err());
    assert_eq!(stylizer.controls().strength, 0.5);
}

#[test]
fn smoothing_steadies_a_noisy_still_scene() {
    let boil = |smoothing| {
        let mut stylizer = stylizer("transformer_net", StylizerOptions::default());
        stylizer.set_controls(Controls { smoothing, ..Controls::default() }).unwrap();
        let mut paint = |index: u32| {
            let noise = picture(48, 48, 1000 * index);
            let mut frame = picture(48, 48, 0);
            for (pixel, noise) in frame.data_mut().iter_mut().zip(noise.data()) {
                *pixel = (*pixel / 2) + noise % 5;
            }
            painted(&mut stylizer, frame)
        };
        let paintings: Vec<_> = (0..8).map(&mut paint).collect();
        mean_difference(&paintings[6], &paintings[7])
    };
    let (raw, steadied) = (boil(0.0), boil(0.9));
    assert!(raw > 0.0);
    assert!(steadied < raw / 3.0, "{steadied} against {raw}");
}

#[test]
fn a_process_size_changes_the_cost_not_the_size() {
    let options = StylizerOptions { process_size: Some((32, 24)), ..StylizerOptions::default() };
    let frame = stylizer("transformer_net", options).stylize(picture(101, 77, 0)).unwrap();
    assert_eq!((frame.width(), frame.height()), (101, 77));
}

#[test]
fn another_style_paints_from_the_next_frame_on() {
    let mut stylizer = stylizer("transformer_net", StylizerOptions::default());
    let first = painted(&mut stylizer, picture(32, 32, 0));
    stylizer.set_style(Style::random("lengstrom").unwrap()).unwrap();
    assert_ne!(painted(&mut stylizer, picture(32, 32, 0)), first);
    stylizer.set_style(Style::random("transformer_net").unwrap()).unwrap();
    assert_eq!(painted(&mut stylizer, picture(32, 32, 0)), first);
}

#[test]
fn what_cannot_be_done_is_refused_with_what_can() {
    let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
    let options = StylizerOptions { precision: Precision::F16, ..StylizerOptions::default() };
    let style = Style::random("lengstrom").unwrap();
    let Err(error) = Stylizer::new(style, &device, &options) else { panic!("f16 was accepted") };
    let error = error.to_string();
    assert!(error.starts_with("device cpu does not compute in f16; it offers f32"), "{error}");
    let error = Style::random("johnsen").unwrap_err().to_string();
    assert!(error.contains("transformer_net, lengstrom"), "{error}");
    let rgba = Frame::from_data(16, 16, PixelFormat::Rgba8, vec![0; 16 * 16 * 4]);
    let refused = stylizer("lengstrom", StylizerOptions::default()).stylize(rgba);
    assert!(matches!(refused, Err(InferenceError::Format { .. })));
}

#[test]
fn precisions_are_those_that_the_device_lists_and_auto_is_one_of_them() {
    let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
    let offered = pastiche_inference::compute_devices().swap_remove(0).precisions;
    for precision in [Precision::Auto, Precision::F32, Precision::Bf16] {
        let options = StylizerOptions { precision, ..StylizerOptions::default() };
        match Stylizer::new(Style::random("swift").unwrap(), &device, &options) {
            Ok(mut stylizer) => {
                assert!(offered.contains(&stylizer.precision()));
                assert!(precision == Precision::Auto || stylizer.precision() == precision.name());
                painted(&mut stylizer, picture(40, 30, 0));
            }
            Err(error) => {
                assert!(!offered.contains(&precision.name()), "{error}");
                assert!(error.to_string().contains("it offers f32"), "{error}");
            }
        }
    }
}

#[test]
fn what_a_picture_takes_is_told_before_it_is_painted() {
    let stylizer = stylizer("transformer_net", StylizerOptions::default());
    let small = stylizer.memory_bytes(640, 480).unwrap();
    let large = stylizer.memory_bytes(16_384, 16_384).unwrap();
    assert!((50_000_000..200_000_000).contains(&small), "{small}");
    assert!(large > 40_000_000_000, "{large}");
    assert!(matches!(stylizer.memory_bytes(8, 8), Err(InferenceError::Size { .. })));
}
