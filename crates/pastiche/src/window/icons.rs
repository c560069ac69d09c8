//! Icons, painted from strokes so that they are sharp at any scale and need no font.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, epaint::CircleShape, pos2, vec2};

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Play,
    Pause,
    Record,
    Stop,
    Snapshot,
    Broadcast,
    Fullscreen,
    Compare,
    Sun,
    Moon,
    Previous,
    Next,
    Down,
    Folder,
    Close,
    Check,
    Warning,
    Info,
    Film,
    Picture,
    Webcam,
    Microphone,
    Add,
    Retry,
    Keyboard,
    Gauge,
}

impl Icon {
    /// Paints the icon into the middle of `rect`.
    pub(crate) fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let side = rect.width().min(rect.height());
        let pen = Pen {
            painter,
            origin: rect.center() - Vec2::splat(side / 2.0),
            side,
            stroke: Stroke::new((side / 11.0).max(1.3), color),
        };
        self.draw(&pen);
    }

    /// In a square from 0 to 1.
    fn draw(self, pen: &Pen<'_>) {
        match self {
            Self::Play => pen.filled(&[(0.28, 0.16), (0.84, 0.5), (0.28, 0.84)]),
            Self::Pause => {
                pen.bar(0.24, 0.16, 0.42, 0.84);
                pen.bar(0.58, 0.16, 0.76, 0.84);
            }
            Self::Record => pen.dot(0.5, 0.5, 0.34),
            Self::Stop => pen.bar(0.22, 0.22, 0.78, 0.78),
            Self::Snapshot => {
                pen.line(&[
                    (0.08, 0.3),
                    (0.3, 0.3),
                    (0.37, 0.18),
                    (0.63, 0.18),
                    (0.7, 0.3),
                    (0.92, 0.3),
                    (0.92, 0.82),
                    (0.08, 0.82),
                    (0.08, 0.3),
                ]);
                pen.circle(0.5, 0.55, 0.16);
            }
            Self::Broadcast => {
                pen.dot(0.5, 0.5, 0.1);
                for radius in [0.24, 0.4] {
                    pen.arc(radius, -0.8, 0.8);
                    pen.arc(radius, std::f32::consts::PI - 0.8, std::f32::consts::PI + 0.8);
                }
            }
            Self::Fullscreen => pen.corners(0.12, 0.3),
            Self::Compare => {
                pen.frame(0.08, 0.18, 0.92, 0.82);
                pen.line(&[(0.5, 0.08), (0.5, 0.92)]);
                pen.bar(0.5, 0.18, 0.92, 0.82);
            }
            Self::Sun => {
                pen.circle(0.5, 0.5, 0.19);
                for step in 0..8 {
                    let (sin, cos) = (step as f32 * std::f32::consts::FRAC_PI_4).sin_cos();
                    pen.line(&[(0.5 + 0.31 * cos, 0.5 + 0.31 * sin), (0.5 + 0.44 * cos, 0.5 + 0.44 * sin)]);
                }
            }
            Self::Moon => pen.crescent(),
            Self::Previous => pen.line(&[(0.62, 0.2), (0.34, 0.5), (0.62, 0.8)]),
            Self::Next => pen.line(&[(0.38, 0.2), (0.66, 0.5), (0.38, 0.8)]),
            Self::Down => pen.line(&[(0.22, 0.38), (0.5, 0.66), (0.78, 0.38)]),
            Self::Folder => pen.line(&[
                (0.08, 0.8),
                (0.08, 0.2),
                (0.4, 0.2),
                (0.5, 0.33),
                (0.92, 0.33),
                (0.92, 0.8),
                (0.08, 0.8),
            ]),
            Self::Close => {
                pen.line(&[(0.24, 0.24), (0.76, 0.76)]);
                pen.line(&[(0.76, 0.24), (0.24, 0.76)]);
            }
            Self::Check => pen.line(&[(0.16, 0.52), (0.4, 0.76), (0.84, 0.26)]),
            Self::Warning => {
                pen.line(&[(0.5, 0.12), (0.93, 0.86), (0.07, 0.86), (0.5, 0.12), (0.93, 0.86)]);
                pen.line(&[(0.5, 0.4), (0.5, 0.62)]);
                pen.dot(0.5, 0.74, 0.055);
            }
            Self::Info => {
                pen.circle(0.5, 0.5, 0.4);
                pen.line(&[(0.5, 0.46), (0.5, 0.72)]);
                pen.dot(0.5, 0.31, 0.06);
            }
            Self::Film => {
                pen.frame(0.08, 0.18, 0.92, 0.82);
                pen.line(&[(0.28, 0.18), (0.28, 0.82)]);
                pen.line(&[(0.72, 0.18), (0.72, 0.82)]);
                pen.line(&[(0.08, 0.5), (0.28, 0.5)]);
                pen.line(&[(0.72, 0.5), (0.92, 0.5)]);
            }
            Self::Picture => {
                pen.frame(0.1, 0.16, 0.9, 0.84);
                pen.dot(0.34, 0.38, 0.07);
                pen.line(&[(0.1, 0.74), (0.36, 0.54), (0.52, 0.68), (0.7, 0.46), (0.9, 0.66)]);
            }
            Self::Webcam => {
                pen.circle(0.5, 0.42, 0.32);
                pen.circle(0.5, 0.42, 0.12);
                pen.line(&[(0.26, 0.9), (0.74, 0.9)]);
                pen.line(&[(0.5, 0.74), (0.5, 0.9)]);
            }
            Self::Microphone => {
                pen.bar(0.38, 0.08, 0.62, 0.56);
                pen.line(&[(0.2, 0.46), (0.26, 0.64), (0.4, 0.74), (0.6, 0.74), (0.74, 0.64), (0.8, 0.46)]);
                pen.line(&[(0.5, 0.74), (0.5, 0.92)]);
                pen.line(&[(0.32, 0.92), (0.68, 0.92)]);
            }
            Self::Add => {
                pen.line(&[(0.5, 0.18), (0.5, 0.82)]);
                pen.line(&[(0.18, 0.5), (0.82, 0.5)]);
            }
            Self::Retry => {
                pen.arc(0.34, -0.4, 4.3);
                pen.filled(&[(0.98, 0.36), (0.78, 0.56), (0.66, 0.28)]);
            }
            Self::Keyboard => {
                pen.frame(0.06, 0.24, 0.94, 0.76);
                for column in 0..4 {
                    pen.dot(0.2 + 0.2 * column as f32, 0.41, 0.04);
                }
                pen.line(&[(0.32, 0.6), (0.68, 0.6)]);
            }
            Self::Gauge => {
                pen.arc(0.4, 2.6, 6.82);
                pen.line(&[(0.5, 0.5), (0.7, 0.3)]);
            }
        }
    }
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    side: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + self.side * vec2(x, y)
    }

    fn rect(&self, left: f32, top: f32, right: f32, bottom: f32) -> Rect {
        Rect::from_min_max(self.at(left, top), self.at(right, bottom))
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|&(x, y)| self.at(x, y)).collect()
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.line(self.points(points), self.stroke);
    }

    fn filled(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::convex_polygon(self.points(points), self.stroke.color, Stroke::NONE));
    }

    fn bar(&self, left: f32, top: f32, right: f32, bottom: f32) {
        self.painter.rect_filled(self.rect(left, top, right, bottom), 1.0, self.stroke.color);
    }

    fn frame(&self, left: f32, top: f32, right: f32, bottom: f32) {
        let rect = self.rect(left, top, right, bottom);
        self.painter.rect_stroke(rect, 2.0, self.stroke, egui::StrokeKind::Middle);
    }

    fn circle(&self, x: f32, y: f32, radius: f32) {
        self.painter.add(CircleShape::stroke(self.at(x, y), radius * self.side, self.stroke));
    }

    fn dot(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_filled(self.at(x, y), radius * self.side, self.stroke.color);
    }

    /// A part of a circle around the middle, clockwise from the right, in radians.
    fn arc(&self, radius: f32, from: f32, to: f32) {
        const STEPS: usize = 16;
        let points: Vec<_> = (0..=STEPS)
            .map(|step| {
                let angle = from + (to - from) * step as f32 / STEPS as f32;
                (0.5 + radius * angle.cos(), 0.5 + radius * angle.sin())
            })
            .collect();
        self.line(&points);
    }

    /// The four corners of a square `inset` from the edge, with arms of this length.
    fn corners(&self, inset: f32, arm: f32) {
        for (x, to_x) in [(inset, inset + arm), (1.0 - inset, 1.0 - inset - arm)] {
            for (y, to_y) in [(inset, inset + arm), (1.0 - inset, 1.0 - inset - arm)] {
                self.line(&[(to_x, y), (x, y), (x, to_y)]);
            }
        }
    }

    /// A disc of which another one is cut out at the top right: round the outer edge, and back along the cut.
    fn crescent(&self) {
        use std::f32::consts::{FRAC_PI_4, PI, TAU};
        const STEPS: usize = 20;
        let (disc, disc_radius) = (vec2(0.46, 0.54), 0.38_f32);
        let (cut, cut_radius) = (vec2(0.64, 0.36), 0.32_f32);
        let apart = (cut - disc).length();
        // Where the two circles meet, as angles from the line between their middles.
        let along = (disc_radius.powi(2) - cut_radius.powi(2) + apart.powi(2)) / (2.0 * apart);
        let (disc_angle, cut_angle) = ((along / disc_radius).acos(), ((apart - along) / cut_radius).acos());
        let arc = |middle: Vec2, radius: f32, from: f32, to: f32| {
            (0..=STEPS).map(move |step| {
                let angle = from + (to - from) * step as f32 / STEPS as f32;
                let point = middle + radius * Vec2::angled(angle);
                (point.x, point.y)
            })
        };
        let towards_cut = -FRAC_PI_4;
        let outer = arc(disc, disc_radius, towards_cut + disc_angle, towards_cut - disc_angle + TAU);
        let inner = arc(cut, cut_radius, towards_cut + PI + cut_angle, towards_cut + PI - cut_angle);
        let points: Vec<(f32, f32)> = outer.chain(inner).collect();
        self.painter.add(Shape::closed_line(self.points(&points), self.stroke));
    }
}

/// The program's own mark: a brush stroke across a round canvas.
pub(crate) fn paint_mark(painter: &Painter, rect: Rect, accent: Color32, ground: Color32) {
    let at = |x: f32, y: f32| rect.lerp_inside(vec2(x, y));
    painter.circle_filled(rect.center(), rect.width() / 2.0, accent);
    let stroke = Stroke::new(rect.width() * 0.13, ground);
    for (lift, from, to) in [(0.0, 0.12, 0.88), (0.24, 0.22, 0.78)] {
        const STEPS: usize = 18;
        let points: Vec<Pos2> = (0..=STEPS)
            .map(|step| {
                let x = from + (to - from) * step as f32 / STEPS as f32;
                at(x, 0.40 + lift + 0.10 * (x * std::f32::consts::TAU).sin())
            })
            .collect();
        painter.line(points, stroke);
    }
}

/// The window's icon: the same mark as pixels.
pub(crate) fn window_icon() -> egui::IconData {
    const SIDE: u32 = 64;
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let point = pos2((column as f32 + 0.5) / SIDE as f32, (row as f32 + 0.5) / SIDE as f32);
            rgba.extend_from_slice(&mark_pixel(point));
        }
    }
    egui::IconData { rgba, width: SIDE, height: SIDE }
}

fn mark_pixel(point: Pos2) -> [u8; 4] {
    let wave = 0.10 * (point.x * std::f32::consts::TAU).sin();
    let on_stroke = |lift: f32, from: f32, to: f32| {
        (from..to).contains(&point.x) && (point.y - 0.40 - lift - wave).abs() < 0.065
    };
    if point.distance(pos2(0.5, 0.5)) > 0.5 {
        [0; 4]
    } else if on_stroke(0.0, 0.12, 0.88) || on_stroke(0.24, 0.22, 0.78) {
        [24, 27, 33, 255]
    } else {
        [232, 178, 74, 255]
    }
}
