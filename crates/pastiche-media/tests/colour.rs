//! Colours against their definition, decoding and encoding apart, so that two wrongs cannot make a right.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use common::{flat, options, read_frames};
use ffmpeg_next::color;
use pastiche_frame::{ColorMatrix, ColorRange, ColorSpace, Frame, PixelFormat, Timestamp};
use pastiche_media::{DecodeOptions, EncodeOptions, VideoEncoder, available_encoders, probe};

/// Colours inside the gamut of both matrices, away from the ends, where clipping would hide an error.
const COLORS: [[u8; 3]; 6] =
    [[200, 60, 40], [40, 180, 60], [50, 70, 200], [128, 128, 128], [230, 220, 60], [16, 16, 16]];

fn assert_near(actual: &[u8], expected: [f64; 3], tolerance: f64, what: &str) {
    for (actual, expected) in actual.iter().zip(expected) {
        assert!((f64::from(*actual) - expected).abs() <= tolerance, "{what}: {actual} is not {expected:.1}");
    }
}

fn middle_pixel(frame: &Frame) -> &[u8] {
    let row = frame.rows().nth(frame.height() as usize / 2).unwrap();
    let x = frame.width() as usize / 2 * 3;
    &row[x..x + 3]
}

#[test]
fn decoding_follows_matrix_and_range() {
    let folder = tempfile::tempdir().unwrap();
    for (tag, matrix) in
        [(color::Space::SMPTE170M, ColorMatrix::Bt601), (color::Space::BT709, ColorMatrix::Bt709)]
    {
        for (range_tag, range) in
            [(color::Range::MPEG, ColorRange::Limited), (color::Range::JPEG, ColorRange::Full)]
        {
            for rgb in COLORS {
                let yuv = flat::yuv_from_rgb(rgb, matrix, range == ColorRange::Full)
                    .map(|value| value.round() as u8);
                let path = folder.path().join("flat.mkv");
                flat::write_flat(&path, (64, 48), yuv, flat::Coding { matrix: tag, range: range_tag });
                let frames = read_frames(&path, &DecodeOptions::default());
                assert_eq!(frames[0].color_space, ColorSpace { matrix, range });
                let what = format!("{rgb:?} as {yuv:?} in {matrix:?} {range:?}");
                assert_near(middle_pixel(&frames[0]), rgb.map(f64::from), 2.0, &what);
            }
        }
    }
}

#[test]
fn untagged_video_is_guessed_by_its_height() {
    let folder = tempfile::tempdir().unwrap();
    let untagged = flat::Coding { matrix: color::Space::Unspecified, range: color::Range::Unspecified };
    for (height, matrix) in [(480, ColorMatrix::Bt601), (720, ColorMatrix::Bt709)] {
        let rgb = COLORS[0];
        let yuv = flat::yuv_from_rgb(rgb, matrix, false).map(|value| value.round() as u8);
        let path = folder.path().join("untagged.mkv");
        flat::write_flat(&path, (64, height), yuv, untagged);
        let frames = read_frames(&path, &DecodeOptions::default());
        assert_eq!(frames[0].color_space, ColorSpace::guess_from_height(height));
        assert_near(middle_pixel(&frames[0]), rgb.map(f64::from), 2.0, "untagged");
    }
}

#[test]
fn encoding_follows_the_matrix_in_limited_range_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flat.mp4");
    for encoder in available_encoders() {
        for (tag, matrix) in
            [(color::Space::SMPTE170M, ColorMatrix::Bt601), (color::Space::BT709, ColorMatrix::Bt709)]
        {
            for rgb in COLORS {
                let color_space = ColorSpace { matrix, range: ColorRange::Full };
                let options = EncodeOptions {
                    color_space,
                    encoder: Some(encoder.name.to_owned()),
                    ..options(256, 144)
                };
                let mut video = VideoEncoder::create(&path, &options).unwrap();
                let frame = Frame::from_data(256, 144, PixelFormat::Rgb8, rgb.repeat(256 * 144));
                video.write(&frame).unwrap();
                video.finish().unwrap();

                let what = format!("{rgb:?} in {matrix:?} by {}", encoder.name);
                let picture = flat::first_picture(&path);
                assert_eq!(
                    (picture.color_space(), picture.color_range()),
                    (tag, color::Range::MPEG),
                    "{what}"
                );
                let middle = |plane: usize, rows: usize, columns: usize| {
                    picture.data(plane)[rows / 2 * picture.stride(plane) + columns / 2]
                };
                let yuv = [middle(0, 144, 256), middle(1, 72, 128), middle(2, 72, 128)];
                assert_near(&yuv, flat::yuv_from_rgb(rgb, matrix, false), 2.0, &what);

                let frames = read_frames(&path, &DecodeOptions::default());
                assert_near(middle_pixel(&frames[0]), rgb.map(f64::from), 3.0, &what);
            }
        }
    }
}

#[test]
fn there_and_back_a_colour_stays_within_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patches.mp4");
    for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709] {
        let color_space = ColorSpace { matrix, range: ColorRange::Limited };
        let options = EncodeOptions { color_space, ..options(256, 144) };
        let mut video = VideoEncoder::create(&path, &options).unwrap();
        for (i, rgb) in COLORS.into_iter().enumerate() {
            let mut frame = Frame::from_data(256, 144, PixelFormat::Rgb8, rgb.repeat(256 * 144));
            frame.timestamp = Timestamp::new(i as i64 * 512, options.time_base);
            video.write(&frame).unwrap();
        }
        video.finish().unwrap();
        assert_eq!(probe(&path).unwrap().video.unwrap().color_space, color_space);
        for (rgb, frame) in COLORS.iter().zip(read_frames(&path, &DecodeOptions::default())) {
            assert_near(middle_pixel(&frame), rgb.map(f64::from), 2.0, &format!("{rgb:?} in {matrix:?}"));
        }
    }
}
