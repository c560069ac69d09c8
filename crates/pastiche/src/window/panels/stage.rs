//! The picture, with what lies on it.

use egui::{
    Align2, Color32, CursorIcon, FontId, Frame, Margin, Pos2, Rect, RichText, Sense, Stroke, Ui, UiBuilder,
    Vec2, WidgetInfo, accesskit::Role, pos2, vec2,
};
use pastiche_pipeline::live::SourceState;

use crate::window::{
    commands::{Action, AppCommand},
    icons::Icon,
    state::{Picture, Screen, State},
    text, theme,
    widgets::{IconButton, Tone, painted_words, picture_label},
};

/// How much of the stage's edge stays empty.
const MARGIN: f32 = 12.0;
/// How far from the line the pointer still takes hold of it.
const GRIP: f32 = 10.0;

pub(super) fn stage_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let stage = ui.max_rect();
    let margin = if state.fullscreen { 0.0 } else { MARGIN };
    if let Some(picture) = &state.picture {
        let rect = fitted(stage.shrink(margin), picture.painted.size_vec2());
        picture_ui(ui, rect, picture, state, commands);
        let chips = ui.new_child(UiBuilder::new().max_rect(rect));
        // Beside an export they tell nothing, and cover much of its small picture.
        if state.settings.overlay && state.screen == Screen::Live {
            figures_ui(&chips, rect, state);
        }
        status_ui(&chips, rect, state);
    }
    lost_ui(ui, stage, state, commands);
    if state.welcome && state.screen == Screen::Live {
        welcome_ui(ui, stage, commands);
    }
    if state.files_hover {
        drop_ui(ui, stage);
    }
}

/// The largest rectangle of this shape in the middle of `space`.
fn fitted(space: Rect, size: Vec2) -> Rect {
    let scale = (space.width() / size.x.max(1.0)).min(space.height() / size.y.max(1.0)).max(0.0);
    Rect::from_center_size(space.center(), (size * scale).round())
}

fn picture_ui(ui: &mut Ui, rect: Rect, picture: &Picture, state: &State, commands: &mut Vec<AppCommand>) {
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    let response = ui.allocate_rect(rect, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text::PICTURE));
    if response.double_clicked() {
        commands.push(Action::ToggleFullscreen.into());
    }
    ui.painter().image(picture.painted.id(), rect, whole, Color32::WHITE);
    let Some(source) = picture.source.as_ref().filter(|_| state.settings.compare) else { return };
    let line = split_handle_ui(ui, rect, state.settings.split, commands);
    let before = Rect::from_min_max(rect.min, pos2(line, rect.bottom()));
    let uv = Rect::from_min_max(Pos2::ZERO, pos2(state.settings.split, 1.0));
    ui.painter().image(source.id(), before, uv, Color32::WHITE);
    paint_split_line(ui, rect, line);
    let label = |corner: Pos2, align, name: &str| {
        picture_label(ui, corner, align, &[(name.to_owned(), theme::ON_PICTURE)], 12.0);
    };
    if line - rect.left() > 90.0 {
        label(rect.left_bottom() + vec2(10.0, -10.0), Align2::LEFT_BOTTOM, text::BEFORE);
    }
    if rect.right() - line > 90.0 {
        label(rect.right_bottom() + vec2(-10.0, -10.0), Align2::RIGHT_BOTTOM, text::AFTER);
    }
}

/// The part of the line that can be dragged, by the mouse and by the arrow keys; returns where the line is.
fn split_handle_ui(ui: &mut Ui, rect: Rect, split: f32, commands: &mut Vec<AppCommand>) -> f32 {
    const STEP: f32 = 0.02;
    let line = rect.left() + split * rect.width();
    let grip = Rect::from_x_y_ranges(line - GRIP..=line + GRIP, rect.y_range());
    let id = ui.scope_id().with("split");
    let response =
        ui.interact(grip, id, Sense::click_and_drag()).on_hover_cursor(CursorIcon::ResizeHorizontal);
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), f64::from(split), text::SPLIT));
    let mut moved = response
        .dragged()
        .then(|| response.interact_pointer_pos())
        .flatten()
        .map(|pointer| (pointer.x - rect.left()) / rect.width());
    if response.has_focus() {
        let steps = ui.input(|input| {
            input.num_presses(egui::Key::ArrowRight) as f32 - input.num_presses(egui::Key::ArrowLeft) as f32
        });
        moved = if steps == 0.0 { moved } else { Some(split + steps * STEP) };
    }
    if let Some(split) = moved {
        commands.push(AppCommand::SetSplit(split.clamp(0.0, 1.0)));
    }
    line
}

fn paint_split_line(ui: &Ui, rect: Rect, line: f32) {
    const KNOB: f32 = 15.0;
    let painter = ui.painter();
    painter.vline(line, rect.y_range(), Stroke::new(2.0, Color32::WHITE));
    let middle = pos2(line, rect.center().y);
    painter.circle(middle, KNOB, Color32::WHITE, Stroke::new(1.0, theme::SCRIM));
    for (icon, side) in [(Icon::Previous, -1.0), (Icon::Next, 1.0)] {
        let arrow = Rect::from_center_size(middle + vec2(side * 6.0, 0.0), Vec2::splat(13.0));
        icon.paint(painter, arrow, theme::STAGE);
    }
}

/// Speed, latency, device and precision.
fn figures_ui(ui: &Ui, rect: Rect, state: &State) {
    let statistics = &state.status.statistics;
    let mut lines = Vec::new();
    if state.status.engine.is_some() {
        let latency = statistics.latency_ms;
        lines.push((text::fps(statistics.fps), theme::ON_PICTURE));
        lines.push((text::latency(latency.p50, latency.p95), theme::ON_PICTURE));
        let parts = text::latency_parts(statistics.capture_ms, statistics.inference_ms);
        lines.push((parts, theme::ON_PICTURE_MUTED));
    }
    if let Some(engine) = &state.status.engine {
        let device = text::engine(&engine.device, engine.precision, engine.threads);
        lines.push((device, theme::ON_PICTURE_MUTED));
    }
    lines.push((text::capture(statistics.capture_fps, statistics.dropped), theme::ON_PICTURE_MUTED));
    let figures = state.figures;
    let cost = text::window_cost(figures.renderer, figures.upload_ms, figures.draw_ms);
    lines.push((cost, theme::ON_PICTURE_MUTED));
    picture_label(ui, rect.left_top() + vec2(10.0, 10.0), Align2::LEFT_TOP, &lines, 12.0);
}

/// What is going on that the picture does not tell, at the top right.
fn status_ui(ui: &Ui, rect: Rect, state: &State) {
    let status = &state.status;
    let mut lines = Vec::new();
    // The bar under the picture tells it where there is one.
    let has_bar = state.screen == Screen::Live && !state.fullscreen;
    if let Some(recording) = status.recording.as_ref().filter(|_| !has_bar) {
        lines.push((text::recording(recording.duration), theme::RECORDING));
    }
    if status.paused {
        lines.push((text::PAUSED.to_owned(), theme::ON_PICTURE));
    } else if status.loading.is_some() {
        lines.push((text::LOADING_STYLE.to_owned(), theme::ON_PICTURE));
    }
    if !lines.is_empty() {
        let corner = rect.right_top() + vec2(-10.0, 10.0);
        picture_label(ui, corner, Align2::RIGHT_TOP, &lines, 13.0);
    }
}

/// A source that gives no picture, in words.
fn lost_ui(ui: &mut Ui, stage: Rect, state: &State, commands: &mut Vec<AppCommand>) {
    match &state.status.source {
        SourceState::Lost { reason, retrying } => {
            let hint = if *retrying { text::RETRYING } else { text::NOT_RETRYING };
            card_ui(ui, stage, Icon::Warning, text::SOURCE_LOST, &text::sentences(reason, hint), |ui| {
                open_file_ui(ui, commands);
            });
        }
        SourceState::Opening if state.picture.is_none() => {
            let font = FontId::proportional(15.0);
            let color = theme::ON_PICTURE_MUTED;
            let rect = ui.painter().text(stage.center(), Align2::CENTER_CENTER, text::OPENING, font, color);
            painted_words(ui, rect, text::OPENING, ui.scope_id().with("opening"));
        }
        _ => {}
    }
}

fn welcome_ui(ui: &mut Ui, stage: Rect, commands: &mut Vec<AppCommand>) {
    card_ui(ui, stage, Icon::Webcam, text::WELCOME, text::WELCOME_TEXT, |ui| {
        if IconButton::text(text::GOT_IT).tone(Tone::Primary).show(ui).clicked() {
            commands.push(AppCommand::DismissWelcome);
        }
        open_file_ui(ui, commands);
    });
}

/// Something else to show.
fn open_file_ui(ui: &mut Ui, commands: &mut Vec<AppCommand>) {
    if IconButton::text(text::OPEN_FILE).with_icon(Icon::Folder).show(ui).clicked() {
        commands.push(Action::OpenFile.into());
    }
}

/// A card at the bottom of the picture, which leaves the picture to be seen.
fn card_ui(ui: &mut Ui, stage: Rect, icon: Icon, title: &str, words: &str, buttons: impl FnOnce(&mut Ui)) {
    const WIDTH: f32 = 460.0;
    const ICON: f32 = 22.0;
    let width = WIDTH.min(stage.width() - 2.0 * MARGIN - 16.0);
    let palette = theme::palette(ui.visuals());
    egui::Area::new(ui.scope_id().with(title))
        .order(egui::Order::Middle)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(stage.center_bottom() - vec2(0.0, 32.0))
        .show(ui.ctx(), |ui| {
            Frame::new()
                .fill(palette.panel)
                .stroke(Stroke::new(1.0, palette.outline))
                .corner_radius(10)
                .inner_margin(Margin::same(18))
                .show(ui, |ui| {
                    ui.set_width(width - 36.0);
                    ui.horizontal(|ui| {
                        let (rect, _) = ui.allocate_exact_size(Vec2::splat(ICON), Sense::hover());
                        icon.paint(ui.painter(), rect, palette.accent);
                        ui.label(RichText::new(title).size(17.0).color(palette.text));
                    });
                    ui.label(RichText::new(words).color(palette.muted));
                    ui.horizontal(|ui| buttons(ui));
                });
        });
}

/// While files are dragged over the window.
fn drop_ui(ui: &Ui, stage: Rect) {
    let palette = theme::palette(ui.visuals());
    let painter = ui.painter();
    painter.rect_filled(stage, 0.0, Color32::from_black_alpha(170));
    let frame = stage.shrink(24.0);
    painter.rect_stroke(frame, 12.0, Stroke::new(2.0, palette.accent), egui::StrokeKind::Inside);
    let middle = stage.center();
    let title = FontId::proportional(24.0);
    painter.text(middle - vec2(0.0, 16.0), Align2::CENTER_CENTER, text::DROP_HERE, title, theme::ON_PICTURE);
    let kinds = FontId::proportional(14.0);
    let color = theme::ON_PICTURE_MUTED;
    let rect = painter.text(middle + vec2(0.0, 18.0), Align2::CENTER_CENTER, text::DROP_KINDS, kinds, color);
    let words = text::sentences(text::DROP_HERE, text::DROP_KINDS);
    painted_words(ui, rect, &words, ui.scope_id().with("drop"));
}
