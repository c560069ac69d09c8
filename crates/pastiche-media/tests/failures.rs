//! What goes wrong is told apart, in one line, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "what fails here fails its test")]

mod common;

use std::{fs, io, path::Path};

use common::{numbered_frame, options, read_frames, sound, steady_ticks, write_numbered};
use pastiche_frame::Timestamp;
use pastiche_media::{
    DecodeOptions, EncodeOptions, MediaError, VideoDecoder, VideoEncoder, available_encoders, probe,
    read_image,
};

fn open_error(path: &Path) -> MediaError {
    let error = VideoDecoder::open(path, &DecodeOptions::default()).err().unwrap();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.ends_with(&path.display().to_string()), "the path is not last: {message}");
    error
}

fn create_error(path: &Path, options: &EncodeOptions) -> MediaError {
    VideoEncoder::create(path, options).err().unwrap()
}

#[test]
fn files_that_are_no_video_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, contents: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    };
    assert!(matches!(open_error(&folder.path().join("missing.mp4")), MediaError::InputMissing { .. }));
    assert!(matches!(open_error(folder.path()), MediaError::InputUnreadable { .. }));
    let text = b"Just some words,\nand a second line of them.\n".repeat(50);
    let empty = file("empty.mp4", &[]);
    assert!(matches!(open_error(&empty), MediaError::InputEmpty { .. }));
    assert!(matches!(probe(&empty), Err(MediaError::InputEmpty { .. })));
    for name in ["text.txt", "text.mp4", "text.nfo"] {
        let path = file(name, &text);
        assert!(matches!(open_error(&path), MediaError::NotMedia { .. }), "{name}");
        assert!(matches!(probe(&path), Err(MediaError::NotMedia { .. })), "{name}");
    }
    let wav = folder.path().join("sound.wav");
    sound::write_wav(&wav, 0.5, 48_000, 2);
    let error = open_error(&wav);
    assert!(matches!(&error, MediaError::NoVideo { found, .. } if found == "sound (pcm_s16le)"), "{error}");
    assert_eq!(probe(&wav).unwrap().video, None);
}

#[test]
fn a_truncated_video_gives_what_is_there_or_an_error_but_never_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truncated.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(100));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() * 3 / 4]).unwrap();
    let frames = read_frames(&path, &DecodeOptions::default()).len();
    assert!((1..100).contains(&frames), "{frames} frames");
}

#[test]
fn an_unfinished_output_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    fs::write(&path, "the older one").unwrap();
    let mut encoder = VideoEncoder::create(&path, &options(160, 90)).unwrap();
    encoder.write(&numbered_frame(0, 160, 90)).unwrap();
    assert_eq!(encoder.partial_path(), folder.path().join("out.mp4.pastiche-unfinished"));
    assert!(encoder.partial_path().exists());
    drop(encoder);
    assert!(!folder.path().join("out.mp4.pastiche-unfinished").exists());
    assert_eq!(fs::read_to_string(&path).unwrap(), "the older one");

    let mut encoder = VideoEncoder::create(&path, &options(160, 90)).unwrap();
    encoder.write(&numbered_frame(0, 160, 90)).unwrap();
    let summary = encoder.finish().unwrap();
    assert_eq!((summary.frames, summary.bytes), (1, fs::metadata(&path).unwrap().len()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_another_job_writes_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let mut first = VideoEncoder::create(&path, &options(160, 90)).unwrap();
    let mut second = VideoEncoder::create(&path, &options(160, 90)).unwrap();
    assert_eq!(second.partial_path(), folder.path().join("out.mp4.pastiche-unfinished-2"));
    second.write(&numbered_frame(0, 160, 90)).unwrap();
    second.finish().unwrap();
    for index in 0..2 {
        first.write(&numbered_frame(index, 160, 90)).unwrap();
    }
    assert_eq!(read_frames(&path, &DecodeOptions::default()).len(), 1);
    first.finish().unwrap();
    assert_eq!(read_frames(&path, &DecodeOptions::default()).len(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_index_is_at_the_front() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    write_numbered(&path, &options(160, 90), &steady_ticks(10));
    let bytes = fs::read(&path).unwrap();
    let at = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(at(b"moov") < at(b"mdat"));
}

#[test]
fn outputs_that_cannot_be_written_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(160, 90);
    let missing = folder.path().join("missing").join("out.mp4");
    assert!(matches!(create_error(&missing, &options), MediaError::OutputFolderMissing { .. }));
    let directory = folder.path().join("folder.mp4");
    fs::create_dir(&directory).unwrap();
    assert!(matches!(create_error(&directory, &options), MediaError::OutputNotWritable { .. }));
    let other = folder.path().join("out.gif");
    assert!(matches!(create_error(&other, &options), MediaError::OutputKind { .. }));
    let odd = EncodeOptions { width: 161, ..options.clone() };
    assert!(matches!(create_error(&folder.path().join("odd.mp4"), &odd), MediaError::EncodeSize { .. }));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
}

#[test]
fn an_encoder_that_is_not_there_names_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let error =
        create_error(&path, &EncodeOptions { encoder: Some("h265_magic".to_owned()), ..options(160, 90) });
    let MediaError::EncoderMissing { name, usable, .. } = &error else { panic!("{error}") };
    assert_eq!(name, "h265_magic");
    let names: Vec<_> = available_encoders().iter().map(|encoder| encoder.name).collect();
    assert_eq!(*usable, names.join(", "));
    assert!(names.contains(&"mpeg4"), "every FFmpeg has mpeg4: {names:?}");
}

#[test]
fn settings_that_an_encoder_does_not_take_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let with = |encoder: &str, crf, preset: Option<&str>| EncodeOptions {
        encoder: Some(encoder.to_owned()),
        crf,
        preset: preset.map(str::to_owned),
        ..options(160, 90)
    };
    let refused = |options| matches!(create_error(&path, &options), MediaError::EncoderOption { .. });
    assert!(refused(with("mpeg4", None, Some("veryfast"))));
    assert!(refused(with("mpeg4", Some(52), None)));
    assert!(refused(with("libx264", None, Some("p4"))));
    assert!(refused(EncodeOptions { preset: Some("sideways".to_owned()), ..options(160, 90) }));
    assert!(!folder.path().join("out.mp4.pastiche-unfinished").exists());
}

#[test]
fn every_encoder_keeps_the_count_and_the_times() {
    let folder = tempfile::tempdir().unwrap();
    for encoder in available_encoders() {
        let path = folder.path().join(format!("{}.mp4", encoder.name));
        // Finer than MPEG-4 can store.
        let time_base = common::rational(1, 90_000);
        let ticks: Vec<_> = (0..40).map(|i| i * 3003).collect();
        let options = EncodeOptions {
            time_base,
            encoder: Some(encoder.name.to_owned()),
            crf: Some(10),
            ..options(256, 144)
        };
        write_numbered(&path, &options, &ticks);
        let frames = read_frames(&path, &DecodeOptions::default());
        assert_eq!(frames.len(), ticks.len(), "{}", encoder.name);
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(common::frame_number(frame), number, "{}", encoder.name);
            let expected = Timestamp::new(ticks[number], time_base).as_secs_f64();
            assert!((frame.timestamp.as_secs_f64() - expected).abs() < 1e-4, "{}", encoder.name);
        }
    }
}

#[test]
fn a_frame_of_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut encoder = VideoEncoder::create(&folder.path().join("out.mp4"), &options(160, 90)).unwrap();
    let error = encoder.write(&numbered_frame(0, 162, 90)).unwrap_err();
    assert!(matches!(error, MediaError::FrameSize { expected_width: 160, .. }), "{error}");
}

#[test]
fn errors_keep_their_source() {
    let error = read_image(Path::new("missing.png")).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::NotFound);
}
