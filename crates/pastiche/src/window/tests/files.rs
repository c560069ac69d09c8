//! Files that are dropped on the window.

use egui_kittest::kittest::Queryable;
use pastiche_inference::DeviceChoice;
use pastiche_pipeline::live::{LiveCommand, LiveSource};

use super::{Window, bundled_styles};
use crate::window::{
    services::{Reply, Request},
    settings::SourceChoice,
    state::{Dialog, NoticeKind, Screen},
    text,
};

#[test]
fn what_is_dropped_is_looked_at() {
    let mut window = Window::open();
    window.requests();
    window.drop_files(&["/a/boats.mp4", "/a/face.jpg"]);
    assert_eq!(window.requests(), ["/a/boats.mp4", "/a/face.jpg"].map(|path| Request::Inspect(path.into())));
}

#[test]
fn a_video_is_previewed_and_ready_to_export() {
    let mut window = Window::open();
    window.open_video();
    let state = &window.app().state;
    assert_eq!(state.screen, Screen::Export);
    assert_eq!(state.source, SourceChoice::Video("/clips/boats.mp4".into()));
    assert_eq!(window.sent(), [LiveCommand::SetSource(LiveSource::Video("/clips/boats.mp4".into()))]);
    let draft = state.draft.as_ref().unwrap();
    assert_eq!((draft.width, draft.height, draft.has_audio), (1280, 720, true));
    assert_eq!(draft.output.to_str(), Some("/videos/boats - starry_night 1.mp4"));
}

#[test]
fn a_photograph_is_painted() {
    let mut window = Window::open();
    window.reply(Reply::Still("/a/face.jpg".into()));
    assert_eq!(window.sent(), [LiveCommand::SetSource(LiveSource::Still("/a/face.jpg".into()))]);
    assert_eq!(window.app().state.screen, Screen::Live);
}

#[test]
fn a_style_is_offered_added_and_painted_in() {
    let mut window = Window::open();
    // One that is not in the list.
    let style = bundled_styles().remove(0);
    window.harness.state_mut().state.styles.retain(|known| known.name != style.name);
    window.reply(Reply::Style(style.clone()));
    assert!(matches!(&window.app().state.dialog, Some(Dialog::AddStyle { path, .. }) if *path == style.path));
    window.requests();
    window.click_button(text::ADD);
    assert_eq!(window.app().state.dialog, None);
    assert_eq!(window.requests(), [Request::InstallStyle(style.path.clone())]);
    window.sent();
    window.reply(Reply::StyleInstalled { name: style.name.clone(), title: style.title.clone() });
    assert_eq!(window.requests(), [Request::ListStyles(DeviceChoice::Auto)]);
    window.reply(Reply::Styles(bundled_styles()));
    assert_eq!(window.settings().style.as_deref(), Some("great_wave"));
    assert_eq!(window.sent(), [LiveCommand::SetStyle(Some(style.path))]);
}

#[test]
fn a_style_that_is_refused_is_left_alone() {
    let mut window = Window::open();
    let style = bundled_styles().remove(0);
    window.harness.state_mut().state.styles.clear();
    window.reply(Reply::Style(style));
    window.requests();
    window.click_button(text::CANCEL);
    assert_eq!((window.app().state.dialog.as_ref(), window.requests().len()), (None, 0));
}

#[test]
fn what_cannot_be_opened_is_told() {
    let mut window = Window::open();
    window.reply(Reply::Unknown("/a/notes.txt".into()));
    assert_eq!(window.app().state.notices[0].kind, NoticeKind::Failed);
    window.harness.get_by_label_contains("notes.txt");
}
