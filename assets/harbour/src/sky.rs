//! The sky: a gradient, the sun, a bank of heaped clouds over the land and streaks of high cloud above.

use crate::light::SUN_DIRECTION;
use crate::noise::{fbm, noise};
use crate::vector::{Rgb, Vec3, mix, smoothstep, vec3};

/// Radius of the disc, as a tangent; about three times the real one, as the eye remembers it.
const SUN_RADIUS: f32 = 0.0165;

/// What comes out of the sky from `direction`, `time_s` seconds into the clip.
pub(crate) fn sky(direction: Vec3, time_s: f32) -> Rgb {
    let clear = clear_sky(direction);
    let toward_sun = direction.dot(SUN_DIRECTION);
    let streaks = streaks(direction, time_s);
    let colour = clear.mix(streaks.0, streaks.1) + sun_disc(direction) * (1.0 - 0.55 * streaks.1);
    let heap = heaped_clouds(direction, time_s);
    let glow = vec3(1.0, 0.62, 0.26) * (0.55 * toward_sun.max(0.0).powi(180));
    colour.mix(heap.0, heap.1) + glow
}

/// The gradient alone.
pub(crate) fn clear_sky(direction: Vec3) -> Rgb {
    let height = direction.y.max(0.0);
    let toward_sun = direction.dot(SUN_DIRECTION).max(0.0);
    let horizon = vec3(0.86, 0.50, 0.42).mix(vec3(1.75, 0.98, 0.42), toward_sun.powi(10));
    let middle = vec3(0.33, 0.45, 0.60).mix(vec3(0.96, 0.76, 0.50), toward_sun.powi(20));
    let top = vec3(0.060, 0.165, 0.40);
    let lower = horizon.mix(middle, smoothstep(0.0, 0.17, height));
    lower.mix(top, 1.0 - (-(height - 0.07).max(0.0) * 6.0).exp())
}

/// The disc itself and the brightness right around it.
fn sun_disc(direction: Vec3) -> Rgb {
    let off = (direction - SUN_DIRECTION).length();
    let disc = smoothstep(SUN_RADIUS * 1.06, SUN_RADIUS * 0.94, off);
    let halo = 1.5 / (1.0 + (off / 0.028).powi(2)) + 0.35 / (1.0 + (off / 0.11).powi(2));
    vec3(9.0, 6.2, 3.0) * disc + vec3(1.0, 0.58, 0.22) * halo
}

/// High, thin, wind-drawn cloud: colour and opacity.
fn streaks(direction: Vec3, time_s: f32) -> (Rgb, f32) {
    let height = direction.y.max(0.0) + 0.055;
    let (x, z) = (direction.x / height * 0.62 + 0.012 * time_s, 0.30 / height);
    let warp = noise(x * 0.7, z * 1.3, 40);
    let body = fbm(x * 0.8 + 0.9 * warp + 3.0, z * 2.6 - 0.5 * warp + 0.35 * x, 5, 50);
    // Finer rows of cloudlets ride on the broad bands.
    let rows = fbm(x * 5.5 + 1.6 * warp, z * 9.0 + 1.3 * x, 3, 58);
    let body = body + 0.42 * rows * smoothstep(-0.30, 0.20, body);
    let opacity = smoothstep(-0.02, 0.36, body) * smoothstep(0.02, 0.10, direction.y) * 0.94;
    let toward_sun = direction.dot(SUN_DIRECTION).max(0.0);
    let lit = vec3(1.32, 0.72, 0.52).mix(vec3(1.95, 1.25, 0.62), toward_sun.powi(24));
    let thick = vec3(0.46, 0.33, 0.47).mix(vec3(0.95, 0.55, 0.36), toward_sun.powi(20));
    (lit.mix(thick, smoothstep(0.12, 0.55, body)), opacity)
}

/// How much heaped cloud there is at an angle across and above the horizon; positive inside.
fn heap_density(across: f32, height: f32, time_s: f32) -> f32 {
    let drift = across + 0.0011 * time_s;
    // Tall to the right, over the land; low in the middle, where the sun is.
    let ceiling = 0.105
        + 0.12 * noise(drift * 2.1 + 4.7, 0.3, 61)
        + 0.25 * smoothstep(-0.04, 0.50, across)
        + 0.16 * smoothstep(-0.30, -0.56, across);
    let lumps = fbm(drift * 7.0, height * 11.0 - 0.006 * time_s, 6, 70);
    let puffs = 1.0 - noise(drift * 19.0 + lumps, height * 24.0, 80).abs();
    let base = smoothstep(0.012, 0.05, height);
    (ceiling - height) * 5.5 * base + 0.74 * lumps + 0.26 * (puffs - 0.7) - 0.30
}

/// Heaped clouds low in the sky, lit from the sun's side: colour and opacity.
fn heaped_clouds(direction: Vec3, time_s: f32) -> (Rgb, f32) {
    if direction.y <= 0.0 || direction.y > 0.5 || direction.z < 0.2 {
        return (Vec3::ZERO, 0.0);
    }
    let (across, height) = (direction.x / direction.z, direction.y / direction.z);
    let density = heap_density(across, height, time_s);
    let opacity = smoothstep(0.0, 0.24, density) * smoothstep(0.008, 0.05, height);
    if opacity <= 0.0 {
        return (Vec3::ZERO, 0.0);
    }
    let sun = (SUN_DIRECTION.x / SUN_DIRECTION.z, SUN_DIRECTION.y / SUN_DIRECTION.z + 0.10);
    let (to_x, to_y) = (sun.0 - across, sun.1 - height);
    let reach = 0.028 / (to_x * to_x + to_y * to_y).sqrt().max(0.03);
    let toward = heap_density(across + to_x * reach, height + to_y * reach + 0.012, time_s);
    let lit = smoothstep(-0.22, 0.34, density - toward);
    let toward_sun = direction.dot(SUN_DIRECTION).max(0.0);
    let bright = vec3(1.40, 0.88, 0.62).mix(vec3(2.1, 1.32, 0.66), toward_sun.powi(18));
    let dark = vec3(0.27, 0.26, 0.41).mix(vec3(0.62, 0.38, 0.32), toward_sun.powi(14));
    let body = dark.mix(bright, lit * mix(1.0, 0.75, smoothstep(0.3, 1.2, density)));
    // Thin edges let the light behind through.
    let edge = 1.0 - smoothstep(0.0, 0.34, density);
    (body + bright * (0.28 * edge * toward_sun.powi(6)), opacity * 0.94)
}
