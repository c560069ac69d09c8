//! The church above the bend of the quay: a bell tower with a spire, and a nave.

use crate::light::Surface;
use crate::noise::fbm;
use crate::solid::{Hit, Plot, Solid};
use crate::vector::{Ray, Vec3, band, smoothstep, vec3};

const TOWER_M: f32 = 21.0;
const SPIRE_M: f32 = 9.5;
const TOWER_HALF_M: f32 = 2.5;
const NAVE_EAVES_M: f32 = 9.5;
const NAVE_RIDGE_M: f32 = 14.0;
const NAVE_HALF_M: f32 = 4.6;

/// The church.
pub(crate) struct Church {
    plot: Plot,
    tower: Solid,
    spire: Solid,
    nave: Solid,
}

impl Church {
    pub(crate) fn new() -> Self {
        let plot = Plot::facing(vec3(13.0, 6.0, 98.0), vec3(-0.62, 0.0, -0.78));
        let mut tower = plot.walls(Vec3::ZERO, TOWER_HALF_M, TOWER_HALF_M);
        tower.push(plot.lid(TOWER_M));
        let top = vec3(0.0, TOWER_M + SPIRE_M, 0.0);
        let lean = (TOWER_HALF_M + 0.35) / SPIRE_M;
        let mut spire: Vec<_> = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]
            .map(|(x, z)| plot.plane(vec3(x, lean, z), top))
            .into();
        spire.push(plot.floor(TOWER_M));
        let middle = vec3(TOWER_HALF_M + 9.0, 0.0, -1.0);
        let mut nave = plot.walls(middle, 9.0, NAVE_HALF_M);
        let pitch = (NAVE_RIDGE_M - NAVE_EAVES_M) / NAVE_HALF_M;
        let ridge = middle + vec3(0.0, NAVE_RIDGE_M, 0.0);
        nave.extend([1.0, -1.0].map(|z| plot.plane(vec3(0.0, 1.0, pitch * z), ridge)));
        Self { plot, tower: Solid::new(tower), spire: Solid::new(spire), nave: Solid::new(nave) }
    }

    /// Where the ray meets it.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        if !ray.meets_ball(self.plot.world(vec3(6.0, 14.0, 0.0)), 24.0) {
            return None;
        }
        [&self.tower, &self.spire, &self.nave]
            .into_iter()
            .filter_map(|solid| solid.meet(ray, within_m))
            .min_by(|a, b| a.distance_m.total_cmp(&b.distance_m))
    }

    /// What it looks like there.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let local = self.plot.local(point);
        let stone = fbm(local.x * 0.7 + local.z * 0.7, local.y * 0.6, 4, 301);
        if normal.y > 0.1 {
            let is_spire = local.y > TOWER_M - 0.1;
            let slate = if is_spire { vec3(0.20, 0.30, 0.30) } else { vec3(0.42, 0.18, 0.11) };
            return Surface::matt(slate * (1.0 + 0.35 * stone), normal);
        }
        let mut albedo = vec3(0.68, 0.58, 0.42) * (1.0 + 0.28 * stone);
        let across = if normal.dot(self.plot.front).abs() > 0.5 { local.x } else { local.z };
        let glow;
        if local.x.abs() <= TOWER_HALF_M + 0.01 {
            for course_m in [6.5, 13.0, 20.4] {
                albedo =
                    albedo.mix(vec3(0.78, 0.70, 0.56), band(local.y, course_m, course_m + 0.45, footprint_m));
            }
            // The openings of the belfry: two round-headed arches on each side.
            let x = across.abs() - 0.95;
            let arch_m = 17.9 + (0.36 - x * x).max(0.0).sqrt();
            let arch = band(x, -0.55, 0.55, footprint_m) * band(local.y, 14.6, arch_m, footprint_m);
            albedo = albedo.mix(vec3(0.05, 0.045, 0.05), arch);
            // The clock.
            let from_clock = (across.powi(2) + (local.y - 10.6).powi(2)).sqrt();
            let face = 1.0 - ((from_clock - 1.15) / footprint_m + 0.5).clamp(0.0, 1.0);
            let rim = band(from_clock, 1.0, 1.22, footprint_m);
            albedo = albedo.mix(vec3(0.80, 0.76, 0.64), face).mix(vec3(0.18, 0.13, 0.08), rim);
            glow = vec3(0.5, 0.34, 0.15) * (face - rim).max(0.0);
        } else {
            let x = (across / 3.2).fract() * 3.2 - 1.6;
            let light = band(x, -0.5, 0.5, footprint_m) * band(local.y, 3.5, 7.4, footprint_m);
            albedo = albedo.mix(vec3(0.06, 0.06, 0.07), light);
            glow = vec3(1.2, 0.62, 0.22) * (light * smoothstep(8.0, 3.0, local.y));
        }
        Surface { albedo, glow, normal }
    }
}
