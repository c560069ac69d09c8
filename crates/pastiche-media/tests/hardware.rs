//! Encoders and decoders in hardware, which most machines that run these tests lack: their absence is found out cleanly.
//!
//! Encoders that are there go through the tests of every available encoder, in `failures.rs` and `colour.rs`; a decoder that
//! is there through every test that decodes.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{path::Path, process::Command};

use common::{options, read_frames, steady_ticks, write_numbered};
use pastiche_media::{
    DecodeOptions, EncodeOptions, HardwareDecoding, MediaError, VideoEncoder, available_encoders,
};

const IN_ORDER: [&str; 8] = [
    "h264_nvenc",
    "h264_videotoolbox",
    "h264_vaapi",
    "libx264",
    "libopenh264",
    "mpeg4",
    "hevc_nvenc",
    "libvpx-vp9",
];

fn available_names() -> Vec<&'static str> {
    available_encoders().iter().map(|encoder| encoder.name).collect()
}

fn open(encoder: Option<&str>, path: &Path) -> Result<VideoEncoder, MediaError> {
    VideoEncoder::create(path, &EncodeOptions { encoder: encoder.map(str::to_owned), ..options(1280, 720) })
}

#[test]
fn an_encoder_is_listed_where_it_opens_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let available = available_names();
    let in_order: Vec<_> = IN_ORDER.into_iter().filter(|name| available.contains(name)).collect();
    assert_eq!(available, in_order);
    for name in IN_ORDER {
        match open(Some(name), &path) {
            Ok(opened) => {
                assert_eq!(opened.encoder_name(), name);
                assert!(available.contains(&name), "{name} opens but is not listed");
            }
            Err(MediaError::EncoderMissing { name: refused, usable, .. }) => {
                assert_eq!((refused.as_str(), usable), (name, available.join(", ")));
                assert!(!available.contains(&name), "{name} is listed but does not open");
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    let first = open(None, &path).unwrap();
    assert_eq!(first.encoder_name(), available[0]);
}

#[test]
fn what_does_not_open_says_nothing_and_leaves_no_file_open() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "alone_open_all_again_and_again", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("1 passed"), "{report}");
}

#[test]
#[ignore = "counts the process's open files, so that it runs in a process of its own, started by another test"]
fn alone_open_all_again_and_again() {
    // Nothing to count where there is no such folder.
    let open_files = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    // What libraries keep open from their first use on is no leak.
    available_names();
    let before = open_files();
    for _ in 0..20 {
        available_names();
    }
    assert_eq!(open_files(), before);
}

#[test]
fn a_video_is_the_same_whatever_decodes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.mp4");
    write_numbered(&path, &options(320, 240), &steady_ticks(30));
    let decoded = |hardware| read_frames(&path, &DecodeOptions { hardware, ..DecodeOptions::default() });
    let (auto, processor) = (decoded(HardwareDecoding::Auto), decoded(HardwareDecoding::None));
    assert_eq!((auto.len(), processor.len()), (30, 30));
    for (auto, processor) in auto.iter().zip(&processor) {
        assert_eq!((auto.timestamp, auto.duration_ticks), (processor.timestamp, processor.duration_ticks));
        assert_eq!(auto.color_space, processor.color_space);
        let most = auto.data().iter().zip(processor.data()).map(|(a, b)| a.abs_diff(*b)).max();
        // Decoders agree to the bit; chroma in one plane or two is enlarged by different rounding.
        assert!(most.unwrap() <= 2, "{most:?}");
    }
}
