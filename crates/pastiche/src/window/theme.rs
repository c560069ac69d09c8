//! Colours and sizes, all of them.

use egui::{
    Color32, Context, CornerRadius, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Vec2, Visuals,
    style::{HandleShape, ScrollStyle, Selection, WidgetVisuals, Widgets},
};

/// The colours of one theme.
#[derive(Debug)]
pub(crate) struct Palette {
    /// Behind everything.
    pub(crate) background: Color32,
    /// Bars and side panels.
    pub(crate) panel: Color32,
    /// Buttons and fields.
    pub(crate) raised: Color32,
    /// The same under the pointer.
    pub(crate) hovered: Color32,
    /// The same pressed down.
    pub(crate) pressed: Color32,
    /// Lines between things.
    pub(crate) outline: Color32,
    /// What is to be read.
    pub(crate) text: Color32,
    /// What is said beside it.
    pub(crate) muted: Color32,
    /// What is chosen.
    pub(crate) accent: Color32,
    /// On what is chosen.
    pub(crate) on_accent: Color32,
    /// What is chosen, as a wash behind text.
    pub(crate) accent_wash: Color32,
    /// Recording, and what failed.
    pub(crate) danger: Color32,
    /// What went well.
    pub(crate) success: Color32,
}

const DARK: Palette = Palette {
    background: Color32::from_rgb(16, 18, 22),
    panel: Color32::from_rgb(24, 27, 33),
    raised: Color32::from_rgb(38, 42, 51),
    hovered: Color32::from_rgb(49, 54, 65),
    pressed: Color32::from_rgb(60, 66, 79),
    outline: Color32::from_rgb(45, 50, 60),
    text: Color32::from_rgb(232, 234, 238),
    muted: Color32::from_rgb(156, 163, 175),
    accent: Color32::from_rgb(232, 178, 74),
    on_accent: Color32::from_rgb(34, 26, 8),
    accent_wash: Color32::from_rgb(66, 56, 36),
    danger: Color32::from_rgb(235, 87, 87),
    success: Color32::from_rgb(104, 190, 128),
};

const LIGHT: Palette = Palette {
    background: Color32::from_rgb(228, 229, 231),
    panel: Color32::from_rgb(249, 249, 248),
    raised: Color32::from_rgb(234, 235, 236),
    hovered: Color32::from_rgb(222, 224, 227),
    pressed: Color32::from_rgb(208, 211, 216),
    outline: Color32::from_rgb(217, 219, 222),
    text: Color32::from_rgb(29, 32, 38),
    muted: Color32::from_rgb(93, 99, 110),
    accent: Color32::from_rgb(172, 108, 8),
    on_accent: Color32::WHITE,
    accent_wash: Color32::from_rgb(246, 230, 201),
    danger: Color32::from_rgb(200, 42, 42),
    success: Color32::from_rgb(30, 125, 65),
};

/// Behind the picture, in both themes: colours beside a picture change how it looks.
pub(crate) const STAGE: Color32 = Color32::from_rgb(12, 13, 15);
/// Under text that lies on the picture.
pub(crate) const SCRIM: Color32 = Color32::from_rgba_premultiplied(8, 9, 11, 190);
/// Text on the picture.
pub(crate) const ON_PICTURE: Color32 = Color32::from_rgb(240, 241, 243);
/// What tells of a recording on the picture.
pub(crate) const RECORDING: Color32 = Color32::from_rgb(255, 107, 107);
/// Less important text on the picture.
pub(crate) const ON_PICTURE_MUTED: Color32 = Color32::from_rgb(188, 193, 201);

/// The window at first, and the least it is laid out for.
pub(crate) const WINDOW_SIZE: Vec2 = Vec2::new(1280.0, 800.0);
/// Smaller than this nothing is promised.
pub(crate) const WINDOW_MIN_SIZE: Vec2 = Vec2::new(960.0, 600.0);
/// The bar at the top.
pub(crate) const TOP_BAR_HEIGHT: f32 = 48.0;
/// The bar at the bottom.
pub(crate) const BOTTOM_BAR_HEIGHT: f32 = 64.0;
/// The panel at the side.
pub(crate) const SIDE_PANEL_WIDTH: f32 = 328.0;
/// The queue of exports.
pub(crate) const QUEUE_HEIGHT: f32 = 190.0;
/// The space inside panels.
pub(crate) const PANEL_MARGIN: f32 = 16.0;
/// Between sections of a panel.
pub(crate) const SECTION_GAP: f32 = 10.0;
/// Between rows of a section.
pub(crate) const ROW_GAP: f32 = 6.0;
/// Every control.
pub(crate) const CONTROL_HEIGHT: f32 = 30.0;
/// The names of controls, left of them.
pub(crate) const LABEL_WIDTH: f32 = 80.0;
/// A style's preview.
pub(crate) const THUMBNAIL: Vec2 = Vec2::new(60.0, 45.0);
/// Corners of controls.
pub(crate) const CORNER: u8 = 6;

/// The colours of the theme that is shown.
pub(crate) fn palette(visuals: &Visuals) -> &'static Palette {
    if visuals.dark_mode { &DARK } else { &LIGHT }
}

/// Puts both themes into egui.
pub(crate) fn install(context: &Context) {
    for (theme, palette) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        context.set_style_of(theme, style(theme, palette));
    }
}

fn style(theme: Theme, palette: &Palette) -> Style {
    let mut style = Style { visuals: visuals(theme, palette), ..theme.default_style() };
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(12.0)),
        (TextStyle::Body, FontId::proportional(14.0)),
        (TextStyle::Button, FontId::proportional(14.0)),
        (TextStyle::Heading, FontId::proportional(18.0)),
        (TextStyle::Monospace, FontId::monospace(12.5)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, ROW_GAP);
    spacing.button_padding = Vec2::new(12.0, 6.0);
    spacing.interact_size = Vec2::new(CONTROL_HEIGHT, CONTROL_HEIGHT);
    spacing.slider_rail_height = 4.0;
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = 8.0;
    spacing.menu_margin = Margin::same(6);
    spacing.combo_height = 320.0;
    spacing.scroll = ScrollStyle::thin();
    spacing.window_margin = Margin::same(20);
    style.animation_time = 0.12;
    style
}

fn visuals(theme: Theme, palette: &Palette) -> Visuals {
    let widget = |fill: Color32, outline: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, outline),
        corner_radius: CornerRadius::same(CORNER),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let shadow = Shadow { offset: [0, 6], blur: 20, spread: 0, color: Color32::from_black_alpha(70) };
    Visuals {
        weak_text_color: Some(palette.muted),
        widgets: Widgets {
            noninteractive: widget(palette.panel, palette.outline, palette.text),
            inactive: widget(palette.raised, palette.outline, palette.text),
            hovered: widget(palette.hovered, palette.outline, palette.text),
            active: widget(palette.pressed, palette.accent, palette.text),
            open: widget(palette.hovered, palette.outline, palette.text),
        },
        selection: Selection { bg_fill: palette.accent_wash, stroke: Stroke::new(1.0, palette.accent) },
        hyperlink_color: palette.accent,
        faint_bg_color: palette.raised,
        extreme_bg_color: palette.background,
        warn_fg_color: palette.accent,
        error_fg_color: palette.danger,
        window_corner_radius: CornerRadius::same(10),
        menu_corner_radius: CornerRadius::same(8),
        window_shadow: shadow,
        popup_shadow: shadow,
        window_fill: palette.panel,
        window_stroke: Stroke::new(1.0, palette.outline),
        panel_fill: palette.panel,
        slider_trailing_fill: true,
        handle_shape: HandleShape::Circle,
        ..theme.default_visuals()
    }
}
