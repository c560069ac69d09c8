//! What programs read.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::process::Command;

use pastiche_e2e::{Clip, Run, json, pastiche, program, write_clip};
use serde_json::Value;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn bench_measures_a_network_without_a_style() {
    let arguments =
        ["bench", "--random-weights", "transformer_net", "--size", "32x24", "--frames", "5", "--json"];
    let bench = json(&pastiche(arguments.into_iter().chain(["--device", "cpu", "--threads", "1"])).done());
    assert_eq!(
        keys(&bench),
        ["architecture", "device", "fps", "frames", "height", "ms", "precision", "style", "threads", "width"]
    );
    assert_eq!((&bench["architecture"], &bench["device"]), (&"transformer_net".into(), &"cpu".into()));
    assert_eq!((&bench["width"], &bench["height"]), (&32.into(), &24.into()));
    assert_eq!((&bench["frames"], &bench["threads"]), (&5.into(), &1.into()));
    let ms = |key: &str| bench["ms"][key].as_f64().unwrap();
    assert_eq!(keys(&bench["ms"]), ["median", "min", "p95"]);
    assert!(0.0 < ms("min") && ms("min") <= ms("median") && ms("median") <= ms("p95"), "{bench}");
    let fps = bench["fps"].as_f64().unwrap();
    assert!(fps >= 999.0 / ms("p95") && fps <= 1001.0 / ms("min"), "{bench}");
}

#[test]
fn the_processor_s_instruction_set_is_told_and_can_be_capped() {
    let bench = |allowed: &str| -> Run {
        let arguments = ["bench", "--random-weights", "swift", "--size", "32x32", "--frames", "3", "--json"];
        let run = Command::new(program()).args(arguments).env("PASTICHE_CPU", allowed).output();
        run.unwrap().into()
    };
    let capped = bench("portable").done();
    assert!(capped.err.contains("f32, portable"), "{}", capped.err);
    let unknown = bench("sse9");
    let refused = unknown.error(1);
    assert!(refused.contains("PASTICHE_CPU=sse9") && refused.contains("portable, avx2, avx512"), "{refused}");
}

#[test]
fn devices_lists_processors_cameras_and_encoders() {
    let devices = json(&pastiche(["devices", "--json"]).done());
    assert_eq!(keys(&devices), ["cameras", "compute", "encoders", "microphones"]);
    let cpu = &devices["compute"][0];
    assert_eq!(keys(cpu), ["id", "name", "precisions", "reason", "usable"]);
    assert_eq!((&cpu["id"], &cpu["usable"]), (&"cpu".into(), &true.into()));
    assert!(!devices["encoders"].as_array().unwrap().is_empty());
}

#[test]
fn probe_tells_what_a_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    write_clip(&path, Clip { width: 64, height: 48, frames: 30, frames_per_second: 15 });
    let probe = json(&pastiche(["probe".as_ref(), path.as_os_str(), "--json".as_ref()]).done());
    assert_eq!(keys(&probe), ["audio", "bytes", "container", "path", "seconds", "video"]);
    let video = &probe["video"];
    assert_eq!((&video["width"], &video["height"], &video["frames"]), (&64.into(), &48.into(), &30.into()));
    assert_eq!((&video["frame_rate"], &video["fps"]), (&"15/1".into(), &15.0.into()));
    assert_eq!(probe["seconds"], 2.0);
    assert_eq!(probe["audio"], serde_json::json!([]));
}
