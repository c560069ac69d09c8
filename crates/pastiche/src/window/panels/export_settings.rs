//! The panel beside the preview: what is exported, and as what.

use egui::{Frame, Label, Margin, Panel, RichText, TextWrapMode, Ui};
use pastiche_frame::Rational;
use pastiche_pipeline::live::ProcessSize;

use super::{live::process_sizes, scrolling, styles};
use crate::window::{
    commands::{Action, AppCommand, ExportCommand},
    icons::Icon,
    settings::{AudioChoice, ExportSize, ExportUpscale, Quality},
    state::{ExportDraft, State},
    text, theme,
    widgets::{IconButton, Tone, action_button, choice, heading, row},
};

pub(super) fn export_settings_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    // What to press next stays in sight where the rest scrolls.
    let frame =
        Frame::new().fill(ui.visuals().panel_fill).inner_margin(Margin::same(theme::PANEL_MARGIN as i8));
    Panel::bottom("add").frame(frame).show(ui, |ui| add_ui(ui, state, commands));
    scrolling(ui, |ui| {
        video_ui(ui, state.draft.as_ref(), commands);
        ui.add_space(theme::SECTION_GAP);
        styles::style_ui(ui, state, commands);
        ui.add_space(theme::SECTION_GAP);
        format_ui(ui, state, commands);
        if let Some(draft) = &state.draft {
            ui.add_space(theme::SECTION_GAP);
            output_ui(ui, draft, commands);
        }
    });
}

fn add_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    ui.add_enabled_ui(state.draft.is_some() && state.style().is_some(), |ui| {
        let add = IconButton::text(text::ADD_TO_QUEUE).with_icon(Icon::Add).tone(Tone::Primary).height(38.0);
        if add.show_at_least(ui, ui.available_width()).clicked() {
            commands.push(ExportCommand::Add.into());
        }
    });
}

fn video_ui(ui: &mut Ui, draft: Option<&ExportDraft>, commands: &mut Vec<AppCommand>) {
    heading(ui, text::VIDEO);
    let palette = theme::palette(ui.visuals());
    match draft {
        Some(draft) => {
            let name = RichText::new(text::file_name(&draft.input)).color(palette.text);
            ui.add(Label::new(name).wrap_mode(TextWrapMode::Truncate));
            let fps = draft.frame_rate.map(Rational::as_f64);
            let facts = text::video_facts((draft.width, draft.height), fps, draft.duration);
            ui.label(RichText::new(facts).size(12.0).color(palette.muted));
        }
        None => {
            ui.label(RichText::new(text::EXPORT_HINT).color(palette.muted));
        }
    }
    let choose =
        IconButton::text(text::CHOOSE_VIDEO).with_icon(Icon::Folder).show_at_least(ui, ui.available_width());
    if choose.clicked() {
        commands.push(ExportCommand::ChooseVideo.into());
    }
}

fn format_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::FORMAT);
    let settings = &state.settings;
    let source = state.draft.as_ref().map(|draft| (draft.width, draft.height));
    let name = |size| text::export_size(size, source);
    let sizes = ExportSize::ALL.map(|size| (size, name(size)));
    let shown = name(settings.export_size);
    if let Some(size) = choice(ui, text::SIZE, "", (&settings.export_size, &shown), sizes) {
        commands.push(ExportCommand::SetSize(size).into());
    }
    upscale_ui(ui, state, commands);
    resolution_ui(ui, state, commands);
    let qualities = Quality::ALL.map(|quality| (quality, text::quality(quality).to_owned()));
    let shown = text::quality(settings.quality);
    if let Some(quality) = choice(ui, text::QUALITY, "", (&settings.quality, shown), qualities) {
        commands.push(ExportCommand::SetQuality(quality).into());
    }
    let automatic = std::iter::once((None, text::ENCODER_AUTO.to_owned()));
    let encoders =
        automatic.chain(state.encoders.iter().map(|encoder| (Some(encoder.clone()), encoder.clone())));
    let shown = settings.encoder.as_deref().unwrap_or(text::ENCODER_AUTO);
    if let Some(encoder) = choice(ui, text::ENCODER, "", (&settings.encoder, shown), encoders) {
        commands.push(ExportCommand::SetEncoder(encoder).into());
    }
    let silent = state.draft.as_ref().is_some_and(|draft| !draft.has_audio);
    let shown = if silent { text::NO_AUDIO } else { text::audio(settings.audio) };
    let sounds = AudioChoice::ALL.map(|audio| (audio, text::audio(audio).to_owned()));
    ui.add_enabled_ui(!silent, |ui| {
        if let Some(audio) = choice(ui, text::AUDIO, "", (&settings.audio, shown), sounds) {
            commands.push(ExportCommand::SetAudio(audio).into());
        }
    });
}

/// What enlarges, where there is anything; a network that is chosen and gone can be chosen off.
fn upscale_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let chosen = state.settings.export_upscale;
    if state.upscalers.is_empty() && chosen == ExportUpscale::Off {
        return;
    }
    let size = state.settings.export_size;
    let painted = state.draft.as_ref().map(|draft| size.encoded(draft.width, draft.height));
    let name = |upscale| text::export_upscale(upscale, painted);
    let installed = state.upscalers.iter().map(|upscaler| ExportUpscale::Times(upscaler.factor));
    let entries =
        std::iter::once(ExportUpscale::Off).chain(installed).map(|upscale| (upscale, name(upscale)));
    let shown = name(chosen);
    if let Some(upscale) = choice(ui, text::UPSCALE, text::UPSCALE_TOOLTIP, (&chosen, &shown), entries) {
        commands.push(ExportCommand::SetUpscale(upscale).into());
    }
}

/// How large the network works, which the live picture's setting says.
fn resolution_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let fixed = state.settings.resolution.of_export();
    let now = fixed.map_or(ProcessSize::Source, |(width, height)| ProcessSize::Fixed(width, height));
    let shown = text::resolution(now);
    let sizes = process_sizes().filter(|size| *size != ProcessSize::Auto);
    let sizes = sizes.map(|size| (size, text::resolution(size)));
    if let Some(size) = choice(ui, text::RESOLUTION, text::EXPORT_RESOLUTION_TOOLTIP, (&now, &shown), sizes) {
        commands.push(AppCommand::SetProcessSize(size));
    }
}

fn output_ui(ui: &mut Ui, draft: &ExportDraft, commands: &mut Vec<AppCommand>) {
    heading(ui, text::SAVE_AS);
    let palette = theme::palette(ui.visuals());
    let name = RichText::new(text::file_name(&draft.output)).color(palette.text);
    ui.add(Label::new(name).wrap_mode(TextWrapMode::Truncate))
        .on_hover_text(draft.output.display().to_string());
    row(ui, text::FOLDER, "", |ui| {
        let folder = draft.output.parent().map(text::file_name).unwrap_or_default();
        let width = ui.available_width() - theme::CONTROL_HEIGHT - 8.0;
        ui.scope(|ui| {
            ui.set_width(width);
            ui.add(Label::new(folder).wrap_mode(TextWrapMode::Truncate));
        });
        if action_button(ui, Action::ChooseFolder).clicked() {
            commands.push(Action::ChooseFolder.into());
        }
    });
    let change = IconButton::text(text::CHANGE).show_at_least(ui, ui.available_width());
    if change.clicked() {
        commands.push(ExportCommand::ChooseOutput.into());
    }
}
