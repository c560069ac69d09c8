//! Pictures through the encoder and back: count, order, time, size, rotation.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::time::Duration;

use common::{
    flat, frame_number, numbered_frame, options, rational, read_frames, read_numbered, set_display_matrix,
    shared_clip, steady_ticks, write_numbered,
};
use ffmpeg_next::color;
use pastiche_frame::{Rotation, Timestamp};
use pastiche_media::{DecodeOptions, EncodeOptions, MediaError, VideoDecoder, VideoEncoder, probe};

fn assert_numbers_and_times(read: &[(usize, f64)], expected: &[(usize, f64)]) {
    assert_eq!(read.len(), expected.len(), "{read:?}");
    for (read, expected) in read.iter().zip(expected) {
        assert_eq!(read.0, expected.0);
        assert!(
            (read.1 - expected.1).abs() < 1e-4,
            "frame {} is at {} s, not {} s",
            read.0,
            read.1,
            expected.1
        );
    }
}

#[test]
fn every_frame_comes_back_in_order_and_at_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("steady.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(60));

    let expected: Vec<_> = (0..60).map(|i| (i, i as f64 / 25.0)).collect();
    assert_numbers_and_times(&read_numbered(&path, &DecodeOptions::default()), &expected);

    let info = probe(&path).unwrap();
    let video = info.video.unwrap();
    assert_eq!((video.width, video.height, video.frame_count), (160, 90, Some(60)));
    assert_eq!(video.frame_rate, Some(rational(25, 1)));
    assert_eq!(video.duration, Some(Duration::from_millis(2400)));
    assert_eq!((video.pixel_format.as_str(), video.rotation), ("yuv420p", Rotation::None));
    assert!(info.audio.is_empty() && info.bytes > 0);
}

#[test]
fn uneven_times_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uneven.mp4");
    let milliseconds = [0, 33, 40, 150, 151, 700, 701, 1500];
    let options = EncodeOptions { time_base: rational(1, 1000), ..options(160, 90) };
    write_numbered(&path, &options, &milliseconds);
    let expected: Vec<_> = milliseconds.iter().enumerate().map(|(i, ms)| (i, *ms as f64 / 1000.0)).collect();
    assert_numbers_and_times(&read_numbered(&path, &DecodeOptions::default()), &expected);
}

#[test]
fn the_last_frame_is_shown_for_its_own_duration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slides.mp4");
    let options = options(160, 90);
    let mut encoder = VideoEncoder::create(&path, &options).unwrap();
    for (number, seconds) in [(0, 0), (1, 2)] {
        let mut frame = numbered_frame(number, 160, 90);
        frame.timestamp = Timestamp::new(seconds * 12_800, options.time_base);
        frame.duration_ticks = Some(2 * 12_800);
        encoder.write(&frame).unwrap();
    }
    assert_eq!(encoder.finish().unwrap().duration, Duration::from_secs(4));
    assert_eq!(probe(&path).unwrap().duration, Some(Duration::from_secs(4)));
}

#[test]
fn start_and_duration_pick_exactly_their_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(250));
    let part = DecodeOptions {
        start: Some(Duration::from_millis(4200)),
        duration: Some(Duration::from_millis(400)),
        ..DecodeOptions::default()
    };
    let expected: Vec<_> = (0..10).map(|i| (105 + i, i as f64 / 25.0)).collect();
    assert_numbers_and_times(&read_numbered(&path, &part), &expected);
    assert_eq!(VideoDecoder::open(&path, &part).unwrap().expected_frames(), Some(10));

    // A start between two frames leaves the gap to the next one.
    let between = DecodeOptions { start: Some(Duration::from_millis(9930)), ..DecodeOptions::default() };
    assert_numbers_and_times(&read_numbered(&path, &between), &[(249, 0.03)]);

    let past = DecodeOptions { start: Some(Duration::from_secs(10)), ..DecodeOptions::default() };
    assert!(matches!(VideoDecoder::open(&path, &past), Err(MediaError::StartPastEnd { .. })));
}

#[test]
fn a_frame_rate_limit_leaves_frames_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fast.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(50));
    let limited = DecodeOptions { max_frame_rate: Some(rational(25, 2)), ..DecodeOptions::default() };
    let expected: Vec<_> = (0..25).map(|i| (2 * i, i as f64 / 12.5)).collect();
    assert_numbers_and_times(&read_numbered(&path, &limited), &expected);
    assert_eq!(VideoDecoder::open(&path, &limited).unwrap().expected_frames(), Some(25));
}

#[test]
fn a_constant_rate_repeats_and_drops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("constant.mp4");
    // Pictures 0 to 3 at 0, 40, 60 and 200 ms; the last is shown for the nominal 40 ms.
    let mut options = EncodeOptions { time_base: rational(1, 1000), ..options(160, 90) };
    options.constant_frame_rate = Some(rational(25, 1));
    write_numbered(&path, &options, &[0, 40, 55, 200]);
    let numbers: Vec<_> =
        read_numbered(&path, &DecodeOptions::default()).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [0, 1, 1, 1, 1, 3]);
}

#[test]
fn a_lower_rate_is_reached_without_repeats_or_lost_work() {
    let folder = tempfile::tempdir().unwrap();
    let (source, output) = (folder.path().join("25.mp4"), folder.path().join("24.mp4"));
    write_numbered(&source, &options(160, 90), &steady_ticks(100));
    let rate = Some(rational(24, 1));
    let decoded = read_frames(&source, &DecodeOptions { max_frame_rate: rate, ..DecodeOptions::default() });
    let mut encoder =
        VideoEncoder::create(&output, &EncodeOptions { constant_frame_rate: rate, ..options(160, 90) })
            .unwrap();
    for frame in &decoded {
        encoder.write(frame).unwrap();
    }
    assert_eq!(encoder.finish().unwrap().frames, 96);
    let read = read_numbered(&output, &DecodeOptions::default());
    assert!(read.iter().map(|(number, _)| *number).eq(decoded.iter().map(frame_number)));
}

#[test]
fn odd_sizes_lose_their_last_column_and_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mkv");
    let coding = flat::Coding { matrix: color::Space::BT709, range: color::Range::MPEG };
    flat::write_flat(&path, (161, 91), [126, 128, 128], coding);
    let decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
    assert_eq!((decoder.info().width, decoder.info().height), (161, 91));
    assert_eq!((decoder.size(), decoder.cropped()), ((160, 90), true));
    let frames = read_frames(&path, &DecodeOptions::default());
    assert_eq!((frames[0].width(), frames[0].height()), (160, 90));

    let scaled = DecodeOptions { size: Some((64, 48)), ..DecodeOptions::default() };
    let frames = read_frames(&path, &scaled);
    assert_eq!((frames[0].width(), frames[0].height()), (64, 48));
}

#[test]
fn a_display_matrix_turns_the_picture_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(10));
    set_display_matrix(&path, 0, 1);

    let decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
    assert_eq!(decoder.info().rotation, Rotation::Clockwise90);
    assert_eq!((decoder.size(), decoder.info().width), ((90, 160), 90));
    let frames = read_frames(&path, &DecodeOptions::default());
    assert_eq!(frames.len(), 10);
    // Turned back, the stripes carry their numbers again.
    let pool = pastiche_frame::FramePool::new(1);
    for (i, frame) in frames.into_iter().enumerate() {
        assert_eq!((frame.width(), frame.height()), (90, 160));
        assert_eq!(frame_number(&Rotation::Clockwise270.apply(frame, &pool)), i);
    }
}

#[test]
fn real_clips_give_all_their_frames() {
    for (name, frames, size) in [
        ("bikes_640x272_noaudio.mp4", 250, (640, 272)),
        ("bunny_640x360_24fps_aac.mp4", 240, (640, 360)),
        ("bunny_720p_h264_aac51.mp4", 132, (1280, 720)),
        ("sintel_mountain_1024x436.mp4", 50, (1024, 436)),
    ] {
        let Some(path) = shared_clip(name) else { continue };
        let mut decoder = VideoDecoder::open(&path, &DecodeOptions::default()).unwrap();
        assert_eq!((decoder.size(), decoder.expected_frames()), (size, Some(frames)), "{name}");
        let pool = pastiche_frame::FramePool::new(1);
        let mut decoded = 0;
        let mut last = None;
        while let Some(frame) = decoder.next_frame(&pool).unwrap() {
            assert!(last.is_none_or(|last| frame.timestamp > last), "{name}: frame {decoded} is not later");
            last = Some(frame.timestamp);
            decoded += 1;
        }
        assert_eq!(decoded, frames, "{name}");
    }
}
