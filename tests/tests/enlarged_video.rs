//! Videos that are enlarged after they are painted.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use pastiche_e2e::{Clip, decode, run_in, summary, write_clip, write_style, write_upscaler};
use pastiche_media::read_image;
use serde_json::Value;

const FRAMES: u32 = 12;

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip { width: 32, height: 24, frames: FRAMES, frames_per_second: 25 };
    write_clip(&folder.path().join("in.mp4"), clip);
    write_style(&folder.path().join("dots.safetensors"));
    write_upscaler(&folder.path().join("four.safetensors"));
    folder
}

const ENLARGE: &str = "--style dots.safetensors --upscale 4 --upscaler four.safetensors --progress json";

#[test]
fn a_video_is_painted_and_enlarged_at_once_and_in_parts() {
    let folder = studio();
    let video = |output: &str, more: &str| {
        let line = format!("video in.mp4 -o {output} {ENLARGE} {more}");
        run_in(folder.path(), line.trim_end()).done()
    };
    let plain = video("out.mp4", "");
    assert!(plain.err.contains("enlarging 4 times by four on cpu"), "{}", plain.err);
    let told = summary(&plain);
    assert_eq!((&told["width"], &told["height"]), (&Value::from(128), &Value::from(96)));
    let enlarged = decode(&folder.path().join("out.mp4"));
    assert_eq!((enlarged.width, enlarged.height), (128, 96));
    assert_eq!(enlarged.times.len(), FRAMES as usize);
    video("parts.mp4", "--resume");
    let parts = decode(&folder.path().join("parts.mp4"));
    assert_eq!((parts.width, parts.height, &parts.times), (128, 96, &enlarged.times));
}

#[test]
fn a_video_is_enlarged_into_numbered_pictures() {
    let folder = studio();
    run_in(folder.path(), &format!("video in.mp4 -o out/%03d.png {ENLARGE}")).done();
    let last = read_image(&folder.path().join(format!("out/{FRAMES:03}.png"))).unwrap();
    assert_eq!((last.width(), last.height()), (128, 96));
}

#[test]
fn a_video_that_another_network_enlarges_is_refused() {
    let folder = studio();
    let line = "video in.mp4 -o out.mp4 --style dots.safetensors --upscale 8 --upscaler four.safetensors";
    let run = run_in(folder.path(), line);
    assert!(run.error(1).contains("enlarges 4 times, not 8"), "{}", run.err);
    assert!(!folder.path().join("out.mp4").exists());
}
