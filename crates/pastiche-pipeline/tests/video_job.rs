//! A video job from file to file, on a generated clip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use pastiche_fake_card::{FakeCard, FakeCards};
use pastiche_frame::{ColorSpace, FramePool, PixelFormat, Rational, Timestamp};
use pastiche_inference::{
    ComputeDevice, Controls, DeviceChoice, Precision, Style, Stylizer, StylizerOptions,
};
use pastiche_media::{DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder};
use pastiche_pipeline::{Cancel, PipelineError, Progress, VideoJob, VideoJobOptions, VideoSummary};

const FRAMES: u64 = 40;

/// A folder with a clip of [`FRAMES`] frames at 25 a second, of 64x48, and a place for the result.
struct Bench {
    folder: tempfile::TempDir,
    options: VideoJobOptions,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.mp4");
        write_clip(&input);
        let options = VideoJobOptions { input, output: folder.path().join("out.mp4"), ..Default::default() };
        Self { folder, options }
    }

    fn run(
        &self,
        on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<VideoSummary, PipelineError> {
        VideoJob::open(self.options.clone())?.run(&mut stylizer(), on_progress, cancel)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().file_name().into()).collect();
        files.sort();
        files
    }
}

fn write_clip(path: &Path) {
    let rate = Rational::new(25, 1).unwrap();
    let mut encoder = VideoEncoder::create(
        path,
        &EncodeOptions {
            width: 64,
            height: 48,
            time_base: rate.recip(),
            frame_rate: Some(rate),
            constant_frame_rate: None,
            color_space: ColorSpace::default(),
            encoder: None,
            crf: None,
            preset: None,
            audio: None,
        },
    )
    .unwrap();
    let pool = FramePool::new(1);
    for index in 0..FRAMES {
        let mut frame = pool.take(64, 48, PixelFormat::Rgb8);
        // Texture that moves slowly: a network answers flat pictures with nothing.
        for (at, byte) in frame.data_mut().iter_mut().enumerate() {
            *byte = (index * 3 + at as u64 * 7 % 101) as u8;
        }
        frame.timestamp = Timestamp::new(index as i64, rate.recip());
        encoder.write(&frame).unwrap();
    }
    encoder.finish().unwrap();
}

/// The smallest network size there is: these tests are about the job.
fn stylizer() -> Stylizer {
    stylizer_on(&ComputeDevice::open(DeviceChoice::Cpu).unwrap(), Precision::Auto)
}

fn stylizer_on(device: &ComputeDevice, precision: Precision) -> Stylizer {
    let style = Style::random("transformer_net").unwrap();
    let options = StylizerOptions { process_size: Some((16, 16)), precision, threads: None };
    Stylizer::new(style, device, &options).unwrap()
}

fn count_frames(path: &Path) -> u64 {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let pool = FramePool::new(1);
    let mut count = 0;
    while decoder.next_frame(&pool).unwrap().is_some() {
        count += 1;
    }
    count
}

#[test]
fn every_frame_arrives_and_progress_leads_to_the_total() {
    let bench = Bench::new();
    let mut told = Vec::new();
    let summary = bench.run(|progress| told.push(*progress), &Cancel::new()).unwrap();
    assert_eq!((summary.frames, summary.width, summary.height, summary.cancelled), (FRAMES, 64, 48, false));
    assert_eq!(summary.device, "cpu");
    assert_eq!(summary.duration, Duration::from_millis(1600));
    assert_eq!(count_frames(&bench.options.output), FRAMES);
    assert!(told.is_sorted_by_key(|progress| progress.frames_done));
    let last = told.last().unwrap();
    assert_eq!(
        (last.frames_done, last.frames_total, last.time_left),
        (FRAMES, Some(FRAMES), Some(Duration::ZERO))
    );
    assert_eq!(bench.files(), [Path::new("in.mp4"), Path::new("out.mp4")]);
}

#[test]
fn a_cancelled_job_leaves_a_file_that_plays() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let stop = |progress: &Progress| {
        if progress.frames_done >= 5 {
            switch.cancel();
        }
    };
    let summary = bench.run(stop, &cancel).unwrap();
    assert!(summary.cancelled && (5..15).contains(&summary.frames), "{summary:?}");
    assert_eq!(count_frames(&bench.options.output), summary.frames);
}

#[test]
fn a_job_without_a_result_leaves_nothing_behind() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let error = bench.run(|_| {}, &cancel).unwrap_err();
    assert!(matches!(error, PipelineError::NothingDone { .. }), "{error:?}");
    assert_eq!(bench.files(), [Path::new("in.mp4")]);
}

#[test]
fn a_broken_stage_leaves_nothing_behind() {
    let bench = Bench::new();
    let give_up = |progress: &Progress| assert!(progress.frames_done < 5, "the listener gives up");
    let error = bench.run(give_up, &Cancel::new()).unwrap_err();
    assert!(error.to_string().contains("the listener gives up"), "{error}");
    assert_eq!(bench.files(), [Path::new("in.mp4")]);
}

#[test]
fn nothing_of_one_video_shows_in_the_next() {
    let mut bench = Bench::new();
    // So short that its last picture is much like its first.
    bench.options.duration = Some(Duration::from_millis(120));
    let mut stylizer = stylizer();
    stylizer.set_controls(Controls { smoothing: 1.0, ..Controls::default() }).unwrap();
    let mut restyled = || {
        VideoJob::open(bench.options.clone()).unwrap().run(&mut stylizer, |_| {}, &Cancel::new()).unwrap();
        fs::read(&bench.options.output).unwrap()
    };
    let first = restyled();
    assert!(restyled() == first, "the second run's result differs");
}

impl Bench {
    /// Runs the job on a fake card; the file that comes out, with the summary.
    fn run_on_card(
        &self,
        choice: DeviceChoice,
        cards: &FakeCards,
        on_progress: impl FnMut(&Progress),
        cancel: &Cancel,
    ) -> Result<(Vec<u8>, VideoSummary), PipelineError> {
        let device = ComputeDevice::open_among(choice, Ok(cards)).unwrap();
        let mut stylizer = stylizer_on(&device, Precision::F32);
        let summary = VideoJob::open(self.options.clone())?.run(&mut stylizer, on_progress, cancel)?;
        Ok((fs::read(&self.options.output).unwrap(), summary))
    }

    /// The file that the processor makes in `f32`, as the fake card computes.
    fn by_processor(&self) -> Vec<u8> {
        let mut stylizer = stylizer_on(&ComputeDevice::open(DeviceChoice::Cpu).unwrap(), Precision::F32);
        VideoJob::open(self.options.clone()).unwrap().run(&mut stylizer, |_| {}, &Cancel::new()).unwrap();
        fs::read(&self.options.output).unwrap()
    }
}

#[test]
fn on_a_card_two_frames_are_under_way_and_the_video_is_the_same() {
    let bench = Bench::new();
    let expected = bench.by_processor();
    let cards = FakeCards::new(FakeCard::default());
    let (made, summary) = bench.run_on_card(DeviceChoice::Cuda(0), &cards, |_| {}, &Cancel::new()).unwrap();
    assert!(made == expected);
    assert_eq!((summary.frames, summary.device.as_str()), (FRAMES, "cuda:0"));
    assert_eq!((cards.frames(), cards.most_under_way()), (FRAMES, 2));
}

#[test]
fn a_card_lost_in_the_middle_costs_no_frame_where_auto_chose_it() {
    let bench = Bench::new();
    let expected = bench.by_processor();
    let cards = FakeCards::new(FakeCard { lost_after: Some(10), ..FakeCard::default() });
    let (made, summary) = bench.run_on_card(DeviceChoice::Auto, &cards, |_| {}, &Cancel::new()).unwrap();
    assert!(made == expected);
    assert_eq!((summary.frames, summary.device.as_str(), cards.frames()), (FRAMES, "cpu", 10));
}

#[test]
fn a_card_asked_for_by_name_ends_the_job_when_it_is_lost() {
    let bench = Bench::new();
    let cards = FakeCards::new(FakeCard { lost_after: Some(10), ..FakeCard::default() });
    let error =
        bench.run_on_card(DeviceChoice::Cuda(0), &cards, |_| {}, &Cancel::new()).unwrap_err().to_string();
    assert!(error.contains("cuda:0") && error.contains("it was lost"), "{error}");
    assert_eq!(bench.files(), [Path::new("in.mp4")]);
}

#[test]
fn a_cancelled_job_on_a_card_keeps_what_is_begun() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let stop = |progress: &Progress| {
        if progress.frames_done >= 5 {
            switch.cancel();
        }
    };
    let cards = FakeCards::new(FakeCard::default());
    let (_, summary) = bench.run_on_card(DeviceChoice::Auto, &cards, stop, &cancel).unwrap();
    assert!(summary.cancelled && (5..16).contains(&summary.frames), "{summary:?}");
    assert_eq!(summary.frames, cards.frames(), "each frame that was sent to the card is there");
    assert_eq!(count_frames(&bench.options.output), summary.frames);
}
