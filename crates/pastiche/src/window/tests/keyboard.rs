//! The keys.

use egui::{Event, Key, Modifiers, PointerButton, ViewportCommand, ViewportId, accesskit::Role};
use egui_kittest::kittest::Queryable;
use pastiche_pipeline::live::LiveCommand;

use super::Window;
use crate::window::{
    commands,
    services::{Pick, Request},
    state::Dialog,
    text,
};

#[test]
fn each_key_does_what_the_list_says() {
    let mut window = Window::open();
    window.press(Key::Space);
    assert_eq!(window.sent(), [LiveCommand::SetPaused(true)]);
    for (key, style) in [
        (Key::ArrowRight, "great_wave"),
        (Key::ArrowDown, "starry_night"),
        (Key::ArrowLeft, "great_wave"),
        (Key::ArrowUp, "starry_night"),
    ] {
        window.press(key);
        assert_eq!(window.settings().style.as_deref(), Some(style), "{key:?}");
    }
    window.sent();
    window.press(Key::R);
    assert!(matches!(window.sent()[..], [LiveCommand::StartRecording(_)]));
    window.press(Key::S);
    assert!(matches!(window.sent()[..], [LiveCommand::Snapshot(_)]));
    window.press(Key::C);
    assert!(window.settings().compare);
    window.press(Key::I);
    assert!(window.settings().overlay);
    window.requests();
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::O);
    window.harness.run();
    assert_eq!(window.requests(), [Request::Pick(Pick::File)]);
}

#[test]
fn full_screen_comes_and_goes() {
    let mut window = Window::open();
    window.press(Key::F);
    assert!(window.app().state.fullscreen);
    assert!(window.harness.query_by_role_and_label(Role::Button, text::RECORD).is_none(), "only the picture");
    window.press(Key::Escape);
    assert!(!window.app().state.fullscreen);
}

#[test]
fn full_screen_has_a_button_another_key_and_a_double_click() {
    let mut window = Window::open();
    window.click_button(text::FULLSCREEN);
    assert!(window.app().state.fullscreen);
    window.press(Key::F11);
    assert!(!window.app().state.fullscreen);
    let middle = window.rect(Role::Image, text::PICTURE).center();
    // Within one frame: from one to the next the test's clock goes too far for a double click.
    let events = &mut window.harness.input_mut().events;
    events.push(Event::PointerMoved(middle));
    for pressed in [true, false, true, false] {
        let button = PointerButton::Primary;
        events.push(Event::PointerButton { pos: middle, button, pressed, modifiers: Modifiers::NONE });
    }
    window.harness.run();
    assert!(window.app().state.fullscreen);
}

#[test]
fn a_button_lists_the_keys_and_a_key_closes_the_window() {
    let mut window = Window::open();
    window.click_button(text::SHORTCUTS);
    assert_eq!(window.app().state.dialog, Some(Dialog::Shortcuts));
    window.press(Key::Escape);
    let (modifiers, key) = (Modifiers::COMMAND, Key::Q);
    let pressed = Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers };
    window.harness.input_mut().events.push(pressed);
    window.harness.step();
    let output = &window.harness.output().viewport_output[&ViewportId::ROOT];
    assert!(output.commands.contains(&ViewportCommand::Close));
}

#[test]
fn the_list_of_keys_opens_and_closes() {
    let mut window = Window::open();
    window.press(Key::F1);
    assert_eq!(window.app().state.dialog, Some(Dialog::Shortcuts));
    for action in commands::WITH_KEYS {
        assert!(window.harness.query_all_by_label(action.label()).next().is_some(), "{action:?}");
    }
    window.press(Key::R);
    assert!(window.sent().is_empty(), "a dialog takes the keys");
    window.press(Key::Escape);
    assert_eq!(window.app().state.dialog, None);
}

#[test]
fn letters_typed_into_a_field_are_not_commands() {
    let mut window = Window::open();
    window.click(Role::ComboBox, text::STYLE);
    window.press(Key::R);
    window.press(Key::Space);
    assert!(window.sent().is_empty());
}

#[test]
fn keys_with_ctrl_are_others() {
    let mut window = Window::open();
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.harness.run();
    assert!(window.sent().is_empty());
}
