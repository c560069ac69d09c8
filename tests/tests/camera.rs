//! Cameras without hardware: the program talks to a V4L2 device that a preloaded library answers for.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use pastiche_e2e::{Clip, Live, Run, json, program, write_clip};
use serde_json::Value;
use tempfile::TempDir;

/// For what should come soon, on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Quick to paint, so that the camera's rate decides.
const QUICK: [&str; 4] = ["--style", "starry_night", "--process-size", "160x120"];

/// The folder that stands for `/dev`.
struct Devices(TempDir);

impl Devices {
    fn new(names: &[&str]) -> Self {
        let devices = Self(tempfile::tempdir().unwrap());
        fs::write(devices.path("name"), "Fake Camera\n").unwrap();
        names.iter().for_each(|name| devices.plug_in(name));
        devices
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn plug_in(&self, name: &str) {
        fs::write(self.path(name), []).unwrap();
    }

    fn unplug(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn live(&self, arguments: &[&str]) -> Live {
        let library = library();
        let environment = [("LD_PRELOAD", library.as_os_str()), ("FAKE_CAMERA", self.0.path().as_os_str())];
        Live::start(QUICK.iter().chain(arguments), &environment)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(program());
        command.args(arguments).env("LD_PRELOAD", library()).env("FAKE_CAMERA", self.0.path());
        command.output().unwrap().into()
    }
}

/// Built by `cargo test` beside the tests.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let build = test.parent().and_then(Path::parent).unwrap();
    let library = build.join("examples/libfake_camera.so");
    assert!(library.exists(), "{} is missing; cargo build --workspace --examples", library.display());
    library
}

fn is_progress(line: &Value) -> bool {
    line["event"] == "progress" && line["frames"].as_u64().is_some_and(|frames| frames > 0)
}

#[test]
fn cameras_are_listed_by_name() {
    let run = Devices::new(&["video0"]).run(&["devices", "--json"]).done();
    assert_eq!(json(&run)["cameras"], serde_json::json!([{ "id": 0, "name": "Fake Camera" }]));
    let run = Devices::new(&[]).run(&["devices", "--json"]).done();
    assert_eq!(json(&run)["cameras"], serde_json::json!([]));
}

#[test]
fn its_pictures_arrive_at_its_rate() {
    for (camera, more, size) in [("fake", &[][..], (640, 480)), ("0", &["--size", "1280x720"], (1280, 720))] {
        let live = Devices::new(&["video0"]).live(&[&["--camera", camera, "--seconds", "6"], more].concat());
        let (name, _) = live.wait_for_source("running", SOON);
        assert_eq!(name, "Fake Camera");
        // The rate is measured over two seconds, so the first lines are not it yet.
        let mut rates = Vec::new();
        while rates.len() < 4 {
            let (line, _) = live.wait_for("progress", SOON, is_progress);
            rates.push(line["capture_fps"].as_f64().unwrap());
        }
        let summary = json(&live.end().done());
        assert!((24.0..=31.0).contains(&rates[3]), "{rates:?}");
        assert_eq!((&summary["width"], &summary["height"]), (&size.0.into(), &size.1.into()));
        assert!(summary["frames"].as_u64().unwrap() > 20, "{summary}");
    }
}

#[test]
fn a_stall_is_noticed_within_two_seconds_and_an_unplugged_camera_comes_back() {
    let devices = Devices::new(&["video0"]);
    let live = devices.live(&[]);
    live.wait_for_source("running", SOON);
    live.wait_for("progress", SOON, is_progress);

    live.forget_lines();
    devices.plug_in("stall");
    let (reason, took) = live.wait_for_source("lost", SOON);
    assert!(took < Duration::from_secs(2), "{took:?}: {reason}");
    devices.unplug("stall");
    live.wait_for_source("running", SOON);

    devices.unplug("video0");
    let (reason, took) = live.wait_for_source("lost", SOON);
    assert!(took < Duration::from_secs(2), "{took:?}: {reason}");
    devices.plug_in("video0");
    live.wait_for_source("running", SOON);
    live.forget_lines();
    let (before, _) = live.wait_for("progress", SOON, is_progress);
    let more = |line: &Value| is_progress(line) && line["frames"].as_u64() > before["frames"].as_u64();
    live.wait_for("frames after it came back", SOON, more);

    live.interrupt();
    assert_eq!(live.end().code, Some(130));
}

#[test]
fn a_busy_or_missing_camera_is_waited_for() {
    let devices = Devices::new(&["video0", "busy"]);
    let live = devices.live(&[]);
    let (reason, _) = live.wait_for_source("lost", SOON);
    assert!(reason.contains("another program"), "{reason}");
    devices.unplug("busy");
    live.wait_for_source("running", SOON);
    drop(live);

    let devices = Devices::new(&[]);
    let live = devices.live(&["--camera", "Fake"]);
    live.wait_for_source("lost", SOON);
    devices.plug_in("video0");
    live.wait_for_source("running", SOON);
}

#[test]
fn a_virtual_camera_shows_what_is_painted() {
    let devices = Devices::new(&["video9"]);
    let clip = devices.path("clip.mp4");
    write_clip(&clip, Clip { width: 96, height: 64, frames: 25, frames_per_second: 25 });
    let shown = ["--virtual-camera", "/dev/video9", "--seconds", "3"];
    let live = devices.live(&[&[clip.to_str().unwrap()], &shown[..]].concat());
    let run = live.end().done();
    assert!(!run.err.contains("warning"), "{}", run.err);
    let bytes = fs::read(devices.path("shown.yuyv")).unwrap();
    let frame_bytes = 96 * 64 * 2;
    assert_eq!(bytes.len() % frame_bytes, 0);
    assert!(bytes.len() / frame_bytes > 10, "{} frames", bytes.len() / frame_bytes);
    // A painting is not one flat colour.
    let luma: Vec<u8> = bytes[..frame_bytes].iter().step_by(2).copied().collect();
    assert!(luma.iter().max().unwrap() - luma.iter().min().unwrap() > 40);
}

#[test]
fn a_virtual_camera_that_is_not_there_is_told_and_the_session_goes_on() {
    let devices = Devices::new(&[]);
    let clip = devices.path("clip.mp4");
    write_clip(&clip, Clip { width: 96, height: 64, frames: 25, frames_per_second: 25 });
    let clip: &OsStr = clip.as_os_str();
    let shown = ["--virtual-camera", "/dev/video9", "--seconds", "2"];
    let run = devices.live(&[&[clip.to_str().unwrap()], &shown[..]].concat()).end().done();
    assert!(run.err.contains("/dev/video9"), "{}", run.err);
}
