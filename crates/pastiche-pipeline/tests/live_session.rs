//! A live session from a photograph: what stands still, what is asked for at the end, and what cannot be painted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pastiche_frame::{Frame, PixelFormat};
use pastiche_media::write_image;
use pastiche_pipeline::live::{
    LiveCommand, LiveEvent, LiveOptions, LiveSession, LiveSource, RecordingOptions, Shown, SourceState,
};

/// A busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);

fn style(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/{name}.swift.safetensors"))
}

fn photo(folder: &Path, name: &str, (width, height): (u32, u32)) -> PathBuf {
    let path = folder.join(name);
    let data = (0..width * height * 3).map(|at| (at * 7 % 251) as u8).collect();
    write_image(&path, &Frame::from_data(width, height, PixelFormat::Rgb8, data)).unwrap();
    path
}

fn start(photo: PathBuf) -> LiveSession {
    let options =
        LiveOptions { style: Some(style("starry_night")), ..LiveOptions::new(LiveSource::Still(photo)) };
    LiveSession::start(options, || {}).unwrap()
}

/// What `look` finds, as soon as it does.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn next_shown(session: &LiveSession) -> Shown {
    wait_for("picture", || session.take_shown())
}

/// The next event that `pick` takes; an error is none that a test expects.
fn event<T>(session: &LiveSession, mut pick: impl FnMut(LiveEvent) -> Option<T>) -> T {
    wait_for("event", || session.drain_events().into_iter().filter_map(&mut pick).next())
}

#[test]
fn what_changes_while_it_stands_still_is_shown_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let session = start(photo(folder.path(), "photo.png", (64, 48)));
    let painted = next_shown(&session);
    session.send(LiveCommand::SetPaused(true));
    wait_for("standstill", || session.status().paused.then_some(()));
    while session.take_shown().is_some() {}

    for name in ["a.png", "b.png"] {
        session.send(LiveCommand::Snapshot(at(name)));
    }
    let mut saved = Vec::new();
    wait_for("snapshots", || {
        saved.extend(session.drain_events().into_iter().filter_map(|event| match event {
            LiveEvent::SnapshotSaved { path } => Some(path),
            _ => None,
        }));
        (saved.len() == 2).then_some(())
    });
    let picture = |name: &str| pastiche_media::read_image(&at(name)).unwrap().data().to_vec();
    assert_eq!(picture("a.png"), painted.painted.data());
    assert_eq!(picture("b.png"), painted.painted.data());
    while session.take_shown().is_some() {}

    session.send(LiveCommand::SetStyle(Some(style("great_wave"))));
    let other = next_shown(&session);
    assert!(other.painted.data() != painted.painted.data(), "the picture that stands is painted anew");
    assert!(session.status().paused);

    session.send(LiveCommand::SetSource(LiveSource::Still(photo(folder.path(), "other.png", (80, 32)))));
    let other =
        wait_for("the other source", || session.take_shown().filter(|shown| shown.painted.width() == 80));
    assert_eq!(other.painted.height(), 32);
    assert!(!session.status().paused, "another source is one to be seen");
    session.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_style_that_is_shown_stays_unless_its_file_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.swift.safetensors");
    fs::copy(style("starry_night"), &own).unwrap();
    let options = LiveOptions {
        style: Some(own.clone()),
        ..LiveOptions::new(LiveSource::Still(photo(folder.path(), "photo.png", (64, 48))))
    };
    let session = LiveSession::start(options, || {}).unwrap();
    let before = next_shown(&session);
    let ask = |path: &Path| session.send(LiveCommand::SetStyle(Some(path.to_owned())));
    let next_change = || {
        event(&session, |event| match event {
            LiveEvent::StyleChanged { name, .. } => Some(name),
            _ => None,
        })
    };
    next_change();
    ask(&own);
    // Long enough to load it many times.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(session.drain_events(), [], "the style that is shown was changed for itself");

    fs::copy(style("great_wave"), &own).unwrap();
    ask(&own);
    next_change();
    let after = wait_for("a picture", || session.take_shown());
    assert!(after.painted.data() != before.painted.data(), "the file that has changed is read again");
    session.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_snapshot_that_was_asked_for_last_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let session = start(photo(folder.path(), "photo.png", (64, 48)));
    next_shown(&session);
    // The loader has much to do, and snapshots come last.
    for name in ["great_wave", "starry_night", "great_wave"] {
        session.send(LiveCommand::SetStyle(Some(style(name))));
    }
    let snapshots: Vec<PathBuf> = (0..5).map(|number| folder.path().join(format!("{number}.png"))).collect();
    snapshots.iter().for_each(|path| session.send(LiveCommand::Snapshot(path.clone())));
    let (_, events) = session.shutdown_with_events(PATIENCE);
    assert!(snapshots.iter().all(|path| path.exists()), "{events:?}");
}

#[test]
fn a_source_too_small_to_paint_is_told_and_does_not_cost_the_style() {
    let folder = tempfile::tempdir().unwrap();
    let session = start(photo(folder.path(), "tiny.png", (12, 10)));
    let reason = event(&session, |event| match event {
        LiveEvent::Error(reason) => Some(reason),
        _ => None,
    });
    assert!(reason.contains("12x10") && reason.contains("from 16 to"), "{reason}");
    let tiny = pastiche_media::read_image(&folder.path().join("tiny.png")).unwrap();
    assert_eq!(next_shown(&session).painted.data(), tiny.data(), "the source is shown as it is");
    let next = photo(folder.path(), "photo.png", (64, 48));
    session.send(LiveCommand::SetSource(LiveSource::Still(next.clone())));
    let source = pastiche_media::read_image(&next).unwrap();
    wait_for("a painted picture", || {
        session
            .take_shown()
            .filter(|shown| shown.painted.width() == 64 && shown.painted.data() != source.data())
    });
    assert_eq!(session.status().style.as_deref(), Some("starry_night"));
    session.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_recording_is_known_at_once_and_one_that_cannot_begin_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let session = start(photo(folder.path(), "photo.png", (64, 48)));
    next_shown(&session);
    let path = folder.path().join("missing").join("out.mp4");
    session.send(LiveCommand::StartRecording(RecordingOptions::new(&path)));
    assert_eq!(session.status().recording.map(|recording| recording.path), Some(path));
    let reason = event(&session, |event| match event {
        LiveEvent::Error(reason) => Some(reason),
        _ => None,
    });
    assert!(reason.contains("the output folder does not exist"), "{reason}");
    wait_for("the end of it", || session.status().recording.is_none().then_some(()));

    let path = folder.path().join("out.mp4");
    session.send(LiveCommand::StartRecording(RecordingOptions::new(&path)));
    wait_for("a frame", || session.status().recording.filter(|recording| recording.frames > 0));
    session.send(LiveCommand::StopRecording);
    let (saved, frames) = event(&session, |event| match event {
        LiveEvent::RecordingSaved { path, frames, .. } => Some((path, frames)),
        _ => None,
    });
    assert!(saved == path && frames > 0);
    assert!(fs::metadata(&path).unwrap().len() > 500);
    assert!(matches!(session.status().source, SourceState::Running { .. }));
    session.shutdown(PATIENCE).unwrap();
}
