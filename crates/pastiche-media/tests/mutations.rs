//! Media files damaged over and over: each time they must be refused, or give what they give, in bounded time.
//!
//! A run tries as many as a test has time for, the same ones every time; `PASTICHE_FUZZ_SECONDS` lets it go on for so long
//! instead, `PASTICHE_FUZZ_SEED` damages them otherwise, `PASTICHE_FUZZ_FILE` is tried alone. The file that is being tried is in the target's folder for temporary
//! files, and stays there when it is the end of the test.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use common::{cli::ffmpeg, exercise, in_time};

/// Damaged files of each kind.
const ROUNDS_A_SEED: u64 = 20;
/// Far more than any of these small files takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

const VIDEOS: [(&str, &str); 11] = [
    ("a.mp4", "-c:v libx264 -c:a aac"),
    ("b.mkv", "-c:v ffv1 -c:a flac"),
    ("c.ts", "-c:v mpeg2video -c:a mp2"),
    ("d.webm", "-c:v libvpx-vp9 -c:a libopus"),
    ("e.avi", "-c:v mpeg4 -c:a libmp3lame"),
    ("f.gif", "-an"),
    ("g.flv", "-c:v flv -c:a aac"),
    ("h.ogv", "-c:v libtheora -c:a libvorbis"),
    ("i.mov", "-c:v prores_ks -c:a pcm_s16le"),
    ("k.webp", "-c:v libwebp_anim -an"),
    ("j.mkv", "-c:v mjpeg -c:a ac3 -i words.srt -c:s srt -metadata title=Film"),
];
const STILLS: [&str; 5] = ["a.png", "b.jpg", "c.webp", "d.tiff", "e.bmp"];

/// Knuth's generator, a sequence for each seed and round.
struct Random(u64);

impl Random {
    fn new(seed: u64, round: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Reads a file as jobs do, in bounded time.
fn read_in_time(path: PathBuf, what: &str) {
    let what = format!("{what}: {}", path.display());
    in_time(TIME_LIMIT, &what, move || exercise::read(&path));
}

/// The whole files, by their names.
fn seeds(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    fs::write(folder.join("words.srt"), "1\n00:00:00,100 --> 00:00:00,400\n<i>Hello</i> & you\n\n").unwrap();
    for (name, codecs) in VIDEOS {
        // The same bytes every time.
        let exact = "-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -threads 1";
        let pictures = "-f lavfi -i testsrc=s=64x48:r=25:d=0.6,format=yuv420p -f lavfi -i sine=500:d=0.6";
        // An input of its own comes before the options of the output.
        let (input, codecs) = match codecs.split_once("-i words.srt ") {
            Some((before, after)) => ("-i words.srt -map 0 -map 1 -map 2 ", format!("{before}{after}")),
            None => ("", codecs.to_owned()),
        };
        ffmpeg(folder, &format!("{pictures} {input}{codecs} {exact} {name}"));
    }
    for name in STILLS {
        ffmpeg(folder, &format!("-f lavfi -i testsrc=s=64x48:d=0.04 -frames:v 1 -threads 1 {name}"));
    }
    let names = VIDEOS.iter().map(|(name, _)| *name).chain(STILLS);
    names.map(|name| (name, fs::read(folder.join(name)).unwrap())).collect()
}

fn damaged(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(8) {
        // Half of the damage is near the front, where the headers are.
        let reach = if random.below(2) == 0 { bytes.len().min(600) } else { bytes.len() };
        let at = random.below(reach);
        match random.below(8) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.splice(at..at, [0xff; 4]).for_each(drop),
            2 => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff),
            3 => bytes[at..].iter_mut().take(64).for_each(|byte| *byte = 0),
            _ => bytes[at] = random.below(256) as u8,
        }
    }
    bytes
}

#[test]
fn no_damage_to_a_file_is_fatal() {
    if let Some(file) = env::var_os("PASTICHE_FUZZ_FILE") {
        return read_in_time(file.into(), "the file");
    }
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let limit = number("PASTICHE_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = number("PASTICHE_FUZZ_SEED").unwrap_or(1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutations-{seed}"));
    fs::create_dir_all(&folder).unwrap();
    let seeds = seeds(&folder);
    let started = Instant::now();
    let mut round = 0;
    while limit.map_or(round < ROUNDS_A_SEED * seeds.len() as u64, |limit| started.elapsed() < limit) {
        let (name, whole) = &seeds[(round % seeds.len() as u64) as usize];
        let path = folder.join(format!("tried-{name}"));
        fs::write(&path, damaged(whole, &mut Random::new(seed, round))).unwrap();
        read_in_time(path, &format!("round {round} of seed {seed}"));
        round += 1;
    }
    println!("{round} damaged files of seed {seed}");
}
