//! The quay: a wall of big stones around the harbour, the pavement on it, and the mole that carries the lighthouse.

use crate::light::Surface;
use crate::noise::{chance, fbm};
use crate::solid::{Hit, Plot, Solid};
use crate::town::WATERSIDE;
use crate::vector::{Ray, Vec3, band, smoothstep, vec3};

/// Height of the pavement above the water.
pub(crate) const QUAY_M: f32 = 1.6;
/// The outer end of the mole.
const MOLE_HEAD: Vec3 = vec3(-52.0, 0.0, 150.0);

/// The quay and the mole.
pub(crate) struct Quay {
    stretches: Vec<(Plot, Solid)>,
}

impl Quay {
    pub(crate) fn new() -> Self {
        let mut stretches: Vec<_> =
            WATERSIDE.windows(2).map(|ends| stretch(ends[0], ends[1], 44.0, QUAY_M)).collect();
        stretches.push(stretch(MOLE_HEAD, MOLE_HEAD + vec3(-60.0, 0.0, 16.0), 7.0, 2.4));
        Self { stretches }
    }

    /// Where the ray meets it.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        if ray.direction.y > 0.0 && ray.origin.y >= 2.4 {
            return None;
        }
        self.stretches
            .iter()
            .filter_map(|(_, solid)| solid.meet(ray, within_m))
            .min_by(|a, b| a.distance_m.total_cmp(&b.distance_m))
    }

    /// What it looks like there.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        if normal.y > 0.5 {
            return pavement(point, normal, footprint_m);
        }
        let along = Vec3::UP.cross(normal).dot(point);
        let course = (point.y / 0.42).floor();
        let shifted = along / 1.1 + 0.5 * (course as i32).rem_euclid(2) as f32;
        let joints = 1.0 - smoothstep(0.05, 0.25, footprint_m);
        let gap = band((shifted.fract() - 0.5).abs(), 0.46, 0.6, 0.04 + footprint_m).max(band(
            (point.y / 0.42).fract(),
            -0.2,
            0.10,
            0.06 + footprint_m,
        ));
        let single = chance(shifted.floor() as i32, course as i32, 411) - 0.5;
        let stain = fbm(along * 0.6, point.y * 0.8, 4, 420);
        let mut albedo = vec3(0.40, 0.35, 0.29) * (1.0 + 0.35 * stain + joints * (0.35 * single - 0.5 * gap));
        // Weed and wet stone up to the last tide.
        let wet = smoothstep(0.85, 0.35, point.y + 0.3 * stain);
        albedo = albedo.mix(vec3(0.045, 0.05, 0.028), wet);
        albedo = albedo.mix(vec3(0.52, 0.47, 0.40), band(point.y, QUAY_M - 0.22, QUAY_M, footprint_m) * 0.8);
        Surface::matt(albedo, normal)
    }
}

/// A stretch of quay from one point to the next; land to the right of the walk.
fn stretch(from: Vec3, to: Vec3, depth_m: f32, height_m: f32) -> (Plot, Solid) {
    let along = (to - from).normalized();
    let inland = vec3(along.z, 0.0, -along.x);
    let plot = Plot::facing((from + to) * 0.5 + inland * (0.5 * depth_m), -inland);
    let mut planes = plot.walls(Vec3::ZERO, 0.5 * (to - from).length(), 0.5 * depth_m);
    planes.push(plot.lid(height_m));
    (plot, Solid::new(planes))
}

fn pavement(point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
    let wear = fbm(point.x * 0.35, point.z * 0.35, 4, 430);
    let visible = 1.0 - smoothstep(0.1, 0.5, footprint_m);
    let slab = chance((point.x * 0.9).floor() as i32, (point.z * 0.6).floor() as i32, 440) - 0.5;
    Surface::matt(vec3(0.42, 0.36, 0.30) * (1.0 + 0.35 * wear + 0.25 * slab * visible), normal)
}
