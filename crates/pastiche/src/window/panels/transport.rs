//! The bar under the picture: pause, record, snapshot, and what else is done with the picture.

use egui::{Align, Label, Layout, RichText, Sense, TextWrapMode, Ui, Vec2, WidgetInfo, accesskit::Role};
use pastiche_pipeline::live::SourceState;

use crate::window::{
    commands::{Action, AppCommand},
    icons::Icon,
    settings::{MicrophoneSetting, SourceChoice},
    state::State,
    text, theme,
    widgets::{IconButton, Tone, with_tooltip},
};

const HEIGHT: f32 = 38.0;

pub(super) fn transport_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    ui.horizontal_centered(|ui| {
        ui.add_space(8.0);
        let mut button = |ui: &mut Ui, button: IconButton<'_>, action: Action| {
            if with_tooltip(button.height(HEIGHT).show(ui), action).clicked() {
                commands.push(action.into());
            }
        };
        let pause = if state.status.paused {
            IconButton::icon(Icon::Play, text::RESUME)
        } else {
            IconButton::icon(Icon::Pause, text::PAUSE)
        };
        button(ui, pause.tone(Tone::Normal), Action::TogglePause);
        record_button(ui, state, &mut button);
        microphone_ui(ui, state);
        button(ui, IconButton::text(text::SNAPSHOT).with_icon(Icon::Snapshot), Action::TakeSnapshot);
        ui.add_space(8.0);
        let camera_on = state.status.virtual_camera.is_some();
        for (icon, action, on) in [
            (Icon::Compare, Action::ToggleCompare, state.settings.compare),
            (Icon::Broadcast, Action::ToggleVirtualCamera, camera_on),
            (Icon::Gauge, Action::ToggleOverlay, state.settings.overlay),
        ] {
            button(ui, IconButton::icon(icon, action.label()).selected(on), action);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(8.0);
            source_ui(ui, state);
        });
    });
}

fn record_button(ui: &mut Ui, state: &State, button: &mut impl FnMut(&mut Ui, IconButton<'_>, Action)) {
    let action = Action::ToggleRecording;
    match &state.status.recording {
        None => {
            button(ui, IconButton::text(text::RECORD).with_icon(Icon::Record).tone(Tone::Danger), action);
        }
        Some(recording) if recording.closing => {
            ui.add_enabled_ui(false, |ui| {
                button(ui, IconButton::text(text::SAVING).tone(Tone::Danger), action);
            });
        }
        Some(recording) => {
            let clock = text::clock(recording.duration);
            let stop = IconButton { name: text::STOP_RECORDING, ..IconButton::text(&clock) };
            button(ui, stop.with_icon(Icon::Stop).tone(Tone::Danger).selected(true), action);
            if recording.dropped > 0 {
                let palette = theme::palette(ui.visuals());
                ui.label(RichText::new(text::recording_dropped(recording.dropped)).color(palette.danger));
            }
        }
    }
}

/// Tells that sound is recorded, where it is.
fn microphone_ui(ui: &mut Ui, state: &State) {
    let microphone = &state.settings.microphone;
    if *microphone == MicrophoneSetting::Off {
        return;
    }
    let words = text::recorded_with(microphone.name());
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(HEIGHT / 2.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    Icon::Microphone.paint(ui.painter(), rect, theme::palette(ui.visuals()).accent);
    response.on_hover_text(words);
}

/// What is shown, how large it is, and how fast it is painted.
fn source_ui(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui.visuals());
    let SourceState::Running { name, width, height, .. } = &state.status.source else { return };
    let shown = state.status.size.unwrap_or((*width, *height));
    // A photograph is painted when something changes.
    let moves = !matches!(state.source, SourceChoice::Still(_)) && !state.status.paused;
    if moves {
        ui.label(RichText::new(text::fps(state.status.statistics.fps)).color(palette.muted));
    }
    ui.label(RichText::new(text::size(shown)).color(palette.muted));
    ui.add(Label::new(RichText::new(name).color(palette.text)).wrap_mode(TextWrapMode::Truncate));
}
