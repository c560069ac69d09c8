//! `pastiche video` on real clips, with sound.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::{Path, PathBuf};

use pastiche_e2e::{Run, decode, demo_clip, pastiche, shared, sound_samples, write_style};
use pastiche_media::probe;
use serde_json::Value;

const CLIPS: [&str; 4] = [
    "video/bunny_720p_h264_aac51.mp4",
    "video/bunny_640x360_24fps_aac.mp4",
    "video/bikes_640x272_noaudio.mp4",
    "video/sintel_mountain_1024x436.mp4",
];

/// Restyles a clip, at a size for the network that keeps tests quick.
fn restyle(folder: &Path, input: &Path, more: &[&str]) -> (Run, PathBuf) {
    let (style, output) = (folder.join("dots.safetensors"), folder.join("out.mp4"));
    write_style(&style);
    let arguments = [
        "video".as_ref(),
        input.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--style".as_ref(),
        style.as_os_str(),
        "--process-size".as_ref(),
        "64x48".as_ref(),
    ];
    (pastiche(arguments.into_iter().chain(more.iter().map(|word| word.as_ref()))), output)
}

#[test]
fn clips_keep_every_frame_their_length_and_their_sound() {
    for input in CLIPS.into_iter().filter_map(shared).chain(demo_clip()) {
        let folder = tempfile::tempdir().unwrap();
        let (run, output) = restyle(folder.path(), &input, &["--preset", "ultrafast"]);
        run.done();
        let name = input.display();
        let (source, result) = (probe(&input).unwrap(), probe(&output).unwrap());
        let (before, after) = (source.video.unwrap(), result.video.unwrap());
        assert_eq!((after.width, after.height), (before.width, before.height), "{name}");
        assert_eq!(after.frame_count, before.frame_count, "{name}");
        let (seconds, expected) =
            (after.duration.unwrap().as_secs_f64(), before.duration.unwrap().as_secs_f64());
        assert!((seconds - expected).abs() < 0.05, "{name}: {seconds} s instead of {expected} s");
        assert_eq!(decode(&output).times.len() as u64, before.frame_count.unwrap(), "{name}");
        assert_eq!(result.audio, source.audio, "{name}");
        assert!(
            sound_samples(&output) == sound_samples(&input),
            "{name}: the sound is not the source's, bit by bit"
        );
    }
}

#[test]
fn sound_can_be_converted_or_left_out() {
    let Some(input) = demo_clip().or_else(|| shared(CLIPS[1])) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (run, output) = restyle(folder.path(), &input, &["--duration", "1", "--audio", "none"]);
    run.done();
    assert_eq!(probe(&output).unwrap().audio, []);
    assert!(sound_samples(&output).is_empty());

    let (run, output) =
        restyle(folder.path(), &input, &["--duration", "1", "--audio", "aac", "-y", "--progress", "json"]);
    let run = run.done();
    let closing = run.err.lines().last().unwrap();
    assert!(closing.contains("sound converted"), "{closing}");
    let summary: Value = serde_json::from_str(run.out.lines().last().unwrap()).unwrap();
    let source = &probe(&input).unwrap().audio[0].codec;
    assert_eq!(
        (&summary["audio"], &summary["audio_codec"], &summary["audio_source_codec"]),
        (&"converted".into(), &"aac".into(), &source.as_str().into())
    );
    let sound = probe(&output).unwrap().audio;
    assert_eq!((sound.len(), sound[0].codec.as_str()), (1, "aac"));
    let packets = sound_samples(&output);
    assert!(!packets.is_empty() && packets[0] != sound_samples(&input)[0], "the sound was not converted");
}

#[test]
fn a_trained_style_paints_a_part_of_a_clip() {
    let (Some(style), Some(input)) = (shared("style_nets/wave.lengstrom.safetensors"), shared(CLIPS[0]))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.mp4");
    let files = [input.as_os_str(), "-o".as_ref(), output.as_os_str(), "--style".as_ref(), style.as_os_str()];
    let options = "--start 2 --duration 0.4 --process-size 64x48 --size 320x180 --progress none";
    let options = options.split(' ').map(|word| word.as_ref());
    pastiche(["video".as_ref()].into_iter().chain(files).chain(options)).done();
    let result = decode(&output);
    assert_eq!((result.width, result.height, result.times.len()), (320, 180, 10));
}
