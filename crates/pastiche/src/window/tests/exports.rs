//! The export screen and its queue.

use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use pastiche_media::AudioMode;
use pastiche_pipeline::Progress;

use super::{Start, Window, four_times, video_info};
use crate::window::{
    export::{ExportEvent, ExportOutcome, JobState},
    services::{Pick, Reply, Request},
    settings::{ExportUpscale, Settings},
    text,
};

fn progress(done: u64) -> Progress {
    Progress {
        frames_done: done,
        frames_total: Some(200),
        frames_per_second: 20.0,
        elapsed: Duration::from_secs(5),
        time_left: Some(Duration::from_secs(5)),
    }
}

fn with_jobs(count: usize) -> Window {
    let mut window = Window::open();
    window.open_video();
    for _ in 0..count {
        window.click_button(text::ADD_TO_QUEUE);
    }
    window
}

fn tell(window: &mut Window, event: ExportEvent) {
    window.world.borrow_mut().export_events.push(event);
    window.harness.run();
}

#[test]
fn settings_become_the_same_job_as_on_the_command_line() {
    let mut window = with_jobs(0);
    for (list, entry) in [
        (text::SIZE, "Half (640 \u{d7} 360)"),
        (text::QUALITY, "Medium"),
        (text::ENCODER, "libx264"),
        (text::AUDIO, "Convert to AAC"),
    ] {
        window.node(Role::ComboBox, list).scroll_to_me();
        window.harness.run();
        window.click(Role::ComboBox, list);
        window.click_button(entry);
    }
    window.click_button(text::ADD_TO_QUEUE);
    let world = window.world.borrow();
    let (_, request) = &world.started[0];
    let video = &request.video;
    assert_eq!((video.size, video.crf), (Some((640, 360)), Some(23)));
    assert_eq!((video.encoder.as_deref(), video.audio), (Some("libx264"), Some(AudioMode::Aac)));
    assert_eq!((video.start, video.duration), (None, None));
    assert_eq!(video.input.to_str(), Some("/clips/boats.mp4"));
    assert_eq!(video.output.to_str(), Some("/videos/boats - starry_night 1.mp4"));
    assert!(request.style.ends_with("starry_night.swift.safetensors"));
}

#[test]
fn an_export_is_enlarged_where_a_network_is_installed() {
    let mut window = with_jobs(1);
    assert_eq!(window.world.borrow().started[0].1.video.upscale, None, "not unless it is chosen");
    window.node(Role::ComboBox, text::SIZE).scroll_to_me();
    window.harness.run();
    window.click(Role::ComboBox, text::UPSCALE);
    assert!(window.harness.query_by_label_contains("\u{d7}8 (").is_none(), "there is no such network");
    window.click_button("\u{d7}4 (5120 \u{d7} 2880)");
    assert_eq!(window.settings().export_upscale, ExportUpscale::Times(4));
    window.click(Role::ComboBox, text::SIZE);
    window.click_button("Half (640 \u{d7} 360)");
    window.click(Role::ComboBox, text::UPSCALE);
    window.click_button("\u{d7}4 (2560 \u{d7} 1440)");
    window.click_button(text::ADD_TO_QUEUE);
    let request = window.app().state.jobs[1].request.clone();
    assert_eq!((request.video.size, request.video.upscale), (Some((640, 360)), Some(4)));
    assert_eq!(request.upscaler, Some(four_times().path));
}

#[test]
fn nothing_is_offered_that_would_enlarge_where_no_network_is_installed() {
    let mut window = with_jobs(0);
    let without = || Reply::Hardware { devices: Vec::new(), encoders: Vec::new(), upscalers: Vec::new() };
    window.reply(without());
    assert!(window.harness.query_by_role_and_label(Role::ComboBox, text::UPSCALE).is_none());

    // A network that was chosen and is gone: that is told by the export, and can be chosen off.
    let settings = Settings { export_upscale: ExportUpscale::Times(8), ..Start::default().settings };
    let mut window = Window::start(Start { settings, ..Start::default() });
    window.reply(without());
    window.open_video();
    window.click_button(text::ADD_TO_QUEUE);
    let request = window.app().state.jobs[0].request.clone();
    assert_eq!((request.video.upscale, request.upscaler), (Some(8), None));
    window.node(Role::ComboBox, text::UPSCALE).scroll_to_me();
    window.harness.run();
    window.click(Role::ComboBox, text::UPSCALE);
    window.click_button(text::UPSCALE_OFF);
    assert_eq!(window.settings().export_upscale, ExportUpscale::Off);
}

#[test]
fn the_last_button_is_reached_by_scrolling() {
    let mut window = with_jobs(0);
    window.node(Role::Button, text::CHANGE).scroll_to_me();
    window.harness.run();
    window.requests();
    window.click_button(text::CHANGE);
    let requests = window.requests();
    assert!(matches!(requests[..], [Request::Pick(Pick::Output(_))]), "{requests:?}");
}

#[test]
fn in_and_out_points_are_dragged_and_typed() {
    let mut window = with_jobs(0);
    let handle = |name: &str| text::handle(name);
    let in_point = window.rect(Role::Slider, &handle(text::IN_POINT)).center();
    let out_point = window.rect(Role::Slider, &handle(text::OUT_POINT)).center();
    let width = out_point.x - in_point.x;
    window.drag(in_point, in_point + egui::vec2(width * 0.2, 0.0));
    window.drag(out_point, out_point - egui::vec2(width * 0.5, 0.0));
    let draft = window.app().state.draft.clone().unwrap();
    assert!((draft.start.as_secs_f64() - 2.0).abs() < 0.2, "{draft:?}");
    assert!((draft.end.as_secs_f64() - 5.0).abs() < 0.2, "{draft:?}");
    window.node(Role::SpinButton, text::IN_POINT).set_value_accesskit(3.0);
    window.harness.run();
    assert_eq!(window.app().state.draft.as_ref().unwrap().start, Duration::from_secs(3));
    window.click_button(text::ADD_TO_QUEUE);
    let world = window.world.borrow();
    assert_eq!(world.started[0].1.video.start, Some(Duration::from_secs(3)));
    assert!(world.started[0].1.video.duration.is_some());
}

#[test]
fn exports_run_one_after_the_other_and_never_write_the_same_file() {
    let mut window = with_jobs(2);
    let outputs: Vec<_> =
        window.app().state.jobs.iter().map(|job| job.request.video.output.clone()).collect();
    assert_ne!(outputs[0], outputs[1]);
    assert_eq!(window.world.borrow().started.len(), 1);
    let id = window.world.borrow().started[0].0;
    tell(&mut window, ExportEvent::Progress(id, progress(100)));
    window.harness.get_by_label_contains("50 % at 20.0 fps, 0:05 left");
    let outcome = ExportOutcome { frames: 200, elapsed: Duration::from_secs(10), bytes: 3_000_000 };
    tell(&mut window, ExportEvent::Done(id, outcome));
    window.harness.get_by_label_contains("Done: 200 frames");
    assert_eq!(window.world.borrow().started.len(), 2, "the next one begins");
    window.requests();
    window.click_button(text::SHOW_IN_FOLDER);
    assert_eq!(window.requests(), [Request::Reveal(outputs[0].clone())]);
    window.click_button(text::REMOVE);
    assert_eq!(window.app().state.jobs.len(), 1);
}

#[test]
fn an_export_is_held_let_go_and_cancelled() {
    let mut window = with_jobs(1);
    let id = window.world.borrow().started[0].0;
    tell(&mut window, ExportEvent::Progress(id, progress(50)));
    window.click_button(text::PAUSE);
    window.harness.get_by_label_contains("Paused at 25 %");
    window.click_button(text::RESUME);
    window.click_button(text::CANCEL);
    assert_eq!(window.world.borrow().export_switches, ["pause", "resume", "cancel"]);
    window.harness.get_by_label(text::STOPPING);
    tell(&mut window, ExportEvent::Cancelled(id, true));
    window.harness.get_by_label(text::CANCELLED_KEPT);
}

#[test]
fn a_failed_export_says_why_and_is_tried_again() {
    let mut window = with_jobs(1);
    let id = window.world.borrow().started[0].0;
    tell(&mut window, ExportEvent::Failed(id, "the disk is full".into()));
    window.harness.get_by_label("the disk is full");
    window.click_button(text::RETRY);
    assert_eq!(window.world.borrow().started.len(), 2);
    assert!(matches!(window.app().state.jobs[0].state, JobState::Running { .. }));
}

#[test]
fn a_waiting_export_is_cancelled_without_being_begun() {
    let mut window = with_jobs(2);
    window.harness.get_all_by_role_and_label(Role::Button, text::CANCEL).nth(1).unwrap().click();
    window.harness.run();
    assert_eq!(window.app().state.jobs[1].state, JobState::Cancelled { kept: false });
    assert!(window.world.borrow().export_switches.is_empty());
}

#[test]
fn the_output_is_named_by_the_user() {
    let mut window = with_jobs(0);
    window.requests();
    window.node(Role::Button, text::CHANGE).scroll_to_me();
    window.harness.run();
    window.click_button(text::CHANGE);
    let asked = window.requests();
    let [Request::Pick(pick @ Pick::Output(_))] = &asked[..] else { panic!("{asked:?}") };
    window.reply(Reply::Picked(pick.clone(), "/mine/film.mp4".into()));
    window.click_button(text::NEXT_STYLE);
    let draft = window.app().state.draft.as_ref().unwrap();
    assert_eq!(draft.output.to_str(), Some("/mine/film.mp4"), "another style does not rename it");
}

#[test]
fn the_demo_clip_can_be_exported_and_goes_on_being_shown() {
    let mut window = Window::start(Start { has_camera: false, ..Start::default() });
    window.requests();
    window.click_button(text::EXPORT);
    let demo = std::path::PathBuf::from("/demo/harbour.mp4");
    // It also looks for a camera now and then.
    let mut requests = window.requests();
    requests.retain(|request| *request != Request::ListCameras);
    assert_eq!(requests, [Request::Inspect(demo.clone())]);
    window.sent();
    window.reply(Reply::Video { path: demo.clone(), info: Box::new(video_info()) });
    assert_eq!(window.app().state.draft.as_ref().map(|draft| &draft.input), Some(&demo));
    assert_eq!(window.sent(), [], "it is not begun anew");
}

#[test]
fn nothing_is_added_without_a_video() {
    let mut window = Window::open();
    window.click_button(text::EXPORT);
    window.click_button(text::ADD_TO_QUEUE);
    assert!(window.app().state.jobs.is_empty());
    window.requests();
    window.click_button(text::CHOOSE_VIDEO);
    assert_eq!(window.requests(), [Request::Pick(Pick::Video)]);
}
