//! Questions and lists that lie over the window.

use egui::{Align, Frame, Id, Layout, Margin, Modal, RichText, Spinner, Ui};

use crate::window::{
    commands::{self, AppCommand},
    state::{Dialog, State},
    text, theme,
    widgets::{IconButton, Tone},
};

const WIDTH: f32 = 400.0;

pub(super) fn dialogs_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let Some(dialog) = &state.dialog else { return };
    let frame = Frame::popup(ui.style()).inner_margin(Margin::same(20));
    let response = Modal::new(Id::unique("dialog")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(WIDTH);
        match dialog {
            Dialog::Quit { recording, exports } => {
                title(ui, text::QUIT_TITLE);
                ui.label(text::quit_text(*recording, *exports));
                buttons(ui, text::FINISH_AND_QUIT, AppCommand::FinishAndQuit, text::STAY, commands);
            }
            Dialog::Finishing => {
                title(ui, text::FINISHING);
                ui.horizontal(|ui| {
                    ui.add(Spinner::new());
                    ui.label(text::FINISHING_TEXT);
                });
            }
            Dialog::AddStyle { path, title: name, architecture } => {
                title(ui, text::ADD_STYLE_TITLE);
                ui.label(text::add_style_text(name, architecture, &path.display().to_string()));
                buttons(ui, text::ADD, AppCommand::InstallStyle(path.clone()), text::CANCEL, commands);
            }
            Dialog::Shortcuts => {
                title(ui, text::SHORTCUTS);
                shortcuts_ui(ui);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if IconButton::text(text::CLOSE).show(ui).clicked() {
                        commands.push(AppCommand::CloseDialog);
                    }
                });
            }
        }
    });
    if response.backdrop_response.clicked() && *dialog != Dialog::Finishing {
        commands.push(AppCommand::CloseDialog);
    }
}

fn title(ui: &mut Ui, words: &str) {
    ui.label(RichText::new(words).size(18.0).color(theme::palette(ui.visuals()).text));
    ui.add_space(4.0);
}

/// What to do at the right, not to do it beside that.
fn buttons(ui: &mut Ui, primary: &str, command: AppCommand, cancel: &str, commands: &mut Vec<AppCommand>) {
    ui.add_space(12.0);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let response = IconButton::text(primary).tone(Tone::Primary).show(ui);
        // The Enter key presses it.
        if ui.memory(|memory| memory.focused().is_none()) {
            response.request_focus();
        }
        if response.clicked() {
            commands.push(command);
        }
        if IconButton::text(cancel).show(ui).clicked() {
            commands.push(AppCommand::CloseDialog);
        }
    });
}

fn shortcuts_ui(ui: &mut Ui) {
    egui::Grid::new("shortcuts").num_columns(2).spacing([24.0, 8.0]).show(ui, |ui| {
        for action in commands::WITH_KEYS {
            let keys: Vec<String> =
                action.shortcuts().iter().map(|shortcut| ui.ctx().format_shortcut(shortcut)).collect();
            ui.label(RichText::new(keys.join("  ")).monospace());
            ui.label(action.label());
            ui.end_row();
        }
    });
    ui.add_space(8.0);
}
