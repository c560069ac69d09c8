//! Jobs that can be taken up again, and parts of a source that fit together.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use pastiche_e2e::{Clip, Run, decode, ffmpeg, preloaded, program, run_in, summary, write_clip, write_style};
use pastiche_frame::FramePool;
use pastiche_media::{DecodeOptions, VideoDecoder};
use serde_json::Value;

/// Frames in a part.
const PART: u64 = 250;
const FRAMES: u64 = 600;

/// A folder with a clip of two parts and a half, and a style.
struct Studio {
    folder: tempfile::TempDir,
}

impl Studio {
    fn new() -> Self {
        let studio = Self { folder: tempfile::tempdir().unwrap() };
        let clip = Clip { width: 96, height: 64, frames: FRAMES as u32, frames_per_second: 25 };
        write_clip(&studio.path("in.mp4"), clip);
        write_style(&studio.path("dots.safetensors"));
        studio
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The words of a command that can be taken up again.
    fn line(output: &str, more: &str) -> String {
        let line =
            format!("video in.mp4 -o {output} --style dots.safetensors --resume --progress json {more}");
        line.trim_end().to_owned()
    }

    fn run(&self, output: &str, more: &str) -> Run {
        run_in(self.folder.path(), &Self::line(output, more))
    }

    /// Starts a job, and lets it stand still once its first part is kept.
    fn start(&self, output: &str, more: &str) -> Child {
        let mut child = Command::new(program())
            .args(Self::line(output, more).split(' '))
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let manifest = self.path(&format!("{output}.pastiche-part/manifest.json"));
        let begun = Instant::now();
        while !manifest.exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was to be stopped");
            assert!(begun.elapsed() < Duration::from_secs(300), "no part is finished");
            thread::sleep(Duration::from_millis(2));
        }
        signal(&child, "-STOP");
        child
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn changed(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_killed_job_goes_on_and_gives_what_it_would_have_given() {
    for (more, frames) in [("", FRAMES), ("--smoothing 0.9", FRAMES), ("--fps 40", FRAMES * 40 / 25)] {
        let studio = Studio::new();
        // Without loss: an encoder's choices for the eye are not the same bits every time.
        let size = format!("--process-size 128x96 --crf 0 {more}");
        let whole = studio.run("whole.mp4", size.trim_end()).done();
        assert_eq!(
            (&summary(&whole)["frames"], &summary(&whole)["frames_before"]),
            (&frames.into(), &0.into())
        );
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "whole.mp4"], "{more}");

        let mut child = studio.start("out.mp4", size.trim_end());
        let first = studio.path("out.mp4.pastiche-part/000001.mp4");
        let written = changed(&first);
        signal(&child, "-KILL");
        assert_eq!(child.wait().unwrap().code(), None);
        assert!(!studio.path("out.mp4").exists(), "{more}: half a file has the name of a whole one");
        assert_eq!(decode(&first).times.len() as u64, frames * PART / FRAMES, "{more}: a part plays");
        assert_eq!(changed(&first), written);

        let again = studio.run("out.mp4", size.trim_end()).done();
        let before = summary(&again)["frames_before"].as_u64().unwrap();
        assert!(before >= PART && before.is_multiple_of(PART), "{more}: {before} frames were kept");
        assert_eq!(summary(&again)["frames"], frames, "{more}");
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4", "whole.mp4"], "{more}");
        let (out, whole) =
            (fs::read(studio.path("out.mp4")).unwrap(), fs::read(studio.path("whole.mp4")).unwrap());
        assert!(out == whole, "{more}: it is not what a job gives that was not killed");

        let plain = format!("video in.mp4 -o plain.mp4 --style dots.safetensors {size}");
        run_in(studio.folder.path(), plain.trim_end()).done();
        assert_eq!(decode(&studio.path("plain.mp4")).times, decode(&studio.path("out.mp4")).times, "{more}");
    }
}

#[test]
fn an_interrupted_job_says_how_to_go_on() {
    let studio = Studio::new();
    let child = studio.start("out.mp4", "--process-size 160x120");
    signal(&child, "-INT");
    signal(&child, "-CONT");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(130), "{}", run.err);
    let kept = summary(&run);
    assert_eq!(
        (&kept["output"], &kept["cancelled"], &kept["stopped"]),
        (&Value::Null, &true.into(), &Value::Null)
    );
    let frames = kept["frames"].as_u64().unwrap();
    assert!(frames == PART || frames == 2 * PART, "{kept}");
    assert!(run.err.contains(&format!("{frames} frames of 600 are kept")), "{}", run.err);
    assert!(run.err.contains("out.mp4.pastiche-part"), "{}", run.err);
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"]);

    let again = studio.run("out.mp4", "--process-size 160x120").done();
    assert_eq!(summary(&again)["frames_before"], frames);
    assert_eq!(decode(&studio.path("out.mp4")).times.len() as u64, FRAMES);
}

#[test]
fn parts_of_another_job_are_told_and_left() {
    let studio = Studio::new();
    let mut child = studio.start("out.mp4", "--process-size 128x96");
    signal(&child, "-KILL");
    child.wait().unwrap();
    let folder = studio.path("out.mp4.pastiche-part");
    let manifest = fs::read(folder.join("manifest.json")).unwrap();

    for (more, words) in [
        ("--process-size 128x96 --strength 0.5", "--strength was 1 and is 0.5"),
        ("--process-size 64x48", "--process-size was 128x96 and is 64x48"),
        ("--process-size 128x96 --start 1", "--start was none and is 1 s"),
    ] {
        let run = studio.run("out.mp4", more);
        let error = run.error(1);
        assert!(error.contains(words) && error.contains("to start anew"), "{more}: {error}");
        assert!(error.ends_with("out.mp4.pastiche-part"), "{error}");
    }
    let style = fs::read(studio.path("dots.safetensors")).unwrap();
    let other = [&style[..style.len() - 4], &[0; 4]].concat();
    fs::write(studio.path("dots.safetensors"), other).unwrap();
    assert!(studio.run("out.mp4", "--process-size 128x96").error(1).contains("the style was "));
    fs::write(studio.path("dots.safetensors"), style).unwrap();

    let source = fs::read(studio.path("in.mp4")).unwrap();
    fs::write(studio.path("in.mp4"), &source).unwrap();
    assert!(
        studio.run("out.mp4", "--process-size 128x96").error(1).contains("the source's time of change was ")
    );
    assert_eq!(fs::read(folder.join("manifest.json")).unwrap(), manifest, "it was touched");
    assert!(!studio.path("out.mp4").exists());
}

#[test]
fn damaged_parts_and_two_jobs_at_once_are_refused() {
    let studio = Studio::new();
    let mut child = studio.start("out.mp4", "--process-size 160x120");
    let busy = studio.run("out.mp4", "--process-size 160x120");
    assert!(busy.error(1).contains("another program works on this video"), "{}", busy.err);
    signal(&child, "-KILL");
    child.wait().unwrap();

    let first = studio.path("out.mp4.pastiche-part/000001.mp4");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() / 2]).unwrap();
    let run = studio.run("out.mp4", "--process-size 160x120");
    assert!(run.error(1).contains("000001.mp4 is not as it was written"), "{}", run.err);
    fs::write(studio.path("out.mp4.pastiche-part/manifest.json"), "{}").unwrap();
    assert!(
        studio.run("out.mp4", "--process-size 160x120").error(1).contains("cannot be used"),
        "{}",
        run.err
    );
    fs::remove_dir_all(studio.path("out.mp4.pastiche-part")).unwrap();
    assert_eq!(summary(&studio.run("out.mp4", "").done())["frames_before"], 0);
}

#[test]
fn only_video_files_can_be_taken_up_again() {
    let studio = Studio::new();
    assert!(studio.run("out/", "").error(2).contains("--resume"));
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_job_on_a_full_drive_keeps_its_parts() {
    let studio = Studio::new();
    let run_on = |fault: &str| -> Run {
        let mut command = Command::new(program());
        command.args(Studio::line("out.mp4", "").split(' ')).current_dir(studio.folder.path());
        command.env("LD_PRELOAD", preloaded("fake_drive")).env("FAKE_DRIVE", fault);
        command.output().unwrap().into()
    };
    // In the second part, then where the parts are joined.
    for (fault, frames) in [("000002 write 5000 full", PART), ("out.mp4.part write 5000 full", 600)] {
        let run = run_on(fault);
        assert_eq!(run.code, Some(3), "{}", run.err);
        assert!(run.err.contains("No space left"), "{}", run.err);
        let kept = summary(&run);
        assert_eq!((&kept["frames"], &kept["cancelled"]), (&frames.into(), &false.into()), "{kept}");
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"]);
    }
    let again = studio.run("out.mp4", "").done();
    assert_eq!(summary(&again)["frames_before"], 2 * PART);
    assert_eq!(decode(&studio.path("out.mp4")).times.len() as u64, FRAMES);
}

#[test]
fn a_killed_job_without_parts_leaves_nothing_under_its_name() {
    let studio = Studio::new();
    let mut child = Command::new(program())
        .args("video in.mp4 -o out.mp4 --style dots.safetensors --process-size 160x120".split(' '))
        .current_dir(studio.folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !studio.path("out.mp4.part").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        thread::sleep(Duration::from_millis(2));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!studio.path("out.mp4").exists());
    let line = "video in.mp4 -o out.mp4 --style dots.safetensors --duration 1";
    run_in(studio.folder.path(), line).done();
    assert_eq!(decode(&studio.path("out.mp4")).times.len(), 25);
}

#[test]
fn sound_subtitles_chapters_and_tags_come_into_the_joined_file() {
    let studio = Studio::new();
    let here = studio.folder.path();
    fs::write(here.join("in.srt"), "1\n00:00:15,000 --> 00:00:16,000\nwords\n").unwrap();
    let chapter = ";FFMETADATA1\ntitle=a film\n[CHAPTER]\nTIMEBASE=1/1\nSTART=12\nEND=20\ntitle=second\n";
    fs::write(here.join("in.txt"), chapter).unwrap();
    let inputs = "-i in.mp4 -f lavfi -i sine=500:d=24 -i in.srt -i in.txt -map_metadata 3";
    ffmpeg(here, &format!("{inputs} -c:v copy -c:a aac -c:s srt rich.mkv"));
    for name in ["out.mp4", "out.mkv"] {
        let restyle = |output: &str, more: &str| {
            let line = format!("video rich.mkv -o {output} --style dots.safetensors --process-size 16x16");
            run_in(here, &format!("{line} --progress json{more}")).done()
        };
        let run = restyle(name, " --resume");
        assert_eq!((&summary(&run)["audio"], &summary(&run)["frames"]), (&"copied".into(), &FRAMES.into()));
        restyle(&format!("plain-{name}"), "");
        for show in [
            "-show_streams -show_entries stream=codec_name,start_time,nb_frames",
            "-show_chapters",
            "-show_entries format_tags=title",
        ] {
            let shown = |name: &str| {
                let words = ["-v", "error"].into_iter().chain(show.split(' ')).chain([name]);
                let output = Command::new("ffprobe").args(words).current_dir(here).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            let joined = shown(name);
            assert!(joined.lines().count() > 2, "{joined}");
            assert_eq!(joined, shown(&format!("plain-{name}")), "{name}");
        }
        let times = |name: &str| decode(&here.join(name)).times;
        assert_eq!(times(name), times(&format!("plain-{name}")));
    }
}

/// A video's frames.
fn frames(path: &Path) -> Vec<Vec<u8>> {
    let mut decoder = VideoDecoder::open(path, &DecodeOptions::default()).unwrap();
    let pool = FramePool::new(1);
    std::iter::from_fn(|| decoder.next_frame(&pool).unwrap().map(|frame| frame.data().to_vec())).collect()
}

/// Mean absolute difference of two pictures' bytes.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn parts_of_a_source_join_without_a_seam() {
    const RATE_HZ: usize = 44_100;
    let studio = Studio::new();
    let here = studio.folder.path();
    ffmpeg(here, "-i in.mp4 -f lavfi -i sine=500:r=44100:d=24 -t 4 -c:v libx264 -crf 5 -c:a aac sound.mp4");
    for audio in ["copy", "aac"] {
        let restyle = |name: &str, more: &str| {
            let line = format!(
                "video sound.mp4 -o {name} --style dots.safetensors --strength 0 --crf 1 --audio {audio} -y"
            );
            run_in(here, format!("{line} {more}").trim_end()).done();
        };
        restyle("whole.mp4", "");
        restyle("a.mp4", "--duration 1.52");
        restyle("b.mp4", "--start 1.52");
        let joined: Vec<_> =
            frames(&here.join("a.mp4")).into_iter().chain(frames(&here.join("b.mp4"))).collect();
        let whole = frames(&here.join("whole.mp4"));
        assert_eq!((joined.len(), whole.len()), (100, 100), "{audio}");
        for (number, (joined, whole)) in joined.iter().zip(&whole).enumerate() {
            let difference = difference(joined, whole);
            assert!(difference < 0.5, "{audio}: frame {number} differs by {difference}");
        }

        let graph = "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1";
        ffmpeg(
            here,
            &format!("-i a.mp4 -i b.mp4 -filter_complex {graph} -c:v libx264 -c:a pcm_s16le joined.mov"),
        );
        let times = decode(&here.join("joined.mov")).times;
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 1e-3), "{audio}: {times:?}");
        ffmpeg(here, "-i joined.mov -f s16le -ac 1 joined.raw");
        let sound = fs::read(here.join("joined.raw")).unwrap();
        let samples: Vec<i16> =
            sound.chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect();
        let seconds = samples.len() as f64 / RATE_HZ as f64;
        // An AAC encoder fills up its last frame, in each part.
        let filled = 2.0 * 1024.0 / RATE_HZ as f64;
        assert!((3.97..4.001 + filled).contains(&seconds), "{audio}: {seconds} s of sound");
        // Within 2 ms a tone of 500 Hz always swings out once.
        let heard = &samples[RATE_HZ / 10..38 * RATE_HZ / 10];
        let mut quiet = 0;
        let longest = heard.iter().map(|sample| {
            quiet = if sample.unsigned_abs() > 3000 { 0 } else { quiet + 1 };
            quiet
        });
        let longest = longest.max().unwrap();
        // What is encoded anew ends with a frame that is filled up with silence, and begins with one that swings in.
        let allowed = RATE_HZ / 500 + if audio == "aac" { 2 * 1024 } else { 0 };
        assert!(longest < allowed, "{audio}: there is a gap of {longest} samples in the sound");
    }
}
