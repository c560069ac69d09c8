//! Files that are broken: what can be done is done, plays, and is told with counts; what cannot is refused in one line.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path, process::Command};

use pastiche_e2e::{Run, decode, program, write_style};
use serde_json::Value;

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

fn ffmpeg(folder: &Path, line: &str) {
    let arguments = ["-v", "error", "-nostdin", "-y"].into_iter().chain(line.split(' '));
    let status = Command::new("ffmpeg").args(arguments).current_dir(folder).status().unwrap();
    assert!(status.success(), "ffmpeg {line}");
}

fn run(folder: &Path, line: &str) -> Run {
    Command::new(program()).args(line.split(' ')).current_dir(folder).output().unwrap().into()
}

fn video(folder: &Path, input: &str) -> (Run, Value) {
    let line = format!("video {input} -o out.mp4 --style dots.safetensors --progress json -y");
    let run = run(folder, &line);
    let last = run.out.lines().last().unwrap_or("null");
    let summary = serde_json::from_str(last).unwrap();
    (run, summary)
}

#[test]
fn a_truncated_file_gives_what_is_there_and_says_what_is_not() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -g 10 -movflags +faststart"),
        ("b.mov", "-c:v mpeg4 -g 10 -movflags +faststart"),
        ("c.avi", "-c:v mpeg4 -g 10"),
    ] {
        ffmpeg(here, &format!("-f lavfi -i testsrc2=s=64x48:r=25:d=4 {codecs} {name}"));
        let bytes = fs::read(here.join(name)).unwrap();
        fs::write(here.join(name), &bytes[..bytes.len() * 6 / 10]).unwrap();
        let (run, summary) = video(here, name);
        assert_eq!(run.code, Some(3), "{name}: {}", run.err);
        assert!(run.err.contains("done in part: "), "{name}: {}", run.err);
        let frames = decode(&here.join("out.mp4")).times.len();
        assert!((20..80).contains(&frames), "{name}: {frames} frames");
        assert_eq!(summary["frames"], frames, "{name}");
        // An AVI without its index says only roughly how long it was.
        assert!(summary["missing_seconds"].as_f64().unwrap() > 0.25, "{name}: {summary}");
    }
}

#[test]
fn a_hole_in_the_middle_is_bridged_and_counted() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -g 10 -bf 0 -c:a aac"),
        ("b.ts", "-c:v mpeg2video -g 10 -an"),
        ("c.mkv", "-c:v mpeg4 -g 10 -c:a ac3"),
        ("d.mkv", "-c:v libx264 -g 10 -c:a aac"),
        ("e.webm", "-c:v libvpx-vp9 -g 10 -c:a libopus"),
        ("f.webm", "-c:v libvpx -g 10 -c:a libvorbis"),
        ("g.ogv", "-c:v libtheora -g 10 -c:a libvorbis"),
        ("h.avi", "-c:v mpeg4 -g 10 -c:a libmp3lame"),
    ] {
        let sources = "-f lavfi -i testsrc2=s=128x96:r=25:d=4,format=yuv420p -f lavfi -i sine=500:d=4";
        ffmpeg(here, &format!("{sources} {codecs} {name}"));
        let mut bytes = fs::read(here.join(name)).unwrap();
        let middle = bytes.len() / 2;
        for (index, byte) in bytes[middle..middle + 3000].iter_mut().enumerate() {
            *byte = ((index * 7919) >> 3) as u8;
        }
        fs::write(here.join(name), bytes).unwrap();
        let (run, summary) = video(here, name);
        assert_eq!(run.code, Some(3), "{name}: {}", run.err);
        assert!(run.err.contains("done in part: "), "{name}: {}", run.err);
        let damaged = summary["skipped"].as_u64().unwrap() + summary["concealed"].as_u64().unwrap();
        assert!(damaged > 0, "{name}: {summary}");
        let frames = decode(&here.join("out.mp4")).times.len();
        assert!((70..=100).contains(&frames), "{name}: {frames} frames");
        assert_eq!(summary["frames"], frames, "{name}");
    }
}

#[test]
fn whole_files_are_not_called_damaged() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -bf 3 -c:a aac"),
        ("b.mkv", "-c:v libx264 -bf 3 -c:a ac3"),
        ("c.ts", "-c:v mpeg2video -bf 2 -c:a mp2"),
        ("d.webm", "-c:v libvpx-vp9 -c:a libopus"),
        ("e.avi", "-c:v mpeg4 -bf 2 -c:a libmp3lame"),
        ("f.gif", "-an"),
        ("g.flv", "-c:v flv -c:a libmp3lame -ar 44100"),
        ("h.ogv", "-c:v libtheora -c:a libvorbis"),
        ("i.mkv", "-c:v ffv1 -c:a flac"),
        ("j.mov", "-c:v prores_ks -c:a pcm_s16le"),
        ("k.mpg", "-c:v mpeg1video -c:a mp2"),
        ("l.dv", "-s 720x576 -ar 48000 -ac 2"),
        ("m.webp", "-c:v libwebp_anim -an"),
    ] {
        // The sound is longer than the pictures.
        ffmpeg(
            here,
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=1,format=yuv420p -f lavfi -i sine=500:d=2 {codecs} {name}"
            ),
        );
        let (run, summary) = video(here, name);
        assert_eq!((run.code, &summary["missing_seconds"]), (Some(0), &Value::Null), "{name}: {}", run.err);
        // Nor is a part of them, to whose beginning the file is searched.
        let (part, _) = video(here, &format!("{name} --start 0.5"));
        assert_eq!(part.code, Some(0), "a part of {name}: {}", part.err);
    }
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line_and_leaves_nothing() {
    let folder = studio();
    let here = folder.path();
    let locks = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
                 -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    ffmpeg(here, &format!("-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 {locks} locked.mp4"));
    ffmpeg(here, "-f lavfi -i sine=500:d=1 song.m4a");
    fs::write(here.join("empty.mp4"), "").unwrap();
    fs::write(here.join("words.mkv"), "only words\n".repeat(100)).unwrap();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 whole.mp4");
    // An MP4 whose index, at its end, is gone.
    let whole = fs::read(here.join("whole.mp4")).unwrap();
    fs::write(here.join("indexless.mp4"), &whole[..whole.len() / 2]).unwrap();
    let before = fs::read_dir(here).unwrap().count();
    for (input, words) in [
        ("locked.mp4", "encrypted"),
        ("song.m4a", "no video in this file, only sound (aac)"),
        ("empty.mp4", "not a video"),
        ("words.mkv", "not a video"),
        ("indexless.mp4", "not a video"),
    ] {
        let run = run(here, &format!("video {input} -o out.mp4 --style dots.safetensors"));
        let error = run.error(1);
        assert!(error.contains(words) && error.ends_with(input), "{input}: {error}");
        assert_eq!(fs::read_dir(here).unwrap().count(), before, "{input} left something behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let folder = studio();
    let here = folder.path();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 whole.mp4");
    // Nobody may make files there, root neither.
    let run = run(here, "video whole.mp4 -o /proc/out.mp4 --style dots.safetensors");
    let error = run.error(1);
    assert!(error.contains("choose another") && error.ends_with("/proc/out.mp4"), "{error}");
}
