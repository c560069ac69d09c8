//! The part of a video that is exported: two handles on a line, and two fields.

use std::time::Duration;

use egui::{
    CursorIcon, DragValue, Rect, Response, RichText, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2,
};

use crate::window::{
    commands::{AppCommand, ExportCommand},
    state::ExportDraft,
    text, theme,
};

const TRACK_HEIGHT: f32 = 28.0;
const HANDLE_WIDTH: f32 = 10.0;

pub(super) fn timeline_ui(ui: &mut Ui, draft: &ExportDraft, commands: &mut Vec<AppCommand>) {
    let (start, end) = (draft.start.as_secs_f64(), draft.end.as_secs_f64());
    let total = draft.duration.as_secs_f64().max(f64::EPSILON);
    let mut wanted = (start, end);
    track_ui(ui, total, &mut wanted);
    ui.horizontal(|ui| {
        time_field(ui, text::IN_POINT, &mut wanted.0, total);
        ui.add_space(16.0);
        time_field(ui, text::OUT_POINT, &mut wanted.1, total);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let palette = theme::palette(ui.visuals());
            let length = Duration::from_secs_f64((end - start).max(0.0));
            let words = text::part_of(length.as_secs_f64(), total);
            ui.label(RichText::new(words).color(palette.muted));
        });
    });
    if wanted != (start, end) {
        commands.push(ExportCommand::SetRange { start_seconds: wanted.0, end_seconds: wanted.1 }.into());
    }
}

fn time_field(ui: &mut Ui, name: &str, seconds: &mut f64, total: f64) {
    let label = ui.label(RichText::new(name).color(theme::palette(ui.visuals()).muted));
    let field = DragValue::new(seconds)
        .range(0.0..=total)
        .speed(0.05)
        .custom_formatter(|seconds, _| text::moment(seconds))
        .custom_parser(parse_moment);
    ui.add(field).labelled_by(label.id);
}

/// Seconds, or minutes and seconds with a colon between.
fn parse_moment(words: &str) -> Option<f64> {
    match words.trim().split_once(':') {
        None => words.trim().parse().ok(),
        Some((minutes, seconds)) => {
            let minutes: u32 = minutes.trim().parse().ok()?;
            let seconds: f64 = seconds.trim().parse().ok()?;
            Some(f64::from(minutes) * 60.0 + seconds)
        }
    }
}

fn track_ui(ui: &mut Ui, total: f64, wanted: &mut (f64, f64)) {
    let palette = theme::palette(ui.visuals());
    let (rect, track) = ui.allocate_exact_size(vec2(ui.available_width(), TRACK_HEIGHT), Sense::hover());
    track.widget_info(|| WidgetInfo::labeled(Role::Group, true, text::TIMELINE));
    let inner = rect.shrink2(vec2(HANDLE_WIDTH, 0.0));
    let x_of = |seconds: f64| inner.left() + (seconds / total) as f32 * inner.width();
    let painter = ui.painter();
    painter.rect_filled(inner, 4.0, palette.raised);
    let chosen = Rect::from_x_y_ranges(x_of(wanted.0)..=x_of(wanted.1), rect.y_range());
    painter.rect_filled(chosen, 0.0, palette.accent_wash);
    for edge in [rect.top(), rect.bottom() - 2.0] {
        let line = Rect::from_min_max(pos2(chosen.left(), edge), pos2(chosen.right(), edge + 2.0));
        ui.painter().rect_filled(line, 0.0, palette.accent);
    }
    let seconds_at = |x: f32| f64::from((x - inner.left()) / inner.width()).clamp(0.0, 1.0) * total;
    let (start, end) = *wanted;
    if let Some(x) = handle_ui(ui, rect, x_of(start), -1.0, text::IN_POINT, start) {
        wanted.0 = seconds_at(x).min(end);
    }
    if let Some(x) = handle_ui(ui, rect, x_of(end), 1.0, text::OUT_POINT, end) {
        wanted.1 = seconds_at(x).max(start);
    }
}

/// A handle outside the chosen part at its edge; `Some` where it is dragged to.
fn handle_ui(ui: &mut Ui, track: Rect, x: f32, side: f32, name: &str, seconds: f64) -> Option<f32> {
    let middle = pos2(x + side * HANDLE_WIDTH / 2.0, track.center().y);
    let rect = Rect::from_center_size(middle, vec2(HANDLE_WIDTH, track.height()));
    let response: Response =
        ui.interact(rect.expand(3.0), ui.scope_id().with(("handle", name)), Sense::drag());
    let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    let handle_name = text::handle(name);
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), seconds, &handle_name));
    let palette = theme::palette(ui.visuals());
    ui.painter().rect_filled(rect, 3.0, palette.accent);
    let grip = Rect::from_center_size(middle, vec2(2.0, track.height() * 0.4));
    ui.painter().rect_filled(grip, 1.0, palette.on_accent);
    let pointer = response.dragged().then(|| response.interact_pointer_pos()).flatten();
    pointer.map(|pointer| pointer.x - side * HANDLE_WIDTH / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        assert_eq!(parse_moment(&text::moment(83.5)), Some(83.5));
        assert_eq!(parse_moment(" 12.25 "), Some(12.25));
        assert_eq!(parse_moment("soon"), None);
    }
}
