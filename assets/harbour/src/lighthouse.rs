//! The lighthouse at the harbour's mouth: a tapering tower in white and red, with a lantern that turns.

use std::f32::consts::TAU;

use crate::light::Surface;
use crate::noise::fbm;
use crate::quay::QUAY_M;
use crate::solid::{Hit, Plane, Plot, Solid};
use crate::vector::{Ray, Vec3, band, smoothstep, vec3};

const TOWER_M: f32 = 13.4;
const GALLERY_M: f32 = 13.8;
const LANTERN_M: f32 = 15.7;
const CAP_M: f32 = 17.4;
const SIDES: usize = 14;
/// Time of one turn of the lantern.
const TURN_S: f32 = 4.0;

/// The lighthouse.
pub(crate) struct Lighthouse {
    plot: Plot,
    parts: [Solid; 4],
}

impl Lighthouse {
    pub(crate) fn new() -> Self {
        let plot = Plot::facing(vec3(-12.4, QUAY_M, 103.0), vec3(0.0, 0.0, -1.0));
        let part = |low_m: f32, low_radius_m: f32, high_m: f32, high_radius_m: f32| {
            let mut planes = ring(&plot, low_m, low_radius_m, high_m, high_radius_m);
            planes.extend([plot.floor(low_m), plot.lid(high_m)]);
            Solid::new(planes)
        };
        let parts = [
            part(-1.0, 2.25, TOWER_M, 1.25),
            part(TOWER_M, 1.75, GALLERY_M, 1.75),
            part(GALLERY_M, 0.85, LANTERN_M, 0.85),
            part(LANTERN_M, 1.12, CAP_M, 0.05),
        ];
        Self { plot, parts }
    }

    /// Where the ray meets it.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        if !ray.meets_ball(self.plot.world(vec3(0.0, 8.5, 0.0)), 10.0) {
            return None;
        }
        self.parts
            .iter()
            .filter_map(|part| part.meet(ray, within_m))
            .min_by(|a, b| a.distance_m.total_cmp(&b.distance_m))
    }

    /// What it looks like there, `time_s` seconds into the clip.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, footprint_m: f32, time_s: f32) -> Surface {
        let local = self.plot.local(point);
        // The tower is round; its sides are only how a ray finds it.
        let round = vec3(point.x - self.plot.center.x, 0.0, point.z - self.plot.center.z).normalized();
        let normal = if normal.y.abs() < 0.9 { (round + Vec3::UP * normal.y).normalized() } else { normal };
        let rust = fbm(local.x + local.z, local.y * 0.25, 4, 1101);
        let (white, red) = (vec3(0.74, 0.70, 0.63), vec3(0.56, 0.12, 0.07));
        if local.y > LANTERN_M - 0.01 {
            return Surface::matt(red * (0.8 + 0.3 * rust), normal);
        }
        if local.y > GALLERY_M {
            // The beam turns past the viewer once in a while; between, the lantern glimmers.
            let beam = (0.5 + 0.5 * (TAU * time_s / TURN_S - 1.2).cos()).powi(6);
            let bars = band((local.x * 2.4).fract().abs(), 0.0, 0.12, 2.4 * footprint_m);
            let glow = vec3(5.2, 3.3, 1.3) * ((0.35 + 1.6 * beam) * (1.0 - 0.6 * bars));
            return Surface { albedo: Vec3::splat(0.05), glow, normal };
        }
        if local.y > TOWER_M - 0.01 {
            return Surface::matt(vec3(0.10, 0.09, 0.09), normal);
        }
        let stripe = [(3.4, 6.2), (9.0, 11.6)]
            .map(|(low_m, high_m)| band(local.y, low_m, high_m, footprint_m))
            .into_iter()
            .fold(0.0, f32::max);
        let pane = band(local.x, -0.32, 0.22, footprint_m)
            * [2.0, 7.2]
                .map(|sill_m| band(local.y, sill_m, sill_m + 1.1, footprint_m))
                .into_iter()
                .fold(0.0, f32::max);
        let gallery_shade = 1.0 - 0.45 * smoothstep(TOWER_M - 1.4, TOWER_M, local.y);
        let albedo = white.mix(red, stripe) * ((1.0 + 0.22 * rust) * gallery_shade);
        Surface::matt(albedo.mix(vec3(0.05, 0.05, 0.06), pane), normal)
    }
}

/// The sides of a tapering round part.
fn ring(plot: &Plot, low_m: f32, low_radius_m: f32, high_m: f32, high_radius_m: f32) -> Vec<Plane> {
    let lean = (low_radius_m - high_radius_m) / (high_m - low_m);
    (0..SIDES)
        .map(|side| {
            let (sin, cos) = (TAU * side as f32 / SIDES as f32).sin_cos();
            let foot = vec3(cos * low_radius_m, low_m, sin * low_radius_m);
            plot.plane(vec3(cos, lean, sin), foot)
        })
        .collect()
}
