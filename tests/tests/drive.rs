//! Drives that fail half-way: what could be done is kept, plays, and is told.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path, process::Command, sync::OnceLock};

use pastiche_e2e::{Run, decode, ffmpeg, file_names, preloaded, program, summary, write_style};
use pastiche_media::probe;
use serde_json::Value;

/// Of a clip with so much grain that it fills drives: 4 s at 25 a second, with sound.
const GRAIN: &str = "-f lavfi -i nullsrc=s=256x192:r=25:d=4,geq=random(1)*255:128:128 -f lavfi -i sine=500:d=4 \
                     -pix_fmt yuv420p -c:v libx264 -preset ultrafast -crf 30 -c:a aac in.mp4";
/// What is written of it: as much as can be.
const VIDEO: &str =
    "--style dots.safetensors --strength 0 --crf 4 --preset ultrafast --process-size 16x16 --progress json";
/// Of files, in bytes.
const LIMIT: u64 = 3 << 20;

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

/// Puts the clip with the grain into a folder; it is made once.
fn write_grain(folder: &Path) {
    static CLIP: OnceLock<Vec<u8>> = OnceLock::new();
    let clip = CLIP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        ffmpeg(folder.path(), &GRAIN.split_whitespace().collect::<Vec<_>>().join(" "));
        fs::read(folder.path().join("in.mp4")).unwrap()
    });
    fs::write(folder.join("in.mp4"), clip).unwrap();
}

/// Runs the program on a drive with a fault.
fn run_on(fault: &str, folder: &Path, line: &str) -> Run {
    let mut command = Command::new(program());
    command.args(line.split_whitespace()).current_dir(folder);
    command.env("LD_PRELOAD", preloaded("fake_drive")).env("FAKE_DRIVE", fault);
    command.output().unwrap().into()
}

/// Checks that a job that was to give 100 frames has kept some, and said why not all.
fn assert_kept(run: &Run, output: &Path, reason: &str) {
    let name = output.display();
    assert_eq!(run.code, Some(3), "{name}: {}", run.err);
    assert!(
        run.err.contains("done in part: writing stopped (") && run.err.contains(reason),
        "{name}: {}",
        run.err
    );
    let summary = summary(run);
    assert!(summary["stopped"].as_str().unwrap().contains(reason), "{name}: {summary}");
    let frames = decode(output).times.len();
    assert!((10..100).contains(&frames), "{name}: {frames} frames");
    assert_eq!(summary["frames"], frames, "{name}");
    let probed = probe(output).unwrap();
    assert_eq!(probed.audio.len(), 1, "{name}");
    assert!(probed.duration.unwrap().as_secs_f64() < 3.9, "{name}: {probed:?}");
}

#[test]
fn a_full_drive_keeps_what_is_done() {
    let folder = studio();
    let here = folder.path();
    write_grain(here);
    for name in ["out.mp4", "out.mov", "out.mkv"] {
        let fault = format!("{name} write {LIMIT} full");
        let run = run_on(&fault, here, &format!("video in.mp4 -o {name} {VIDEO}"));
        assert_kept(&run, &here.join(name), "No space left");
        assert!(fs::metadata(here.join(name)).unwrap().len() < LIMIT);
        assert_eq!(file_names(here), ["dots.safetensors", "in.mp4", name]);
        fs::remove_file(here.join(name)).unwrap();
    }
    let fault = format!("out.webm write {} full", 2 << 20);
    let line = "video in.mp4 -o out.webm --style dots.safetensors --strength 0 --crf 20 --preset realtime \
                --process-size 16x16 --progress json";
    let run = run_on(&fault, here, line);
    assert_kept(&run, &here.join("out.webm"), "No space left");
}

#[test]
fn a_limit_on_files_and_a_broken_drive_keep_what_is_done() {
    let folder = studio();
    let here = folder.path();
    write_grain(here);
    let limited = format!("trap '' XFSZ; exec prlimit --fsize={LIMIT} \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limited, "sh"])
        .arg(program())
        .args(format!("video in.mp4 -o out.mp4 {VIDEO}").split_whitespace())
        .current_dir(here)
        .output()
        .unwrap();
    assert_kept(&output.into(), &here.join("out.mp4"), "File too large");

    let run =
        run_on(&format!("lost.mp4 write {LIMIT} broken"), here, &format!("video in.mp4 -o lost.mp4 {VIDEO}"));
    assert_kept(&run, &here.join("lost.mp4"), "Input/output error");
    assert_eq!(file_names(here), ["dots.safetensors", "in.mp4", "lost.mp4", "out.mp4"]);
}

#[test]
fn a_drive_without_room_for_anything_leaves_nothing() {
    let folder = studio();
    let here = folder.path();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 in.mp4");
    let run = run_on("out.mp4 write 1000 full", here, &format!("video in.mp4 -o out.mp4 {VIDEO}"));
    let error = run.error(1);
    assert!(
        error.contains("No space left") && error.contains("make room") && error.ends_with("out.mp4"),
        "{error}"
    );
    assert_eq!(file_names(here), ["dots.safetensors", "in.mp4"]);
}

#[test]
fn numbered_pictures_stay_when_the_drive_is_full() {
    let folder = studio();
    let here = folder.path();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 in.mp4");
    let run = run_on(
        "000008 write 100 full",
        here,
        "video in.mp4 -o out/ --style dots.safetensors --progress json",
    );
    assert_eq!((run.code, &summary(&run)["frames"]), (Some(3), &7.into()), "{}", run.err);
    assert!(run.err.contains("No space left"), "{}", run.err);
    let names: Vec<String> = (1..=7).map(|number| format!("{number:06}.png")).collect();
    assert_eq!(file_names(&here.join("out")), names);
}

#[test]
fn an_image_that_finds_no_room_is_told_and_the_others_go_on() {
    let folder = studio();
    let here = folder.path();
    for name in ["a.png", "b.png"] {
        ffmpeg(here, &format!("-f lavfi -i testsrc=s=64x48 -frames:v 1 {name}"));
    }
    let style = "--style dots.safetensors --process-size 16x16";
    let run = run_on("out.png write 100 full", here, &format!("image a.png -o out.png {style}"));
    let error = run.error(1);
    assert!(error.contains("No space left") && error.ends_with("out.png"), "{error}");
    assert_eq!(file_names(here), ["a.png", "b.png", "dots.safetensors"]);

    let run = run_on(
        "a.png.pastiche-unfinished write 100 full",
        here,
        &format!("image a.png b.png -o made/ {style}"),
    );
    assert!(run.error(3).contains("No space left"), "{}", run.err);
    assert!(run.err.contains("1 image done") && run.err.contains("1 failed"), "{}", run.err);
    assert_eq!(file_names(&here.join("made")), ["b.png"]);
}

#[test]
fn a_recording_plays_up_to_where_the_drive_was_full() {
    let folder = studio();
    let here = folder.path();
    write_grain(here);
    let line = "live in.mp4 --headless --seconds 8 --style dots.safetensors --strength 0 --process-size 16x16 \
                --record out.mp4";
    let run = run_on("out.mp4 write 1000000 full", here, line);
    assert!(run.err.contains("the recording broke off") && run.err.contains("No space left"), "{}", run.err);
    assert!(decode(&here.join("out.mp4")).times.len() > 5);
}

#[test]
fn a_source_that_cannot_be_read_on_gives_what_came_before() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -c:a aac -movflags +faststart"),
        ("b.mkv", "-c:v libx264 -c:a aac"),
        ("c.avi", "-c:v mpeg4 -c:a libmp3lame"),
        ("d.flv", "-c:v flv -c:a libmp3lame -ar 44100"),
        ("e.ts", "-c:v mpeg2video -c:a mp2"),
        ("f.ogv", "-c:v libtheora -c:a libvorbis"),
    ] {
        let sources = "-f lavfi -i testsrc2=s=320x240:r=25:d=4,format=yuv420p -f lavfi -i sine=500:d=4";
        ffmpeg(here, &format!("{sources} {codecs} {name}"));
        let limit = fs::metadata(here.join(name)).unwrap().len() * 6 / 10;
        let fault = format!("{name} read {limit} broken");
        let run = run_on(
            &fault,
            here,
            &format!(
                "video {name} -o out.mp4 --style dots.safetensors --process-size 16x16 --progress json -y"
            ),
        );
        assert_eq!(run.code, Some(3), "{name}: {}", run.err);
        let summary = summary(&run);
        let reason = summary["cut_short"].as_str().unwrap_or_else(|| panic!("{name}: {summary}"));
        assert!(reason.contains("Input/output error"), "{name}: {reason}");
        let frames = decode(&here.join("out.mp4")).times.len();
        assert!((20..95).contains(&frames), "{name}: {frames} frames");
        assert_eq!(summary["frames"], frames, "{name}");
    }
}

#[test]
fn sound_and_subtitles_that_cannot_be_read_on_do_not_end_the_pictures() {
    let folder = studio();
    let here = folder.path();
    fs::write(
        here.join("in.srt"),
        "1\n00:00:00,500 --> 00:00:01,000\nfirst\n\n2\n00:00:05,000 --> 00:00:05,900\nlast\n",
    )
    .unwrap();
    // The index comes first, so the faults are behind it; and what is longer than the pictures is behind those.
    ffmpeg(here, "-f lavfi -i testsrc2=s=320x240:r=25:d=2,format=yuv420p -c:v libx264 pictures.mp4");
    for (sources, name) in [
        ("-i pictures.mp4 -f lavfi -i sine=500:d=6 -c:a aac", "sound.mp4"),
        ("-i pictures.mp4 -i in.srt -c:s mov_text", "text.mp4"),
    ] {
        ffmpeg(here, &format!("{sources} -c:v copy -movflags +faststart {name}"));
    }
    let bytes = |name: &str| fs::metadata(here.join(name)).unwrap().len();
    let read = |name: &str, limit: u64, more: &str| -> (Run, Value) {
        let fault = format!("{name} read {limit} broken");
        let line = format!("video {name} -o out.mp4 --style dots.safetensors --progress json -y {more}");
        let run = run_on(&fault, here, &line);
        let summary = summary(&run);
        (run, summary)
    };
    for more in ["", "--audio aac"] {
        let (run, summary) = read("sound.mp4", bytes("sound.mp4") * 8 / 10, more);
        assert_eq!((run.code, &summary["frames"]), (Some(3), &50.into()), "{}", run.err);
        assert!(summary["sound_cut_short"].as_str().unwrap().contains("Input/output error"), "{summary}");
        assert!(run.err.contains("the sound ends early ("), "{}", run.err);
        assert_eq!(probe(&here.join("out.mp4")).unwrap().audio.len(), 1);
    }
    let (run, summary) = read("text.mp4", bytes("text.mp4") - 8, "");
    assert_eq!((run.code, &summary["frames"]), (Some(3), &50.into()), "{}", run.err);
    assert!(summary["subtitles_cut_short"].as_str().unwrap().contains("Input/output error"), "{summary}");
    assert!(run.err.contains("the subtitles end early ("), "{}", run.err);
}
