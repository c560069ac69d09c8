//! Cameras, end to end: the program with a preloaded library that answers as a V4L2 device.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pastiche_e2e::{Run, json, preloaded, program};
use serde_json::Value;

/// A folder that stands for `/dev`.
struct Dev {
    folder: tempfile::TempDir,
    /// One session at a time: each wants all the processor, and rates are measured.
    _turn: MutexGuard<'static, ()>,
}

impl Dev {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// With a camera in it.
fn plugged_in() -> Dev {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("video0"), "").unwrap();
    fs::write(folder.path().join("name"), "Fake Camera\n").unwrap();
    Dev { folder, _turn: turn }
}

fn command(dev: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env("LD_PRELOAD", preloaded("fake_camera")).env("FAKE_CAMERA", dev);
    command
}

fn run(dev: &Path, arguments: &[&str]) -> Run {
    command(dev, arguments).output().unwrap().into()
}

/// A session whose events are read as they come.
struct Session {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Session {
    fn start(dev: &Path) -> Self {
        Self::start_with(dev, &[])
    }

    fn start_with(dev: &Path, more: &[&str]) -> Self {
        let arguments =
            ["live", "--headless", "--seconds", "60", "--process-size", "64x48", "--progress", "json"];
        let mut child = command(dev, &[&arguments, more].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// The next event that the source has come to `state`.
    fn wait_for(&mut self, state: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.events.read_line(&mut line).unwrap(), 0, "it ended before `{state}`");
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_ne!(event["event"], "summary", "it ended before `{state}`");
            if event["state"] == state {
                return event;
            }
        }
    }

    /// Waits until pictures are painted.
    fn wait_for_frames(&mut self) {
        let mut frames = 0;
        while frames == 0 {
            let mut line = String::new();
            assert_ne!(self.events.read_line(&mut line).unwrap(), 0, "it ended before the first picture");
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_ne!(event["event"], "summary", "it ended before the first picture");
            frames = event["frames"].as_u64().unwrap_or_default();
        }
    }

    /// The summary after an interruption.
    fn end(mut self) -> Value {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let last = self.events.by_ref().lines().map(Result::unwrap).last().unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
        serde_json::from_str(&last).unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
    }
}

#[test]
fn cameras_are_listed_by_name() {
    let dev = plugged_in();
    // A node for metadata and a virtual camera, which give no pictures.
    fs::write(dev.path().join("video1"), "").unwrap();
    fs::write(dev.path().join("video9"), "").unwrap();
    let devices = json(&run(dev.path(), &["devices", "--json"]).done());
    assert_eq!(devices["cameras"], serde_json::json!([{"id": 0, "name": "Fake Camera"}]));
}

#[test]
fn pictures_arrive_at_their_rate_uncompressed_and_as_mjpeg() {
    for (size, width) in [("640x480", 640), ("1280x720", 1280)] {
        let dev = plugged_in();
        let arguments =
            ["live", "--camera", "fake", "--headless", "--seconds", "8", "--process-size", "64x48"];
        let measured = run(dev.path(), &[&arguments[..], &["--size", size, "--progress", "json"]].concat());
        let measured = measured.done();
        let lines: Vec<Value> =
            measured.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // The middle one, since other tests take the processor away for a moment.
        let mut rates: Vec<f64> = lines.iter().filter_map(|line| line["capture_fps"].as_f64()).collect();
        rates.sort_by(f64::total_cmp);
        let rate = rates[rates.len() / 2];
        assert!((24.0..33.0).contains(&rate), "{rate} frames a second at {size}: {}", measured.out);
        let summary = lines.last().unwrap();
        assert_eq!(summary["width"], width);
        assert!(summary["frames"].as_u64().unwrap() > 20, "{summary}");
    }
}

#[test]
fn a_camera_that_is_unplugged_comes_back() {
    let dev = plugged_in();
    let mut session = Session::start(dev.path());
    session.wait_for_frames();
    fs::remove_file(dev.path().join("video0")).unwrap();
    session.wait_for("lost");
    fs::write(dev.path().join("video0"), "").unwrap();
    session.wait_for("running");
    std::thread::sleep(Duration::from_secs(1));
    assert!(session.end()["frames"].as_u64().unwrap() > 5);
}

#[test]
fn a_camera_that_is_stuck_is_noticed_within_two_seconds_and_goes_on() {
    let dev = plugged_in();
    let mut session = Session::start(dev.path());
    session.wait_for_frames();
    fs::write(dev.path().join("stall"), "").unwrap();
    let stuck = std::time::Instant::now();
    let lost = session.wait_for("lost");
    assert!(stuck.elapsed() < Duration::from_secs(2), "{:?}", stuck.elapsed());
    assert!(lost["text"].as_str().unwrap().contains("Fake Camera gives no pictures"), "{lost}");
    fs::remove_file(dev.path().join("stall")).unwrap();
    session.wait_for("running");
    session.end();
}

#[test]
fn a_camera_that_is_stuck_from_the_start_is_told_and_taken_when_it_goes_on() {
    let dev = plugged_in();
    fs::write(dev.path().join("stall"), "").unwrap();
    let mut session = Session::start(dev.path());
    let lost = session.wait_for("lost");
    assert!(lost["text"].as_str().unwrap().contains("gives no pictures"), "{lost}");
    fs::remove_file(dev.path().join("stall")).unwrap();
    session.wait_for("running");
    session.wait_for_frames();
    session.end();
}

#[test]
fn a_camera_whose_pictures_are_damaged_is_let_go_and_taken_up_again() {
    let dev = plugged_in();
    let mut session = Session::start_with(dev.path(), &["--size", "1280x720"]);
    session.wait_for_frames();
    fs::write(dev.path().join("damaged"), "").unwrap();
    let lost = session.wait_for("lost");
    assert!(lost["text"].as_str().unwrap().contains("gives no pictures"), "{lost}");
    let lost = session.wait_for("lost");
    assert!(lost["text"].as_str().unwrap().contains("can be decoded"), "{lost}");
    fs::remove_file(dev.path().join("damaged")).unwrap();
    session.wait_for("running");
    session.end();
}

#[test]
fn a_busy_camera_is_taken_when_it_is_free() {
    let dev = plugged_in();
    fs::write(dev.path().join("busy"), "").unwrap();
    let mut session = Session::start(dev.path());
    let lost = session.wait_for("lost");
    assert!(lost["text"].as_str().unwrap().contains("used by another program"), "{lost}");
    fs::remove_file(dev.path().join("busy")).unwrap();
    session.wait_for("running");
    session.wait_for_frames();
    session.end();
}

#[test]
fn a_virtual_camera_shows_what_is_painted() {
    let dev = plugged_in();
    fs::write(dev.path().join("video9"), "").unwrap();
    let arguments = ["live", "--headless", "--seconds", "5", "--size", "320x240", "--process-size", "64x48"];
    run(dev.path(), &[&arguments[..], &["--virtual-camera", "/dev/video9"]].concat()).done();
    let shown = fs::read(dev.path().join("shown.yuyv")).unwrap();
    let frame_bytes = 320 * 240 * 2;
    assert!(
        shown.len() > 5 * frame_bytes && shown.len().is_multiple_of(frame_bytes),
        "{} bytes",
        shown.len()
    );
    let (first, last) = (&shown[..frame_bytes], &shown[shown.len() - frame_bytes..]);
    assert!(first.iter().any(|byte| *byte != first[0]) && first != last, "the picture stands still");

    let wrong = run(dev.path(), &[&arguments[..], &["--virtual-camera", "/dev/video0"]].concat());
    assert!(wrong.error(1).contains("takes no pictures"), "{}", wrong.err);
}
