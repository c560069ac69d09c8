//! Videos into numbered pictures and out of them, and animated WebP.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{fs, path::Path, process::Command};

use pastiche_e2e::{
    Clip, Run, decode, file_names, mean_difference, program, summary, write_clip, write_style,
};
use pastiche_media::read_image;

/// A folder with a clip of 12 frames of 64x48, 25 a second, and a style.
fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip { width: 64, height: 48, frames: 12, frames_per_second: 25 };
    write_clip(&folder.path().join("in.mp4"), clip);
    write_style(&folder.path().join("dots.safetensors"));
    folder
}

/// `pastiche video` with a style that leaves everything as it is, but for `more`.
fn video(folder: &Path, line: &str) -> Run {
    let common = ["--style", "dots.safetensors", "--strength", "0", "--progress", "json"];
    let mut command = Command::new(program());
    command.arg("video").args(line.split(' ')).args(common).current_dir(folder).output().unwrap().into()
}

fn assert_near(actual: &[u8], expected: &[u8], what: &str) {
    let mean = mean_difference(actual, expected);
    assert!(mean < 4.0, "{what}: off by {mean} on average");
}

#[test]
fn a_video_becomes_numbered_pictures_and_they_a_video_again() {
    let folder = studio();
    let here = folder.path();
    let source = decode(&here.join("in.mp4"));
    for (output, first, pattern) in [
        ("frames/shot-%04d.png", "frames/shot-0001.png", "frames/shot-%04d.png"),
        ("photos/%d.jpg", "photos/1.jpg", "photos/%d.jpg"),
        ("plain/", "plain/000001.png", "plain"),
    ] {
        let run = video(here, &format!("in.mp4 -o {output}")).done();
        assert!(run.err.contains("12 frames of 64x48") && run.err.contains("no sound"), "{}", run.err);
        let told = summary(&run);
        assert_eq!((&told["event"], &told["frames"]), (&"summary".into(), &12.into()), "{told}");
        assert_eq!(file_names(here.join(first).parent().unwrap()).len(), 12, "{output}");
        let picture = read_image(&here.join(first)).unwrap();
        assert_near(picture.data(), &source.first, output);

        for input in [pattern, first] {
            let again = video(here, &format!("{input} -o again.mp4 -y")).done();
            assert!(again.err.contains("numbered pictures, taken at 25 a second"), "{}", again.err);
            let result = decode(&here.join("again.mp4"));
            assert_eq!((result.width, result.height, &result.times), (64, 48, &source.times), "{input}");
            assert_near(&result.first, &source.first, input);
        }
        video(here, &format!("{first} -o again.mp4 -y --fps 50")).done();
        let times = decode(&here.join("again.mp4")).times;
        assert_eq!(times.len(), 12, "{output}");
        assert!((times[11] - 0.22).abs() < 1e-3, "{times:?}");
    }
}

#[test]
fn a_part_at_a_constant_rate_and_another_size_becomes_as_many_pictures() {
    let folder = studio();
    let line = "in.mp4 -o part/%03d.png --start 0.2 --duration 0.2 --fps 50 --size 32x24";
    let run = video(folder.path(), line).done();
    let pictures = file_names(&folder.path().join("part"));
    // 0.2 s of 50 a second; the last of 25 may fill one slot or two.
    assert!((9..=10).contains(&pictures.len()), "{pictures:?}");
    assert_eq!(summary(&run)["frames"], pictures.len());
    for name in pictures {
        let picture = read_image(&folder.path().join("part").join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (32, 24));
    }
}

#[test]
fn pictures_that_are_there_are_replaced_only_when_asked_and_never_the_input() {
    let folder = studio();
    let here = folder.path();
    fs::create_dir(here.join("frames")).unwrap();
    fs::write(here.join("frames/0007.png"), "mine").unwrap();
    let refused = video(here, "in.mp4 -o frames/%04d.png");
    assert!(refused.error(1).contains("add -y"), "{}", refused.err);
    assert_eq!(fs::read_to_string(here.join("frames/0007.png")).unwrap(), "mine");
    assert_eq!(file_names(&here.join("frames")).len(), 1);
    video(here, "in.mp4 -o frames/%04d.png -y").done();
    assert_eq!(file_names(&here.join("frames")).len(), 12);
    for input in ["frames/%04d.png", "frames", "frames/0001.png"] {
        let itself = video(here, &format!("{input} -o frames/%04d.png -y"));
        assert!(itself.error(1).contains("is the input itself"), "{input}: {}", itself.err);
    }
    let missing = video(here, "gone/%04d.png -o out.mp4");
    assert!(missing.error(1).contains("gone/%04d.png"), "{}", missing.err);
    let kind = video(here, "in.mp4 -o frames/%04d.gif");
    assert!(kind.error(2).contains(".png"), "{}", kind.err);
}

#[test]
fn a_broken_picture_among_many_is_counted() {
    let folder = studio();
    let here = folder.path();
    video(here, "in.mp4 -o frames/%04d.png").done();
    fs::write(here.join("frames/0005.png"), "not a picture").unwrap();
    let run = video(here, "frames -o out.mp4");
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(run.err.contains("0005.png") && run.err.contains("1 piece could not be decoded"), "{}", run.err);
    assert_eq!((&summary(&run)["frames"], &summary(&run)["skipped"]), (&11.into(), &1.into()));
    assert_eq!(decode(&here.join("out.mp4")).times.len(), 11);
}

#[test]
fn an_animated_webp_becomes_a_video() {
    let folder = studio();
    let here = folder.path();
    let line = "-v error -i in.mp4 -c:v libwebp_anim -quality 90 in.webp";
    let made = Command::new("ffmpeg").args(line.split(' ')).current_dir(here).status().unwrap();
    assert!(made.success());
    video(here, "in.webp -o out.webm").done();
    let (source, result) = (decode(&here.join("in.mp4")), decode(&here.join("out.webm")));
    assert_eq!((result.width, result.height), (64, 48));
    assert_eq!(result.times.len(), 12);
    for (time, expected) in result.times.iter().zip(&source.times) {
        assert!((time - expected).abs() < 1.5e-3, "{time} s is not {expected} s");
    }
    assert_near(&result.first, &source.first, "the first picture");
}
