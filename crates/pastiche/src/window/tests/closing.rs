//! Closing the window while work goes on.

use std::time::Duration;

use eframe::App as _;
use egui::{ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::Queryable;
use pastiche_pipeline::live::{LiveCommand, RecordingStatus};

use super::Window;
use crate::window::{export::ExportEvent, state::Dialog, text};

pub(super) fn recording() -> RecordingStatus {
    RecordingStatus {
        path: "/videos/starry_night 1.mp4".into(),
        frames: 120,
        dropped: 0,
        duration: Duration::from_secs(5),
        closing: false,
    }
}

/// Presses the window's cross; returns what egui is told to do with the window.
fn press_cross(window: &mut Window) -> Vec<ViewportCommand> {
    let viewport = window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    viewport.events.push(ViewportEvent::Close);
    window.harness.step();
    let commands = viewport_commands(window);
    window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.clear();
    window.harness.step();
    commands
}

fn viewport_commands(window: &Window) -> Vec<ViewportCommand> {
    window.harness.output().viewport_output[&ViewportId::ROOT].commands.clone()
}

#[test]
fn an_idle_window_closes_at_once() {
    let mut window = Window::open();
    assert!(!press_cross(&mut window).contains(&ViewportCommand::CancelClose));
    assert_eq!(window.app().state.dialog, None);
    window.harness.state_mut().on_exit(None);
    assert!(window.world.borrow().is_shut_down, "the session ends in order");
}

#[test]
fn a_recording_is_finished_before_the_window_closes() {
    let mut window = Window::open();
    window.set_status(|status| status.recording = Some(recording()));
    assert!(press_cross(&mut window).contains(&ViewportCommand::CancelClose));
    assert_eq!(window.app().state.dialog, Some(Dialog::Quit { recording: true, exports: 0 }));
    window.sent();
    window.click_button_and_step(text::FINISH_AND_QUIT);
    assert_eq!(window.sent(), [LiveCommand::StopRecording]);
    window.harness.get_by_label(text::FINISHING);
    assert!(!viewport_commands(&window).contains(&ViewportCommand::Close), "not before the file is whole");
    window.world.borrow_mut().status.recording = None;
    window.harness.step();
    assert!(viewport_commands(&window).contains(&ViewportCommand::Close));
}

#[test]
fn keeping_on_keeps_the_window_and_the_recording() {
    let mut window = Window::open();
    window.set_status(|status| status.recording = Some(recording()));
    press_cross(&mut window);
    window.click_button(text::STAY);
    assert_eq!(window.app().state.dialog, None);
    assert!(window.sent().is_empty());
}

#[test]
fn an_export_is_stopped_so_that_it_plays() {
    let mut window = Window::open();
    window.open_video();
    window.click_button(text::ADD_TO_QUEUE);
    assert!(press_cross(&mut window).contains(&ViewportCommand::CancelClose));
    assert_eq!(window.app().state.dialog, Some(Dialog::Quit { recording: false, exports: 1 }));
    window.click_button_and_step(text::FINISH_AND_QUIT);
    assert_eq!(window.world.borrow().export_switches, ["cancel"]);
    let id = window.world.borrow().started[0].0;
    window.world.borrow_mut().export_events.push(ExportEvent::Cancelled(id, true));
    window.harness.step();
    assert!(viewport_commands(&window).contains(&ViewportCommand::Close));
}

#[test]
fn work_that_never_ends_does_not_hold_the_window_for_ever() {
    let mut window = Window::open();
    window.set_status(|status| status.recording = Some(recording()));
    press_cross(&mut window);
    window.click_button_and_step(text::FINISH_AND_QUIT);
    window.harness.run_steps(90);
    assert!(viewport_commands(&window).contains(&ViewportCommand::Close));
}

#[test]
fn a_signal_from_outside_finishes_the_recording_too() {
    let mut window = Window::open();
    window.set_status(|status| status.recording = Some(recording()));
    window.world.borrow_mut().is_asked_to_quit = true;
    window.harness.step();
    assert_eq!(window.sent(), [LiveCommand::StopRecording]);
    window.world.borrow_mut().status.recording = None;
    window.harness.step();
    assert!(viewport_commands(&window).contains(&ViewportCommand::Close));
}
