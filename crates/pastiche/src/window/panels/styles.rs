//! The choice of a style, with previews and a search.

use egui::{
    Align2, FontId, Image, Popup, PopupCloseBehavior, Rect, Response, ScrollArea, Sense, TextEdit, TextStyle,
    Ui, Vec2, WidgetInfo,
    accesskit::Role,
    epaint::text::{LayoutJob, TextWrapping},
    load::SizedTexture,
    pos2, vec2,
};

use crate::window::{
    commands::{Action, AppCommand},
    icons::Icon,
    state::{State, StyleView},
    text, theme,
    widgets::{action_button, heading},
};

const CHOSEN_HEIGHT: f32 = 61.0;
const ROW_HEIGHT: f32 = 53.0;
const LIST_HEIGHT: f32 = 330.0;

pub(super) fn style_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    ui.horizontal(|ui| {
        heading(ui, text::STYLE);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for action in [Action::AddStyle, Action::NextStyle, Action::PreviousStyle] {
                if action_button(ui, action).clicked() {
                    commands.push(action.into());
                }
            }
        });
    });
    if state.styles.is_empty() {
        ui.weak(text::NO_STYLES);
        return;
    }
    let chosen = chosen_button(ui, state);
    if chosen.clicked() && !state.style_search.is_empty() {
        commands.push(AppCommand::SearchStyles(String::new()));
    }
    Popup::menu(&chosen)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(chosen.rect.width())
        .gap(4.0)
        .accessible_name(text::STYLE)
        .show(|ui| list_ui(ui, state, commands));
}

/// The style that is chosen: a button that opens the list.
fn chosen_button(ui: &mut Ui, state: &State) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CHOSEN_HEIGHT), Sense::click());
    let style = state.style();
    let title = style.map_or(text::CHOOSE_STYLE, |style| style.title.as_str());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, ui.is_enabled(), text::STYLE);
        info.current_text_value = Some(title.to_owned());
        info
    });
    let palette = theme::palette(ui.visuals());
    let fill = if response.hovered() || response.has_focus() { palette.hovered } else { palette.raised };
    ui.painter().rect_filled(rect, theme::CORNER, fill);
    let chevron = Rect::from_center_size(rect.right_center() - vec2(18.0, 0.0), Vec2::splat(12.0));
    Icon::Down.paint(ui.painter(), chevron, palette.muted);
    let subtitle = style.map_or("", |style| style.credit.as_str());
    let right = chevron.left() - 6.0;
    entry_ui(ui, rect, right, style, title, subtitle);
    response.on_hover_ui(|ui| {
        if !subtitle.is_empty() {
            ui.label(subtitle);
        }
        ui.weak(text::STYLE_TOOLTIP);
    })
}

fn list_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    let mut search = state.style_search.clone();
    let field = TextEdit::singleline(&mut search).hint_text(text::SEARCH_STYLES).desired_width(f32::INFINITY);
    let response = ui.add(field.margin(vec2(10.0, 7.0))).accessible_name(text::SEARCH_STYLES);
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    if response.changed() {
        commands.push(AppCommand::SearchStyles(search));
    }
    ScrollArea::vertical().max_height(LIST_HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut any = false;
        for style in state.found_styles() {
            any = true;
            let chosen = state.settings.style.as_deref() == Some(&style.name);
            if style_row(ui, style, chosen).clicked() {
                commands.push(AppCommand::SetStyle(style.name.clone()));
                ui.close();
            }
        }
        if !any {
            ui.weak(text::NO_STYLE_FOUND);
        }
    });
}

fn style_row(ui: &mut Ui, style: &StyleView, chosen: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), chosen, &style.title));
    if ui.is_rect_visible(rect) {
        let palette = theme::palette(ui.visuals());
        if chosen {
            ui.painter().rect_filled(rect, theme::CORNER, palette.accent_wash);
        } else if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, theme::CORNER, palette.hovered);
        }
        entry_ui(ui, rect, rect.right() - 8.0, Some(style), &style.title, &style.credit);
    }
    if style.credit.is_empty() { response } else { response.on_hover_text(&style.credit) }
}

/// A preview with a title and what is said under it, up to `right`.
fn entry_ui(ui: &Ui, rect: Rect, right: f32, style: Option<&StyleView>, title: &str, subtitle: &str) {
    let palette = theme::palette(ui.visuals());
    let inset = (rect.height() - theme::THUMBNAIL.y) / 2.0;
    let preview = Rect::from_min_size(rect.min + vec2(inset, inset), theme::THUMBNAIL);
    match style.and_then(|style| style.thumbnail.as_ref()) {
        Some(texture) => {
            let texture = SizedTexture::new(texture.id(), theme::THUMBNAIL);
            Image::from_texture(texture).corner_radius(4).paint_at(ui, preview);
        }
        None => {
            ui.painter().rect_filled(preview, 4.0, palette.pressed);
            Icon::Picture.paint(ui.painter(), preview.shrink(12.0), palette.muted);
        }
    }
    let left = preview.right() + 12.0;
    let line = |text: &str, font: FontId, color| {
        let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
        job.wrap = TextWrapping::truncate_at_width(right - left);
        ui.painter().layout_job(job)
    };
    let title = line(title, TextStyle::Body.resolve(ui.style()), palette.text);
    let subtitle = line(subtitle, TextStyle::Small.resolve(ui.style()), palette.muted);
    let middle = pos2(left, rect.center().y);
    if subtitle.is_empty() {
        let rect = Align2::LEFT_CENTER.anchor_size(middle, title.size());
        ui.painter().galley(rect.min, title, palette.text);
    } else {
        ui.painter().galley(middle - vec2(0.0, title.size().y + 1.0), title, palette.text);
        ui.painter().galley(middle + vec2(0.0, 2.0), subtitle, palette.muted);
    }
}
