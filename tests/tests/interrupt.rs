//! Ctrl-C while a video is written.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use pastiche_e2e::{Clip, decode, file_names, program, signal, write_clip, write_style};
use pastiche_media::read_image;
use serde_json::Value;

/// Starts on a clip of 600 frames; the larger the network works, the longer each takes.
fn start(folder: &Path, options: &str) -> Child {
    write_clip(&folder.join("in.mp4"), Clip { width: 96, height: 64, frames: 600, frames_per_second: 25 });
    write_style(&folder.join("dots.safetensors"));
    Command::new(program())
        .args(["video", "in.mp4", "--style", "dots.safetensors", "--progress", "json"])
        .args(options.split(' '))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads events until some frames are done.
fn wait_for_frames(events: &mut BufReader<ChildStdout>) {
    let mut done = 0;
    while done == 0 {
        let mut line = String::new();
        assert_ne!(events.read_line(&mut line).unwrap(), 0, "it ended before it was interrupted");
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["event"], "progress", "it was done before it was interrupted");
        done = event["done"].as_u64().unwrap();
    }
}

/// Reads messages until it has answered the first interruption.
fn wait_for_answer(messages: &mut BufReader<ChildStderr>) {
    let mut line = String::new();
    while !line.contains("once more to quit at once") {
        line.clear();
        assert_ne!(messages.read_line(&mut line).unwrap(), 0, "it ended without an answer");
    }
}

#[test]
fn an_interrupted_video_plays_up_to_where_it_was() {
    for name in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path(), "-o out.mp4 --process-size 480x360");
        let mut events = BufReader::new(child.stdout.take().unwrap());
        wait_for_frames(&mut events);
        signal(&child, name);
        let last = events.lines().last().unwrap().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));

        let summary: Value = serde_json::from_str(&last).unwrap();
        assert_eq!((&summary["event"], &summary["cancelled"]), (&"summary".into(), &true.into()));
        let frames = decode(&folder.path().join("out.mp4")).times.len();
        assert!((1..600).contains(&frames), "{frames} frames");
        assert_eq!(summary["frames"], frames);
        assert_eq!(file_names(folder.path()), ["dots.safetensors", "in.mp4", "out.mp4"]);
    }
}

#[test]
fn an_interruption_is_heeded_while_a_gap_in_time_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    write_style(&folder.path().join("dots.safetensors"));
    // Ten hours: two million pictures.
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=10", "-frames:v", "10"])
        .args(["-vf", "setpts=PTS+gte(N\\,5)*36000/TB", "-fps_mode", "passthrough", "gap.mkv"])
        .current_dir(folder.path())
        .status();
    assert!(made.expect("ffmpeg runs (apt-get install ffmpeg)").success());
    for output in ["out.mp4", "out/%07d.png"] {
        let mut child = Command::new(program())
            .args([
                "video",
                "gap.mkv",
                "--style",
                "dots.safetensors",
                "--fps",
                "60",
                "--progress",
                "json",
                "-o",
            ])
            .arg(output)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut events = BufReader::new(child.stdout.take().unwrap());
        // The pictures before the gap are on their way when the first event tells of them, and there is none in the gap.
        events.read_line(&mut String::new()).unwrap();
        thread::sleep(Duration::from_secs(2));
        signal(&child, "-INT");
        let last = events.lines().last().unwrap().unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
        let summary: Value = serde_json::from_str(&last).unwrap();
        assert_eq!((&summary["event"], &summary["cancelled"]), (&"summary".into(), &true.into()));
        let frames = summary["frames"].as_u64().unwrap();
        assert!((31..1_000_000).contains(&frames), "{summary}");
    }
    assert!(decode(&folder.path().join("out.mp4")).times.len() > 30);
}

#[test]
fn a_second_interruption_quits_at_once_and_leaves_nothing_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // Another job works on it, so that ours gets another name.
    let other = fs::File::create(folder.path().join("out.mp4.pastiche-unfinished")).unwrap();
    other.lock().unwrap();
    let mut child = start(folder.path(), "-o out.mp4 --process-size 1600x1200");
    wait_for_frames(&mut BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(file_names(folder.path()).len(), 4, "{:?}", file_names(folder.path()));
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    signal(&child, "-INT");
    wait_for_answer(&mut messages);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(file_names(folder.path()), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-unfinished"]);
}

#[test]
fn a_second_interruption_leaves_no_half_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_clip(&here.join("in.mp4"), Clip { width: 96, height: 64, frames: 600, frames_per_second: 25 });
    write_style(&here.join("dots.safetensors"));
    // Large pictures, so that one is being written nearly always.
    let line = "video in.mp4 -o out/ --style dots.safetensors --size 1600x1200 --process-size 16x16";
    for _ in 0..5 {
        let mut child = Command::new(program())
            .args(line.split(' '))
            .current_dir(here)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = here.join("out");
        let parts =
            || file_names(&out).into_iter().filter(|name| name.ends_with(".pastiche-unfinished")).count();
        while !out.exists() || parts() == 0 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
            thread::sleep(Duration::from_millis(1));
        }
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        signal(&child, "-INT");
        wait_for_answer(&mut messages);
        signal(&child, "-INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(parts(), 0, "{:?}", file_names(&out));
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn a_killed_job_leaves_whole_pictures_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut child = start(folder.path(), "-o out/ --size 800x600 --process-size 16x16");
    wait_for_frames(&mut BufReader::new(child.stdout.take().unwrap()));
    signal(&child, "-KILL");
    assert_eq!(child.wait().unwrap().code(), None);
    let names = file_names(&out);
    let (pictures, unfinished): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.ends_with(".png"));
    assert!(!pictures.is_empty() && pictures.len() < 600, "{names:?}");
    for picture in pictures {
        assert_eq!(read_image(&out.join(picture)).unwrap().width(), 800, "{picture}");
    }
    assert!(unfinished.iter().all(|name| name.ends_with(".pastiche-unfinished")), "{unfinished:?}");
}

#[test]
fn pictures_that_were_there_stay_when_a_job_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("out")).unwrap();
    for number in 1..=50 {
        fs::write(here.join(format!("out/{number:06}.png")), "older").unwrap();
    }
    let mut child = start(here, "-o out/ -y --process-size 1200x900");
    wait_for_frames(&mut BufReader::new(child.stdout.take().unwrap()));
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let names = file_names(&here.join("out"));
    let older =
        names.iter().filter(|name| fs::read(here.join("out").join(name)).unwrap() == b"older").count();
    // The first is new, and the last is what it was.
    assert!(names.len() == 50 && (1..50).contains(&older), "{older} of {names:?}");
}
