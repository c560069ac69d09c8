//! The bar at the top: what the window shows, and how it looks.

use egui::{Align, Align2, FontId, Layout, Sense, Ui, Vec2, vec2};

use crate::window::{
    commands::{Action, AppCommand},
    icons::{self, Icon},
    settings::ThemeChoice,
    state::{Screen, State},
    text, theme,
    widgets::{IconButton, action_button, with_tooltip},
};

pub(super) fn top_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    ui.horizontal_centered(|ui| {
        ui.add_space(8.0);
        mark_ui(ui);
        ui.add_space(16.0);
        for (screen, name, icon) in
            [(Screen::Live, text::LIVE, Icon::Webcam), (Screen::Export, text::EXPORT, Icon::Film)]
        {
            let unfinished = state.unfinished_exports();
            let counted = text::counted(name, unfinished);
            let shown = if screen == Screen::Export && unfinished > 0 { &counted } else { name };
            let tab = IconButton { name, ..IconButton::text(shown) };
            if tab
                .with_icon(icon)
                .tone(super::super::widgets::Tone::Quiet)
                .selected(state.screen == screen)
                .show(ui)
                .clicked()
            {
                commands.push(AppCommand::ShowScreen(screen));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(8.0);
            let theme_icon = match state.settings.theme {
                ThemeChoice::Dark => Icon::Sun,
                ThemeChoice::Light => Icon::Moon,
            };
            let theme_button = IconButton::icon(theme_icon, Action::ToggleTheme.label()).show(ui);
            if with_tooltip(theme_button, Action::ToggleTheme).clicked() {
                commands.push(Action::ToggleTheme.into());
            }
            for action in [Action::ShowShortcuts, Action::ToggleFullscreen, Action::OpenFile] {
                if action_button(ui, action).clicked() {
                    commands.push(action.into());
                }
            }
        });
    });
}

fn mark_ui(ui: &mut Ui) {
    let palette = theme::palette(ui.visuals());
    let font = FontId::proportional(18.0);
    let galley = ui.painter().layout_no_wrap(text::APP.to_owned(), font.clone(), palette.text);
    let (rect, _) = ui.allocate_exact_size(vec2(32.0 + galley.size().x, 24.0), Sense::hover());
    let mark = egui::Rect::from_min_size(rect.min, Vec2::splat(24.0));
    icons::paint_mark(ui.painter(), mark, palette.accent, palette.panel);
    let left = mark.right_center() + vec2(8.0, 0.0);
    ui.painter().text(left, Align2::LEFT_CENTER, text::APP, font, palette.text);
}
