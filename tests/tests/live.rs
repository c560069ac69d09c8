//! `pastiche live` without a window: from a file, a photograph, and a camera that is not there.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use pastiche_e2e::{Clip, decode, json, pastiche, program, write_clip, write_photo};
use serde_json::Value;

const CLIP: Clip = Clip { width: 160, height: 120, frames: 40, frames_per_second: 20 };

#[test]
fn a_clip_in_a_loop_is_painted_at_its_rate_and_recorded_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    write_clip(at("in.mp4").as_ref(), CLIP);
    let arguments = ["live", &at("in.mp4"), "--headless", "--seconds", "5", "--record", &at("out.mp4")];
    let measured = json(&pastiche(arguments).done());

    // Longer than the clip, so it went round; and no faster than it.
    let frames = measured["frames"].as_u64().unwrap();
    assert!((41..=101).contains(&frames), "{measured}");
    let fps = measured["fps"].as_f64().unwrap();
    assert!(fps > 8.0 && fps < 20.6, "{measured}");
    assert_eq!((&measured["width"], &measured["height"]), (&160.into(), &120.into()));
    assert_eq!(measured["device"], "cpu");
    let latency = &measured["latency_ms"];
    assert!(0.0 < latency["p50"].as_f64().unwrap() && latency["p50"].as_f64() <= latency["p95"].as_f64());
    assert!(measured["first_frame_ms"].as_f64().unwrap() > 0.0);

    let recording = &measured["recording"];
    assert_eq!((&recording["frames"], &recording["dropped"]), (&frames.into(), &0.into()), "{measured}");
    let decoded = decode(at("out.mp4").as_ref());
    assert_eq!(decoded.times.len() as u64, frames);
    let length = decoded.times.last().unwrap();
    assert!((3.0..=5.0).contains(length), "{length} s");
    assert!(decoded.times.is_sorted());
}

#[test]
fn a_photograph_is_painted_once_where_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    write_photo(&photo, 97, 64);
    let measured = json(&pastiche(["live", photo.to_str().unwrap(), "--headless", "--seconds", "2"]).done());
    assert_eq!(measured["width"], 97);
    assert!((1..=3).contains(&measured["frames"].as_u64().unwrap()), "{measured}");
}

#[test]
fn what_cannot_be_shown_is_said() {
    let missing = pastiche(["live", "missing.mp4", "--headless", "--seconds", "5"]);
    assert!(missing.error(1).contains("there is no such file"));
    let camera = pastiche(["live", "--camera", "no such camera", "--headless", "--seconds", "1"]);
    assert!(camera.error(1).contains("is not there; plug it in"), "{}", camera.err);
    assert_eq!(pastiche(["live", "in.mp4", "--camera", "0", "--headless"]).code, Some(2));
}

#[test]
fn a_style_is_changed_within_a_tenth_of_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("in.mp4");
    write_clip(&clip, CLIP);
    let arguments = ["live", clip.to_str().unwrap(), "--headless", "--seconds", "8", "--cycle-styles", "400"];
    let measured = json(&pastiche(arguments).done());
    let changes = &measured["style_change_ms"];
    assert!(changes["count"].as_u64().unwrap() >= 8, "{measured}");
    // Half of them, since other tests take the processor away; a style that is loaded each time takes longer.
    assert!(changes["p50"].as_f64().unwrap() < 100.0, "{measured}");
    assert!(changes["max"].as_f64().unwrap() < 1500.0, "{measured}");
}

#[test]
fn a_session_whose_only_output_fails_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    write_clip(at("in.mp4").as_ref(), CLIP);
    for (option, place) in [("--record", at("nowhere/out.mp4")), ("--virtual-camera", at("no-camera"))] {
        // Without --seconds it would go on until Ctrl-C.
        let run = pastiche(["live", &at("in.mp4"), "--headless", option, &place]);
        let line = run.error(1);
        assert!(line.contains("not all that was asked for") && line.contains("no"), "{line}");
    }
}

#[test]
fn a_recording_plays_although_the_program_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_clip(&at("in.mp4"), CLIP);
    let mut child = Command::new(program())
        .args(["live", at("in.mp4").to_str().unwrap(), "--headless", "--progress", "json", "--record"])
        .arg(at("out.mp4"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let painted = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    // Some seconds of pictures, whatever the machine needs for them.
    let before = painted.filter_map(|event| event["frames"].as_u64()).find(|frames| *frames > 80).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let decoded = decode(&at("out.mp4"));
    let lost = before.saturating_sub(decoded.times.len() as u64);
    // What the encoder held, and the last second.
    assert!(decoded.times.len() > 20 && lost < 60, "{} frames of {before}", decoded.times.len());
    assert!(decoded.times.is_sorted());
    let probe = json(&pastiche(["probe", at("out.mp4").to_str().unwrap(), "--json"]).done());
    let seconds = probe["video"]["seconds"].as_f64();
    let last = decoded.times.last().unwrap();
    assert!(seconds.is_some_and(|seconds| (seconds - last).abs() < 1.0), "{last}: {probe}");
}
