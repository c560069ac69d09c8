//! Every control of the live screen changes what it should.

use egui::{Key, accesskit::Role, vec2};
use egui_kittest::kittest::Queryable;
use pastiche_inference::DeviceChoice;
use pastiche_media::{CameraChoice, CameraInfo, MicrophoneChoice, MicrophoneInfo};
use pastiche_pipeline::live::{LiveCommand, LiveEvent, LiveSource, ProcessSize, SourceState};

use super::{Start, Window};
use crate::window::{
    services::{Pick, Reply, Request},
    settings::{ExportUpscale, MicrophoneSetting, Resolution, Settings, SourceChoice, ThemeChoice},
    state::{NoticeKind, Screen},
    text,
};

#[test]
fn the_session_starts_with_what_was_remembered() {
    let settings = Settings {
        style: Some("great_wave".into()),
        strength: 0.5,
        mirror: true,
        resolution: Resolution::Fixed(320, 240),
        welcomed: true,
        ..Settings::default()
    };
    let window = Window::start(Start { settings, ..Start::default() });
    let world = window.world.borrow();
    let options = world.options.as_ref().unwrap();
    assert!(matches!(options.source, LiveSource::Camera(_)));
    assert!(options.style.as_ref().unwrap().ends_with("great_wave.swift.safetensors"));
    assert_eq!((options.controls.strength, options.mirror), (0.5, true));
    assert_eq!(options.process_size, ProcessSize::Fixed(320, 240));
    assert!(window.app().state.picture.is_some(), "the session's picture is shown");
}

#[test]
fn sliders_and_boxes_mix_the_painting() {
    let mut window = Window::open();
    window.node(Role::Slider, text::STRENGTH).set_value_accesskit(0.25);
    window.harness.run();
    window.node(Role::Slider, text::SMOOTHING).set_value_accesskit(0.75);
    window.harness.run();
    window.click(Role::CheckBox, text::KEEP_COLORS);
    let settings = window.settings();
    assert_eq!((settings.strength, settings.smoothing, settings.keep_colors), (0.25, 0.75, true));
    let controls = settings.controls();
    assert_eq!(window.sent().last(), Some(&LiveCommand::SetControls(controls)));
}

#[test]
fn a_box_mirrors_the_picture() {
    let mut window = Window::open();
    window.click(Role::CheckBox, text::MIRROR);
    assert!(window.settings().mirror);
    assert_eq!(window.sent(), [LiveCommand::SetMirror(true)]);
}

#[test]
fn lists_choose_resolution_device_and_source() {
    let mut window = Window::open();
    window.click(Role::ComboBox, text::RESOLUTION);
    window.click_button("640 \u{d7} 360");
    assert_eq!(window.settings().resolution, Resolution::Fixed(640, 360));
    assert_eq!(window.sent(), [LiveCommand::SetProcessSize(ProcessSize::Fixed(640, 360))]);
    window.click(Role::ComboBox, text::DEVICE);
    window.click_button("Some Processor");
    assert_eq!(window.settings().device, "cpu");
    let sent = window.sent();
    let [LiveCommand::SetEngine(engine)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(engine.device, DeviceChoice::Cpu);
    window.requests();
    window.click(Role::ComboBox, text::SOURCE);
    assert_eq!(window.requests(), [Request::ListCameras], "an open list looks for cameras");
    window.click_button(text::DEMO_CLIP);
    assert_eq!(window.settings().source, SourceChoice::Demo);
    assert_eq!(window.sent(), [LiveCommand::SetSource(LiveSource::Video("/demo/harbour.mp4".into()))]);
}

#[test]
fn a_microphone_is_recorded_only_where_it_was_chosen() {
    let mut window = Window::open();
    let recorded = |window: &mut Window| {
        window.click_button(text::RECORD);
        let sent = window.sent();
        let [LiveCommand::StartRecording(options)] = &sent[..] else { panic!("{sent:?}") };
        options.microphone.clone()
    };
    assert_eq!(recorded(&mut window), None);
    window.requests();
    window.click(Role::ComboBox, text::MICROPHONE);
    assert_eq!(window.requests(), [Request::ListMicrophones], "an open list looks for microphones");
    window.click_button(text::MICROPHONE_SYSTEM);
    assert_eq!(recorded(&mut window), Some(MicrophoneChoice::System));
    window.harness.get_by_label(&text::recorded_with(text::MICROPHONE_SYSTEM));

    let microphone = MicrophoneInfo { id: "card:1".into(), name: "Desk".into() };
    window.reply(Reply::Microphones(vec![microphone.clone()]));
    window.click(Role::ComboBox, text::MICROPHONE);
    window.click_button("Desk");
    assert_eq!(window.settings().microphone, MicrophoneSetting::from(&microphone));
    assert_eq!(recorded(&mut window), Some(MicrophoneChoice::Named("card:1".into())));
    // Unplugged, it is still what was chosen.
    window.reply(Reply::Microphones(Vec::new()));
    window.click(Role::ComboBox, text::MICROPHONE);
    window.node(Role::Button, "Desk");
}

#[test]
fn sound_that_is_lost_is_told() {
    let mut window = Window::open();
    let reason = "it was unplugged".to_owned();
    window.world.borrow_mut().events.push(LiveEvent::SoundLost { reason });
    window.harness.run();
    let notice = &window.app().state.notices[0];
    assert_eq!((notice.kind, &notice.text), (NoticeKind::Failed, &text::sound_lost("it was unplugged")));
}

#[test]
fn the_style_list_is_searched_and_chosen_from() {
    let mut window = Window::open();
    let titles: Vec<String> = window.app().state.styles.iter().map(|style| style.title.clone()).collect();
    window.click(Role::ComboBox, text::STYLE);
    assert!(titles.iter().all(|title| window.harness.query_by_role_and_label(Role::Button, title).is_some()));
    window.harness.get_by_role(Role::TextInput).type_text("WAVE");
    window.harness.run();
    assert_eq!(window.app().state.style_search, "WAVE");
    assert!(window.harness.query_by_role_and_label(Role::Button, &titles[1]).is_none());
    let wave = titles[0].clone();
    window.click_button(&wave);
    assert_eq!(window.settings().style.as_deref(), Some("great_wave"));
    let sent = window.sent();
    let [LiveCommand::SetStyle(Some(path))] = &sent[..] else { panic!("{sent:?}") };
    assert!(path.ends_with("great_wave.swift.safetensors"));
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let mut window = Window::open();
    window.click(Role::ComboBox, text::STYLE);
    window.harness.get_by_role(Role::TextInput).type_text("zzz");
    window.harness.run();
    window.harness.get_by_label(text::NO_STYLE_FOUND);
}

#[test]
fn buttons_go_through_the_styles_round_and_round() {
    let mut window = Window::open();
    assert_eq!(window.settings().style.as_deref(), Some("starry_night"));
    for (button, style) in [
        (text::NEXT_STYLE, "great_wave"),
        (text::NEXT_STYLE, "starry_night"),
        (text::PREVIOUS_STYLE, "great_wave"),
    ] {
        window.click_button(button);
        assert_eq!(window.settings().style.as_deref(), Some(style));
    }
    assert_eq!(window.sent().len(), 3);
}

#[test]
fn the_bar_pauses_records_and_takes_snapshots() {
    let mut window = Window::open();
    window.click_button(text::PAUSE);
    assert_eq!(window.sent(), [LiveCommand::SetPaused(true)]);
    window.set_status(|status| status.paused = true);
    window.click_button(text::RESUME);
    assert_eq!(window.sent(), [LiveCommand::SetPaused(false)]);
    window.click_button(text::SNAPSHOT);
    assert_eq!(window.sent(), [LiveCommand::Snapshot("/videos/starry_night 1.png".into())]);
    window.click_button(text::RECORD);
    let sent = window.sent();
    let [LiveCommand::StartRecording(options)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(options.path.to_str(), Some("/videos/starry_night 1.mp4"));
    window.set_status(|status| status.recording = Some(super::closing::recording()));
    window.click_button(text::STOP_RECORDING);
    assert_eq!(window.sent(), [LiveCommand::StopRecording]);
}

#[test]
fn what_is_saved_is_told_and_shown_in_its_folder() {
    let mut window = Window::open();
    let path = std::path::PathBuf::from("/videos/starry_night 1.png");
    window.world.borrow_mut().events.push(LiveEvent::SnapshotSaved { path: path.clone() });
    window.harness.run();
    let notice = &window.app().state.notices[0];
    assert_eq!((notice.kind, notice.file.as_ref()), (NoticeKind::Done, Some(&path)));
    window.requests();
    window.click_button(text::SHOW_IN_FOLDER);
    assert_eq!(window.requests(), [Request::Reveal(path)]);
    window.click_button(text::DISMISS);
    assert!(window.app().state.notices.is_empty());
}

#[test]
fn notices_go_by_themselves() {
    let mut window = Window::open();
    window.world.borrow_mut().events.push(LiveEvent::Error("the disk is full".into()));
    window.harness.run();
    window.harness.get_by_label("the disk is full");
    window.harness.run_steps(80);
    assert!(window.app().state.notices.is_empty(), "after 20 seconds");
}

#[test]
fn the_virtual_camera_starts_and_stops() {
    let mut window = Window::open();
    window.click_button(text::VIRTUAL_CAMERA);
    assert_eq!(window.sent(), [LiveCommand::StartVirtualCamera(None)]);
    window.set_status(|status| status.virtual_camera = Some("/dev/video9".into()));
    window.click_button(text::VIRTUAL_CAMERA);
    assert_eq!(window.sent(), [LiveCommand::StopVirtualCamera]);
}

#[test]
fn the_line_between_before_and_after_is_dragged() {
    let mut window = Window::open();
    window.click_button(text::COMPARE);
    assert!(window.settings().compare);
    assert_eq!(window.sent(), [LiveCommand::SetCompare(true)]);
    let picture = window.rect(Role::Image, text::PICTURE);
    let line = window.rect(Role::Slider, text::SPLIT).center();
    window.drag(line, line + vec2(picture.width() * 0.25, 0.0));
    assert!((window.settings().split - 0.75).abs() < 0.02, "{}", window.settings().split);
    window.drag(line + vec2(picture.width() * 0.25, 0.0), picture.left_center() - vec2(500.0, 0.0));
    assert_eq!(window.settings().split, 0.0, "it stays on the picture");
    window.node(Role::Slider, text::SPLIT).focus();
    window.harness.run();
    window.press(Key::ArrowRight);
    assert!(window.settings().split > 0.0, "and is moved by keys");
}

#[test]
fn theme_figures_and_screens_change() {
    let mut window = Window::open();
    window.click_button(text::THEME);
    assert_eq!(window.settings().theme, ThemeChoice::Light);
    assert!(!window.harness.ctx.global_style().visuals.dark_mode);
    window.click_button(text::FIGURES);
    assert!(window.settings().overlay);
    window.click_button(text::EXPORT);
    assert_eq!(window.app().state.screen, Screen::Export);
    window.click_button(text::LIVE);
    assert_eq!(window.app().state.screen, Screen::Live);
}

#[test]
fn buttons_ask_for_files_and_folders() {
    let mut window = Window::open();
    window.requests();
    window.harness.get_all_by_role_and_label(Role::Button, text::OPEN_FILE).next().unwrap().click();
    window.harness.run();
    window.click_button(text::ADD_STYLE);
    window.node(Role::Button, text::CHOOSE_FOLDER).scroll_to_me();
    window.harness.run();
    window.click_button(text::CHOOSE_FOLDER);
    let picks = [Pick::File, Pick::Style, Pick::Folder].map(Request::Pick);
    assert_eq!(window.requests(), picks);
    window.reply(crate::window::services::Reply::Picked(Pick::Folder, "/elsewhere".into()));
    window.click_button(text::SNAPSHOT);
    assert_eq!(window.sent(), [LiveCommand::Snapshot("/elsewhere/starry_night 1.png".into())]);
}

#[test]
fn a_lost_camera_is_told_in_words_and_the_window_goes_on() {
    let mut window = Window::open();
    let reason = "the camera does not answer".to_owned();
    window.set_status(|status| status.source = SourceState::Lost { reason, retrying: true });
    window.harness.get_by_label(text::SOURCE_LOST);
    window.harness.get_by_label_contains("The camera does not answer");
    window.click_button(text::NEXT_STYLE);
    assert_eq!(window.sent().len(), 1);
    window.requests();
    window.harness.get_all_by_role_and_label(Role::Button, text::OPEN_FILE).last().unwrap().click();
    window.harness.run();
    assert_eq!(window.requests(), [Request::Pick(Pick::File)], "the card's button asks for a file");
    window.set_status(|status| *status = super::running_status());
    assert!(window.harness.query_by_label(text::SOURCE_LOST).is_none());
}

#[test]
fn settings_are_saved_once_a_while_after_the_last_change() {
    let mut window = Window::open();
    window.harness.run_steps(8);
    window.world.borrow_mut().saved.clear();
    window.click(Role::CheckBox, text::MIRROR);
    window.harness.run_steps(8);
    let world = window.world.borrow();
    assert_eq!(world.saved.len(), 1);
    assert!(world.saved[0].mirror);
}

#[test]
fn the_first_start_without_a_camera_shows_the_demo_clip_and_greets() {
    let mut window = Window::start(Start { settings: Settings::default(), has_camera: false });
    let source = window.world.borrow().options.as_ref().unwrap().source.clone();
    assert_eq!(source, LiveSource::Video("/demo/harbour.mp4".into()));
    window.harness.get_by_label(text::WELCOME);
    window.click_button(text::GOT_IT);
    assert!(window.settings().welcomed && window.harness.query_by_label(text::WELCOME).is_none());
    assert_eq!(window.settings().source, SourceChoice::Any);

    window.requests();
    window.harness.run_steps(12);
    assert!(window.requests().contains(&Request::ListCameras), "it looks for a camera now and then");
    window.sent();
    window.reply(Reply::Cameras(vec![CameraInfo { id: 0, name: "Front Camera".to_owned() }]));
    let sent = window.sent();
    assert!(matches!(sent[..], [LiveCommand::SetSource(LiveSource::Camera(_))]), "{sent:?}");
    assert_eq!(window.settings().source, SourceChoice::Any, "the next start takes any camera, too");
    window.requests();
    window.harness.run_steps(12);
    assert_eq!(window.requests(), [], "one that is there is not looked for");
}

#[test]
fn a_camera_that_is_shown_is_not_opened_beside_itself() {
    let mut window = Window::open();
    let choose = |window: &mut Window| {
        window.click(Role::ComboBox, text::SOURCE);
        window.click_button("Front Camera");
    };
    choose(&mut window);
    assert_eq!(window.sent(), []);
    let reason = "it was unplugged".to_owned();
    window.set_status(|status| status.source = SourceState::Lost { reason, retrying: true });
    choose(&mut window);
    assert_eq!(window.sent().len(), 1, "one that is lost is tried at once");
}

#[test]
fn a_recording_is_told_where_there_is_no_bar() {
    let mut window = Window::open();
    window.set_status(|status| status.recording = Some(super::closing::recording()));
    let words = text::recording(super::closing::recording().duration);
    assert!(window.harness.query_by_label(&words).is_none(), "the bar tells it");
    window.press(Key::F);
    window.harness.get_by_label(&words);
}

#[test]
fn nothing_is_cut_off_where_the_window_is_small() {
    let settings = Settings { export_upscale: ExportUpscale::Times(8), ..Start::default().settings };
    let mut window = Window::start(Start { settings, ..Start::default() });
    let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, vec2(1024.0, 640.0));
    for label in [text::RECORD, text::SNAPSHOT, text::FIGURES, text::THEME, text::EXPORT, text::NEXT_STYLE] {
        let rect = window.rect(Role::Button, label);
        assert!(whole.contains_rect(rect), "{label}: {rect:?}");
    }
    assert_eq!(cut_words(&window), Vec::<String>::new());
    window.open_video();
    window.click_button(text::ADD_TO_QUEUE);
    assert!(whole.contains_rect(window.rect(Role::Button, text::ADD_TO_QUEUE)));
    assert_eq!(cut_words(&window), Vec::<String>::new());
}

/// Words that are drawn with dots at their end, other than the credits of styles: those are told as a whole elsewhere.
fn cut_words(window: &Window) -> Vec<String> {
    fn look(shape: &egui::Shape, found: &mut Vec<String>) {
        match shape {
            egui::Shape::Text(text) if text.galley.elided => found.push(text.galley.job.text.clone()),
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|shape| look(shape, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    window.harness.output().shapes.iter().for_each(|clipped| look(&clipped.shape, &mut found));
    found.retain(|words| window.app().state.styles.iter().all(|style| style.credit != *words));
    found
}

#[test]
fn snapshots_that_follow_each_other_have_names_of_their_own() {
    let mut window = Window::open();
    window.press(Key::S);
    window.press(Key::S);
    let names = [1, 2].map(|number| format!("/videos/starry_night {number}.png"));
    assert_eq!(window.sent(), names.map(|name| LiveCommand::Snapshot(name.into())));
}

#[test]
fn the_styles_beside_the_chosen_one_are_got_ready() {
    let mut window = Window::open();
    let prepared = |window: &Window| -> Vec<String> {
        let paths = window.world.borrow().prepared.clone();
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(prepared(&window), ["great_wave.swift.safetensors"]);
    window.press(Key::ArrowRight);
    assert_eq!(prepared(&window), ["starry_night.swift.safetensors"]);
}

#[test]
fn cameras_of_one_name_are_told_apart() {
    let mut window = Window::open();
    let twin = |id| pastiche_media::CameraInfo { id, name: "Twin".to_owned() };
    window.reply(Reply::Cameras(vec![twin(0), twin(2)]));
    window.click(Role::ComboBox, text::SOURCE);
    window.harness.get_by_label("Twin (2)").click();
    window.harness.run();
    let sent = window.sent();
    let [LiveCommand::SetSource(LiveSource::Camera(options))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(options.camera, CameraChoice::Known { id: 2, name: "Twin".to_owned() });
    assert_eq!(window.settings().source, SourceChoice::Camera { name: "Twin".to_owned(), id: Some(2) });
}
