//! The panel beside the picture: source, style, and how it is painted.

use egui::{ComboBox, Label, RichText, TextWrapMode, Ui};
use pastiche_inference::DeviceChoice;
use pastiche_media::CameraInfo;
use pastiche_pipeline::live::ProcessSize;

use super::{scrolling, styles};
use crate::window::{
    commands::{Action, AppCommand},
    icons::Icon,
    settings::{MicrophoneSetting, Resolution, SourceChoice},
    state::State,
    text, theme,
    widgets::{
        IconButton, Tone, action_button, choice, fraction_slider, heading, paint_chevron, row, tick,
        with_tooltip,
    },
};

/// Sizes that are offered for the network, the smallest first.
const PROCESS_SIZES: [(u32, u32); 5] = [(320, 240), (480, 360), (640, 360), (640, 480), (1280, 720)];

pub(super) fn live_panel_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    scrolling(ui, |ui| {
        source_ui(ui, state, commands);
        ui.add_space(theme::SECTION_GAP);
        styles::style_ui(ui, state, commands);
        ui.add_space(theme::SECTION_GAP);
        painting_ui(ui, state, commands);
        ui.add_space(theme::SECTION_GAP);
        performance_ui(ui, state, commands);
        ui.add_space(theme::SECTION_GAP);
        recordings_ui(ui, state, commands);
    });
}

fn source_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::SOURCE);
    ui.horizontal(|ui| {
        const BUTTON: f32 = theme::CONTROL_HEIGHT + 8.0;
        let width = ui.available_width() - BUTTON;
        let response = ComboBox::from_id_salt("source")
            .icon(paint_chevron)
            .width(width)
            .truncate()
            .selected_text(source_name(state))
            .show_ui(ui, |ui| source_list_ui(ui, state, commands))
            .response
            .accessible_name(text::SOURCE);
        if response.clicked() {
            commands.push(AppCommand::RefreshCameras);
        }
        let open = IconButton::icon(Icon::Folder, text::OPEN_FILE).tone(Tone::Normal).show(ui);
        if with_tooltip(open, Action::OpenFile).clicked() {
            commands.push(Action::OpenFile.into());
        }
    });
    if let Some(on) = tick(ui, text::MIRROR, state.settings.mirror) {
        commands.push(AppCommand::SetMirror(on));
    }
}

fn source_list_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let mut entry = |ui: &mut Ui, source: SourceChoice, name: &str| {
        if ui.selectable_label(state.source == source, name).clicked() {
            commands.push(AppCommand::SetSource(source));
        }
    };
    for camera in &state.cameras {
        entry(ui, camera.into(), &camera_name(state, camera));
    }
    if state.demo.is_some() {
        entry(ui, SourceChoice::Demo, text::DEMO_CLIP);
    }
    if let SourceChoice::Video(path) | SourceChoice::Still(path) = &state.source {
        entry(ui, state.source.clone(), &text::file_name(path));
    }
    if state.cameras.is_empty() {
        ui.weak(text::NO_CAMERA);
    }
}

/// A camera's name, with its number where another one has the same.
fn camera_name(state: &State, camera: &CameraInfo) -> String {
    let is_twin = |other: &&CameraInfo| other.name == camera.name && other.id != camera.id;
    match state.cameras.iter().find(is_twin) {
        Some(_) => text::numbered_camera(&camera.name, camera.id),
        None => camera.name.clone(),
    }
}

/// What the source is called.
pub(super) fn source_name(state: &State) -> String {
    match &state.source {
        SourceChoice::Any => text::NO_CAMERA.to_owned(),
        SourceChoice::Camera { name, id } => match (id, name.is_empty()) {
            (Some(id), true) => text::camera_number(*id),
            (Some(id), false) => camera_name(state, &CameraInfo { id: *id, name: name.clone() }),
            (None, _) => name.clone(),
        },
        SourceChoice::Demo => text::DEMO_CLIP.to_owned(),
        SourceChoice::Video(path) | SourceChoice::Still(path) => text::file_name(path),
    }
}

fn painting_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::PAINTING);
    let settings = &state.settings;
    if let Some(strength) = fraction_slider(ui, text::STRENGTH, text::STRENGTH_TOOLTIP, settings.strength) {
        commands.push(AppCommand::SetStrength(strength));
    }
    if let Some(smoothing) = fraction_slider(ui, text::SMOOTHING, text::SMOOTHING_TOOLTIP, settings.smoothing)
    {
        commands.push(AppCommand::SetSmoothing(smoothing));
    }
    if let Some(on) = tick(ui, text::KEEP_COLORS, settings.keep_colors) {
        commands.push(AppCommand::SetKeepColors(on));
    }
}

fn performance_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::PERFORMANCE);
    let now = ProcessSize::from(state.settings.resolution);
    let shown = match (state.settings.resolution, state.status.process_size) {
        (Resolution::Auto, Some(size)) => text::resolution_now(size),
        _ => text::resolution(now),
    };
    let sizes = process_sizes().map(|size| (size, text::resolution(size)));
    if let Some(size) = choice(ui, text::RESOLUTION, text::RESOLUTION_TOOLTIP, (&now, &shown), sizes) {
        commands.push(AppCommand::SetProcessSize(size));
    }
    if is_coarser(state) {
        let palette = theme::palette(ui.visuals());
        ui.label(RichText::new(text::COARSER).size(12.0).color(palette.muted));
    }
    let automatic = DeviceChoice::Auto.to_string();
    let device_name = |id: &str| {
        let known = state.devices.iter().find(|device| device.id == id);
        known.map_or_else(|| id.to_owned(), |device| device.name.clone())
    };
    let shown = if state.settings.device == automatic {
        text::DEVICE_AUTO.to_owned()
    } else {
        device_name(&state.settings.device)
    };
    let devices = std::iter::once((automatic, text::DEVICE_AUTO.to_owned()))
        .chain(state.devices.iter().map(|device| (device.id.clone(), device.name.clone())));
    if let Some(device) = choice(ui, text::DEVICE, "", (&state.settings.device, &shown), devices) {
        commands.push(AppCommand::SetDevice(device));
    }
}

/// What can be chosen as resolution.
pub(super) fn process_sizes() -> impl Iterator<Item = ProcessSize> {
    let fixed = PROCESS_SIZES.map(|(width, height)| ProcessSize::Fixed(width, height));
    [ProcessSize::Auto, ProcessSize::Source].into_iter().chain(fixed)
}

/// Whether the network works at a smaller size than the source's, and not because somebody chose it.
fn is_coarser(state: &State) -> bool {
    let sizes = state.status.process_size.zip(state.status.size);
    state.settings.resolution == Resolution::Auto && sizes.is_some_and(|(process, whole)| process.0 < whole.0)
}

/// What is heard in recordings.
fn microphone_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let chosen = &state.settings.microphone;
    row(ui, text::MICROPHONE, text::MICROPHONE_TOOLTIP, |ui| {
        let list = ComboBox::from_id_salt("microphone")
            .icon(paint_chevron)
            .width(ui.available_width())
            .truncate()
            .selected_text(chosen.name());
        let response = list.show_ui(ui, |ui| {
            let known = state.microphones.iter().map(MicrophoneSetting::from);
            // One that is chosen stays in the list while it is unplugged.
            let away =
                [chosen.clone()].into_iter().filter(|chosen| known.clone().all(|known| known != *chosen));
            let away = away.filter(|chosen| matches!(chosen, MicrophoneSetting::Named { .. }));
            let fixed = [MicrophoneSetting::Off, MicrophoneSetting::System];
            for microphone in fixed.into_iter().chain(known.clone()).chain(away) {
                if ui.selectable_label(microphone == *chosen, microphone.name()).clicked() {
                    commands.push(AppCommand::SetMicrophone(microphone));
                }
            }
        });
        if response.response.clicked() {
            commands.push(AppCommand::RefreshMicrophones);
        }
    });
}

fn recordings_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::SAVING_TO);
    microphone_ui(ui, state, commands);
    row(ui, text::FOLDER, "", |ui| {
        let width = ui.available_width() - theme::CONTROL_HEIGHT - 8.0;
        ui.scope(|ui| {
            ui.set_width(width);
            let name = RichText::new(text::file_name(&state.folder));
            let label = ui.add(Label::new(name).wrap_mode(TextWrapMode::Truncate));
            label.on_hover_text(state.folder.display().to_string());
        });
        if action_button(ui, Action::ChooseFolder).clicked() {
            commands.push(Action::ChooseFolder.into());
        }
    });
}
