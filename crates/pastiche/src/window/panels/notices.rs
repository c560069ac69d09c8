//! Messages that lie on the picture for a while.

use egui::{Align2, Area, Frame, Label, Margin, Order, RichText, Sense, Stroke, Ui, vec2};

use crate::window::{
    commands::AppCommand,
    icons::Icon,
    state::{NoticeKind, State},
    text, theme,
    widgets::IconButton,
};

pub(super) fn notices_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    if state.notices.is_empty() {
        return;
    }
    let stage = ui.max_rect();
    Area::new(ui.scope_id().with("notices"))
        .order(Order::Foreground)
        .pivot(Align2::RIGHT_TOP)
        .fixed_pos(stage.right_top() + vec2(-20.0, 60.0))
        .show(ui.ctx(), |ui| {
            for notice in &state.notices {
                notice_ui(ui, stage.width(), notice, commands);
            }
        });
}

fn notice_ui(ui: &mut Ui, room: f32, notice: &crate::window::state::Notice, commands: &mut Vec<AppCommand>) {
    const WIDTH: f32 = 420.0;
    const ICON: f32 = 18.0;
    let palette = theme::palette(ui.visuals());
    let (icon, color) = match notice.kind {
        NoticeKind::Done => (Icon::Check, palette.success),
        NoticeKind::Told => (Icon::Info, palette.accent),
        NoticeKind::Failed => (Icon::Warning, palette.danger),
    };
    let frame = Frame::new()
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.outline))
        .corner_radius(8)
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        ui.set_width(WIDTH.min(room - 72.0));
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(ICON, ICON), Sense::hover());
            icon.paint(ui.painter(), rect, color);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if IconButton::icon(Icon::Close, text::DISMISS).height(24.0).show(ui).clicked() {
                    commands.push(AppCommand::DismissNotice(notice.id));
                }
                if let Some(file) = &notice.file
                    && IconButton::text(text::SHOW_IN_FOLDER).height(26.0).show(ui).clicked()
                {
                    commands.push(AppCommand::Reveal(file.clone()));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(Label::new(RichText::new(&notice.text).color(palette.text)).wrap());
                });
            });
        });
    });
}
