//! What the window looks like. Every panel reads the state and says what is wanted; none changes anything.

mod dialogs;
mod export;
mod export_settings;
mod live;
mod notices;
mod stage;
mod styles;
mod timeline;
mod top;
mod transport;

use egui::{CentralPanel, Frame, Margin, Panel, Ui};

use super::{
    commands::AppCommand,
    state::{Screen, State},
    theme,
};

/// The whole window.
pub(crate) fn window_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    if state.fullscreen {
        stage_ui(ui, state, commands);
    } else {
        bar(Panel::top("top"), theme::TOP_BAR_HEIGHT).show(ui, |ui| top::top_ui(ui, state, commands));
        match state.screen {
            Screen::Live => live_screen_ui(ui, state, commands),
            Screen::Export => export_screen_ui(ui, state, commands),
        }
    }
    dialogs::dialogs_ui(ui, state, commands);
}

fn live_screen_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    side_panel("side").show(ui, |ui| live::live_panel_ui(ui, state, commands));
    bar(Panel::bottom("transport"), theme::BOTTOM_BAR_HEIGHT)
        .show(ui, |ui| transport::transport_ui(ui, state, commands));
    stage_ui(ui, state, commands);
}

fn export_screen_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    side_panel("export").show(ui, |ui| export_settings::export_settings_ui(ui, state, commands));
    let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(Margin::same(16));
    Panel::bottom("queue")
        .exact_size(theme::QUEUE_HEIGHT)
        .frame(frame)
        .show(ui, |ui| export::queue_ui(ui, state, commands));
    if let Some(draft) = &state.draft {
        Panel::bottom("timeline").frame(frame).show(ui, |ui| timeline::timeline_ui(ui, draft, commands));
    }
    stage_ui(ui, state, commands);
}

fn stage_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    CentralPanel::no_frame().frame(Frame::new().fill(theme::STAGE)).show(ui, |ui| {
        stage::stage_ui(ui, state, commands);
        notices::notices_ui(ui, state, commands);
    });
}

fn bar(panel: Panel, height: f32) -> Panel {
    panel.exact_size(height).resizable(false)
}

fn side_panel(name: &'static str) -> Panel {
    Panel::right(name).exact_size(theme::SIDE_PANEL_WIDTH).resizable(false).frame(Frame::NONE)
}

/// The inside of a side panel: it scrolls where the window is low.
fn scrolling(ui: &mut Ui, add_contents: impl FnOnce(&mut Ui)) {
    let margin = theme::PANEL_MARGIN as i8;
    Frame::new().fill(ui.visuals().panel_fill).show(ui, |ui| {
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .content_margin(Margin::same(margin))
            .show(ui, add_contents);
    });
}
