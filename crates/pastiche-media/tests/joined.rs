//! Recordings in MPEG-TS that are several end to end, and such of which packets are lost: both show as steps in the packets'
//! numbers.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{fs, path::Path};

use common::{
    cli::ffmpeg,
    convert::convert,
    flashes::{flash_times, flashes},
    options, read_frames,
    sound::Sound,
};
use pastiche_frame::FramePool;
use pastiche_media::{
    AudioMode, AudioRequest, Damage, DecodeOptions, EncodeOptions, SoundDamage, VideoDecoder, VideoEncoder,
};

/// How `ffmpeg` numbers its streams.
const PICTURES: u16 = 0x100;
const SOUND: u16 = 0x101;
const PACKET: usize = 188;

/// What is damaged of a file, as a job that copies the sound finds it.
fn damage(path: &Path) -> (Damage, SoundDamage) {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let (width, height) = decoder.size();
    let audio = AudioRequest { source: path.to_owned(), mode: AudioMode::Copy, start: None, duration: None };
    let options =
        EncodeOptions { time_base: decoder.time_base(), audio: Some(audio), ..options(width, height) };
    let mut encoder = VideoEncoder::create(&path.with_extension("out.mp4"), &options).unwrap();
    let pool = FramePool::new(2);
    while let Some(frame) = decoder.next_frame(&pool).unwrap() {
        encoder.write(&frame).unwrap();
    }
    (decoder.damage(), encoder.finish().unwrap().sound)
}

#[test]
fn recordings_end_to_end_are_one_in_step_throughout() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (coding, name) in [
        ("-c:v libx264 -bf 2 -c:a aac", "aac.ts"),
        ("-c:v libx264 -bf 0 -c:a ac3 -ar 44100", "ac3.ts"),
        ("-c:v mpeg2video -bf 2 -g 12 -c:a libmp3lame", "mp3.ts"),
    ] {
        flashes(here, "a.ts", 3, coding);
        flashes(here, "b.ts", 2, coding);
        let part = |name: &str| fs::read(here.join(name)).unwrap();
        fs::write(here.join(name), [part("a.ts"), part("b.ts"), part("a.ts")].concat()).unwrap();
        let (pictures, sound) = damage(&here.join(name));
        assert!(!pictures.is_some() && !sound.is_some(), "{name}: {pictures:?}, {sound:?}");
        for (output, mode) in
            [("out.mp4", AudioMode::Copy), ("out.mkv", AudioMode::Copy), ("out.mp4", AudioMode::Aac)]
        {
            let output = here.join(output);
            convert(&here.join(name), &output, mode, &DecodeOptions::default());
            let frames = read_frames(&output, &DecodeOptions::default());
            assert_eq!(frames.len(), 200, "{name}");
            let times: Vec<f64> = frames.iter().map(|frame| frame.timestamp.as_secs_f64()).collect();
            let steady = times.windows(2).all(|pair| (0.02..0.07).contains(&(pair[1] - pair[0])));
            assert!(steady, "{name}: {times:?}");
            let (flashes, beeps) = (flash_times(&output), Sound::read(&output).clicks());
            assert_eq!((flashes.len(), beeps.len()), (8, 8), "{name} by {mode:?}: {flashes:?}, {beeps:?}");
            for (flash, beep) in flashes.iter().zip(&beeps) {
                // An encoder's own start of the sound, up to 50 ms, is heard again where a part begins.
                assert!((flash - beep).abs() < 0.06, "{name} by {mode:?}: {flashes:?}, {beeps:?}");
            }
        }
    }
}

#[test]
fn what_is_lost_is_counted_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holed.ts");
    for codecs in
        ["-c:v libx264 -g 50 -bf 2 -c:a aac", "-c:v libx264 -c:a ac3", "-c:v mpeg2video -g 12 -c:a mp2"]
    {
        let sources = "-f lavfi -i testsrc2=s=192x144:r=25:d=4 -f lavfi -i sine=500:d=4 -pix_fmt yuv420p";
        ffmpeg(folder.path(), &format!("{sources} {codecs} whole.ts"));
        let whole = fs::read(folder.path().join("whole.ts")).unwrap();
        let id = |packet: &[u8]| u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        for (stream, lost) in [(PICTURES, 1), (PICTURES, 9), (SOUND, 1), (SOUND, 5)] {
            // Some in a row of one stream's, from the middle on, not at the beginning of a picture.
            let packets = || whole.chunks_exact(PACKET).filter(|packet| id(packet) == stream);
            let half = packets().count() / 2;
            let first = half + packets().skip(half).position(|packet| packet[1] & 0x40 == 0).unwrap();
            let mut index = 0;
            let kept = whole.chunks_exact(PACKET).filter(|packet| {
                index += usize::from(id(packet) == stream);
                id(packet) != stream || !(first..first + lost).contains(&(index - 1))
            });
            fs::write(&path, kept.flatten().copied().collect::<Vec<u8>>()).unwrap();
            let (pictures, sound) = damage(&path);
            let found = (pictures.is_some(), sound.is_some());
            let expected = (stream == PICTURES, stream == SOUND);
            assert_eq!(found, expected, "{lost} packets of {stream:#x}, {codecs}: {pictures:?}, {sound:?}");
        }
    }
}
