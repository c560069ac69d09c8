//! Jobs that can be taken up again, and parts of a source that fit together.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(unsafe_code, reason = "it waits for a program that stands still")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use pastiche_e2e::{
    Clip, Run, decode, ffmpeg, file_names, mean_difference, preloaded, program, run_in, signal, summary,
    write_clip, write_style,
};
use pastiche_frame::FramePool;
use pastiche_media::{DecodeOptions, VideoDecoder, probe};
use serde_json::Value;

/// Frames in a part.
const PART: u64 = 250;
const FRAMES: u64 = 510;
/// Where a job stands still once its first part is kept.
const BEHIND_FIRST_PART: &str = "000002 write 0 stop";
/// Where it does when it begins to join its parts; before, it has tried whether the output can be written.
const AT_JOINING: &str = "out.mp4.pastiche-unfinished write 4000 stop";

/// A folder with a clip of two parts and a bit, and a style.
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
        let line = format!(
            "video in.mp4 -o {output} --style dots.safetensors --process-size 16x16 --resume --progress json {more}"
        );
        line.trim_end().to_owned()
    }

    fn run(&self, output: &str, more: &str) -> Run {
        run_in(self.folder.path(), &Self::line(output, more))
    }

    /// The command on a drive with a fault.
    fn on_drive(&self, fault: &str, more: &str) -> Command {
        let mut command = Command::new(program());
        command.args(Self::line("out.mp4", more).split(' ')).current_dir(self.folder.path());
        command.env("LD_PRELOAD", preloaded("fake_drive")).env("FAKE_DRIVE", fault);
        command
    }

    fn run_on_drive(&self, fault: &str, more: &str) -> Run {
        self.on_drive(fault, more).output().unwrap().into()
    }

    /// Starts a job, and lets it stand still there.
    fn start(&self, stop: &str, more: &str) -> Child {
        let mut command = self.on_drive(stop, more);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (id, mut status) = (i32::try_from(child.id()).unwrap(), 0);
        // SAFETY: the status is an integer of this function's own.
        let waited = unsafe { libc::waitpid(id, &raw mut status, libc::WUNTRACED) };
        assert!(waited == id && libc::WIFSTOPPED(status), "it ended before it stood still");
        child
    }

    /// What a job leaves that is killed once its first part is kept.
    fn kill_behind_first_part(&self, more: &str) {
        let mut child = self.start(BEHIND_FIRST_PART, more);
        signal(&child, "-KILL");
        assert_eq!(child.wait().unwrap().code(), None);
    }

    fn files(&self) -> Vec<String> {
        file_names(self.folder.path())
    }
}

fn changed(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_killed_job_goes_on_and_gives_what_it_would_have_given() {
    for (more, frames) in [("", FRAMES), ("--smoothing 0.9", FRAMES), ("--fps 40", FRAMES * 40 / 25)] {
        let studio = Studio::new();
        let whole = studio.run("whole.mp4", more).done();
        assert_eq!(
            (&summary(&whole)["frames"], &summary(&whole)["frames_before"]),
            (&frames.into(), &0.into())
        );
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "whole.mp4"], "{more}");

        studio.kill_behind_first_part(more);
        let first = studio.path("out.mp4.pastiche-part/000001.mp4");
        let written = changed(&first);
        assert!(!studio.path("out.mp4").exists(), "{more}: half a file has the name of a whole one");
        assert_eq!(decode(&first).times.len() as u64, frames * PART / FRAMES, "{more}: a part plays");

        let again = studio.start(AT_JOINING, more);
        assert_eq!(changed(&first), written, "{more}: a part that was done is written once more");
        signal(&again, "-CONT");
        let again = Run::from(again.wait_with_output().unwrap()).done();
        assert_eq!(
            (&summary(&again)["frames"], &summary(&again)["frames_before"]),
            (&frames.into(), &PART.into()),
            "{more}"
        );
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4", "whole.mp4"], "{more}");
        let (out, whole) =
            (fs::read(studio.path("out.mp4")).unwrap(), fs::read(studio.path("whole.mp4")).unwrap());
        assert!(out == whole, "{more}: it is not what a job gives that was not killed");

        if !more.contains("smoothing") {
            let plain =
                format!("video in.mp4 -o plain.mp4 --style dots.safetensors --process-size 16x16 {more}");
            run_in(studio.folder.path(), plain.trim_end()).done();
            assert_eq!(
                decode(&studio.path("plain.mp4")).times,
                decode(&studio.path("out.mp4")).times,
                "{more}"
            );
        }
    }
}

#[test]
fn the_same_job_gives_the_same_bytes_whatever_is_in_memory() {
    let studio = Studio::new();
    let files = ["85", "170"].map(|byte| {
        let line = "video in.mp4 -o out.mp4 --style dots.safetensors --process-size 16x16 --duration 1 -y";
        let mut command = Command::new(program());
        // The C library fills with it what it hands out.
        command.args(line.split(' ')).current_dir(studio.folder.path()).env("MALLOC_PERTURB_", byte);
        Run::from(command.output().unwrap()).done();
        fs::read(studio.path("out.mp4")).unwrap()
    });
    assert!(files[0] == files[1], "memory that nobody wrote is in the result");
}

#[test]
fn an_interrupted_job_says_how_to_go_on() {
    let studio = Studio::new();
    let child = studio.start(BEHIND_FIRST_PART, "");
    signal(&child, "-TERM");
    signal(&child, "-CONT");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(130), "{}", run.err);
    let kept = summary(&run);
    assert_eq!(
        (&kept["output"], &kept["cancelled"], &kept["stopped"]),
        (&Value::Null, &true.into(), &Value::Null)
    );
    assert_eq!(kept["frames"], PART, "{kept}");
    assert!(run.err.contains(&format!("{PART} frames of {FRAMES} are kept")), "{}", run.err);
    assert!(run.err.contains("out.mp4.pastiche-part"), "{}", run.err);
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"]);

    let again = studio.run("out.mp4", "").done();
    assert_eq!(summary(&again)["frames_before"], PART);
    assert_eq!(decode(&studio.path("out.mp4")).times.len() as u64, FRAMES);
}

#[test]
fn a_job_that_is_told_to_quit_at_once_keeps_its_parts() {
    let studio = Studio::new();
    let mut child = studio.start(BEHIND_FIRST_PART, "");
    // Both wait for it to go on; what the first asks for would take longer.
    signal(&child, "-INT");
    signal(&child, "-TERM");
    signal(&child, "-CONT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"]);

    let again = studio.run("out.mp4", "").done();
    assert_eq!(summary(&again)["frames_before"], PART);
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4"]);
}

#[test]
fn a_job_that_is_interrupted_in_its_first_part_leaves_nothing() {
    let studio = Studio::new();
    let child = studio.start("000001 write 0 stop", "");
    signal(&child, "-INT");
    signal(&child, "-CONT");
    let run = Run::from(child.wait_with_output().unwrap());
    let error = run.error(130);
    assert!(error.contains("before the first 250 frames") && error.ends_with("out.mp4"), "{error}");
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4"]);
}

#[test]
fn parts_of_another_job_are_told_and_left() {
    let studio = Studio::new();
    studio.kill_behind_first_part("");
    let folder = studio.path("out.mp4.pastiche-part");
    let manifest = fs::read(folder.join("manifest.json")).unwrap();

    for (more, words) in [
        ("--strength 0.5", "--strength was 1 and is 0.5"),
        ("--crf 30", "--crf was none and is 30"),
        ("--start 1", "--start was none and is 1 s"),
    ] {
        let run = studio.run("out.mp4", more);
        let error = run.error(1);
        assert!(error.contains(words) && error.contains("to start anew"), "{more}: {error}");
        assert!(error.ends_with("out.mp4.pastiche-part"), "{error}");
    }
    let line = "video in.mp4 -o out.mp4 --style dots.safetensors --process-size 32x32 --resume";
    let run = run_in(studio.folder.path(), line);
    assert!(run.error(1).contains("--process-size was 16x16 and is 32x32"), "{}", run.err);
    let style = fs::read(studio.path("dots.safetensors")).unwrap();
    let other = [&style[..style.len() - 4], &[0; 4]].concat();
    fs::write(studio.path("dots.safetensors"), other).unwrap();
    assert!(studio.run("out.mp4", "").error(1).contains("the style was "));
    fs::write(studio.path("dots.safetensors"), style).unwrap();

    let source = fs::read(studio.path("in.mp4")).unwrap();
    fs::write(studio.path("in.mp4"), &source).unwrap();
    assert!(studio.run("out.mp4", "").error(1).contains("the source's time of change was "));
    assert_eq!(fs::read(folder.join("manifest.json")).unwrap(), manifest, "it was touched");
    assert!(!studio.path("out.mp4").exists());
}

#[test]
fn damaged_parts_and_two_jobs_at_once_are_refused() {
    let studio = Studio::new();
    let mut child = studio.start(BEHIND_FIRST_PART, "");
    let busy = studio.run("out.mp4", "");
    assert!(busy.error(1).contains("another program works on this video"), "{}", busy.err);
    signal(&child, "-KILL");
    child.wait().unwrap();

    let first = studio.path("out.mp4.pastiche-part/000001.mp4");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() / 2]).unwrap();
    let run = studio.run("out.mp4", "");
    assert!(run.error(1).contains("000001.mp4 is not as it was written"), "{}", run.err);
    fs::write(studio.path("out.mp4.pastiche-part/manifest.json"), "{}").unwrap();
    let run = studio.run("out.mp4", "");
    assert!(run.error(1).contains("cannot be used"), "{}", run.err);
    fs::remove_dir_all(studio.path("out.mp4.pastiche-part")).unwrap();
    assert_eq!(summary(&studio.run("out.mp4", "").done())["frames_before"], 0);
}

#[test]
fn a_source_whose_drive_fails_does_not_cost_what_is_done() {
    let studio = Studio::new();
    let bytes = fs::metadata(studio.path("in.mp4")).unwrap().len();
    let kept = ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"];

    studio.kill_behind_first_part("");
    let run = studio.run_on_drive(&format!("in.mp4 read {} broken", bytes * 3 / 10), "");
    assert_eq!(run.code, Some(3), "{}", run.err);
    let told = summary(&run);
    assert_eq!((&told["output"], &told["frames"]), (&Value::Null, &PART.into()), "{told}");
    assert!(told["stopped"].as_str().unwrap().contains("Input/output error"), "{told}");
    assert_eq!(studio.files(), kept);

    let run = studio.run_on_drive(&format!("in.mp4 read {} broken", bytes * 7 / 10), "");
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(summary(&run)["cut_short"].as_str().unwrap().contains("Input/output error"), "{}", run.err);
    let frames = decode(&studio.path("out.mp4")).times.len() as u64;
    assert!((PART + 1..FRAMES).contains(&frames), "{frames} frames");
    assert!(run.err.contains("the finished frames are kept"), "{}", run.err);
    fs::remove_file(studio.path("out.mp4")).unwrap();
    assert_eq!(studio.files(), kept);

    let again = studio.run("out.mp4", "").done();
    assert_eq!(summary(&again)["frames_before"], PART);
    assert_eq!(decode(&studio.path("out.mp4")).times.len() as u64, FRAMES);
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4"]);
}

#[test]
fn every_container_gets_the_times_of_a_video_of_variable_rate() {
    let studio = Studio::new();
    let here = studio.folder.path();
    // Pictures for 50, 50 and 20 ms by turns, the last one for 2 s.
    ffmpeg(
        here,
        "-f lavfi -i testsrc2=s=96x64:r=25:d=10.4,setpts=(N*4+mod(N\\,3))/(100*TB) -fps_mode passthrough \
         -final_delay 200 uneven.gif",
    );
    for name in ["out.mp4", "out.mkv", "out.mov", "out.webm"] {
        let restyle = |output: &str, more: &str| {
            let line = format!("video uneven.gif -o {output} --style dots.safetensors --process-size 16x16");
            summary(&run_in(here, &format!("{line} --progress json{more}")).done())
        };
        let (joined, plain) = (restyle(name, " --resume"), restyle(&format!("plain-{name}"), ""));
        let times = |name: &str| decode(&here.join(name)).times;
        assert_eq!(times(name).len(), 260, "{name}");
        assert_eq!(times(name), times(&format!("plain-{name}")), "{name}");
        assert_eq!(joined["video_seconds"], plain["video_seconds"], "{name}");
        let last = joined["video_seconds"].as_f64().unwrap() - times(name)[259];
        assert!((last - 2.0).abs() < 0.011, "{name}: the last picture is shown for {last} s");
        let lengths = [name, &format!("plain-{name}")]
            .map(|name| probe(&here.join(name)).unwrap().duration.unwrap().as_secs_f64());
        assert!((lengths[0] - lengths[1]).abs() < 0.011, "{name}: {lengths:?}");
    }
}

#[test]
fn only_video_files_can_be_taken_up_again() {
    let studio = Studio::new();
    assert!(studio.run("out/", "").error(2).contains("--resume"));
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4"]);
}

#[test]
fn a_job_on_a_full_drive_keeps_its_parts() {
    let studio = Studio::new();
    // In the second part, then where the parts are joined.
    for (fault, frames) in
        [("000002 write 5000 full", PART), ("out.mp4.pastiche-unfinished write 5000 full", FRAMES)]
    {
        let run = studio.run_on_drive(fault, "");
        assert_eq!(run.code, Some(3), "{}", run.err);
        assert!(run.err.contains("No space left"), "{}", run.err);
        let kept = summary(&run);
        assert_eq!((&kept["frames"], &kept["cancelled"]), (&frames.into(), &false.into()), "{kept}");
        assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4.pastiche-part"]);
    }
    let again = studio.run("out.mp4", "").done();
    assert_eq!(summary(&again)["frames_before"], FRAMES);
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
    while !studio.path("out.mp4.pastiche-unfinished").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        thread::sleep(Duration::from_millis(2));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!studio.path("out.mp4").exists());
    let line = "video in.mp4 -o out.mp4 --style dots.safetensors --duration 1";
    run_in(studio.folder.path(), line).done();
    assert_eq!(decode(&studio.path("out.mp4")).times.len(), 25);
    assert_eq!(studio.files(), ["dots.safetensors", "in.mp4", "out.mp4"]);
}

#[test]
fn sound_subtitles_chapters_and_tags_come_into_the_joined_file() {
    let studio = Studio::new();
    let here = studio.folder.path();
    fs::write(here.join("in.srt"), "1\n00:00:09,000 --> 00:00:10,300\nwords\n").unwrap();
    let chapter = ";FFMETADATA1\ntitle=a film\n[CHAPTER]\nTIMEBASE=1/1\nSTART=5\nEND=10\ntitle=second\n";
    fs::write(here.join("in.txt"), chapter).unwrap();
    let inputs = "-i in.mp4 -f lavfi -i sine=500:d=10.4 -i in.srt -i in.txt -map_metadata 3 -frames:v 260";
    ffmpeg(here, &format!("{inputs} -c:v copy -c:a aac -c:s srt rich.mkv"));
    for name in ["out.mp4", "out.mkv"] {
        let restyle = |output: &str, more: &str| {
            let line = format!("video rich.mkv -o {output} --style dots.safetensors --process-size 16x16");
            run_in(here, &format!("{line} --progress json{more}")).done()
        };
        let run = restyle(name, " --resume");
        assert_eq!((&summary(&run)["audio"], &summary(&run)["frames"]), (&"copied".into(), &260.into()));
        restyle(&format!("plain-{name}"), "");
        for show in [
            "-show_streams -show_entries stream=codec_name,start_time,nb_frames,duration",
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
            let difference = mean_difference(joined, whole);
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
