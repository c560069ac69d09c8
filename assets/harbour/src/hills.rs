//! Hills in the distance: ridges one behind the other, each a wall of woods and fields with a ragged upper edge.

use crate::light::{Surface, through_air};
use crate::noise::{fbm, noise};
use crate::vector::{Ray, Rgb, Vec3, mix, smoothstep, vec3};

/// One ridge: a profile that stands at one distance.
struct Ridge {
    distance_m: f32,
    /// Nothing of it is higher.
    top_m: f32,
    /// Height at a place across.
    profile: fn(f32) -> f32,
    albedo: Rgb,
    /// Size of its trees.
    tree_m: f32,
    seed: i32,
}

/// Near to far.
const RIDGES: [Ridge; 4] = [
    Ridge {
        distance_m: 150.0,
        top_m: 52.0,
        profile: |x| 44.0 * smoothstep(2.0, 95.0, x) + 3.5 * fbm(x * 0.045, 0.0, 3, 101) - 1.0,
        albedo: vec3(0.17, 0.19, 0.09),
        tree_m: 3.2,
        seed: 110,
    },
    Ridge {
        distance_m: 420.0,
        top_m: 95.0,
        profile: |x| 74.0 * smoothstep(-40.0, 240.0, x) + 9.0 * fbm(x * 0.017, 0.5, 4, 121),
        albedo: vec3(0.15, 0.18, 0.10),
        tree_m: 6.0,
        seed: 130,
    },
    Ridge {
        distance_m: 1000.0,
        top_m: 150.0,
        profile: |x| {
            92.0 * smoothstep(-330.0, -620.0, x)
                + 70.0 * smoothstep(-60.0, 330.0, x)
                + 24.0 * fbm(x * 0.006, 0.2, 4, 141)
                - 6.0
        },
        albedo: vec3(0.14, 0.17, 0.13),
        tree_m: 12.0,
        seed: 150,
    },
    Ridge {
        distance_m: 1900.0,
        top_m: 230.0,
        profile: |x| {
            118.0 + 70.0 * noise(x * 0.0021 + 0.4, 0.0, 161) + 40.0 * fbm(x * 0.0052, 0.7, 4, 163)
                - 70.0 * smoothstep(500.0, 100.0, (x + 380.0).abs())
        },
        albedo: vec3(0.15, 0.17, 0.16),
        tree_m: 30.0,
        seed: 170,
    },
];

/// `behind`, with the hills in front of it.
pub(crate) fn over(behind: Rgb, ray: &Ray, pixel_angle: f32) -> Rgb {
    if ray.direction.z < 0.05 {
        return behind;
    }
    let mut colour = behind;
    for ridge in RIDGES.iter().rev() {
        let distance_m = (ridge.distance_m - ray.origin.z) / ray.direction.z;
        let point = ray.at(distance_m);
        if point.y > -1.0 && point.y < ridge.top_m {
            let (shade, cover) = ridge.look(point, distance_m * pixel_angle);
            colour = colour.mix(through_air(shade, ray.direction, distance_m), cover);
        }
    }
    colour
}

impl Ridge {
    /// Colour and coverage at a point of its plane.
    fn look(&self, point: Vec3, footprint_m: f32) -> (Rgb, f32) {
        let height = (self.profile)(point.x);
        let (u, v) = (point.x / self.tree_m, point.y / self.tree_m);
        let crowns = fbm(u * 0.9, v * 1.1, 3, self.seed);
        let edge = height + self.tree_m * 0.55 * crowns - point.y;
        let cover = (edge / footprint_m.max(0.12 * self.tree_m) + 0.5).clamp(0.0, 1.0);
        if cover <= 0.0 {
            return (Vec3::ZERO, 0.0);
        }
        // Crowns are lit on their upper left; the ground leans as the profile does.
        let lean = (self.profile)(point.x + self.tree_m) - height;
        let crown_left = crowns - fbm((u - 0.35) * 0.9, (v + 0.3) * 1.1, 3, self.seed);
        let normal = vec3(-0.55 + 1.1 * crown_left - 0.3 * lean / self.tree_m, 0.62, -0.6).normalized();
        let fields = smoothstep(0.12, 0.32, fbm(u * 0.11, v * 0.26, 3, self.seed + 7));
        let albedo = self.albedo.mix(vec3(0.34, 0.30, 0.13), fields * 0.75);
        let sun = mix(0.35, 1.0, smoothstep(-0.25, 0.25, crown_left)) * 0.85;
        (Surface::matt(albedo * (0.85 + 0.5 * crowns), normal).lit(sun), cover)
    }
}
