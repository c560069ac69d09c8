//! Fixtures, all generated: pictures that carry their own number, sound that carries its own time.
#![allow(dead_code, reason = "each test file uses some of these")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

pub(crate) mod cli;
pub(crate) mod cmyk;
pub(crate) mod convert;
pub(crate) mod edits;
pub(crate) mod exercise;
pub(crate) mod flashes;
pub(crate) mod flat;
pub(crate) mod formats;
pub(crate) mod sound;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use pastiche_frame::{ColorSpace, Frame, FramePool, PixelFormat, Rational, Timestamp};
use pastiche_media::{DecodeOptions, EncodeOptions, VideoDecoder, VideoEncoder};

/// Bits of a picture's number.
const NUMBER_BITS: usize = 8;

pub(crate) fn rational(numerator: i32, denominator: i32) -> Rational {
    Rational::new(numerator, denominator).unwrap()
}

/// Options for a small video at 25 frames a second, quick to encode and close to lossless.
pub(crate) fn options(width: u32, height: u32) -> EncodeOptions {
    EncodeOptions {
        width,
        height,
        time_base: rational(1, 12_800),
        frame_rate: Some(rational(25, 1)),
        constant_frame_rate: None,
        color_space: ColorSpace::default(),
        encoder: None,
        crf: Some(1),
        preset: None,
        audio: None,
    }
}

/// A picture whose `number` stands in it as eight upright stripes, black for 0 and white for 1.
pub(crate) fn numbered_frame(number: usize, width: u32, height: u32) -> Frame {
    let stripe_width = width as usize / NUMBER_BITS;
    let row = (0..width as usize).flat_map(|x| {
        let bit = (x / stripe_width).min(NUMBER_BITS - 1);
        [if number >> bit & 1 == 1 { 235 } else { 20 }; 3]
    });
    let row: Vec<u8> = row.collect();
    Frame::from_data(width, height, PixelFormat::Rgb8, row.repeat(height as usize))
}

/// Reads the number that [`numbered_frame`] wrote.
pub(crate) fn frame_number(frame: &Frame) -> usize {
    let stripe_width = frame.width() as usize / NUMBER_BITS;
    let row = frame.rows().nth(frame.height() as usize / 2).unwrap();
    (0..NUMBER_BITS)
        .filter(|bit| row[(bit * stripe_width + stripe_width / 2) * 3] > 128)
        .map(|bit| 1 << bit)
        .sum()
}

/// A video of numbered pictures at these times, in ticks of `options.time_base`.
pub(crate) fn write_numbered(path: &Path, options: &EncodeOptions, ticks: &[i64]) {
    let mut encoder = VideoEncoder::create(path, options).unwrap();
    for (number, &ticks) in ticks.iter().enumerate() {
        let mut frame = numbered_frame(number, options.width, options.height);
        frame.timestamp = Timestamp::new(ticks, options.time_base);
        encoder.write(&frame).unwrap();
    }
    encoder.finish().unwrap();
}

/// Equal steps of 1/25 s on the clock of [`options`].
pub(crate) fn steady_ticks(frames: i64) -> Vec<i64> {
    (0..frames).map(|i| i * 512).collect()
}

/// The number and the time in seconds of every frame.
pub(crate) fn read_numbered(path: &Path, options: &DecodeOptions) -> Vec<(usize, f64)> {
    read_frames(path, options)
        .iter()
        .map(|frame| (frame_number(frame), frame.timestamp.as_secs_f64()))
        .collect()
}

/// Marks an MP4 file's video to be turned when it is shown, as a phone does: clockwise, by the angle of this cosine and
/// sine.
pub(crate) fn set_display_matrix(path: &Path, cos: i32, sin: i32) {
    set_whole_display_matrix(path, [cos, sin, -sin, cos]);
}

/// As [`set_display_matrix`], any of `a b c d` by which what is at (x, y) is shown at (ax + cy, bx + dy).
pub(crate) fn set_whole_display_matrix(path: &Path, [a, b, c, d]: [i32; 4]) {
    // The matrix is the last part but two of the track header.
    let mut bytes = std::fs::read(path).unwrap();
    let header = bytes.windows(4).position(|window| window == b"tkhd").unwrap();
    let turn: [i32; 9] = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30];
    for (i, element) in turn.iter().enumerate() {
        let at = header + 44 + i * 4;
        bytes[at..at + 4].copy_from_slice(&element.to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

pub(crate) fn read_frames(path: &Path, options: &DecodeOptions) -> Vec<Frame> {
    let mut decoder = VideoDecoder::open(path, options).unwrap();
    let pool = FramePool::new(2);
    std::iter::from_fn(|| decoder.next_frame(&pool).unwrap()).collect()
}

/// Does something on a thread of its own, so that what comes to no end is noticed.
pub(crate) fn in_time(limit: Duration, what: &str, work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::sync_channel(1);
    let named = thread::Builder::new().name("in time".to_owned());
    let working = named
        .spawn(move || {
            work();
            done.send(()).unwrap();
        })
        .unwrap();
    assert_ne!(is_done.recv_timeout(limit), Err(RecvTimeoutError::Timeout), "it comes to no end: {what}");
    assert!(working.join().is_ok(), "it is fatal: {what}");
}

/// A real clip, or `None` (told on standard error) where the shared assets are absent.
pub(crate) fn shared_clip(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("PASTICHE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let clip = shared.join("assets/video").join(name);
    if clip.exists() {
        return Some(clip);
    }
    // Not `eprintln!`, whose text is captured and never shown when the test passes.
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "SKIPPED: no {} (set PASTICHE_SHARED to the folder of shared assets)", clip.display())
        .unwrap();
    None
}
