//! The evening's light: a low sun from the left, a sky that is warm below and blue above, haze in between.

use crate::vector::{Rgb, Vec3, smoothstep, vec3};

/// Where the sun stands in the picture.
pub(crate) const SUN_DIRECTION: Vec3 = vec3(-0.1944, 0.1264, 0.9727);

/// Where its light comes from. As a painter would, further to the side than the disc, so that the fronts of the
/// houses catch it.
pub(crate) const KEY_DIRECTION: Vec3 = vec3(-0.9002, 0.3851, 0.2031);

/// What a white wall that faces the sun sends back.
const SUNLIGHT: Rgb = vec3(2.85, 1.55, 0.66);

/// A surface that light falls on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surface {
    /// The part of the light that it sends back.
    pub(crate) albedo: Rgb,
    /// What it sends out by itself: windows, lamps.
    pub(crate) glow: Rgb,
    /// Outwards, of length 1.
    pub(crate) normal: Vec3,
}

impl Surface {
    pub(crate) const fn matt(albedo: Rgb, normal: Vec3) -> Self {
        Self { albedo, glow: Vec3::ZERO, normal }
    }

    /// What leaves the surface when `sun` (0 shade .. 1 full) of the sunlight reaches it.
    pub(crate) fn lit(&self, sun: f32) -> Rgb {
        let facing = self.normal.dot(KEY_DIRECTION).max(0.0);
        self.albedo * (SUNLIGHT * (facing * sun) + ambient(self.normal)) + self.glow
    }
}

/// What the whole sky and the water send to a surface with this normal, in the shade.
pub(crate) fn ambient(normal: Vec3) -> Rgb {
    let up = 0.5 + 0.5 * normal.y;
    let toward_sun = 0.5 + 0.5 * normal.dot(vec3(-0.75, 0.0, 0.66));
    let sky = vec3(0.30, 0.38, 0.60).mix(vec3(0.82, 0.50, 0.34), toward_sun * toward_sun * 0.8);
    let ground = vec3(0.30, 0.24, 0.22);
    ground.mix(sky, smoothstep(0.0, 0.9, up)) * 0.60
}

/// What the air between here and `distance_m` away along `direction` does to `colour`: far things fade to the tint of
/// the sky behind them, more golden towards the sun.
pub(crate) fn through_air(colour: Rgb, direction: Vec3, distance_m: f32) -> Rgb {
    let toward_sun = direction.dot(SUN_DIRECTION).max(0.0);
    let haze = vec3(0.56, 0.47, 0.53).mix(vec3(1.45, 0.86, 0.44), toward_sun.powi(14));
    let thickness = 1.0 - (-distance_m / (1150.0 - 700.0 * toward_sun.powi(8))).exp();
    colour.mix(haze, thickness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_length_one() {
        for direction in [SUN_DIRECTION, KEY_DIRECTION] {
            assert!((direction.length() - 1.0).abs() < 1e-3, "{direction:?}");
        }
    }

    #[test]
    fn walls_that_face_the_sun_are_brighter_and_warmer() {
        let lit = Surface::matt(Vec3::splat(0.5), vec3(-1.0, 0.0, 0.0)).lit(1.0);
        let shade = Surface::matt(Vec3::splat(0.5), vec3(0.0, 0.0, -1.0)).lit(1.0);
        assert!(lit.x > 2.0 * shade.x && lit.x / lit.z > shade.x / shade.z);
    }
}
