//! Round bars with soft edges: masts, ropes, lamp posts, gulls' wings, people. Thinner than a pixel, a bar covers a
//! part of it, so that rigging neither flickers nor breaks up.

use crate::light::{Surface, through_air};
use crate::vector::{Ray, Rgb, Vec3, mix};
use crate::veil::Veils;

/// A bar that may taper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) from: Vec3,
    pub(crate) to: Vec3,
    pub(crate) from_radius_m: f32,
    pub(crate) to_radius_m: f32,
    pub(crate) albedo: Rgb,
    pub(crate) glow: Rgb,
}

impl Stroke {
    /// An evenly thick bar.
    pub(crate) const fn new(from: Vec3, to: Vec3, radius_m: f32, albedo: Rgb) -> Self {
        Self { from, to, from_radius_m: radius_m, to_radius_m: radius_m, albedo, glow: Vec3::ZERO }
    }

    /// The same, `to_radius_m` thick at its far end.
    pub(crate) const fn tapering(mut self, to_radius_m: f32) -> Self {
        self.to_radius_m = to_radius_m;
        self
    }

    /// The same, shining by itself.
    pub(crate) const fn shining(mut self, glow: Rgb) -> Self {
        self.glow = glow;
        self
    }

    /// Whether the ray's line comes within `margin_m` of the bar's: all that most rays need to know.
    fn is_near(&self, ray: &Ray, margin_m: f32) -> bool {
        let across = (self.to - self.from).cross(ray.direction);
        let gap = (ray.origin - self.from).dot(across);
        let reach_m = self.from_radius_m.max(self.to_radius_m) + margin_m;
        gap * gap <= reach_m * reach_m * across.dot(across)
    }

    /// Adds what the ray sees of it, if anything, to the veils in front of `within_m`.
    fn add_to(&self, veils: &mut Veils, ray: &Ray, within_m: f32, pixel_angle: f32) {
        let bar = self.to - self.from;
        let offset = ray.origin - self.from;
        let (bar_bar, bar_ray) = (bar.dot(bar), bar.dot(ray.direction));
        let (offset_ray, offset_bar) = (offset.dot(ray.direction), offset.dot(bar));
        let parallel = (bar_bar - bar_ray * bar_ray).max(1e-6 * bar_bar);
        let along = ((offset_bar - bar_ray * offset_ray) / parallel).clamp(0.0, 1.0);
        let distance_m = along * bar_ray - offset_ray;
        if distance_m <= 0.1 || distance_m >= within_m {
            return;
        }
        let aside = offset + ray.direction * distance_m - bar * along;
        let aside_m = aside.length();
        let radius_m = mix(self.from_radius_m, self.to_radius_m, along);
        let half_pixel_m = 0.5 * distance_m * pixel_angle;
        let drawn_m = radius_m.max(half_pixel_m);
        if aside_m >= drawn_m + half_pixel_m {
            return;
        }
        let cover = ((drawn_m - aside_m) / (2.0 * half_pixel_m) + 0.5).clamp(0.0, 1.0) * (radius_m / drawn_m);
        let lean = aside * (1.0 / drawn_m);
        let toward_viewer = (1.0 - lean.dot(lean)).max(0.0).sqrt();
        let normal = (lean - ray.direction * (toward_viewer + 0.05)).normalized();
        let colour = Surface { albedo: self.albedo, glow: self.glow, normal }.lit(1.0);
        veils.add(distance_m, through_air(colour, ray.direction, distance_m), cover);
    }
}

/// Strokes that belong together, and a ball that holds them.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    strokes: Vec<Stroke>,
    center: Vec3,
    radius_m: f32,
}

impl Bundle {
    /// A bundle of at least one stroke.
    pub(crate) fn new(strokes: Vec<Stroke>) -> Self {
        let ends = || strokes.iter().flat_map(|stroke| [stroke.from, stroke.to]);
        let center = ends().fold(Vec3::ZERO, |sum, end| sum + end) * (0.5 / strokes.len().max(1) as f32);
        let reach_m = ends().map(|end| (end - center).length()).fold(0.0, f32::max);
        let thickest_m = strokes.iter().map(|s| s.from_radius_m.max(s.to_radius_m)).fold(0.0, f32::max);
        // Half a metre more holds the width that far strokes are drawn with.
        Self { center, radius_m: reach_m + thickest_m + 0.5, strokes }
    }

    /// A ball that holds them: centre and radius.
    pub(crate) const fn ball(&self) -> (Vec3, f32) {
        (self.center, self.radius_m)
    }

    /// Adds what the ray sees of them to the veils.
    pub(crate) fn add_to(&self, veils: &mut Veils, ray: &Ray, within_m: f32, pixel_angle: f32) {
        let pixel_m = ((self.center - ray.origin).length() + self.radius_m) * pixel_angle;
        for stroke in self.strokes.iter().filter(|stroke| stroke.is_near(ray, pixel_m)) {
            stroke.add_to(veils, ray, within_m, pixel_angle);
        }
    }
}
