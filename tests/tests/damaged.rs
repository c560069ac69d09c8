//! Files that are broken: what can be done is done, plays, and is told with counts; what cannot is refused in one line.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path, process::Command};

use pastiche_e2e::{Run, decode, ffmpeg, program, run_in, summary, write_style};
use pastiche_media::probe;
use serde_json::Value;

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

fn video(folder: &Path, input: &str) -> (Run, Value) {
    let line = format!("video {input} -o out.mp4 --style dots.safetensors --progress json -y");
    let run = run_in(folder, &line);
    let summary = summary(&run);
    (run, summary)
}

/// How a file is known to be cut off.
enum Sign {
    /// It says how long it is.
    Length,
    /// It ends in the middle of something.
    BreaksOff,
}

#[test]
fn a_truncated_file_gives_what_is_there_and_says_what_is_not() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs, sign) in [
        ("a.mp4", "-c:v libx264 -g 10 -c:a aac -movflags +faststart", Sign::Length),
        ("b.mov", "-c:v mpeg4 -g 10 -c:a aac -movflags +faststart", Sign::Length),
        ("c.avi", "-c:v mpeg4 -g 10 -c:a libmp3lame", Sign::BreaksOff),
        ("d.mkv", "-c:v libx264 -g 10 -c:a ac3", Sign::Length),
        ("e.webm", "-c:v libvpx-vp9 -g 10 -deadline realtime -c:a libopus", Sign::Length),
        ("f.flv", "-c:v flv -g 10 -c:a libmp3lame -ar 44100", Sign::Length),
        ("g.ogv", "-c:v libtheora -g 10 -c:a libvorbis", Sign::BreaksOff),
        ("h.ts", "-c:v mpeg2video -g 10 -c:a mp2", Sign::BreaksOff),
    ] {
        let sources = "-f lavfi -i testsrc2=s=64x48:r=25:d=4 -f lavfi -i sine=500:d=4 -pix_fmt yuv420p";
        ffmpeg(here, &format!("{sources} {codecs} {name}"));
        let bytes = fs::read(here.join(name)).unwrap();
        fs::write(here.join(name), &bytes[..(bytes.len() * 6 / 10) | 1]).unwrap();
        let (run, summary) = video(here, name);
        assert_eq!(run.code, Some(3), "{name}: {}", run.err);
        assert!(run.err.contains("done in part: "), "{name}: {}", run.err);
        let decoded = decode(&here.join("out.mp4"));
        let frames = decoded.times.len();
        assert!((20..90).contains(&frames), "{name}: {frames} frames");
        assert_eq!(summary["frames"], frames, "{name}");
        match sign {
            Sign::Length => assert!(summary["missing_seconds"].as_f64().unwrap() > 0.25, "{name}: {summary}"),
            Sign::BreaksOff => assert_eq!(summary["breaks_off"], true, "{name}: {summary}"),
        }
        let sound = probe(&here.join("out.mp4")).unwrap();
        assert_eq!(sound.audio.len(), 1, "{name}");
    }
}

#[test]
fn damaged_sound_is_counted_and_lost_sound_is_told() {
    let folder = studio();
    let here = folder.path();
    // The sound goes on after the pictures, so that the end of the file holds nothing else.
    let sources = "-f lavfi -i testsrc2=s=64x48:r=25:d=2,format=yuv420p -f lavfi -i sine=500:d=6";
    ffmpeg(here, &format!("{sources} -c:v libx264 -c:a aac -movflags +faststart whole.mp4"));
    let whole = fs::read(here.join("whole.mp4")).unwrap();
    let (run, _) = video(here, "whole.mp4");
    assert_eq!(run.code, Some(0), "{}", run.err);

    let mut holed = whole.clone();
    let at = holed.len() * 8 / 10;
    for (index, byte) in holed[at..at + 2000].iter_mut().enumerate() {
        *byte = ((index * 7919) >> 3) as u8;
    }
    fs::write(here.join("holed.mp4"), holed).unwrap();
    let line = "video holed.mp4 -o out.mp4 --style dots.safetensors --audio aac --progress json -y";
    let run = run_in(here, line);
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(summary(&run)["sound_damaged"].as_u64().unwrap() > 0, "{}", run.out);
    assert!(run.err.contains("of the sound damaged"), "{}", run.err);

    fs::write(here.join("short.mp4"), &whole[..whole.len() * 8 / 10]).unwrap();
    let (run, summary) = video(here, "short.mp4");
    assert_eq!(
        (run.code, &summary["frames"], &summary["missing_seconds"]),
        (Some(3), &50.into(), &Value::Null)
    );
    let missing = summary["sound_missing_seconds"].as_f64().unwrap();
    assert!((0.3..3.0).contains(&missing), "{summary}");
    assert!(run.err.contains("s of the sound are missing"), "{}", run.err);
}

#[test]
fn a_hole_in_the_middle_is_bridged_and_counted() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -g 10 -bf 0 -c:a aac"),
        ("b.ts", "-c:v mpeg2video -g 10 -an"),
        ("i.ts", "-c:v mpeg2video -g 10 -c:a mp2"),
        ("j.ts", "-c:v libx264 -g 10 -c:a aac"),
        ("c.mkv", "-c:v mpeg4 -g 10 -c:a ac3"),
        ("d.mkv", "-c:v libx264 -g 10 -c:a aac"),
        ("e.webm", "-c:v libvpx-vp9 -g 10 -c:a libopus"),
        ("f.webm", "-c:v libvpx -g 10 -c:a libvorbis"),
        ("g.ogv", "-c:v libtheora -g 10 -c:a libvorbis"),
        ("h.avi", "-c:v mpeg4 -g 10 -c:a libmp3lame"),
    ] {
        let sources = "-f lavfi -i testsrc2=s=128x96:r=25:d=4,format=yuv420p -f lavfi -i sine=500:d=4";
        ffmpeg(here, &format!("{sources} {codecs} {name}"));
        let mut bytes = fs::read(here.join(name)).unwrap();
        let middle = bytes.len() / 2;
        for (index, byte) in bytes[middle..middle + 3000].iter_mut().enumerate() {
            *byte = ((index * 7919) >> 3) as u8;
        }
        fs::write(here.join(name), bytes).unwrap();
        let (run, summary) = video(here, name);
        assert_eq!(run.code, Some(3), "{name}: {}", run.err);
        assert!(run.err.contains("done in part: "), "{name}: {}", run.err);
        let damaged = summary["skipped"].as_u64().unwrap() + summary["concealed"].as_u64().unwrap();
        assert!(damaged > 0, "{name}: {summary}");
        let frames = decode(&here.join("out.mp4")).times.len();
        assert!((70..=100).contains(&frames), "{name}: {frames} frames");
        assert_eq!(summary["frames"], frames, "{name}");
    }
}

#[test]
fn whole_files_are_not_called_damaged() {
    let folder = studio();
    let here = folder.path();
    for (name, codecs) in [
        ("a.mp4", "-c:v libx264 -bf 3 -c:a aac"),
        ("b.mkv", "-c:v libx264 -bf 3 -c:a ac3"),
        ("c.ts", "-c:v mpeg2video -bf 2 -c:a mp2"),
        ("d.ts", "-c:v libx264 -c:a aac"),
        ("d.webm", "-c:v libvpx-vp9 -c:a libopus"),
        ("e.avi", "-c:v mpeg4 -bf 2 -c:a libmp3lame"),
        ("f.gif", "-an"),
        ("g.flv", "-c:v flv -c:a libmp3lame -ar 44100"),
        ("h.ogv", "-c:v libtheora -c:a libvorbis"),
        ("i.mkv", "-c:v ffv1 -c:a flac"),
        ("j.mov", "-c:v prores_ks -c:a pcm_s16le"),
        ("k.mpg", "-c:v mpeg1video -c:a mp2"),
        ("l.dv", "-s 720x576 -ar 48000 -ac 2"),
        ("m.webp", "-c:v libwebp_anim -an"),
    ] {
        // The sound is longer than the pictures.
        ffmpeg(
            here,
            &format!(
                "-f lavfi -i testsrc=s=64x48:r=25:d=1,format=yuv420p -f lavfi -i sine=500:d=2 {codecs} {name}"
            ),
        );
        let (run, summary) = video(here, name);
        assert_eq!((run.code, &summary["missing_seconds"]), (Some(0), &Value::Null), "{name}: {}", run.err);
        assert_eq!(summary["sound_damaged"], 0, "{name}: {}", run.err);
        // Nor is a part of them, to whose beginning the file is searched.
        let (part, _) = video(here, &format!("{name} --start 0.5"));
        assert_eq!(part.code, Some(0), "a part of {name}: {}", part.err);
    }
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line_and_leaves_nothing() {
    let folder = studio();
    let here = folder.path();
    let locks = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
                 -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    ffmpeg(here, &format!("-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 {locks} locked.mp4"));
    ffmpeg(here, "-f lavfi -i sine=500:d=1 song.m4a");
    fs::write(here.join("empty.mp4"), "").unwrap();
    fs::write(here.join("words.mkv"), "only words\n".repeat(100)).unwrap();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 whole.mp4");
    // An MP4 whose index, at its end, is gone.
    let whole = fs::read(here.join("whole.mp4")).unwrap();
    fs::write(here.join("indexless.mp4"), &whole[..whole.len() / 2]).unwrap();
    // One that is sound but for its pictures.
    ffmpeg(here, "-i whole.mp4 -c:v copy -movflags +faststart blank.mp4");
    let mut blank = fs::read(here.join("blank.mp4")).unwrap();
    let pictures = blank.windows(4).position(|name| name == b"mdat").unwrap() + 4;
    blank[pictures..].fill(0);
    fs::write(here.join("blank.mp4"), blank).unwrap();
    let before = fs::read_dir(here).unwrap().count();
    for (input, words) in [
        ("locked.mp4", "encrypted"),
        ("song.m4a", "no video in this file, only sound (aac)"),
        ("empty.mp4", "the file is empty"),
        ("words.mkv", "not a video"),
        ("indexless.mp4", "breaks off before its index"),
        ("blank.mp4", "not one whole picture"),
    ] {
        for output in ["out.mp4", "out.mp4 --resume", "out/"] {
            let run = run_in(here, &format!("video {input} -o {output} --style dots.safetensors"));
            let error = run.error(1);
            assert!(error.contains(words) && error.ends_with(input), "{input}: {error}");
            assert_eq!(
                fs::read_dir(here).unwrap().count(),
                before,
                "{input} left something behind: {output}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_told() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };
    let folder = studio();
    let here = folder.path();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 whole.mp4");
    fs::create_dir(here.join("locked")).unwrap();
    let allow = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o555)).unwrap();
    allow(&here.join("locked"));
    allow(here);
    for more in ["", " --resume"] {
        let line = format!("video whole.mp4 -o locked/out.mp4 --style dots.safetensors{more}");
        let mut command = Command::new(program());
        command.args(line.split(' ')).current_dir(here);
        // Root may write everywhere.
        if fs::metadata(here).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        let run = Run::from(command.output().unwrap());
        let error = run.error(1);
        assert!(error.contains("choose another") && error.ends_with("locked/out.mp4"), "{error}");
        assert_eq!(fs::read_dir(here.join("locked")).unwrap().count(), 0);
    }
    fs::set_permissions(here, fs::Permissions::from_mode(0o755)).unwrap();

    // Nobody may make files there, root neither.
    #[cfg(target_os = "linux")]
    {
        let run = run_in(here, "video whole.mp4 -o /proc/out.mp4 --style dots.safetensors");
        let error = run.error(1);
        assert!(error.contains("choose another") && error.ends_with("/proc/out.mp4"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_and_is_not_waited_for() {
    let folder = studio();
    let here = folder.path();
    ffmpeg(here, "-f lavfi -i testsrc=s=64x48:r=25:d=1 -c:v libx264 whole.mp4");
    let made = std::process::Command::new("mkfifo").arg(here.join("pipe.mp4")).status().unwrap();
    assert!(made.success());
    let input = run_in(here, "video pipe.mp4 -o out.mp4 --style dots.safetensors");
    assert!(input.error(1).contains("it is no file"), "{}", input.err);
    let output = run_in(here, "video whole.mp4 -o pipe.mp4 -y --style dots.safetensors");
    assert!(output.error(1).contains("no file"), "{}", output.err);
}
