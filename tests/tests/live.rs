//! `pastiche live` without a window: from a file, a photograph, and a camera that is not there.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use pastiche_e2e::{Clip, decode, json, pastiche, write_clip, write_photo};

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
