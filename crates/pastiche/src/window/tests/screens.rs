//! What four screens look like, against pictures of them in `tests/snapshots`. `UPDATE_SNAPSHOTS=1` makes new ones.

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use egui_kittest::SnapshotOptions;
use pastiche_pipeline::Progress;

use super::{Start, Window};
use crate::window::{
    export::ExportEvent,
    settings::{Settings, ThemeChoice},
    text,
};

/// Graphics cards and their drivers round differently at the edges of letters and lines.
const MAX_PIXELS_OFF: usize = 400;
const TOLERANCE: f32 = 1.5;

/// Compares the window with the picture of that name; where nothing here can draw, says so and skips.
fn compare(window: &mut Window, name: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| window.harness.render().is_ok())) {
        let reason = panic.downcast_ref::<String>().map_or("", String::as_str);
        if std::env::var_os("CI").is_some() || !reason.contains("adapter") {
            resume_unwind(panic);
        }
        // Written past the capture of test output, so that it shows in a run that passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no graphics adapter for {name}; install mesa-vulkan-drivers"
        );
        return;
    }
    let options = SnapshotOptions::new().threshold(TOLERANCE).max_failed_pixels(MAX_PIXELS_OFF);
    window.harness.snapshot_options(name, &options);
}

#[test]
fn live() {
    let settings = Settings { compare: true, overlay: true, welcomed: true, ..Settings::default() };
    let mut window = Window::start(Start { settings, ..Start::default() });
    window.set_status(|status| status.recording = Some(super::closing::recording()));
    compare(&mut window, "live");
}

#[test]
fn export() {
    let mut window = Window::open();
    window.open_video();
    for _ in 0..2 {
        window.click_button(text::ADD_TO_QUEUE);
    }
    let id = window.world.borrow().started[0].0;
    let progress = Progress {
        frames_done: 90,
        frames_total: Some(250),
        frames_per_second: 18.0,
        elapsed: Duration::from_secs(5),
        time_left: Some(Duration::from_secs(9)),
    };
    window.world.borrow_mut().export_events.push(ExportEvent::Progress(id, progress));
    window.harness.remove_cursor();
    window.harness.run();
    compare(&mut window, "export");
}

#[test]
fn first_start_without_a_camera() {
    let mut window = Window::start(Start { settings: Settings::default(), has_camera: false });
    compare(&mut window, "first_start");
}

#[test]
fn light_theme() {
    let settings = Settings { theme: ThemeChoice::Light, welcomed: true, ..Settings::default() };
    let mut window = Window::start(Start { settings, ..Start::default() });
    compare(&mut window, "light");
}
