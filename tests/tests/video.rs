//! `pastiche video` on generated clips.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use pastiche_e2e::{Clip, Run, decode, ffmpeg, mean_difference, pastiche, program, write_clip, write_style};
use pastiche_media::probe;
use serde_json::Value;

/// A folder with a clip of 50 frames, 2 s at 25 a second, of 96x64, and a style.
struct Studio {
    folder: tempfile::TempDir,
}

impl Studio {
    fn new() -> Self {
        let studio = Self { folder: tempfile::tempdir().unwrap() };
        write_clip(&studio.path("in.mp4"), Clip { width: 96, height: 64, frames: 50, frames_per_second: 25 });
        write_style(&studio.path("dots.safetensors"));
        studio
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn video(&self, more: &[&str]) -> Run {
        let (input, output, style) =
            (self.path("in.mp4"), self.path("out.mp4"), self.path("dots.safetensors"));
        let arguments =
            [input.as_os_str(), "-o".as_ref(), output.as_os_str(), "--style".as_ref(), style.as_os_str()];
        pastiche(["video".as_ref()].into_iter().chain(arguments).chain(more.iter().map(|word| word.as_ref())))
    }
}

/// What stands between `before` and the next comma.
fn word_after<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, after) = text.split_once(before).unwrap();
    after.split(',').next().unwrap()
}

/// Writes 5 grey frames of any size as YUV4MPEG2, which is plain text and samples; whole chroma planes, so that odd
/// sizes work.
fn write_raw_clip(path: &Path, width: usize, height: usize) {
    let mut clip = format!("YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C444\n").into_bytes();
    for _ in 0..5 {
        clip.extend(b"FRAME\n");
        clip.resize(clip.len() + 3 * width * height, 128);
    }
    fs::write(path, clip).unwrap();
}

#[test]
fn a_video_keeps_its_frames_times_and_size_and_changes_its_looks() {
    let studio = Studio::new();
    let run = studio.video(&["--threads", "1", "--precision", "f32"]).done();
    assert!(run.out.is_empty(), "{}", run.out);
    for word in ["cpu", "f32", "1 thread", "encoder", "no sound", "50 frames"] {
        assert!(run.err.contains(word), "{word:?} is not told: {}", run.err);
    }
    let (encoder, closing) = (word_after(&run.err, "encoder "), run.err.lines().last().unwrap());
    assert!(closing.contains(encoder) && closing.contains("no sound"), "{closing}");
    let (before, after) = (decode(&studio.path("in.mp4")), decode(&studio.path("out.mp4")));
    assert_eq!((after.width, after.height), (96, 64));
    assert_eq!(after.times, before.times);
    assert!(mean_difference(&before.first, &after.first) > 20.0);
}

#[test]
fn without_strength_a_video_is_as_it_was() {
    let studio = Studio::new();
    studio.video(&["--strength", "0"]).done();
    let (before, after) = (decode(&studio.path("in.mp4")), decode(&studio.path("out.mp4")));
    assert!(mean_difference(&before.first, &after.first) < 3.0);
}

#[test]
fn kept_colors_bring_a_picture_nearer_to_its_source() {
    let studio = Studio::new();
    studio.video(&[]).done();
    let painted = decode(&studio.path("out.mp4")).first;
    studio.video(&["--keep-colors", "--smoothing", "0.5", "-y"]).done();
    let colored = decode(&studio.path("out.mp4")).first;
    let source = decode(&studio.path("in.mp4")).first;
    assert!(mean_difference(&colored, &source) < mean_difference(&painted, &source));
}

#[test]
fn the_result_has_the_size_asked_for_whatever_the_network_works_at() {
    let studio = Studio::new();
    for (options, size) in [
        (&["--size", "64x48"][..], (64, 48)),
        (&["--scale", "0.5"], (48, 32)),
        // 96 * 0.35 = 33.6, 64 * 0.35 = 22.4: to the nearest even numbers.
        (&["--scale", "0.35"], (34, 22)),
        (&["--process-size", "32x32"], (96, 64)),
        (&["--size", "128x64", "--process-size", "17x33"], (128, 64)),
    ] {
        studio.video(&[options, &["-y"]].concat()).done();
        let after = decode(&studio.path("out.mp4"));
        assert_eq!(((after.width, after.height), after.times.len()), (size, 50), "{options:?}");
    }
}

#[test]
fn an_odd_sized_video_loses_a_column_and_a_row_and_is_told_so() {
    let studio = Studio::new();
    write_raw_clip(&studio.path("in.mp4"), 95, 63);
    let run = studio.video(&[]).done();
    assert!(run.err.contains("size is odd") && run.err.contains("94x62"), "{}", run.err);
    let after = decode(&studio.path("out.mp4"));
    assert_eq!((after.width, after.height, after.times.len()), (94, 62, 5));
}

#[test]
fn a_job_goes_on_when_nobody_reads_what_it_says() {
    let studio = Studio::new();
    let mut child = Command::new(program())
        .args(["video", "in.mp4", "-o", "out.mp4", "--style", "dots.safetensors", "--verbose", "--verbose"])
        .current_dir(studio.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(decode(&studio.path("out.mp4")).times.len(), 50);
    assert!(!studio.path("out.mp4.pastiche-unfinished").exists());
}

#[test]
fn a_part_of_a_video_starts_at_zero() {
    let studio = Studio::new();
    studio.video(&["--start", "0:01", "--duration", "0.4"]).done();
    let times = decode(&studio.path("out.mp4")).times;
    assert_eq!(times.len(), 10);
    assert!(times[0].abs() < 1e-9, "{times:?}");
}

#[test]
fn a_constant_frame_rate_repeats_or_drops_frames() {
    let studio = Studio::new();
    for (rate, frames) in [("50", 99..=100), ("10", 20..=20)] {
        studio.video(&["--fps", rate, "-y"]).done();
        let times = decode(&studio.path("out.mp4")).times;
        assert!(frames.contains(&times.len()), "{} frames at {rate} a second", times.len());
        let step = 1.0 / rate.parse::<f64>().unwrap();
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 1e-3), "{times:?}");
    }
}

#[test]
fn an_output_that_exists_needs_y() {
    let studio = Studio::new();
    fs::write(studio.path("out.mp4"), "mine").unwrap();
    let run = studio.video(&[]);
    assert!(run.error(1).contains("-y"), "{}", run.err);
    assert_eq!(fs::read_to_string(studio.path("out.mp4")).unwrap(), "mine");
    studio.video(&["-y"]).done();
    assert_eq!(decode(&studio.path("out.mp4")).times.len(), 50);
    assert!(!studio.path("out.mp4.pastiche-unfinished").exists());
}

#[test]
fn progress_as_json_is_one_object_a_line_with_a_summary_at_the_end() {
    let studio = Studio::new();
    let run = studio.video(&["--progress", "json"]).done();
    let events: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, progress) = events.split_last().unwrap();
    assert!(!progress.is_empty());
    for event in progress {
        assert_eq!(
            (&event["event"], &event["total"], &event["unit"]),
            (&"progress".into(), &50.into(), &"frames".into())
        );
        assert!(event["done"].is_u64() && event["per_second"].is_f64(), "{event}");
    }
    assert_eq!(summary["event"], "summary");
    assert_eq!(
        (&summary["frames"], &summary["width"], &summary["height"]),
        (&50.into(), &96.into(), &64.into())
    );
    assert_eq!(
        (&summary["device"], &summary["audio"], &summary["cancelled"]),
        (&"cpu".into(), &"none".into(), &false.into())
    );
    assert!(summary["audio_codec"].is_null() && summary["audio_source_codec"].is_null(), "{summary}");
    for key in ["output", "bytes", "encoder", "precision", "threads", "seconds", "fps", "video_seconds"] {
        assert!(!summary[key].is_null(), "{key}: {summary}");
    }
}

#[test]
fn one_of_several_sounds_is_taken_or_none() {
    let studio = Studio::new();
    let sounds = "-f lavfi -i sine=500:d=2 -f lavfi -i anoisesrc=d=2:r=44100,aformat=channel_layouts=stereo";
    ffmpeg(
        studio.folder.path(),
        &format!("-i in.mp4 {sounds} -map 0:v -map 1 -map 2 -c:v copy -c:a aac two.mp4"),
    );
    fs::rename(studio.path("two.mp4"), studio.path("in.mp4")).unwrap();
    for (choice, channels) in [("copy", &[1][..]), ("1", &[1]), ("2", &[2]), ("aac", &[1]), ("none", &[])] {
        studio.video(&["-y", "--audio", choice]).done();
        let kept: Vec<u32> =
            probe(&studio.path("out.mp4")).unwrap().audio.iter().map(|sound| sound.channels).collect();
        assert_eq!(kept, channels, "--audio {choice}");
    }
    let missing = studio.video(&["-y", "--audio", "3"]);
    assert!(missing.error(1).contains("no sound number 3"), "{}", missing.err);
}

#[test]
fn encoders_and_their_settings_can_be_chosen() {
    let studio = Studio::new();
    studio.video(&["--crf", "10"]).done();
    let fine = fs::metadata(studio.path("out.mp4")).unwrap().len();
    studio.video(&["--crf", "40", "-y"]).done();
    let coarse = fs::metadata(studio.path("out.mp4")).unwrap().len();
    assert!(coarse < fine, "{coarse} against {fine} bytes");
    let unknown = studio.video(&["--encoder", "crayon", "-y"]);
    assert!(unknown.error(1).contains("crayon"), "{}", unknown.err);
}

#[test]
fn what_decodes_the_video_is_said_where_a_card_might() {
    let studio = Studio::new();
    let told = |hwaccel: &str| {
        let run = studio.video(&["-v", "-y", "--hwaccel", hwaccel, "--duration", "0.2"]).done();
        run.err.matches("videos are decoded by the").count()
    };
    // An FFmpeg that is built without such hardware in mind has nothing to say.
    let methods = Command::new("ffmpeg").args(["-hide_banner", "-hwaccels"]).output().unwrap();
    let may = String::from_utf8_lossy(&methods.stdout).lines().any(|line| line.trim() == "cuda");
    assert_eq!((told("auto"), told("none")), (usize::from(may), 0));
}
