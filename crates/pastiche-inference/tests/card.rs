//! The engine on a card that is none: choosing it, painting on it, and what becomes of the picture when it fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pastiche_fake_card::{FakeCard, FakeCards};
use pastiche_frame::{Frame, PixelFormat};
use pastiche_inference::{
    ComputeDevice, Controls, DeviceChoice, InferenceError, Precision, Style, Stylizer, StylizerOptions,
    card::{Card, CardError, CardInfo, Cards},
    compute_devices_among,
};

fn picture(width: u32, height: u32, seed: u32) -> Frame {
    let pixel = |at: u32| ((at.wrapping_add(seed).wrapping_mul(2_654_435_761)) >> 24) as u8;
    Frame::from_data(width, height, PixelFormat::Rgb8, (0..width * height * 3).map(pixel).collect())
}

fn stylizer(cards: &FakeCards, choice: DeviceChoice) -> Result<Stylizer, InferenceError> {
    stylizer_with(cards, choice, StylizerOptions::default())
}

fn stylizer_with(
    cards: &FakeCards,
    choice: DeviceChoice,
    options: StylizerOptions,
) -> Result<Stylizer, InferenceError> {
    let device = ComputeDevice::open_among(choice, Ok(cards))?;
    Stylizer::new(Style::random("swift")?, &device, &options)
}

/// What the processor paints, in `f32` as the fake card does.
fn painted_by_processor(frame: Frame, controls: Controls, options: StylizerOptions) -> Vec<u8> {
    let options = StylizerOptions { precision: Precision::F32, ..options };
    let mut stylizer = stylizer_with(&FakeCards::default(), DeviceChoice::Cpu, options).unwrap();
    stylizer.set_controls(controls).unwrap();
    stylizer.stylize(frame).unwrap().data().to_vec()
}

fn lost_after(frames: u64) -> FakeCards {
    FakeCards::new(FakeCard { lost_after: Some(frames), ..FakeCard::default() })
}

#[test]
fn auto_takes_a_card_that_works_and_f16_there() {
    let cards = FakeCards::new(FakeCard::default());
    let mut stylizer = stylizer(&cards, DeviceChoice::Auto).unwrap();
    assert_eq!((stylizer.device_id().as_str(), stylizer.precision()), ("cuda:0", "f16"));
    assert_eq!(stylizer.device().name(), "Fake card");
    assert_eq!((stylizer.take_warning(), stylizer.device().note()), (None, None));
    stylizer.stylize(picture(40, 30, 0)).unwrap();
    assert_eq!(cards.frames(), 1);
    let options = StylizerOptions { precision: Precision::F32, ..StylizerOptions::default() };
    assert_eq!(stylizer_with(&cards, DeviceChoice::Cuda(0), options).unwrap().precision(), "f32");
    let options = StylizerOptions { precision: Precision::Bf16, ..StylizerOptions::default() };
    let error = stylizer_with(&cards, DeviceChoice::Auto, options).err().unwrap().to_string();
    assert!(error.contains("cuda:0") && error.contains("f16, f32"), "{error}");
}

#[test]
fn a_card_s_picture_is_the_processor_s_with_all_controls_and_sizes() {
    let small = StylizerOptions { process_size: Some((24, 16)), ..StylizerOptions::default() };
    for options in [StylizerOptions::default(), small] {
        for controls in [
            Controls::default(),
            Controls { strength: 0.4, ..Controls::default() },
            Controls { keep_colors: true, ..Controls::default() },
            Controls { smoothing: 0.5, ..Controls::default() },
        ] {
            let cards = FakeCards::new(FakeCard::default());
            let mut stylizer = stylizer_with(&cards, DeviceChoice::Cuda(0), options).unwrap();
            stylizer.set_controls(controls).unwrap();
            let painted = stylizer.stylize(picture(50, 37, 3)).unwrap();
            let expected = painted_by_processor(picture(50, 37, 3), controls, options);
            assert!(painted.data() == expected, "{controls:?} {options:?}");
            assert_eq!(cards.frames(), 1);
        }
    }
}

#[test]
fn cards_that_cannot_be_used_are_told_and_auto_goes_on_with_the_processor() {
    let too_old = FakeCard { capability: (7, 0), ..FakeCard::default() };
    let refuses = FakeCard { refuses: true, ..FakeCard::default() };
    for (cards, words) in [
        (FakeCards::default(), "has no CUDA card"),
        (FakeCards::new(too_old), "compute capability 7.0"),
        (FakeCards::new(refuses), "the driver does not open it"),
    ] {
        let error = stylizer(&cards, DeviceChoice::Cuda(0)).err().unwrap().to_string();
        assert!(
            error.contains("cuda:0") && error.contains(words) && error.contains("--device cpu"),
            "{error}"
        );
        let mut stylizer = stylizer(&cards, DeviceChoice::Auto).unwrap();
        assert_eq!(stylizer.device_id(), "cpu");
        let warning = stylizer.take_warning().unwrap();
        assert!(warning.contains(words), "{warning}");
        assert_eq!(stylizer.take_warning(), None, "once");
        let listed = &compute_devices_among(Ok(&cards))[1];
        assert!(!listed.usable && listed.reason.as_ref().unwrap().contains(words), "{listed:?}");
    }
    let error =
        stylizer(&FakeCards::new(FakeCard::default()), DeviceChoice::Cuda(3)).err().unwrap().to_string();
    assert!(error.contains("cuda:3") && error.contains("one CUDA card, cuda:0"), "{error}");
}

#[test]
fn cards_are_listed_with_memory_and_driver() {
    let devices = compute_devices_among(Ok(&FakeCards::new(FakeCard::default())));
    let card = &devices[1];
    assert!(card.usable && devices.len() == 2);
    assert_eq!((card.id.as_str(), card.name.as_str()), ("cuda:0", "Fake card"));
    assert_eq!((card.memory_bytes, card.driver.as_deref()), (Some(1 << 33), Some("13.0")));
    assert_eq!(card.precisions, ["f16", "f32"]);
    assert_eq!(devices[0].memory_bytes, None);
}

#[test]
fn a_driver_that_does_not_answer_is_told() {
    struct NoDriver;
    impl Cards for NoDriver {
        fn list(&self) -> Result<Vec<CardInfo>, CardError> {
            Err(CardError::Failed { reason: "the NVIDIA driver does not answer".to_owned() })
        }
        fn open(&self, _number: usize) -> Result<Box<dyn Card>, CardError> {
            panic!("nothing to open")
        }
    }
    let device = ComputeDevice::open_among(DeviceChoice::Auto, Ok(&NoDriver)).unwrap();
    assert!(device.note().unwrap().contains("does not answer"));
    assert!(compute_devices_among(Ok(&NoDriver))[1].reason.as_ref().unwrap().contains("does not answer"));
}

#[test]
fn a_lost_card_gives_its_frame_to_the_processor_where_auto_chose_it() {
    let controls = [Controls::default(), Controls { smoothing: 0.3, ..Controls::default() }];
    for controls in controls {
        let cards = lost_after(2);
        let mut stylizer = stylizer(&cards, DeviceChoice::Auto).unwrap();
        stylizer.set_controls(controls).unwrap();
        for seed in 0..2 {
            stylizer.stylize(picture(40, 30, seed)).unwrap();
        }
        assert_eq!((stylizer.device_id().as_str(), stylizer.take_warning()), ("cuda:0", None));
        // What smoothing remembers is of another picture, which is then painted afresh.
        stylizer.reset();
        let painted = stylizer.stylize(picture(40, 30, 2)).unwrap();
        assert!(
            painted.data() == painted_by_processor(picture(40, 30, 2), controls, StylizerOptions::default())
        );
        let warning = stylizer.take_warning().unwrap();
        assert!(warning.contains("cuda:0 (Fake card)") && warning.contains("it was lost"), "{warning}");
        assert_eq!((stylizer.device_id().as_str(), stylizer.precision()), ("cpu", "f32"));
        // Another style does not try the card again, nor tell it again.
        stylizer.set_style(Style::random("swift").unwrap()).unwrap();
        stylizer.stylize(picture(40, 30, 3)).unwrap();
        assert_eq!((stylizer.device_id().as_str(), stylizer.take_warning()), ("cpu", None));
    }
}

#[test]
fn a_card_asked_for_by_name_fails_with_the_reason() {
    let mut stylizer = stylizer(&lost_after(1), DeviceChoice::Cuda(0)).unwrap();
    stylizer.stylize(picture(40, 30, 0)).unwrap();
    let error = stylizer.stylize(picture(40, 30, 1)).unwrap_err();
    assert!(matches!(error, InferenceError::Card { source: CardError::Lost { .. }, .. }), "{error:?}");
    let words = error.to_string();
    assert!(
        words.contains("cuda:0") && words.contains("it was lost") && words.contains("--device auto"),
        "{words}"
    );
}

#[test]
fn too_little_memory_is_told_with_a_size_that_fits_or_left_to_the_processor() {
    // More than the weights take, whatever the instruction set packs them for.
    let memory_bytes = 8_000_000;
    let cards = FakeCards::new(FakeCard { memory_bytes, ..FakeCard::default() });
    let mut by_name = stylizer(&cards, DeviceChoice::Cuda(0)).unwrap();
    let error = by_name.stylize(picture(640, 480, 0)).unwrap_err();
    let InferenceError::CardMemory { needed, available, fits: Some((width, height)), .. } = error else {
        panic!("{error}")
    };
    assert!(needed > memory_bytes && available == memory_bytes);
    assert!(error.to_string().contains("`--process-size"), "{error}");
    by_name.set_process_size(Some((width, height))).unwrap();
    by_name.stylize(picture(640, 480, 0)).unwrap();

    let mut by_auto = stylizer(&cards, DeviceChoice::Auto).unwrap();
    by_auto.stylize(picture(640, 480, 0)).unwrap();
    let warning = by_auto.take_warning().unwrap();
    assert!(warning.contains("memory does not suffice"), "{warning}");
    assert_eq!(by_auto.device_id(), "cpu");
    // The card itself is well, and takes the next style.
    by_auto.set_process_size(Some((width, height))).unwrap();
    let device = ComputeDevice::open_among(DeviceChoice::Auto, Ok(&cards)).unwrap();
    assert_eq!(device.id(), "cuda:0");

    let none = FakeCards::new(FakeCard { memory_bytes: 1000, ..FakeCard::default() });
    let error = stylizer(&none, DeviceChoice::Cuda(0)).err().unwrap().to_string();
    assert!(error.contains("memory does not suffice"), "{error}");
    assert_eq!(stylizer(&none, DeviceChoice::Auto).unwrap().device_id(), "cpu");
}

/// Paints `frames` in a row; the seed of each is its place.
fn paint_row(stylizer: &mut Stylizer, frames: u32, size: impl Fn(u32) -> (u32, u32)) -> Vec<Vec<u8>> {
    let mut row = stylizer.in_a_row();
    let mut painted = Vec::new();
    for seed in 0..frames {
        let (width, height) = size(seed);
        painted.extend(row.push(picture(width, height, seed)).unwrap());
    }
    while let Some(frame) = row.finish().unwrap() {
        painted.push(frame);
    }
    painted.into_iter().map(|frame| frame.data().to_vec()).collect()
}

fn expected_row(frames: u32, size: impl Fn(u32) -> (u32, u32)) -> Vec<Vec<u8>> {
    let paint = |seed| {
        let (width, height) = size(seed);
        painted_by_processor(picture(width, height, seed), Controls::default(), StylizerOptions::default())
    };
    (0..frames).map(paint).collect()
}

#[test]
fn a_row_keeps_two_frames_under_way_and_their_order_also_where_the_size_changes() {
    let size = |seed| if seed < 4 { (40, 30) } else { (32, 48) };
    for frames in [0, 1, 2, 7] {
        let cards = FakeCards::new(FakeCard::default());
        let mut stylizer = stylizer(&cards, DeviceChoice::Cuda(0)).unwrap();
        assert!(paint_row(&mut stylizer, frames, size) == expected_row(frames, size), "{frames} frames");
        assert_eq!(cards.frames(), u64::from(frames));
        assert_eq!(cards.most_under_way(), frames.min(2) as usize);
    }
}

#[test]
fn a_row_loses_no_frame_when_the_card_is_lost_in_the_middle() {
    let size = |_| (40, 30);
    for last in 0..6 {
        let cards = lost_after(last);
        let Ok(mut stylizer) = stylizer(&cards, DeviceChoice::Auto) else { panic!("auto always opens") };
        assert!(paint_row(&mut stylizer, 5, size) == expected_row(5, size), "lost after {last}");
        assert_eq!(stylizer.take_warning().is_some(), last < 5);
    }
    let mut by_name = stylizer(&lost_after(2), DeviceChoice::Cuda(0)).unwrap();
    let mut row = by_name.in_a_row();
    let outcome = (0..5).try_for_each(|seed| row.push(picture(40, 30, seed)).map(|_| ()));
    assert!(matches!(outcome, Err(InferenceError::Card { .. })));
}

#[test]
fn frames_that_a_row_leaves_under_way_do_not_come_later() {
    let cards = FakeCards::new(FakeCard::default());
    let mut stylizer = stylizer(&cards, DeviceChoice::Cuda(0)).unwrap();
    let mut row = stylizer.in_a_row();
    assert!(row.push(picture(40, 30, 0)).unwrap().is_none());
    drop(row);
    let painted = stylizer.stylize(picture(40, 30, 1)).unwrap();
    let expected = painted_by_processor(picture(40, 30, 1), Controls::default(), StylizerOptions::default());
    assert!(painted.data() == expected);
}

#[test]
fn on_the_processor_a_row_gives_each_frame_at_once() {
    let mut stylizer = stylizer(&FakeCards::default(), DeviceChoice::Cpu).unwrap();
    let mut row = stylizer.in_a_row();
    for seed in 0..3 {
        assert!(row.push(picture(40, 30, seed)).unwrap().is_some());
    }
    assert!(row.finish().unwrap().is_none());
}
