//! Smoke from chimneys, drawn to the right by the evening breeze.

use crate::light::{SUN_DIRECTION, through_air};
use crate::noise::{fbm, noise};
use crate::vector::{Ray, Vec3, smoothstep, vec3};
use crate::veil::Veils;

/// How far a plume can be followed.
const REACH_M: f32 = 16.0;

/// Adds the plume of a chimney whose mouth is at `mouth`, as a picture that stands upright there.
pub(crate) fn add_plume(veils: &mut Veils, mouth: Vec3, ray: &Ray, within_m: f32, time_s: f32) {
    if ray.direction.z < 0.05 {
        return;
    }
    let distance_m = (mouth.z - ray.origin.z) / ray.direction.z;
    if distance_m <= 0.1 || distance_m >= within_m {
        return;
    }
    let offset = ray.at(distance_m) - mouth;
    let drift_m = offset.x;
    if !(-0.6..REACH_M).contains(&drift_m) || !(-1.0..12.0).contains(&offset.y) {
        return;
    }
    let age = drift_m.max(0.0);
    let wander = 0.5 * noise(age * 0.30 - 0.5 * time_s, mouth.x, 901) * (0.3 + 0.22 * age);
    let middle_m = 1.5 * age.powf(0.72) + wander;
    let width_m = 0.24 + 0.20 * age;
    let off = (offset.y - middle_m) / width_m;
    let lumps = fbm(age * 0.75 - 1.25 * time_s, off * 0.8 + 0.2 * age, 4, 910);
    let thick = (-(off * off) * 1.3).exp() * (0.75 + 1.1 * lumps).clamp(0.0, 1.0);
    let faded = smoothstep(REACH_M, 1.5, drift_m) * smoothstep(-0.25, 0.15, drift_m);
    let toward_sun = ray.direction.dot(SUN_DIRECTION).max(0.0);
    let lit = smoothstep(-0.8, 1.0, off + 1.2 * lumps);
    let colour = vec3(0.34, 0.31, 0.40).mix(vec3(1.0, 0.74, 0.60), lit * (0.55 + 0.45 * toward_sun.powi(6)));
    veils.add(distance_m, through_air(colour, ray.direction, distance_m), 0.85 * thick * faded);
}
