//! Recordings with sound, end to end: the program with a plug-in of ALSA's that answers as a microphone, and a camera that
//! flashes when that sounds.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::Duration,
};

use pastiche_e2e::{Run, json, preloaded, program};
use pastiche_frame::FramePool;
use pastiche_media::{DecodeOptions, VideoDecoder};
use serde_json::Value;

const RATE_HZ: usize = 48_000;
/// What is heard and what is seen may be apart by this much.
const TOGETHER_SECONDS: f64 = 0.02;
/// How long a tone is.
const TONE_SECONDS: f64 = 0.2;
/// From one flash to the next.
const PERIOD_SECONDS: f64 = 2.0;

/// A folder that stands for a camera and a microphone.
struct Devices {
    folder: tempfile::TempDir,
    /// One session at a time: each wants all the processor.
    _turn: MutexGuard<'static, ()>,
}

impl Devices {
    /// Both plugged in; the microphone as `settings` say.
    fn new(settings: &[(&str, &str)]) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let files = [("video0", ""), ("name", "Fake Camera\n"), ("flash", ""), ("plugged", "")];
        for (name, contents) in files.iter().chain(settings) {
            fs::write(folder.path().join(name), contents).unwrap();
        }
        let plugin = preloaded("fake_microphone");
        let devices = format!(
            "pcm_type.fake {{ lib {plugin:?} }}\n\
             pcm.default {{ type fake }}\n\
             pcm.pipewire {{ type fake hint {{ show on description \"Fake Microphone\" }} }}\n"
        );
        fs::write(folder.path().join("alsa.conf"), devices).unwrap();
        Self { folder, _turn: turn }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env("LD_PRELOAD", preloaded("fake_camera"))
            .env("FAKE_CAMERA", self.folder.path())
            .env("FAKE_MICROPHONE", self.folder.path())
            .env("ALSA_CONFIG_PATH", self.at("alsa.conf"));
        command
    }

    /// Records the camera as it is for some seconds, while `meanwhile` goes on.
    fn record(&self, seconds: u32, more: &[&str], meanwhile: impl FnOnce()) -> Run {
        let (seconds, output) = (seconds.to_string(), self.at("out.mp4"));
        let arguments =
            ["live", "--headless", "--seconds", &seconds, "--strength", "0", "--process-size", "64x48"];
        let recorded = ["--size", "320x240", "--record", output.to_str().unwrap()];
        let mut command = self.command(&[&arguments[..], &recorded, more].concat());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        meanwhile();
        child.wait_with_output().unwrap().into()
    }

    /// The recording's sound as other programs hear it: one channel, placed at its times.
    fn sound(&self) -> Vec<f32> {
        let decoded = Command::new("ffmpeg")
            // Without moving time zero to where the encoder began, which is 21 ms before it.
            .args(["-v", "error", "-copyts", "-i"])
            .arg(self.at("out.mp4"))
            .args(["-vn", "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "f32le", "-"])
            .output()
            .expect("ffmpeg runs (apt-get install ffmpeg)");
        assert!(decoded.status.success(), "{}", String::from_utf8_lossy(&decoded.stderr));
        decoded.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// For each flash in the recording, the times of the last dark picture and of the first bright one.
    fn flashes(&self) -> Vec<(f64, f64)> {
        let mut decoder = VideoDecoder::open(&self.at("out.mp4"), &DecodeOptions::default()).unwrap();
        let pool = FramePool::new(1);
        let (mut flashes, mut dark_until) = (Vec::new(), None);
        while let Some(frame) = decoder.next_frame(&pool).unwrap() {
            let time = frame.timestamp.as_secs_f64();
            let mean =
                frame.data().iter().map(|value| f64::from(*value)).sum::<f64>() / frame.data().len() as f64;
            if mean < 128.0 {
                dark_until = Some(time);
            } else if let Some(dark) = dark_until.take() {
                flashes.push((dark, time));
            }
        }
        flashes
    }
}

/// When each tone begins, in seconds.
fn onsets(sound: &[f32]) -> Vec<f64> {
    let mut onsets = Vec::new();
    let mut quiet_since = 0;
    for (index, value) in sound.iter().enumerate() {
        if value.abs() > 0.1 {
            // What has begun in the middle has no beginning.
            if index - quiet_since > RATE_HZ / 2 {
                onsets.push(index as f64 / RATE_HZ as f64);
            }
            quiet_since = index;
        }
    }
    onsets
}

/// The one in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Checks that what is heard is what is seen: the onsets of tones by the flashes beside them, and by when those must have
/// been. Of a busy machine's pictures one may come late; what lies in the middle is not moved by it. `came_back`: whether the
/// microphone was away for a while. Returns how many onsets there were.
fn assert_together(sound: &[f32], flashes: &[(f64, f64)], came_back: bool) -> usize {
    let onsets = onsets(sound);
    let mut beside = Vec::new();
    for onset in &onsets {
        let flash =
            flashes.iter().find(|(dark, bright)| (onset - dark).abs().min((onset - bright).abs()) < 0.5);
        let Some((dark, bright)) = flash else { continue };
        // A microphone that comes back while there is a tone hears the rest of it.
        if came_back && (3.0 * TOGETHER_SECONDS..TONE_SECONDS).contains(&(onset - bright)) {
            continue;
        }
        beside.push((*onset, *dark, *bright));
    }
    let apart = |(onset, dark, bright): &(f64, f64, f64)| (dark - onset).max(onset - bright);
    let usual = median(beside.iter().map(apart));
    let most = beside.iter().map(apart).fold(f64::MIN, f64::max);
    assert!(
        usual < TOGETHER_SECONDS && most < 3.0 * TOGETHER_SECONDS,
        "{usual} s apart, {most} at most: {beside:?}"
    );
    // A picture comes every 33 ms only, but flashes are evenly apart.
    let first = beside[0].1;
    let folded = |time: f64| time - ((time - first) / PERIOD_SECONDS).round() * PERIOD_SECONDS;
    let after = median(beside.iter().map(|(_, dark, _)| folded(*dark)));
    let before = median(beside.iter().map(|(_, _, bright)| folded(*bright)));
    let off = median(beside.iter().map(|(onset, ..)| (after - folded(*onset)).max(folded(*onset) - before)));
    assert!(off < TOGETHER_SECONDS, "off by {off} s of {after}..{before}: {beside:?}");
    beside.len()
}

/// A recording that lacks sound, and says so.
fn in_part(run: Run) -> Run {
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(run.err.contains("s of silence where the microphone gave no sound"), "{}", run.err);
    run
}

/// The frequency of the tone that begins there.
fn frequency_hz(sound: &[f32], onset: f64) -> f64 {
    let part = &sound[((onset + 0.03) * RATE_HZ as f64) as usize..((onset + 0.17) * RATE_HZ as f64) as usize];
    let rising = part.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    rising as f64 / 0.14
}

#[test]
fn what_is_heard_stays_with_what_is_seen_although_the_sound_card_s_clock_drifts() {
    // Uncorrected, it would be off by 30 ms at the end.
    let devices = Devices::new(&[("drift_ppm", "2000")]);
    let measured = json(&devices.record(15, &["--microphone"], || {}).done());
    let recording = &measured["recording"];
    assert_eq!(recording["dropped"], 0, "{measured}");
    assert!(recording["sound_lost_seconds"].as_f64().unwrap() < 0.5, "{measured}");
    let sound = devices.sound();
    let seconds = recording["seconds"].as_f64().unwrap();
    assert!(
        (sound.len() as f64 / RATE_HZ as f64 - seconds).abs() < 0.3,
        "{} samples in {seconds} s",
        sound.len()
    );
    assert!(assert_together(&sound, &devices.flashes(), false) >= 4);
    // The last tone may be cut off by the end of the recording.
    let whole = |onset: &f64| ((onset + TONE_SECONDS) * RATE_HZ as f64) < sound.len() as f64;
    for onset in onsets(&sound).into_iter().filter(whole) {
        assert!((frequency_hz(&sound, onset) - 1000.0).abs() < 30.0, "{} Hz", frequency_hz(&sound, onset));
    }
}

#[test]
fn a_microphone_that_vanishes_leaves_silence_and_comes_back_in_time() {
    let devices = Devices::new(&[("rate_hz", "44100")]);
    let run = devices.record(16, &["--microphone=fake"], || {
        sleep(Duration::from_secs(5));
        fs::remove_file(devices.at("plugged")).unwrap();
        sleep(Duration::from_secs(4));
        fs::write(devices.at("plugged"), "").unwrap();
    });
    let run = in_part(run);
    assert!(
        run.err.contains("recording without sound") && run.err.contains("the sound is back"),
        "{}",
        run.err
    );
    assert!(run.err.lines().filter(|line| line.contains("without sound")).count() <= 2, "{}", run.err);
    let lost = json(&run)["recording"]["sound_lost_seconds"].as_f64().unwrap();
    assert!((3.0..8.0).contains(&lost), "{lost} s lost: {}", run.out);
    let sound = devices.sound();
    assert!(assert_together(&sound, &devices.flashes(), true) >= 3);
    let last = *onsets(&sound).last().unwrap();
    assert!(last > 10.0, "nothing is heard after it came back, the last at {last} s");
}

#[test]
fn a_microphone_that_is_not_there_is_said_and_the_recording_goes_on() {
    let devices = Devices::new(&[]);
    fs::remove_file(devices.at("plugged")).unwrap();
    let run = in_part(devices.record(5, &["--microphone"], || {}));
    assert!(run.err.contains("recording without sound: the system's microphone is not there"), "{}", run.err);
    assert!(!run.err.contains("ALSA lib"), "{}", run.err);
    let recording = &json(&run)["recording"];
    assert!(recording["frames"].as_u64().unwrap() > 20, "{recording}");
    assert!(recording["sound_lost_seconds"].as_f64().unwrap() > 2.0, "{recording}");

    fs::write(devices.at("plugged"), "").unwrap();
    fs::write(devices.at("taken"), "").unwrap();
    let run = in_part(devices.record(4, &["-y", "--microphone=fake"], || {}));
    assert!(run.err.contains("Fake Microphone is used by another program"), "{}", run.err);
    let run = in_part(devices.record(4, &["-y", "--microphone=no such thing"], || {}));
    assert!(
        run.err.contains("\"no such thing\" is not there") && run.err.contains("Fake Microphone"),
        "{}",
        run.err
    );
}

#[test]
fn a_microphone_that_is_stuck_is_noticed() {
    let devices = Devices::new(&[]);
    let run = devices.record(9, &["--microphone"], || {
        sleep(Duration::from_secs(3));
        fs::write(devices.at("stall"), "").unwrap();
    });
    // The camera is stuck with it, so that it is up to their order whether much sound is missing.
    assert!(matches!(run.code, Some(0 | 3)), "{}", run.err);
    assert!(run.err.contains("gives no sound"), "{}", run.err);
}

#[test]
fn nobody_is_recorded_without_having_asked() {
    let devices = Devices::new(&[]);
    let run = devices.record(3, &[], || {}).done();
    assert!(json(&run)["recording"].get("sound_lost_seconds").is_none());
    let output = devices.at("out.mp4");
    let probed = devices.command(&["probe", output.to_str().unwrap(), "--json"]).output().unwrap();
    let probed: Value = serde_json::from_slice(&probed.stdout).unwrap();
    assert_eq!(probed["audio"].as_array().map(Vec::len), Some(0), "{probed}");
    let refused =
        devices.command(&["live", "--headless", "--seconds", "1", "--microphone"]).output().unwrap();
    assert!(Run::from(refused).error(2).contains("--record"));
}

#[test]
fn microphones_are_listed_by_name() {
    let devices = Devices::new(&[]);
    let listed = devices.command(&["devices", "--json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let expected = serde_json::json!([{"id": "pipewire", "name": "Fake Microphone"}]);
    assert_eq!(listed["microphones"], expected);
}
