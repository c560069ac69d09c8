//! One house: its body, a tiled roof, a chimney.

use crate::facade::{Facade, STREET_FACE, Spot};
use crate::light::Surface;
use crate::noise::{Dice, chance, fbm, noise};
use crate::solid::{Hit, Plot, Solid};
use crate::vector::{Ray, Rgb, Vec3, smoothstep, vec3};

/// Plaster of the walls.
const PLASTER: [Rgb; 9] = [
    vec3(0.72, 0.47, 0.20),
    vec3(0.78, 0.66, 0.46),
    vec3(0.70, 0.36, 0.27),
    vec3(0.62, 0.26, 0.16),
    vec3(0.80, 0.74, 0.64),
    vec3(0.42, 0.53, 0.56),
    vec3(0.77, 0.58, 0.30),
    vec3(0.50, 0.56, 0.42),
    vec3(0.76, 0.52, 0.42),
];
/// Painted shutters and doors.
const SHUTTERS: [Rgb; 5] = [
    vec3(0.10, 0.22, 0.20),
    vec3(0.12, 0.20, 0.34),
    vec3(0.34, 0.12, 0.08),
    vec3(0.20, 0.30, 0.16),
    vec3(0.42, 0.38, 0.30),
];
const TILES: [Rgb; 3] = [vec3(0.46, 0.17, 0.09), vec3(0.40, 0.19, 0.12), vec3(0.30, 0.17, 0.14)];

/// One house.
pub(crate) struct House {
    plot: Plot,
    half_width_m: f32,
    half_depth_m: f32,
    /// Whether the gable looks to the street; otherwise the eaves do.
    gable_front: bool,
    facade: Facade,
    tiles: Rgb,
    seed: i32,
    walls: Solid,
    roof: Solid,
    chimney: Solid,
    chimney_top: Vec3,
    ball_center: Vec3,
    ball_radius_m: f32,
}

/// Which part of a house a ray met.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Wall,
    Roof,
    Chimney,
}

impl House {
    /// A house of these outer sizes; everything else about it follows from the seed.
    pub(crate) fn new(plot: Plot, width_m: f32, depth_m: f32, eaves_m: f32, seed: i32) -> Self {
        let mut dice = Dice::new(seed);
        let (half_width_m, half_depth_m) = (0.5 * width_m, 0.5 * depth_m);
        let gable_front = dice.throw() < 0.42;
        let pitch = if gable_front { dice.between(0.7, 1.15) } else { dice.between(0.5, 0.85) };
        let half_span_m = if gable_front { half_width_m } else { half_depth_m };
        let ridge_m = eaves_m + pitch * half_span_m;
        let across = if gable_front { vec3(1.0, 0.0, 0.0) } else { vec3(0.0, 0.0, 1.0) };
        let slopes = |lift_m: f32| {
            [across, -across]
                .map(|side| plot.plane(side * pitch + Vec3::UP, vec3(0.0, ridge_m + lift_m, 0.0)))
        };
        let mut walls = plot.walls(Vec3::ZERO, half_width_m, half_depth_m);
        walls.extend(slopes(0.0));
        let along_m = if gable_front {
            (half_width_m + 2.0, half_depth_m + 0.02)
        } else {
            (half_width_m + 0.02, half_depth_m + 2.0)
        };
        let mut roof = plot.walls(Vec3::ZERO, along_m.0, along_m.1);
        roof.extend(slopes(0.24));
        roof.push(plot.floor(eaves_m - 0.10));
        let ridge_side = vec3(1.0, 0.0, 1.0) - across;
        let foot = across * dice.between(-0.5, 0.5) * half_span_m
            + ridge_side
                * (dice.pick(&[-0.8, 0.8]) * if gable_front { half_depth_m * 0.6 } else { half_width_m });
        let chimney_top = vec3(foot.x, ridge_m + dice.between(0.5, 1.1), foot.z);
        let mut chimney = plot.walls(foot, 0.38, 0.45);
        chimney.extend([plot.lid(chimney_top.y), plot.floor(eaves_m)]);
        let plaster = dice.pick(&PLASTER) * dice.between(0.82, 1.05);
        let ball_radius_m = vec3(half_width_m + 0.6, 0.5 * ridge_m + 1.2, half_depth_m + 0.6).length();
        Self {
            plot,
            half_width_m,
            half_depth_m,
            gable_front,
            facade: Facade { eaves_m, ridge_m, pitch, plaster, shutters: dice.pick(&SHUTTERS), seed },
            tiles: dice.pick(&TILES) * dice.between(0.85, 1.15),
            seed,
            walls: Solid::new(walls),
            roof: Solid::new(roof),
            chimney: Solid::new(chimney),
            chimney_top: plot.world(chimney_top),
            ball_center: plot.world(vec3(0.0, 0.5 * ridge_m, 0.0)),
            ball_radius_m,
        }
    }

    /// The mouth of the chimney.
    pub(crate) const fn chimney_top(&self) -> Vec3 {
        self.chimney_top
    }

    /// A ball that holds all of it: centre and radius.
    pub(crate) const fn ball(&self) -> (Vec3, f32) {
        (self.ball_center, self.ball_radius_m)
    }

    /// The part that the ray meets first.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<(Hit, Part)> {
        let mut nearest = None;
        let mut within_m = within_m;
        for (solid, part) in
            [(&self.walls, Part::Wall), (&self.roof, Part::Roof), (&self.chimney, Part::Chimney)]
        {
            if let Some(hit) = solid.meet(ray, within_m) {
                within_m = hit.distance_m;
                nearest = Some((hit, part));
            }
        }
        nearest
    }

    /// What the house looks like there, in a pixel this wide.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, part: Part, footprint_m: f32) -> Surface {
        let local = self.plot.local(point);
        match part {
            Part::Roof if normal.y > 0.2 => self.tiled_roof(local, normal, footprint_m),
            Part::Roof if normal.y < -0.5 => Surface::matt(self.facade.plaster * 0.8, normal),
            Part::Chimney => {
                let soot = 0.7 + 0.3 * noise(local.x * 3.0 + local.z * 3.0, local.y * 4.0, self.seed);
                Surface::matt(vec3(0.40, 0.22, 0.15) * soot, normal)
            }
            Part::Wall | Part::Roof => {
                let facing = normal.dot(self.plot.front);
                let side = normal.dot(self.plot.right);
                let (across, half_m, face) = if facing.abs() > side.abs() {
                    (local.x * facing.signum(), self.half_width_m, STREET_FACE)
                } else {
                    (-local.z * side.signum(), self.half_depth_m, if side > 0.0 { 2 } else { 3 })
                };
                let spot =
                    Spot { across: across + half_m, up: local.y, width_m: 2.0 * half_m, face, footprint_m };
                self.facade.surface(&spot, normal)
            }
        }
    }

    fn tiled_roof(&self, local: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let (down, along) =
            if self.gable_front { (local.x.abs(), local.z) } else { (local.z.abs(), local.x) };
        let visible = 1.0 - smoothstep(0.10, 0.34, footprint_m);
        let rows = 0.5 - (down * 2.6).fract();
        let channels = (along * 19.0).sin();
        let weather = fbm(along * 0.5, down * 0.8 + local.y * 0.3, 4, self.seed + 20);
        let single = chance((along * 3.0).floor() as i32, (down * 2.6).floor() as i32, self.seed) - 0.5;
        let tone = 1.0 + 0.45 * weather + visible * (0.22 * rows + 0.12 * channels + 0.35 * single);
        let moss = smoothstep(0.15, 0.6, fbm(along * 0.9, down * 1.2, 3, self.seed + 30));
        Surface::matt(self.tiles.mix(vec3(0.25, 0.22, 0.12), moss * 0.5) * tone, normal)
    }
}
