//! One house: walls with windows and shutters, a tiled roof, a chimney.

use crate::light::Surface;
use crate::noise::{Dice, chance, fbm, noise};
use crate::solid::{Hit, Plot, Solid};
use crate::vector::{Ray, Rgb, Vec3, band, mix, smoothstep, vec3};

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
const LAMPLIGHT: Rgb = vec3(1.9, 0.92, 0.26);
const STOREY_M: f32 = 2.9;

/// One house.
pub(crate) struct House {
    plot: Plot,
    half_width_m: f32,
    half_depth_m: f32,
    eaves_m: f32,
    ridge_m: f32,
    /// Rise of the roof for each metre across.
    pitch: f32,
    /// Whether the gable looks to the street; otherwise the eaves do.
    gable_front: bool,
    plaster: Rgb,
    shutters: Rgb,
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
            (half_width_m + 2.0, half_depth_m + 0.16)
        } else {
            (half_width_m + 0.16, half_depth_m + 2.0)
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
            eaves_m,
            ridge_m,
            pitch,
            gable_front,
            plaster,
            shutters: dice.pick(&SHUTTERS),
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
            Part::Roof if normal.y < -0.5 => Surface::matt(self.plaster * 0.45, normal),
            Part::Chimney => {
                let soot = 0.7 + 0.3 * noise(local.x * 3.0 + local.z * 3.0, local.y * 4.0, self.seed);
                Surface::matt(vec3(0.40, 0.22, 0.15) * soot, normal)
            }
            Part::Wall | Part::Roof => {
                let facing = normal.dot(self.plot.front);
                let side = normal.dot(self.plot.right);
                let (across, half_m, face) = if facing.abs() > side.abs() {
                    (local.x * facing.signum(), self.half_width_m, 1)
                } else {
                    (-local.z * side.signum(), self.half_depth_m, if side > 0.0 { 2 } else { 3 })
                };
                self.wall(across + half_m, local.y, 2.0 * half_m, face, normal, footprint_m)
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

    /// A wall, `across` metres from its left corner and `up` from the ground.
    fn wall(&self, across: f32, up: f32, width_m: f32, face: i32, normal: Vec3, footprint_m: f32) -> Surface {
        let stain = fbm(across * 0.45, up * 0.30, 4, self.seed + face);
        let grain = fbm(across * 2.3, up * 2.0, 3, self.seed + 40);
        let damp = smoothstep(1.6, 0.0, up + 0.5 * stain);
        let mut albedo = self.plaster * (0.92 + 0.42 * stain + 0.20 * grain);
        albedo = albedo.mix(albedo * vec3(0.52, 0.50, 0.50), damp);
        // A cornice below the eaves and its shadow.
        albedo = albedo.mix(
            vec3(0.72, 0.66, 0.56),
            band(up, self.eaves_m - 0.42, self.eaves_m - 0.20, footprint_m) * 0.8,
        );
        albedo = albedo * (1.0 - 0.45 * band(up, self.eaves_m - 0.62, self.eaves_m - 0.42, footprint_m));
        // Plaster has fallen off here and there, and rain has run down from the eaves.
        let bare = smoothstep(0.34, 0.46, fbm(across * 0.34, up * 0.42, 4, self.seed + 60));
        albedo = albedo.mix(vec3(0.46, 0.34, 0.24) * (1.0 + 0.5 * grain), 0.6 * bare);
        let streaks =
            smoothstep(0.1, 0.6, fbm(across * 2.6, up * 0.12, 3, self.seed + 70)) * smoothstep(3.0, 9.0, up);
        albedo = albedo * (1.0 - 0.28 * streaks);
        let surface = Surface { albedo, glow: Vec3::ZERO, normal };
        if up > self.eaves_m {
            return self.gable(surface, across - 0.5 * width_m, up, footprint_m);
        }
        self.window(surface, across, up, width_m, face, footprint_m)
    }

    /// The triangle below the ridge: boards along the roof's edge and a small window.
    fn gable(&self, wall: Surface, from_middle: f32, up: f32, footprint_m: f32) -> Surface {
        let below_roof_m =
            (self.ridge_m + 0.24 - up - self.pitch * from_middle.abs()) / (1.0 + self.pitch).sqrt();
        let board = band(below_roof_m, -1.0, 0.30, footprint_m);
        let shade = band(below_roof_m, 0.30, 0.62, footprint_m);
        let loft = (from_middle.powi(2) + (up - self.eaves_m - 0.9).powi(2)).sqrt();
        let rim = 1.0 - ((loft - 0.58) / footprint_m + 0.5).clamp(0.0, 1.0);
        let pane = 1.0 - ((loft - 0.44) / footprint_m + 0.5).clamp(0.0, 1.0);
        let albedo = (wall.albedo * (1.0 - 0.4 * shade))
            .mix(vec3(0.70, 0.65, 0.56), 0.75 * rim)
            .mix(vec3(0.05, 0.05, 0.06), pane)
            .mix(self.shutters.mix(vec3(0.5, 0.45, 0.38), 0.4), board);
        Surface { albedo, ..wall }
    }

    /// Paints the window of the storey and column around the point over the wall.
    fn window(
        &self,
        wall: Surface,
        across: f32,
        up: f32,
        width_m: f32,
        face: i32,
        footprint_m: f32,
    ) -> Surface {
        let storeys = (self.eaves_m / STOREY_M).floor().max(1.0);
        let storey_m = self.eaves_m / storeys;
        let columns = (width_m / 2.35).floor().max(1.0);
        let column_m = width_m / columns;
        let (column, storey) = ((across / column_m).floor(), (up / storey_m).floor());
        if storey >= storeys || storey < 0.0 {
            return wall;
        }
        let x = across - (column + 0.5) * column_m;
        let y = up - storey * storey_m;
        let cell = (column as i32) * 8 + face;
        let luck = chance(cell, storey as i32, self.seed);
        let blind_side = face != 1 && chance(cell, storey as i32, self.seed + 3) < 0.55;
        if blind_side {
            return wall;
        }
        let ground_floor = storey == 0.0;
        let is_door = ground_floor && face == 1 && column as i32 == self.seed.rem_euclid(columns as i32);
        let is_shop = ground_floor && face == 1 && !is_door && chance(self.seed, 5, 5) < 0.55;
        let (half_m, low_m, high_m) = match (is_door, is_shop) {
            (true, _) => (0.55, 0.0, 2.25),
            (_, true) => (0.42 * column_m, 0.55, 2.3),
            _ => (0.44, 0.85, 2.3 + 0.1 * luck),
        };
        let opening = band(x, -half_m, half_m, footprint_m) * band(y, low_m, high_m, footprint_m);
        let surround = band(x, -half_m - 0.14, half_m + 0.14, footprint_m)
            * band(y, low_m - 0.12, high_m + 0.14, footprint_m);
        let mut surface = wall;
        surface.albedo = surface.albedo.mix(vec3(0.70, 0.65, 0.56), surround * 0.75);
        if !ground_floor && face == 1 && chance(self.seed, 6, 6) < 0.8 {
            let leaf = band(x.abs(), half_m + 0.06, half_m + 0.56, footprint_m)
                * band(y, low_m, high_m, footprint_m);
            let slats = 0.9 + 0.25 * (y * 40.0).sin() * (1.0 - smoothstep(0.02, 0.08, footprint_m));
            surface.albedo = surface.albedo.mix(self.shutters * slats, leaf);
        }
        if is_door {
            surface.albedo = surface.albedo.mix(self.shutters * 0.8, opening);
            return surface;
        }
        let is_lit = is_shop && luck < 0.75 || luck < 0.24;
        let bars = 1.0 - band(x, -0.035, 0.035, footprint_m).max(band(y, 1.72, 1.78, footprint_m)) * 0.8;
        let room = 0.55 + 0.45 * noise(x * 1.8 + luck * 90.0, y * 1.5, self.seed);
        let depth = mix(1.0, 0.6, smoothstep(low_m, high_m, y));
        let inside = if is_lit { LAMPLIGHT * (room * (0.5 + 0.8 * luck.fract())) } else { Vec3::ZERO };
        // Dark panes mirror a piece of the evening sky.
        let mirrored =
            vec3(0.20, 0.22, 0.28).mix(vec3(0.85, 0.55, 0.34), luck * (0.5 - 0.5 * wall.normal.x)) * 0.16;
        surface.albedo =
            surface.albedo.mix(vec3(0.04, 0.04, 0.05).mix(Vec3::splat(0.5), 1.0 - bars), opening);
        surface.glow = (inside * bars + mirrored * depth * bars) * opening;
        surface
    }
}
