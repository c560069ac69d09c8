//! Pictures come out upright, with square pixels, whole, and all of one size.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{fs, path::Path};

use common::{
    cli::ffmpeg,
    convert::{convert, picture_times},
    flat::first_picture,
    options, read_frames, set_display_matrix, set_whole_display_matrix,
};
use pastiche_frame::{Frame, PixelFormat, Rotation};
use pastiche_media::{
    AudioMode, DecodeOptions, HardwareDecoding, VideoDecoder, VideoEncoder, probe, read_image,
};

const WHOLE: DecodeOptions = DecodeOptions {
    start: None,
    duration: None,
    size: None,
    max_frame_rate: None,
    hardware: HardwareDecoding::Auto,
};

/// Red, green, blue and white in the four quarters, row by row.
const QUARTERS: [[u8; 3]; 4] = [[200, 40, 40], [40, 180, 60], [50, 60, 200], [230, 230, 230]];

fn pixel(frame: &Frame, x: u32, y: u32) -> &[u8] {
    let at = y as usize * frame.stride_bytes() + x as usize * 3;
    &frame.data()[at..at + 3]
}

/// Which of the [`QUARTERS`] is in the middle of each quarter of the frame, row by row.
fn quarters(frame: &Frame) -> [usize; 4] {
    let (width, height) = (frame.width(), frame.height());
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| {
        let seen = pixel(frame, width * x / 4, height * y / 4);
        let near = |color: &[u8; 3]| seen.iter().zip(color).all(|(a, b)| a.abs_diff(*b) < 12);
        QUARTERS.iter().position(near).unwrap_or_else(|| panic!("{seen:?} is none of the four"))
    })
}

#[test]
fn every_rotation_is_applied_to_the_pixels_and_none_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (source, output) = (folder.path().join("phone.mp4"), folder.path().join("out.mp4"));
    let (width, height) = (96, 64);
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| QUARTERS[usize::from(y >= height / 2) * 2 + usize::from(x >= width / 2)])
    });
    let picture = Frame::from_data(width, height, PixelFormat::Rgb8, pixels.collect());
    for (cos, sin, rotation, expected, size) in [
        (1, 0, Rotation::None, [0, 1, 2, 3], (96, 64)),
        (0, 1, Rotation::Clockwise90, [2, 0, 3, 1], (64, 96)),
        (-1, 0, Rotation::Half, [3, 2, 1, 0], (96, 64)),
        (0, -1, Rotation::Clockwise270, [1, 3, 0, 2], (64, 96)),
    ] {
        let mut encoder = VideoEncoder::create(&source, &options(width, height)).unwrap();
        encoder.write(&picture).unwrap();
        encoder.finish().unwrap();
        set_display_matrix(&source, cos, sin);
        assert_eq!(probe(&source).unwrap().video.unwrap().rotation, rotation);
        convert(&source, &output, AudioMode::Copy, &WHOLE);
        let info = probe(&output).unwrap().video.unwrap();
        assert_eq!((info.rotation, (info.width, info.height)), (Rotation::None, size), "{rotation:?}");
        for path in [&source, &output] {
            assert_eq!(quarters(&read_frames(path, &WHOLE)[0]), expected, "{rotation:?}: {}", path.display());
        }
    }
}

/// What the `ffmpeg` program shows of a file's first picture.
fn as_ffmpeg_shows(path: &Path) -> Frame {
    let picture = path.with_extension("png");
    ffmpeg(path.parent().unwrap(), &format!("-i {} -frames:v 1 {}", path.display(), picture.display()));
    read_image(&picture).unwrap()
}

#[test]
fn mirrored_pictures_are_shown_as_the_file_asks() {
    let folder = tempfile::tempdir().unwrap();
    let (source, output) = (folder.path().join("selfie.mp4"), folder.path().join("out.mp4"));
    let (width, height) = (96, 64);
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| QUARTERS[usize::from(y >= height / 2) * 2 + usize::from(x >= width / 2)])
    });
    let picture = Frame::from_data(width, height, PixelFormat::Rgb8, pixels.collect());
    for (matrix, expected, size) in [
        ([-1, 0, 0, 1], [1, 0, 3, 2], (96, 64)),
        ([1, 0, 0, -1], [2, 3, 0, 1], (96, 64)),
        ([0, 1, 1, 0], [0, 2, 1, 3], (64, 96)),
        ([0, -1, -1, 0], [3, 1, 2, 0], (64, 96)),
    ] {
        let mut encoder = VideoEncoder::create(&source, &options(width, height)).unwrap();
        encoder.write(&picture).unwrap();
        encoder.finish().unwrap();
        set_whole_display_matrix(&source, matrix);
        assert!(probe(&source).unwrap().video.unwrap().mirrored, "{matrix:?}");
        convert(&source, &output, AudioMode::Copy, &WHOLE);
        let info = probe(&output).unwrap().video.unwrap();
        assert_eq!((info.mirrored, info.rotation, (info.width, info.height)), (false, Rotation::None, size));
        for path in [&source, &output] {
            assert_eq!(quarters(&read_frames(path, &WHOLE)[0]), expected, "{matrix:?}: {}", path.display());
        }
        assert_eq!(quarters(&as_ffmpeg_shows(&source)), expected, "{matrix:?} by ffmpeg");
    }
}

#[test]
fn pixels_that_are_not_square_are_made_so_in_every_container() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in
        [("a.mp4", "libx264"), ("a.mkv", "ffv1"), ("a.avi", "mpeg4"), ("a.ts", "libx264"), ("a.mov", "mpeg4")]
    {
        // 80 pixels of 4:3 are shown as 106.7, so as 106.
        let left = "color=0xc82828:s=40x64:r=25:d=0.2[l]";
        let right = "color=0x323cc8:s=40x64:r=25:d=0.2[r]";
        ffmpeg(
            folder.path(),
            &format!(
                "-filter_complex {left};{right};[l][r]hstack,setsar=4/3 -c:v {codec} -pix_fmt yuv420p -q:v 2 {name}"
            ),
        );
        let path = folder.path().join(name);
        let info = probe(&path).unwrap().video.unwrap();
        assert_eq!((info.width, info.height), (106, 64), "{name}");
        let frame = &read_frames(&path, &WHOLE)[0];
        assert_eq!((frame.width(), frame.height()), (106, 64), "{name}");
        assert!(
            pixel(frame, 5, 32)[0] > 150 && pixel(frame, 46, 32)[0] > 150,
            "{name}: the left half is red"
        );
        assert!(
            pixel(frame, 60, 32)[2] > 150 && pixel(frame, 100, 32)[2] > 150,
            "{name}: the right half is blue"
        );
    }
}

/// How many pixels stand out against both the row above and the row below: the teeth of a comb.
fn teeth(rows: &[Vec<u8>]) -> usize {
    let mut teeth = 0;
    for three in rows.windows(3) {
        for ((above, here), below) in three[0].iter().zip(&three[1]).zip(&three[2]) {
            let (up, down) = (i32::from(*here) - i32::from(*above), i32::from(*here) - i32::from(*below));
            teeth += usize::from(up.abs() > 60 && down.abs() > 60 && (up > 0) == (down > 0));
        }
    }
    teeth
}

#[test]
fn interlaced_pictures_are_made_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (name, size, first_field, codec, shown) in [
        ("a.ts", "128x96", "tff", "mpeg2video -flags +ildct+ilme -q:v 2", (128, 96)),
        ("b.mp4", "128x96", "tff", "libx264 -flags +ildct+ilme -x264-params tff=1:crf=5", (128, 96)),
        ("b.mkv", "128x96", "bff", "libx264 -flags +ildct+ilme -x264-params bff=1:crf=5", (128, 96)),
        ("c.dv", "720x576", "bff", "dvvideo", (768, 576)),
    ] {
        // A white bar that moves across black, 50 fields a second.
        let (width, height) = size.split_once('x').unwrap();
        let aspect = if name == "c.dv" { ",setsar=16/15,format=yuv420p" } else { ",format=yuv420p" };
        ffmpeg(
            folder.path(),
            &format!(
                "-filter_complex color=black:s={size}:r=50:d=0.4[b];color=white:s=24x{height}:r=50:d=0.4[w];\
                 [b][w]overlay=x=t*{width}+10,interlace=scan={first_field}:lowpass=off{aspect} -c:v {codec} {name}"
            ),
        );
        let path = folder.path().join(name);
        let raw = first_picture(&path);
        let luma: Vec<Vec<u8>> = raw
            .data(0)
            .chunks(raw.stride(0))
            .take(raw.height() as usize)
            .map(|row| row[..raw.width() as usize].to_vec())
            .collect();
        assert!(teeth(&luma) > 20, "{name} is not interlaced: {} teeth", teeth(&luma));

        let frames = read_frames(&path, &WHOLE);
        assert_eq!(frames.len(), 10, "{name}");
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!((frame.width(), frame.height()), shown, "{name}");
            let green: Vec<Vec<u8>> =
                frame.rows().map(|row| row.iter().copied().skip(1).step_by(3).collect()).collect();
            assert!(teeth(&green) < 20, "{name}: frame {number} has {} teeth", teeth(&green));
            assert!(
                (frame.timestamp.as_secs_f64() - number as f64 / 25.0).abs() < 1e-3,
                "{name}: frame {number}"
            );
        }
    }
}

#[test]
fn a_stream_that_changes_its_size_keeps_the_first_one() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, size: &str, offset: f64, flags: &str| {
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i color=0xc82828:s={size}:r=25:d=0.4 -c:v libx264 -pix_fmt yuv420p {flags} -output_ts_offset {offset} {name}"
            ),
        );
        fs::read(folder.path().join(name)).unwrap()
    };
    for (case, flags) in [("progressive", ""), ("interlaced", "-flags +ildct+ilme -x264-params tff=1")] {
        let flags = if flags.is_empty() { "-bf 2" } else { flags };
        let joined = [make("a.ts", "128x96", 0.0, flags), make("b.ts", "64x64", 0.4, flags)].concat();
        let path = folder.path().join("joined.ts");
        fs::write(&path, joined).unwrap();
        let frames = read_frames(&path, &WHOLE);
        assert_eq!(frames.len(), 20, "{case}");
        for frame in &frames {
            assert_eq!((frame.width(), frame.height()), (128, 96), "{case}");
            let seen = pixel(frame, 64, 48);
            assert!(seen[0] > 185 && seen[1] < 55 && seen[2] < 55, "{case}: {seen:?}");
        }
        assert_eq!(picture_times(&path).len(), 20);
        let damage = {
            let mut decoder = VideoDecoder::open(&path, &WHOLE).unwrap();
            while decoder.skip_frame().unwrap().is_some() {}
            decoder.damage()
        };
        assert!(!damage.is_some(), "{case}: {damage:?}");
    }
    let odd = Path::new("odd.mp4");
    ffmpeg(folder.path(), "-f lavfi -i testsrc=s=101x77:r=25:d=0.2 -c:v libx264 -pix_fmt yuv444p odd.mp4");
    let decoder = VideoDecoder::open(&folder.path().join(odd), &WHOLE).unwrap();
    assert_eq!((decoder.size(), decoder.cropped()), ((100, 76), true));
}
