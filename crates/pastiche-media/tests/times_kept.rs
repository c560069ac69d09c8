//! Pictures keep the times that their source gives them, however it gives them, and the sound stays with them.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{path::Path, time::Duration};

use common::{
    cli::ffmpeg,
    convert::{convert, picture_times},
    edits::set_edits,
    flashes::{flash_times, flashes},
    formats::TARGETS,
    rational, read_frames,
    sound::Sound,
};
use pastiche_media::{AudioMode, DecodeOptions, probe};

fn times(path: &Path) -> Vec<f64> {
    read_frames(path, &DecodeOptions::default()).iter().map(|frame| frame.timestamp.as_secs_f64()).collect()
}

fn assert_times(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: {actual:?} is not {expected:?}");
    for (actual, expected) in actual.iter().zip(expected) {
        assert!((actual - expected).abs() <= tolerance, "{what}: {actual} s is not {expected} s");
    }
}

/// When the pictures turn white and when the beeps start.
fn starts(path: &Path) -> (Vec<f64>, Vec<f64>) {
    (flash_times(path), Sound::read(path).clicks())
}

#[test]
fn uneven_times_come_through_every_container() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in
        [("a.mp4", "libx264"), ("b.mkv", "libx264"), ("c.mov", "mpeg4"), ("d.webm", "libvpx-vp9")]
    {
        // A phone in the dark: the rate falls from 50 to 10.
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=100:d=0.4,setpts=(N*20+N*N*2)/1000/TB -fps_mode passthrough -c:v {codec} {name}"
            ),
        );
        let path = folder.path().join(name);
        let source = picture_times(&path);
        assert_eq!(source.len(), 40, "{name}");
        assert!((source[39] - 3.822).abs() < 0.02, "{name}: {source:?}");
        assert_times(&times(&path), &source, 1e-4, name);
        for ending in TARGETS.iter().flat_map(|(_, endings)| *endings) {
            let output = folder.path().join(format!("out.{ending}"));
            convert(&path, &output, AudioMode::Copy, &DecodeOptions::default());
            let what = format!("{name} to .{ending}");
            assert_times(&times(&output), &source, 1e-4, &what);
            assert_times(&picture_times(&output), &source, 1e-4, &what);
        }
    }
}

#[test]
fn every_usual_rate_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (rate, (numerator, denominator)) in [
        ("24000/1001", (24_000, 1001)),
        ("30000/1001", (30_000, 1001)),
        ("50", (50, 1)),
        ("60000/1001", (60_000, 1001)),
        ("120", (120, 1)),
    ] {
        for name in ["a.mp4", "a.ts"] {
            ffmpeg(
                folder.path(),
                &format!("-f lavfi -i testsrc=s=64x48:r={rate} -frames:v 60 -c:v libx264 {name}"),
            );
            let (source, output) = (folder.path().join(name), folder.path().join("out.mp4"));
            convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
            let step = f64::from(denominator) / f64::from(numerator);
            let expected: Vec<f64> = (0..60).map(|i| f64::from(i) * step).collect();
            // A transport stream's clock ticks 90,000 times a second.
            assert_times(&times(&output), &expected, 1.0 / 90_000.0, &format!("{rate} in {name}"));
            let found = probe(&output).unwrap().video.unwrap().frame_rate.unwrap();
            let close = (found.as_f64() * step - 1.0).abs() < 1e-4;
            assert!(
                close && (name == "a.ts" || found == rational(numerator, denominator)),
                "{rate}: {found}"
            );
        }
    }
}

#[test]
fn an_edit_list_hides_what_it_hides() {
    let folder = tempfile::tempdir().unwrap();
    flashes(folder.path(), "whole.mp4", 4, "-c:v libx264 -g 50 -bf 2 -c:a aac");
    // Copied from the middle of a group of pictures: the file holds more than it shows.
    ffmpeg(folder.path(), "-ss 0.52 -i whole.mp4 -c copy cut.mp4");
    let (source, output) = (folder.path().join("cut.mp4"), folder.path().join("out.mp4"));
    let shown = times(&source);
    assert_eq!(shown.len(), 87, "{shown:?}");
    assert!(shown[0].abs() < 1e-6, "{shown:?}");
    convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
    let (flashes, beeps) = starts(&output);
    assert_times(&flashes, &[0.48, 1.48, 2.48], 1e-3, "flashes");
    assert_times(&beeps, &[0.48, 1.48, 2.48], 0.02, "beeps");
}

#[test]
fn an_edit_list_of_several_parts_shows_them_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    flashes(folder.path(), "cut.mp4", 4, "-c:v libx264 -g 50 -bf 2 -c:a aac");
    let (source, output) = (folder.path().join("cut.mp4"), folder.path().join("out.mp4"));
    set_edits(&source, &[(0.48, 1.0), (2.6, 1.0)]);
    assert_eq!(times(&source).len(), 50);
    for mode in [AudioMode::Copy, AudioMode::Aac] {
        convert(&source, &output, mode, &DecodeOptions::default());
        let (flashes, beeps) = starts(&output);
        assert_times(&flashes, &[0.52, 1.4], 1e-3, "flashes");
        assert_times(&beeps, &[0.52, 1.4], 0.02, &format!("beeps, {mode:?}"));
        let sound = Sound::read(&output).seconds();
        assert!((1.95..2.05).contains(&sound), "{mode:?}: {sound} s of sound");
        // From one part into the next.
        let part = DecodeOptions {
            start: Some(Duration::from_millis(440)),
            duration: Some(Duration::from_millis(1200)),
            ..DecodeOptions::default()
        };
        convert(&source, &output, mode, &part);
        assert_eq!(times(&output).len(), 30, "{mode:?}");
        let (flashes, beeps) = starts(&output);
        assert_times(&flashes, &[0.08, 0.96], 1e-3, "flashes of a part");
        assert_times(&beeps, &[0.08, 0.96], 0.02, &format!("beeps of a part, {mode:?}"));
    }
}

#[test]
fn a_start_before_or_after_zero_is_no_shift() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = "-c:v libx264 -bf 2 -c:a aac";
    for (name, more, first_flash) in [
        ("late.ts", "-output_ts_offset 500", 0.0),
        ("late.mkv", "-output_ts_offset 7.3", 0.0),
        ("late.mp4", "-output_ts_offset 3", 0.0),
        // What lies before zero is not shown.
        ("early.mov", "-output_ts_offset -0.2 -avoid_negative_ts disabled", 0.8),
    ] {
        flashes(folder.path(), name, 4, &format!("{codecs} {more}"));
        let (source, output) = (folder.path().join(name), folder.path().join("out.mp4"));
        convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
        let (flashes, beeps) = starts(&output);
        assert!((flashes[0] - first_flash).abs() < 0.05 && flashes.len() >= 3, "{name}: {flashes:?}");
        assert_times(&beeps, &flashes, 0.02, name);
    }
}

#[test]
fn pictures_that_start_after_the_sound_stay_after_it() {
    let folder = tempfile::tempdir().unwrap();
    flashes(folder.path(), "both.mp4", 4, "-c:v libx264 -c:a aac");
    for name in ["late.mp4", "late.mkv"] {
        ffmpeg(
            folder.path(),
            &format!("-itsoffset 0.4 -i both.mp4 -i both.mp4 -map 0:v -map 1:a -c copy {name}"),
        );
        let (source, output) = (folder.path().join(name), folder.path().join("out.mp4"));
        for mode in [AudioMode::Copy, AudioMode::Aac] {
            convert(&source, &output, mode, &DecodeOptions::default());
            let (flashes, beeps) = starts(&output);
            // Matroska stores the sound's first, silent packet as a start of its own.
            let apart: Vec<f64> = flashes.iter().zip(&beeps).map(|(flash, beep)| flash - beep).collect();
            assert_times(&apart, &[0.4; 4], 0.02, name);
            assert!((flashes[0] - 0.4).abs() < 0.03, "{name}: {flashes:?}");
        }
    }
}

#[test]
fn pictures_without_times_follow_each_other_at_the_file_s_rate() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in [
        ("raw.h264", "libx264 -bf 2"),
        ("raw.m2v", "mpeg2video -bf 2"),
        ("a.avi", "mpeg4 -bf 2"),
        ("b.avi", "libx264 -bf 2"),
    ] {
        ffmpeg(
            folder.path(),
            &format!("-f lavfi -i testsrc=s=64x48:r=25:d=2 -pix_fmt yuv420p -c:v {codec} {name}"),
        );
        let (source, output) = (folder.path().join(name), folder.path().join("out.mp4"));
        convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
        let expected: Vec<f64> = (0..50).map(|i| f64::from(i) / 25.0).collect();
        let first = times(&output)[0];
        let shown: Vec<f64> = times(&output).iter().map(|time| time - first).collect();
        assert_times(&shown, &expected, 1e-3, name);
        // Frames are reordered, but come out in order: each differs from the one before by a step of the pattern only.
        assert!(first < 0.1, "{name}: {first}");
    }
}

#[test]
fn a_part_is_exact_to_a_frame_with_its_sound_in_step() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -g 30 -bf 3 -c:a aac"),
        ("b.mkv", "-c:v libx264 -g 30 -bf 3 -c:a libopus"),
        ("c.ts", "-c:v libx264 -g 30 -bf 3 -c:a mp2"),
        ("d.webm", "-c:v libvpx-vp9 -g 30 -c:a libopus"),
        ("e.avi", "-c:v mpeg4 -g 30 -c:a libmp3lame"),
        ("f.mov", "-c:v mpeg4 -g 30 -c:a pcm_s16le"),
        ("g.flv", "-c:v flv -g 30 -c:a libmp3lame -ar 44100"),
        ("h.ogv", "-c:v libtheora -g 30 -c:a libvorbis"),
        ("i.mpg", "-c:v mpeg2video -g 30 -bf 2 -c:a mp2"),
        ("j.mkv", "-c:v libx265 -x265-params log-level=none:keyint=30 -c:a flac"),
    ] {
        flashes(folder.path(), name, 4, codecs);
        let (source, output) = (folder.path().join(name), folder.path().join("out.mp4"));
        let whole_flashes = flash_times(&source);
        let part = DecodeOptions {
            start: Some(Duration::from_millis(1480)),
            duration: Some(Duration::from_millis(1800)),
            ..DecodeOptions::default()
        };
        convert(&source, &output, AudioMode::Copy, &part);
        let (flashes, beeps) = starts(&output);
        let expected: Vec<f64> = whole_flashes[2..4].iter().map(|time| time - 1.48).collect();
        let frames = times(&output);
        assert_eq!(frames.len(), 45, "{name}: {frames:?}");
        // Half a frame: exact to the frame.
        assert_times(&flashes, &expected, 0.02, name);
        // The program's writer of AVI puts the pictures a frame late, and MP3 the sound by less.
        let apart = if name == "e.avi" { 0.017 } else { 0.0 };
        let expected: Vec<f64> = flashes.iter().map(|time| time - apart).collect();
        assert_times(&beeps, &expected, 0.02, name);
    }
}

#[test]
fn neighbouring_parts_join_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(folder.path(), "-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=3 -c:v libx264 -g 30 -bf 3 long.mp4");
    let path = folder.path().join("long.mp4");
    let pictures = |part: &DecodeOptions| -> Vec<Vec<u8>> {
        read_frames(&path, part).iter().map(|frame| frame.data().to_vec()).collect()
    };
    let whole = pictures(&DecodeOptions::default());
    let part = |start_ms, duration_ms: Option<u64>| DecodeOptions {
        start: Some(Duration::from_millis(start_ms)),
        duration: duration_ms.map(Duration::from_millis),
        ..DecodeOptions::default()
    };
    let parts = [part(0, Some(701)), part(701, Some(1299)), part(2000, None)];
    let joined: Vec<Vec<u8>> = parts.iter().flat_map(pictures).collect();
    assert_eq!(joined.len(), whole.len());
    assert!(joined == whole, "the parts together are not the whole");
}
