//! Cloth in the evening sun: a flat outline, shaded as if it bellied, that lets light through.

use crate::light::{KEY_DIRECTION, ambient, through_air};
use crate::noise::fbm;
use crate::vector::{Ray, Rgb, Vec3, smoothstep, vec3};
use crate::veil::Veils;

/// One sail: a convex outline in the plane of two directions.
#[derive(Debug, Clone)]
pub(crate) struct Sail {
    /// The lower corner at the mast.
    pub(crate) tack: Vec3,
    /// Along the boom, of length 1.
    pub(crate) along: Vec3,
    /// Up the mast, of length 1.
    pub(crate) up: Vec3,
    /// Corners, counter-clockwise, in metres along and up.
    pub(crate) outline: Vec<(f32, f32)>,
    pub(crate) cloth: Rgb,
}

impl Sail {
    /// Adds what the ray sees of it to the veils.
    pub(crate) fn add_to(&self, veils: &mut Veils, ray: &Ray, within_m: f32, pixel_angle: f32) {
        let normal = self.along.cross(self.up);
        let approach = normal.dot(ray.direction);
        let distance_m = normal.dot(self.tack - ray.origin) / approach;
        if distance_m.is_nan() || distance_m <= 0.1 || distance_m >= within_m {
            return;
        }
        let offset = ray.at(distance_m) - self.tack;
        let (u, v) = (offset.dot(self.along), offset.dot(self.up));
        let footprint_m = distance_m * pixel_angle / approach.abs().max(0.2);
        let inside_m = self.inside_m(u, v);
        let cover = (inside_m / footprint_m + 0.5).clamp(0.0, 1.0);
        if cover > 0.0 {
            let colour = self.lit(u, v, inside_m, normal * -approach.signum(), footprint_m);
            veils.add(distance_m, through_air(colour, ray.direction, distance_m), cover * 0.985);
        }
    }

    /// Distance to the outline, positive inside.
    fn inside_m(&self, u: f32, v: f32) -> f32 {
        let corners = self.outline.len();
        (0..corners).fold(f32::MAX, |nearest_m, corner| {
            let (from, to) = (self.outline[corner], self.outline[(corner + 1) % corners]);
            let (edge_u, edge_v) = (to.0 - from.0, to.1 - from.1);
            let length_m = (edge_u * edge_u + edge_v * edge_v).sqrt();
            // Edges are not quite straight: the wind rounds them out, most in the middle.
            let along = ((u - from.0) * edge_u + (v - from.1) * edge_v) / (length_m * length_m);
            let belly_m = 0.035 * length_m * (4.0 * along * (1.0 - along)).max(0.0);
            nearest_m.min((edge_u * (v - from.1) - edge_v * (u - from.0)) / length_m + belly_m)
        })
    }

    fn lit(&self, u: f32, v: f32, inside_m: f32, toward_viewer: Vec3, footprint_m: f32) -> Rgb {
        let width_m = self.outline.iter().fold(0.1_f32, |most, corner| most.max(corner.0.abs()));
        let belly = (u.abs() / width_m - 0.42) * 1.1;
        let folds = fbm(u * 0.9 + v * 0.5, v * 0.35 - u * 0.2, 3, 601);
        let normal = (toward_viewer + self.along * (belly * u.signum() + 0.25 * folds)).normalized();
        let facing = normal.dot(KEY_DIRECTION);
        let (lit, through) = (facing.max(0.0), (-facing).max(0.0));
        let sun = vec3(2.7, 1.45, 0.58) * (0.85 * lit + 0.75 * through + 0.10);
        let visible = 1.0 - smoothstep(0.03, 0.12, footprint_m);
        let seam = (1.0 - smoothstep(0.0, 0.05, (v / 0.85).fract() - 0.02)) * visible;
        let hem = 1.0 - smoothstep(0.04, 0.16, inside_m);
        let cloth = self.cloth * (1.0 + 0.14 * folds - 0.16 * seam - 0.22 * hem);
        cloth * (sun + ambient(normal))
    }
}
