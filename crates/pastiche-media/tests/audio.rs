//! Sound beside the pictures: the same packets, or AAC, in step with what is shown.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use common::{
    convert::convert,
    in_time, numbered_frame, options, read_numbered, shared_clip,
    sound::{self, Sound},
    steady_ticks, write_numbered,
};
use pastiche_frame::Timestamp;
use pastiche_media::{
    AudioMode, AudioOutcome, AudioRequest, DecodeOptions, EncodeOptions, VideoEncoder, probe,
};

fn whole(source: &Path, mode: AudioMode) -> AudioRequest {
    AudioRequest { source: source.to_owned(), mode, start: None, duration: None }
}

/// A video of four seconds whose sound clicks at every whole second.
fn clicking_video(folder: &Path) -> PathBuf {
    let (wav, video) = (folder.join("clicks.wav"), folder.join("clicks.mp4"));
    sound::write_wav(&wav, 4.0, 48_000, 2);
    let options = EncodeOptions { audio: Some(whole(&wav, AudioMode::Copy)), ..options(160, 90) };
    write_numbered(&video, &options, &steady_ticks(100));
    video
}

fn assert_same_packets(source: &Path, output: &Path) {
    let (source, output) = (sound::packets(source), sound::packets(output));
    assert_eq!(source.len(), output.len());
    for ((source_time, source_data), (output_time, output_data)) in source.iter().zip(&output) {
        assert_eq!(source_data, output_data);
        assert!((source_time - output_time).abs() < 1e-4, "{source_time} s became {output_time} s");
    }
}

#[test]
fn raw_sound_becomes_aac_of_the_same_length_rate_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    for (rate_hz, channels, layout) in [(48_000, 2, "stereo"), (44_100, 1, "mono"), (48_000, 6, "5.1")] {
        let (wav, video) = (folder.path().join("source.wav"), folder.path().join("out.mp4"));
        sound::write_wav(&wav, 2.5, rate_hz, channels);
        let options = EncodeOptions { audio: Some(whole(&wav, AudioMode::Copy)), ..options(160, 90) };
        let mut encoder = VideoEncoder::create(&video, &options).unwrap();
        assert_eq!(*encoder.audio(), AudioOutcome::Transcoded { from: "pcm_s16le", to: "aac" });
        encoder.write(&numbered_frame(0, 160, 90)).unwrap();
        encoder.finish().unwrap();

        let info = probe(&video).unwrap();
        assert_eq!(info.audio.len(), 1);
        assert_eq!((info.audio[0].codec.as_str(), info.audio[0].channel_layout.as_str()), ("aac", layout));
        let sound = Sound::read(&video);
        assert_eq!((sound.rate_hz, sound.channels), (rate_hz, channels));
        assert!((sound.seconds() - 2.5).abs() < 0.025, "{} s", sound.seconds());
        assert_clicks(&sound, &[1.0, 2.0]);
    }
}

/// The clicks are within 5 ms of where they belong: a quarter of what is asked for lips and sound.
fn assert_clicks(sound: &Sound, expected: &[f64]) {
    let clicks = sound.clicks();
    assert_eq!(clicks.len(), expected.len(), "clicks at {clicks:?}");
    for (click, expected) in clicks.iter().zip(expected) {
        assert!((click - expected).abs() < 0.005, "a click at {click} s, not {expected} s");
    }
}

#[test]
fn copied_sound_is_the_source_s_packet_for_packet() {
    let folder = tempfile::tempdir().unwrap();
    let source = clicking_video(folder.path());
    let output = folder.path().join("copy.mp4");
    let outcome = convert(&source, &output, AudioMode::Copy, &DecodeOptions::default());
    assert_eq!(outcome, AudioOutcome::Copied { codec: "aac" });
    assert_same_packets(&source, &output);
    assert_clicks(&Sound::read(&output), &[1.0, 2.0, 3.0]);
}

#[test]
fn a_part_of_a_video_keeps_its_sound_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let source = clicking_video(folder.path());
    let part = DecodeOptions {
        start: Some(Duration::from_millis(1480)),
        duration: Some(Duration::from_millis(1800)),
        ..DecodeOptions::default()
    };
    for mode in [AudioMode::Copy, AudioMode::Aac] {
        let output = folder.path().join("part.mp4");
        convert(&source, &output, mode, &part);
        let frames = read_numbered(&output, &DecodeOptions::default());
        assert_eq!((frames.len(), frames[0].0), (45, 37), "{mode:?}");
        assert!(frames[0].1.abs() < 1e-6);
        let sound = Sound::read(&output);
        assert_clicks(&sound, &[0.52, 1.52]);
        assert!((sound.seconds() - 1.8).abs() < 0.03, "{mode:?}: {} s", sound.seconds());
    }
}

#[test]
fn a_cancelled_job_s_sound_ends_with_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let source = clicking_video(folder.path());
    for mode in [AudioMode::Copy, AudioMode::Aac] {
        let output = folder.path().join("cancelled.mp4");
        let options = EncodeOptions { audio: Some(whole(&source, mode)), ..options(160, 90) };
        let mut encoder = VideoEncoder::create(&output, &options).unwrap();
        for i in 0..30 {
            let mut frame = numbered_frame(i, 160, 90);
            frame.timestamp = Timestamp::new(i as i64 * 512, options.time_base);
            encoder.write(&frame).unwrap();
        }
        let summary = encoder.finish_early().unwrap();
        assert_eq!((summary.frames, summary.duration), (30, Duration::from_millis(1200)));
        let sound = Sound::read(&output);
        assert!((sound.seconds() - 1.2).abs() < 0.05, "{mode:?}: {} s", sound.seconds());
        assert_clicks(&sound, &[1.0]);
    }
}

#[test]
fn a_source_without_sound_gives_none() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("silent.mp4");
    write_numbered(&source, &options(160, 90), &steady_ticks(5));
    let output = folder.path().join("out.mp4");
    assert_eq!(convert(&source, &output, AudioMode::Copy, &DecodeOptions::default()), AudioOutcome::None);
    assert!(probe(&output).unwrap().audio.is_empty());
}

/// How loud noise from -1 to 1 is made.
type Loudness = fn(f32) -> f32;

/// On noise of 1e10 FFmpeg's AAC encoder comes to no end; on what is no number, or near what 32 bits can hold, it gives up.
#[test]
fn sound_of_impossible_loudness_is_converted_in_time() {
    let loudest =
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1e38, 1e30, 1e10, f32::MIN_POSITIVE];
    let sounds: [(&str, Loudness); 3] = [
        ("noise", |noise| 1e10 * noise),
        ("louder noise", |noise| 1e30 * noise),
        ("no number", |_| f32::NAN),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, ending) in [("out.mp4", "aac"), ("out.webm", "opus")] {
        for (kind, damage) in sounds {
            let (wav, video) = (folder.path().join("loud.wav"), folder.path().join(name));
            // A second each of a tone, of damage, of all that is worst by turns, and of the tone again.
            let mut random = 1_u32;
            let samples = (0..192_000_u32).map(|i| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match i / 48_000 {
                    1 => damage(random as f32 / u32::MAX as f32 - 0.5),
                    2 => loudest[(random >> 24) as usize % loudest.len()],
                    _ => (i as f32 * 0.1).sin() * 0.5,
                }
            });
            sound::write_float_wav(&wav, samples, 48_000);
            let options =
                EncodeOptions { audio: Some(whole(&wav, AudioMode::Copy)), crf: None, ..options(160, 90) };
            let converted = video.clone();
            in_time(Duration::from_secs(30), &format!("{kind} in {name}"), move || {
                let mut encoder = VideoEncoder::create(&converted, &options).unwrap();
                encoder.write(&numbered_frame(0, 160, 90)).unwrap();
                encoder.finish().unwrap();
            });
            let heard = Sound::read(&video);
            assert_eq!(probe(&video).unwrap().audio[0].codec, ending);
            assert!((heard.seconds() - 4.0).abs() < 0.1, "{kind} in {name}: {} s", heard.seconds());
            assert!(heard.samples.iter().all(|sample| sample.abs() < 4.0), "{kind} in {name}");
            for from in [0.3, 3.3] {
                let loudness = heard.loudness(from, from + 0.4);
                assert!((loudness - 0.354).abs() < 0.05, "{kind} in {name}: {loudness} at {from} s");
            }
        }
    }
}

#[test]
fn real_clips_keep_their_sound() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["bunny_640x360_24fps_aac.mp4", "bunny_720p_h264_aac51.mp4"] {
        let Some(source) = shared_clip(name) else { continue };
        let output = folder.path().join(name);
        // The pictures do not matter here, so they are small.
        let small = DecodeOptions { size: Some((64, 36)), ..DecodeOptions::default() };
        convert(&source, &output, AudioMode::Copy, &small);
        assert_same_packets(&source, &output);

        let (channels, seconds) = {
            let sound = Sound::read(&source);
            (sound.channels, sound.seconds())
        };
        convert(&source, &output, AudioMode::Aac, &small);
        let sound = Sound::read(&output);
        assert_eq!(sound.channels, channels);
        assert!((sound.seconds() - seconds).abs() < 0.03, "{} s, not {seconds} s", sound.seconds());
    }
}
