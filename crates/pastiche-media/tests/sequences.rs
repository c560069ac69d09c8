//! Pictures that are a video without a container for one: numbered stills, in and out, and animated WebP.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{fs, path::Path, time::Duration};

use common::{
    cli::ffmpeg, frame_number, numbered_frame, options, rational, read_frames, read_numbered, steady_ticks,
};
use pastiche_frame::Timestamp;
use pastiche_media::{
    DecodeOptions, HardwareDecoding, MediaError, PictureSequence, VideoDecoder, probe, read_image,
    write_image,
};

const WHOLE: DecodeOptions = DecodeOptions {
    start: None,
    duration: None,
    size: None,
    max_frame_rate: None,
    hardware: HardwareDecoding::Auto,
};

/// Numbered pictures from 1 on that hold their numbers.
fn write_stills(folder: &Path, count: usize, ending: &str) {
    for number in 1..=count {
        write_image(&folder.join(format!("a{number}.{ending}")), &numbered_frame(number, 64, 48)).unwrap();
    }
}

fn numbers(path: &Path, options: &DecodeOptions) -> Vec<usize> {
    read_numbered(path, options).iter().map(|(number, _)| *number).collect()
}

#[test]
fn numbered_stills_are_a_video_by_pattern_folder_and_first_picture() {
    for ending in ["png", "jpg"] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        write_stills(here, 12, ending);
        let expected: Vec<(usize, f64)> = (0..12).map(|i| (i + 1, i as f64 / 25.0)).collect();
        for path in [here.join(format!("a%d.{ending}")), here.to_owned(), here.join(format!("a1.{ending}"))] {
            assert_eq!(read_numbered(&path, &WHOLE), expected, "{}", path.display());
            let video = probe(&path).unwrap().video.unwrap();
            assert_eq!((video.width, video.height, video.frame_count), (64, 48, Some(12)));
            assert_eq!(video.duration, Some(Duration::from_millis(480)));
        }
        // The first that is named is the first that is shown.
        assert_eq!(numbers(&here.join(format!("a10.{ending}")), &WHOLE), [10, 11, 12]);

        let faster = DecodeOptions { max_frame_rate: Some(rational(50, 1)), ..WHOLE };
        let times: Vec<f64> = read_numbered(here, &faster).iter().map(|(_, time)| *time).collect();
        assert_eq!(times, (0..12).map(|i| f64::from(i) / 50.0).collect::<Vec<_>>());
        let part = DecodeOptions {
            start: Some(Duration::from_millis(80)),
            duration: Some(Duration::from_millis(120)),
            ..WHOLE
        };
        assert_eq!(numbers(here, &part), [3, 4, 5]);
    }
}

#[test]
fn a_still_that_cannot_be_read_is_counted_and_leaves_its_place_empty() {
    let folder = tempfile::tempdir().unwrap();
    write_stills(folder.path(), 5, "png");
    fs::write(folder.path().join("a3.png"), "not a picture").unwrap();
    let mut decoder = VideoDecoder::open(folder.path(), &WHOLE).unwrap();
    let pool = pastiche_frame::FramePool::new(1);
    let mut shown = Vec::new();
    while let Some(frame) = decoder.next_frame(&pool).unwrap() {
        shown.push((frame_number(&frame), frame.timestamp.as_secs_f64()));
    }
    assert_eq!(shown, [(1, 0.0), (2, 0.04), (4, 0.12), (5, 0.16)]);
    assert_eq!(decoder.damage().skipped, 1);

    let none = VideoDecoder::open(&folder.path().join("b%d.png"), &WHOLE);
    assert!(matches!(none, Err(MediaError::NoSequence { .. })));
}

#[test]
fn stills_of_other_sizes_take_the_first_one_s() {
    let folder = tempfile::tempdir().unwrap();
    for (name, size) in [("1.png", (64, 48)), ("2.png", (32, 96)), ("3.png", (128, 24))] {
        write_image(&folder.path().join(name), &numbered_frame(5, size.0, size.1)).unwrap();
    }
    for frame in read_frames(folder.path(), &WHOLE) {
        assert_eq!((frame.width(), frame.height(), frame_number(&frame)), (64, 48, 5));
    }
}

#[test]
fn a_picture_is_written_for_every_frame_or_at_a_constant_rate() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rate, expected) in [
        ("plain/%05d.png", None, &[0, 1, 2, 3][..]),
        ("plain-jpeg/%05d.jpg", None, &[0, 1, 2, 3]),
        ("in-folder/", None, &[0, 1, 2, 3]),
        // Pictures 0 to 3 at 0, 40, 55 and 200 ms, the last for 40 ms.
        ("constant/%05d.png", Some(rational(25, 1)), &[0, 1, 1, 1, 1, 3]),
    ] {
        let mut sequence = PictureSequence::of(&folder.path().join(name)).unwrap().at_rate(rate);
        sequence.kind().unwrap();
        for (number, ticks) in [0, 40, 55, 200].into_iter().enumerate() {
            let mut frame = numbered_frame(number, 64, 48);
            frame.timestamp = Timestamp::new(ticks, rational(1, 1000));
            frame.duration_ticks = Some(40);
            sequence.write(&frame).unwrap();
        }
        let first = sequence.path(1);
        let last = sequence.path(12);
        fs::write(&last, "of a longer sequence").unwrap();
        sequence.finish().unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "of a longer sequence", "{name}");
        fs::remove_file(last).unwrap();
        assert_eq!(sequence.written(), expected.len() as u64, "{name}");
        let written = first.parent().unwrap();
        assert_eq!(fs::read_dir(written).unwrap().count(), expected.len(), "{name}");
        assert_eq!(numbers(written, &WHOLE), expected, "{name}");
        assert_eq!(frame_number(&read_image(&first).unwrap()), 0, "{name}");
    }
}

#[test]
fn an_animated_webp_keeps_its_uneven_times() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("steady.mp4");
    common::write_numbered(&video, &options(64, 48), &steady_ticks(6));
    ffmpeg(
        folder.path(),
        "-i steady.mp4 -vf settb=1/25,setpts=N+N*N -fps_mode passthrough -c:v libwebp_anim -lossless 1 a.webp",
    );
    let path = folder.path().join("a.webp");
    let shown = read_numbered(&path, &WHOLE);
    assert_eq!(shown, [(0, 0.0), (1, 0.08), (2, 0.24), (3, 0.48), (4, 0.8), (5, 1.2)]);
    let part = DecodeOptions { start: Some(Duration::from_millis(200)), ..WHOLE };
    assert_eq!(numbers(&path, &part), [2, 3, 4, 5]);
    let info = probe(&path).unwrap();
    assert_eq!((info.container.as_str(), info.video.unwrap().frame_count), ("webp", Some(6)));
}

#[test]
fn a_webp_of_one_picture_is_a_video_of_one_whatever_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(folder.path(), "-f lavfi -i testsrc=s=64x48 -frames:v 1 -c:v libwebp whole.webp");
    let whole = fs::read(folder.path().join("whole.webp")).unwrap();
    // At this FFmpeg 5.1's own decoder ends the program.
    let padded = [&whole[..], &[0xff; 30]].concat();
    for (name, bytes) in [("whole", &whole), ("padded", &padded)] {
        let path = folder.path().join(format!("{name}.webp"));
        fs::write(&path, bytes).unwrap();
        assert_eq!(read_frames(&path, &WHOLE).len(), 1, "{name}");
        let info = probe(&path).unwrap();
        assert_eq!((info.container.as_str(), info.video.unwrap().frame_count), ("webp", Some(1)), "{name}");
    }
}

/// A chunk of a RIFF file.
fn chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut chunk = [name, &(contents.len() as u32).to_le_bytes()[..], contents].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A red picture over all; a half-transparent green one over its upper left, which is gone when a blue one comes over the
/// lower right; and an opaque red one over the lower left, when that is gone too.
fn write_layered_webp(path: &Path) {
    let folder = path.parent().unwrap();
    let picture = |color: &str, size: &str, coding: &str| {
        ffmpeg(
            folder,
            &format!(
                "-f lavfi -i color={color}:s={size},format=rgba -frames:v 1 -c:v libwebp {coding} layer.webp"
            ),
        );
        // Behind the file's head, and behind what says that there is an alpha channel.
        let file = fs::read(folder.join("layer.webp")).unwrap();
        file[if &file[12..16] == b"VP8X" { 30 } else { 12 }..].to_vec()
    };
    let (lossless, lossy, lossy_opaque) =
        ("-lossless 1", "-quality 100 -pix_fmt yuva420p", "-quality 100 -pix_fmt yuv420p");
    let number = |value: u32| value.to_le_bytes()[..3].to_vec();
    let frame = |(x, y): (u32, u32), (width, height): (u32, u32), flags: u8, picture: Vec<u8>| {
        let head =
            [number(x / 2), number(y / 2), number(width - 1), number(height - 1), number(100)].concat();
        chunk(b"ANMF", &[head, vec![flags], picture].concat())
    };
    let (replaces, is_cleared) = (2, 1);
    let chunks = [
        chunk(b"VP8X", &[vec![0b1_0010, 0, 0, 0], number(63), number(47)].concat()),
        chunk(b"ANIM", &[0, 0, 0, 0, 0, 0]),
        frame((0, 0), (64, 48), replaces, picture("0xc83c28", "64x48", lossless)),
        frame((0, 0), (32, 24), is_cleared, picture("0x28b43c@0.5", "32x24", lossy)),
        frame((32, 24), (32, 24), is_cleared, picture("0x3246c8", "32x24", lossless)),
        frame((0, 24), (32, 24), 0, picture("0xc83c28", "32x24", lossy_opaque)),
    ]
    .concat();
    fs::write(path, chunk(b"RIFF", &[b"WEBP", &chunks[..]].concat())).unwrap();
}

#[test]
fn an_animation_s_layers_lie_over_each_other_and_all_over_black() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layers.webp");
    write_layered_webp(&path);
    let frames = read_frames(&path, &WHOLE);
    let (red, blue, black, mixed) = ([200, 60, 40], [50, 70, 200], [0, 0, 0], [120, 120, 50]);
    let expected = [[red; 4], [mixed, red, red, red], [black, red, red, blue], [black, red, red, black]];
    assert_eq!(frames.len(), expected.len());
    for (number, (frame, expected)) in frames.iter().zip(expected).enumerate() {
        // All over, so that nothing is left at the edges of the quarters.
        for (y, row) in frame.rows().enumerate() {
            for (x, pixel) in row.chunks_exact(3).enumerate() {
                let expected = expected[usize::from(y >= 24) * 2 + usize::from(x >= 32)];
                let is_near = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 6);
                assert!(is_near, "picture {number} at ({x}, {y}): {pixel:?} is not {expected:?}");
            }
        }
    }
}
