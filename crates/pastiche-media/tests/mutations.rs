//! Media files damaged over and over: each time they must be refused, or give what they give, in bounded time.
//!
//! `PASTICHE_FUZZ_SECONDS` lets it go on for longer than a test run needs.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{
    env, fs,
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use common::cli::ffmpeg;
use pastiche_frame::FramePool;
use pastiche_media::{DecodeOptions, VideoDecoder, probe, read_image};

/// Far more than any of these small files takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// More frames than the whole files have; what claims more is not followed.
const MAX_FRAMES: usize = 60;

const SEEDS: [(&str, &str); 9] = [
    ("a.mp4", "-c:v libx264 -c:a aac"),
    ("b.mkv", "-c:v ffv1 -c:a flac"),
    ("c.ts", "-c:v mpeg2video -c:a mp2"),
    ("d.webm", "-c:v libvpx-vp9 -c:a libopus"),
    ("e.avi", "-c:v mpeg4 -c:a libmp3lame"),
    ("f.gif", "-an"),
    ("g.flv", "-c:v flv -c:a aac"),
    ("h.ogv", "-c:v libtheora -c:a libvorbis"),
    ("i.mov", "-c:v prores_ks -c:a pcm_s16le"),
];
const STILLS: [&str; 5] = ["a.png", "b.jpg", "c.webp", "d.tiff", "e.bmp"];

/// Opens and reads a file as a job would; what comes out does not matter.
fn read(path: &Path) {
    drop(probe(path));
    let part = DecodeOptions { start: Some(Duration::from_millis(200)), ..DecodeOptions::default() };
    for options in [DecodeOptions::default(), part] {
        let Ok(mut decoder) = VideoDecoder::open(path, &options) else { continue };
        // A damaged header may claim any size, which is refused or takes memory for one frame.
        let (width, height) = decoder.size();
        if u64::from(width) * u64::from(height) > 1 << 22 {
            continue;
        }
        let pool = FramePool::new(1);
        for _ in 0..MAX_FRAMES {
            if !matches!(decoder.next_frame(&pool), Ok(Some(_))) {
                break;
            }
        }
    }
}

#[test]
fn no_damage_to_a_file_is_fatal() {
    let folder = tempfile::tempdir().unwrap();
    let mut seeds = Vec::new();
    for (name, codecs) in SEEDS {
        ffmpeg(
            folder.path(),
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=0.6,format=yuv420p -f lavfi -i sine=500:d=0.6 {codecs} {name}"
            ),
        );
        seeds.push((name, fs::read(folder.path().join(name)).unwrap()));
    }
    for name in STILLS {
        ffmpeg(folder.path(), &format!("-f lavfi -i testsrc=s=64x48:d=0.04 -frames:v 1 {name}"));
        seeds.push((name, fs::read(folder.path().join(name)).unwrap()));
    }
    let seconds = env::var("PASTICHE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let mut rounds = 0;
    while Instant::now() < end || rounds < seeds.len() {
        let (name, whole) = &seeds[rounds % seeds.len()];
        let mut bytes = whole.clone();
        for _ in 0..=next(8) {
            // Half of the damage is near the front, where the headers are.
            let reach = if next(2) == 0 { bytes.len().min(600) } else { bytes.len() };
            let at = next(reach.max(1));
            match next(8) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.splice(at..at, [0xff; 4]).for_each(drop),
                2 => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff),
                3 => bytes[at..].iter_mut().take(64).for_each(|byte| *byte = 0),
                _ => bytes[at] = next(256) as u8,
            }
        }
        let path = folder.path().join(format!("damaged-{name}"));
        fs::write(&path, &bytes).unwrap();
        let (done, is_done) = mpsc::sync_channel(1);
        let reader = thread::Builder::new().name("reader".to_owned());
        let is_still = STILLS.contains(name);
        let reading = reader
            .spawn(move || {
                if is_still {
                    drop(read_image(&path));
                }
                read(&path);
                done.send(()).unwrap();
            })
            .unwrap();
        let ended = is_done.recv_timeout(TIME_LIMIT);
        if ended != Ok(()) {
            let kept = env::temp_dir().join(format!("pastiche-damaged-{rounds}-{name}"));
            fs::write(&kept, &bytes).unwrap();
            panic!(
                "round {rounds}, kept as {}: {}",
                kept.display(),
                if reading.is_finished() { "it crashed" } else { "it hangs" }
            );
        }
        reading.join().unwrap();
        rounds += 1;
    }
    println!("{rounds} damaged files");
}
