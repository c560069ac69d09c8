//! `pastiche live` from files: what it measures, records and leaves behind.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{path::Path, time::Duration};

use pastiche_e2e::{Clip, Live, decode, json, pastiche, write_clip, write_photo, write_style};
use tempfile::tempdir;

const CLIP: Clip = Clip { width: 96, height: 64, frames: 30, frames_per_second: 25 };

fn arguments<'a>(input: &'a Path, style: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&[input.to_str().unwrap(), "--style", style.to_str().unwrap()], more].concat()
}

#[test]
fn a_video_in_a_loop_is_painted_at_its_own_rate() {
    let folder = tempdir().unwrap();
    let (clip, style) = (folder.path().join("clip.mp4"), folder.path().join("s.safetensors"));
    write_clip(&clip, CLIP);
    write_style(&style);
    // Longer than the clip, so that it goes over the seam.
    let live = [&["live", "--headless"], &arguments(&clip, &style, &["--seconds", "4"])[..]].concat();
    let measured = json(&pastiche(live).done());
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!((4.0..6.0).contains(&number(&measured["seconds"])), "{measured}");
    // Never more than the clip's rate, which would be too fast; less where the machine is busy.
    assert!((15.0..=25.8).contains(&number(&measured["fps"])), "{measured}");
    assert!(number(&measured["frames"]) <= 25.0 * 4.1, "{measured}");
    assert!(number(&measured["first_frame_ms"]) > 0.0, "{measured}");
    let latency = &measured["latency_ms"];
    assert!(
        number(&latency["p50"]) > 0.0 && number(&latency["p50"]) <= number(&latency["p95"]),
        "{measured}"
    );
    assert_eq!((&measured["width"], &measured["height"]), (&96.into(), &64.into()));
    assert!(measured["device"].is_string() && measured["precision"].is_string(), "{measured}");
    assert!(measured["dropped"].is_u64(), "{measured}");
}

#[test]
fn a_recording_has_every_painted_frame_at_its_time_also_after_ctrl_c() {
    let folder = tempdir().unwrap();
    let [clip, style, recording] =
        ["clip.mp4", "s.safetensors", "out.mp4"].map(|name| folder.path().join(name));
    write_clip(&clip, CLIP);
    write_style(&style);
    let record = ["--record", recording.to_str().unwrap()];
    let live = Live::start(arguments(&clip, &style, &record), &[]);
    let has_frames = |line: &serde_json::Value| line["frames"].as_u64().is_some_and(|frames| frames > 30);
    live.wait_for("frames", Duration::from_secs(30), has_frames);
    live.interrupt();
    let run = live.end();
    assert_eq!(run.code, Some(130), "{}", run.err);
    let summary = json(&run);
    let recorded = &summary["recording"];
    assert_eq!(recorded["dropped"], 0, "{summary}");
    assert_eq!(recorded["frames"], summary["frames"], "{summary}");
    let decoded = decode(&recording);
    assert_eq!(recorded["frames"].as_u64().unwrap(), decoded.times.len() as u64);
    assert_eq!((decoded.width, decoded.height), (96, 64));
    let (first, last) = (decoded.times[0], decoded.times[decoded.times.len() - 1]);
    // Real times: as long as the session, whatever its rate was.
    let painted = (decoded.times.len() - 1) as f64 / summary["fps"].as_f64().unwrap();
    assert!((last - first - painted).abs() < 0.3, "{first} to {last}, but {painted}");
    assert!(decoded.times.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", decoded.times);
}

#[test]
fn a_photograph_is_painted_once_and_stays() {
    let folder = tempdir().unwrap();
    let [photo, style] = ["photo.png", "s.safetensors"].map(|name| folder.path().join(name));
    write_photo(&photo, 70, 50);
    write_style(&style);
    let live = [&["live", "--headless"], &arguments(&photo, &style, &["--seconds", "2"])[..]].concat();
    let measured = json(&pastiche(live).done());
    assert_eq!((&measured["width"], &measured["height"]), (&70.into(), &50.into()));
    assert_eq!(measured["frames"], 1, "{measured}");
}

#[test]
fn a_file_that_cannot_be_read_ends_it_with_the_reason() {
    let folder = tempdir().unwrap();
    let [noise, style] = ["noise.mp4", "s.safetensors"].map(|name| folder.path().join(name));
    std::fs::write(&noise, [7; 1000]).unwrap();
    write_style(&style);
    let live = [&["live", "--headless"], &arguments(&noise, &style, &["--seconds", "20"])[..]].concat();
    assert!(pastiche(live).error(1).contains("noise.mp4"));
}
