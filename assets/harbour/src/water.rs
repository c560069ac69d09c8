//! The water: a sum of travelling waves that tilts the mirror. Waves too short for a pixel widen the glitter instead.

use std::f32::consts::TAU;
use std::sync::LazyLock;

use crate::light::SUN_DIRECTION;
use crate::noise::{Dice, fbm, noise};
use crate::vector::{Ray, Rgb, Vec3, mix, smoothstep, vec3};

/// One train of waves.
struct Wave {
    /// Direction times radians a metre.
    across: f32,
    away: f32,
    /// Radians a second, as gravity has it in deep water.
    pace: f32,
    /// Steepness of its flanks.
    slope: f32,
    phase: f32,
}

static WAVES: LazyLock<Vec<Wave>> = LazyLock::new(|| {
    let mut dice = Dice::new(2024);
    (0..22)
        .map(|step| {
            let length_m = 7.5 * 0.845_f32.powi(step);
            let wave_number = TAU / length_m;
            // The wind comes over the viewer's left shoulder; short waves stray from it more.
            let heading = 1.05 + dice.between(-1.0, 1.0) * mix(0.55, 1.35, step as f32 / 22.0);
            Wave {
                across: wave_number * heading.cos(),
                away: wave_number * heading.sin(),
                pace: (9.81 * wave_number).sqrt() * 0.85,
                slope: 0.0245 + 0.0008 * step as f32,
                phase: dice.between(0.0, TAU),
            }
        })
        .collect()
});

/// A piece of the surface as one pixel sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ripple {
    pub(crate) normal: Vec3,
    /// Mean square slope of the waves that are too short to be seen one by one.
    pub(crate) roughness: f32,
}

/// The surface at `point`, seen along `ray` from `distance_m` away.
pub(crate) fn ripple(point: Vec3, ray: &Ray, distance_m: f32, pixel_angle: f32, time_s: f32) -> Ripple {
    let wide_m = distance_m * pixel_angle;
    let deep_m = wide_m / ray.direction.y.abs().max(0.004);
    // Gusts roughen the water in patches, and the lee of the town is calmer.
    let gust = 0.85 + 0.75 * fbm(point.x * 0.045 + 0.05 * time_s, point.z * 0.022, 3, 1001);
    let bend = 1.6 * noise(point.x * 0.21, point.z * 0.21 - 0.12 * time_s, 1010);
    let (mut slope_x, mut slope_z, mut roughness) = (0.0, 0.0, 0.0024);
    for (index, wave) in WAVES.iter().enumerate() {
        let blur = (wave.across * wide_m).powi(2) + (wave.away * deep_m).powi(2);
        let seen = (-0.16 * blur).exp();
        let slope = wave.slope * gust.max(0.25);
        let number = (wave.across * wave.across + wave.away * wave.away).sqrt();
        roughness += 0.5 * slope * slope * (1.0 - seen * seen);
        if seen > 0.01 {
            let phase = wave.across * point.x + wave.away * point.z - wave.pace * time_s + wave.phase;
            let tilt = slope * seen * (phase + bend * (1.0 + 0.15 * index as f32)).cos() / number;
            slope_x += tilt * wave.across;
            slope_z += tilt * wave.away;
        }
    }
    Ripple { normal: vec3(-slope_x, 1.0, -slope_z).normalized(), roughness }
}

/// The part of the light that the surface mirrors, for a viewer along `direction`.
pub(crate) fn mirrored_part(direction: Vec3, normal: Vec3) -> f32 {
    let facing = (-direction.dot(normal)).clamp(0.0, 1.0);
    0.03 + 0.94 * (1.0 - facing).powf(3.4)
}

/// The mirrored direction, kept above the water.
pub(crate) fn mirrored(direction: Vec3, normal: Vec3) -> Vec3 {
    let back = direction - normal * (2.0 * direction.dot(normal));
    vec3(back.x, back.y.abs().max(0.006), back.z).normalized()
}

/// What comes up out of the depth.
pub(crate) fn depths(point: Vec3, normal: Vec3) -> Rgb {
    let patch = 0.5 + 0.5 * fbm(point.x * 0.05, point.z * 0.03, 2, 1020);
    let lit_crest = smoothstep(0.0, 0.16, -normal.x);
    vec3(0.020, 0.070, 0.085).mix(vec3(0.035, 0.105, 0.105), patch) + vec3(0.05, 0.07, 0.05) * lit_crest
}

/// The sun's path: how much of the disc the unseen little waves send to the viewer (after Cox and Munk).
pub(crate) fn glitter(direction: Vec3, ripple: &Ripple) -> Rgb {
    let half = (SUN_DIRECTION - direction).normalized();
    let needed = (half.x / half.y, half.z / half.y);
    let present = (ripple.normal.x / ripple.normal.y, ripple.normal.z / ripple.normal.y);
    let off = (needed.0 - present.0).powi(2) + (needed.1 - present.1).powi(2);
    let spread = ripple.roughness;
    let density = (-0.5 * off / spread).exp() / (TAU * spread);
    let strength = 0.055 * density / half.y.powi(4);
    vec3(1.0, 0.62, 0.28) * strength.min(14.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_water_is_flatter_but_rougher() {
        let ray = Ray { origin: vec3(0.0, 4.0, 0.0), direction: vec3(0.0, -0.1, 1.0).normalized() };
        let near = ripple(vec3(0.0, 0.0, 12.0), &ray, 12.0, 0.0016, 1.0);
        let far = ripple(vec3(0.0, 0.0, 900.0), &ray, 900.0, 0.0016, 1.0);
        assert!(far.normal.y > near.normal.y && far.roughness > near.roughness);
    }

    #[test]
    fn a_flat_mirror_sends_light_up() {
        let back = mirrored(vec3(0.0, -0.6, 0.8), Vec3::UP);
        assert!((back - vec3(0.0, 0.6, 0.8)).length() < 1e-6);
    }
}
