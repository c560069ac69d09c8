//! Controls that egui lacks in this shape, each with its name for screen readers.

use egui::{
    Align2, Color32, ComboBox, Rect, Response, RichText, Sense, Slider, StrokeKind, TextStyle, Ui, Vec2,
    WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::{commands::Action, icons::Icon, text, theme};

/// How a button stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Like its surroundings until the pointer is on it.
    Quiet,
    /// A button.
    Normal,
    /// The one to press next.
    Primary,
    /// Recording.
    Danger,
}

/// A button with an icon, a text, or both. `name` is for screen readers, and is the text unless `text` is empty.
pub(crate) struct IconButton<'a> {
    pub(crate) icon: Option<Icon>,
    pub(crate) text: &'a str,
    pub(crate) name: &'a str,
    pub(crate) tone: Tone,
    /// `Some`: it is a switch, which is on or off.
    pub(crate) selected: Option<bool>,
    pub(crate) height: f32,
}

impl<'a> IconButton<'a> {
    /// A button with only an icon.
    pub(crate) fn icon(icon: Icon, name: &'a str) -> Self {
        let height = theme::CONTROL_HEIGHT;
        Self { icon: Some(icon), text: "", name, tone: Tone::Quiet, selected: None, height }
    }

    /// A button with a text.
    pub(crate) fn text(text: &'a str) -> Self {
        let height = theme::CONTROL_HEIGHT;
        Self { icon: None, text, name: text, tone: Tone::Normal, selected: None, height }
    }

    pub(crate) fn with_icon(self, icon: Icon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    pub(crate) fn selected(self, selected: bool) -> Self {
        Self { selected: Some(selected), ..self }
    }

    pub(crate) fn height(self, height: f32) -> Self {
        Self { height, ..self }
    }

    /// As wide as its contents.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        self.show_at_least(ui, 0.0)
    }

    /// At least `width` wide, its contents in the middle.
    pub(crate) fn show_at_least(self, ui: &mut Ui, width: f32) -> Response {
        const ICON: f32 = 16.0;
        const GAP: f32 = 8.0;
        const PADDING: f32 = 12.0;
        let font = TextStyle::Button.resolve(ui.style());
        let has_text = !self.text.is_empty();
        let galley =
            has_text.then(|| ui.painter().layout_no_wrap(self.text.to_owned(), font, Color32::PLACEHOLDER));
        let text_width = galley.as_ref().map_or(0.0, |galley| galley.size().x);
        let icon_width = if self.icon.is_some() { ICON } else { 0.0 };
        let gap = if self.icon.is_some() && has_text { GAP } else { 0.0 };
        let contents = icon_width + gap + text_width;
        let natural = if has_text { contents + 2.0 * PADDING } else { self.height };
        let (rect, response) = ui.allocate_exact_size(vec2(natural.max(width), self.height), Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| match self.selected {
            Some(selected) => WidgetInfo::selected(Role::Button, enabled, selected, self.name),
            None => WidgetInfo::labeled(Role::Button, enabled, self.name),
        });
        if ui.is_rect_visible(rect) {
            let color = self.paint_frame(ui, rect, &response);
            let left = rect.center().x - contents / 2.0;
            if let Some(icon) = self.icon {
                let middle = pos2(left + ICON / 2.0, rect.center().y);
                icon.paint(ui.painter(), Rect::from_center_size(middle, Vec2::splat(ICON)), color);
            }
            if let Some(galley) = galley {
                let corner = pos2(left + icon_width + gap, rect.center().y - galley.size().y / 2.0);
                ui.painter().galley(corner, galley, color);
            }
        }
        response
    }

    /// Paints what is behind the contents, and returns the colour for them.
    fn paint_frame(&self, ui: &Ui, rect: Rect, response: &Response) -> Color32 {
        let palette = theme::palette(ui.visuals());
        let on = self.selected == Some(true);
        let under_pointer = response.hovered() || response.has_focus();
        let pressed = response.is_pointer_button_down_on();
        let (fill, color) = match self.tone {
            _ if on && self.tone != Tone::Danger => (palette.accent_wash, palette.accent),
            Tone::Primary if under_pointer => (palette.accent.gamma_multiply(0.88), palette.on_accent),
            Tone::Primary => (palette.accent, palette.on_accent),
            Tone::Danger if on => (palette.danger, Color32::WHITE),
            Tone::Danger if under_pointer => (palette.hovered, palette.danger),
            Tone::Danger => (palette.raised, palette.danger),
            _ if pressed => (palette.pressed, palette.text),
            _ if under_pointer => (palette.hovered, palette.text),
            Tone::Normal => (palette.raised, palette.text),
            Tone::Quiet => (Color32::TRANSPARENT, palette.text),
        };
        // What is painted is faded by egui where the button is disabled.
        ui.painter().rect_filled(rect, theme::CORNER, fill);
        if response.has_focus() {
            let ring = egui::Stroke::new(1.5, palette.accent);
            ui.painter().rect_stroke(rect, theme::CORNER, ring, StrokeKind::Inside);
        }
        color
    }
}

/// A button for an action, with its icon, name and key.
pub(crate) fn action_button(ui: &mut Ui, action: Action) -> Response {
    with_tooltip(IconButton::icon(action.icon(), action.label()).show(ui), action)
}

/// Adds what the action does, and its key.
pub(crate) fn with_tooltip(response: Response, action: Action) -> Response {
    response.on_hover_ui(|ui| {
        ui.horizontal(|ui| {
            ui.label(action.tooltip());
            if let Some(shortcut) = action.shortcuts().first() {
                ui.weak(ui.ctx().format_shortcut(shortcut));
            }
        });
    })
}

/// The heading of a section.
pub(crate) fn heading(ui: &mut Ui, title: &str) {
    let palette = theme::palette(ui.visuals());
    ui.label(RichText::new(title).size(12.0).color(palette.muted));
}

/// A row with a name at the left, and a control at the right that is called by it.
pub(crate) fn row<R>(ui: &mut Ui, name: &str, tooltip: &str, add_control: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal(|ui| {
        let size = vec2(theme::LABEL_WIDTH, theme::CONTROL_HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
        let color = ui.visuals().text_color();
        let font = TextStyle::Body.resolve(ui.style());
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, name, font, color);
        let id = response.id;
        if !tooltip.is_empty() {
            response.on_hover_text(tooltip);
        }
        ui.label_inputs_by(id, add_control)
    })
    .inner
}

/// A slider from 0 to 1 with its value as a percentage; `Some` when it was moved.
pub(crate) fn fraction_slider(ui: &mut Ui, name: &str, tooltip: &str, mut value: f32) -> Option<f32> {
    const VALUE_WIDTH: f32 = 44.0;
    row(ui, name, tooltip, |ui| {
        // A slim handle, and what is set in the colour of choice.
        ui.spacing_mut().interact_size.y = 18.0;
        ui.visuals_mut().selection.bg_fill = theme::palette(ui.visuals()).accent;
        ui.spacing_mut().slider_width = ui.available_width() - VALUE_WIDTH - ui.spacing().item_spacing.x;
        let response = ui.add(Slider::new(&mut value, 0.0..=1.0).show_value(false));
        let (rect, _) = ui.allocate_exact_size(vec2(VALUE_WIDTH, theme::CONTROL_HEIGHT), Sense::hover());
        let font = TextStyle::Body.resolve(ui.style());
        let color = theme::palette(ui.visuals()).muted;
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, text::percent(value), font, color);
        response.changed().then_some(value)
    })
}

/// A row with a list to choose from; `Some` when another entry was chosen.
pub(crate) fn choice<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    tooltip: &str,
    chosen: (&T, &str),
    choices: impl IntoIterator<Item = (T, String)>,
) -> Option<T> {
    let (current, shown) = chosen;
    row(ui, name, tooltip, |ui| {
        let width = ui.available_width();
        let mut picked = None;
        ComboBox::from_id_salt(name)
            .icon(paint_chevron)
            .width(width)
            .truncate()
            .selected_text(shown)
            .show_ui(ui, |ui| {
                for (value, label) in choices {
                    if ui.selectable_label(value == *current, label).clicked() {
                        picked = Some(value);
                    }
                }
            });
        picked
    })
}

/// The arrow of a list to choose from.
pub(crate) fn paint_chevron(ui: &Ui, rect: Rect, _visuals: &egui::style::WidgetVisuals, _is_open: bool) {
    Icon::Down.paint(ui.painter(), rect.shrink(1.0), theme::palette(ui.visuals()).muted);
}

/// A box to tick; `Some` when it was.
pub(crate) fn tick(ui: &mut Ui, name: &str, mut on: bool) -> Option<bool> {
    ui.checkbox(&mut on, name).changed().then_some(on)
}

/// Lets words that are only painted be read out.
pub(crate) fn painted_words(ui: &Ui, rect: Rect, words: &str, id: egui::Id) {
    ui.interact(rect, id, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, ui.is_enabled(), words));
}

/// Text on the picture, on a dark ground so that it can be read whatever is behind.
pub(crate) fn picture_label(
    ui: &Ui,
    corner: egui::Pos2,
    align: Align2,
    lines: &[(String, Color32)],
    size: f32,
) -> Rect {
    const PADDING: Vec2 = vec2(10.0, 7.0);
    let painter = ui.painter();
    let font = egui::FontId::proportional(size);
    let galleys: Vec<_> = lines
        .iter()
        .map(|(line, color)| painter.layout_no_wrap(line.clone(), font.clone(), *color))
        .collect();
    let width = galleys.iter().map(|galley| galley.size().x).fold(0.0, f32::max);
    let height: f32 = galleys.iter().map(|galley| galley.size().y + 2.0).sum();
    let rect = align.anchor_size(corner, vec2(width, height) + 2.0 * PADDING);
    let words: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
    painted_words(ui, rect, &words.join(", "), ui.scope_id().with(align));
    painter.rect_filled(rect, theme::CORNER, theme::SCRIM);
    let mut top = rect.top() + PADDING.y;
    for galley in galleys {
        let height = galley.size().y + 2.0;
        painter.galley(pos2(rect.left() + PADDING.x, top), galley, theme::ON_PICTURE);
        top += height;
    }
    rect
}
