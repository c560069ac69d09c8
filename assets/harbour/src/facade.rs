//! The walls of a house: weathered plaster, windows, shutters, doors, and the gable above.

use crate::light::{KEY_DIRECTION, Surface};
use crate::noise::{chance, fbm, noise};
use crate::vector::{Rgb, Vec3, band, mix, smoothstep, vec3};

const LAMPLIGHT: Rgb = vec3(2.7, 1.15, 0.26);
const SURROUND: Rgb = vec3(0.70, 0.65, 0.56);
const STOREY_M: f32 = 2.9;
const COLUMN_M: f32 = 2.35;

/// The face that looks to the street, with the door, the shop and the shutters.
pub(crate) const STREET_FACE: i32 = 1;

/// What the walls of one house have in common.
pub(crate) struct Facade {
    pub(crate) eaves_m: f32,
    pub(crate) ridge_m: f32,
    /// Rise of the roof for each metre across.
    pub(crate) pitch: f32,
    pub(crate) plaster: Rgb,
    pub(crate) shutters: Rgb,
    pub(crate) seed: i32,
}

/// A spot on a wall.
pub(crate) struct Spot {
    /// From the wall's left corner, in metres.
    pub(crate) across: f32,
    /// From the ground, in metres.
    pub(crate) up: f32,
    pub(crate) width_m: f32,
    /// Which of the house's walls.
    pub(crate) face: i32,
    /// How wide a pixel is there.
    pub(crate) footprint_m: f32,
}

/// What fills the place of a window.
#[derive(Clone, Copy, PartialEq)]
enum Opening {
    Door,
    Shop,
    Window,
}

impl Facade {
    /// What a wall looks like at a spot.
    pub(crate) fn surface(&self, spot: &Spot, normal: Vec3) -> Surface {
        let plaster = Surface::matt(self.weathered(spot), normal);
        if spot.up > self.eaves_m { self.gable(plaster, spot) } else { self.with_window(plaster, spot) }
    }

    /// Plaster, and what years of weather made of it.
    fn weathered(&self, spot: &Spot) -> Rgb {
        let (x, y) = (spot.across, spot.up);
        let stain = fbm(x * 0.45, y * 0.30, 4, self.seed + spot.face);
        let grain = fbm(x * 2.3, y * 2.0, 3, self.seed + 40);
        let damp = smoothstep(1.6, 0.0, y + 0.5 * stain);
        // Plaster has fallen off here and there, and rain has run down from the eaves.
        let bare = smoothstep(0.34, 0.46, fbm(x * 0.34, y * 0.42, 4, self.seed + 60));
        let streaks =
            smoothstep(0.1, 0.6, fbm(x * 2.6, y * 0.12, 3, self.seed + 70)) * smoothstep(3.0, 9.0, y);
        let cornice = band(y, self.eaves_m - 0.42, self.eaves_m - 0.20, spot.footprint_m);
        let cornice_shade = band(y, self.eaves_m - 0.62, self.eaves_m - 0.42, spot.footprint_m);
        let plaster = self.plaster * (0.92 + 0.42 * stain + 0.20 * grain);
        let plaster = plaster.mix(plaster * vec3(0.52, 0.50, 0.50), damp);
        let plaster = plaster.mix(vec3(0.46, 0.34, 0.24) * (1.0 + 0.5 * grain), 0.6 * bare);
        (plaster * (1.0 - 0.28 * streaks)).mix(SURROUND, 0.8 * cornice) * (1.0 - 0.45 * cornice_shade)
    }

    /// The triangle below the ridge: boards along the roof's edge and a round window.
    fn gable(&self, wall: Surface, spot: &Spot) -> Surface {
        let from_middle = spot.across - 0.5 * spot.width_m;
        let below_roof_m =
            (self.ridge_m + 0.24 - spot.up - self.pitch * from_middle.abs()) / (1.0 + self.pitch).sqrt();
        let board = band(below_roof_m, -1.0, 0.30, spot.footprint_m);
        let shade = band(below_roof_m, 0.30, 0.62, spot.footprint_m);
        let from_window_m = (from_middle.powi(2) + (spot.up - self.eaves_m - 0.9).powi(2)).sqrt();
        let rim = band(from_window_m, -1.0, 0.58, spot.footprint_m);
        let pane = band(from_window_m, -1.0, 0.44, spot.footprint_m);
        let albedo = (wall.albedo * (1.0 - 0.4 * shade))
            .mix(SURROUND, 0.75 * rim)
            .mix(vec3(0.05, 0.05, 0.06), pane)
            .mix(self.shutters.mix(vec3(0.5, 0.45, 0.38), 0.4), board);
        Surface { albedo, ..wall }
    }

    /// The wall with the window, or the door, of its storey and column.
    fn with_window(&self, wall: Surface, spot: &Spot) -> Surface {
        let storeys = (self.eaves_m / STOREY_M).floor().max(1.0);
        let columns = (spot.width_m / COLUMN_M).floor().max(1.0);
        let (storey_m, column_m) = (self.eaves_m / storeys, spot.width_m / columns);
        let (column, storey) = ((spot.across / column_m).floor(), (spot.up / storey_m).floor());
        let cell = (column as i32 * 8 + spot.face, storey as i32);
        let is_street = spot.face == STREET_FACE;
        let is_blind = !is_street && chance(cell.0, cell.1, self.seed + 3) < 0.35;
        if storey < 0.0 || is_blind {
            return wall;
        }
        let opening = match is_street && storey == 0.0 {
            true if column as i32 == self.seed.rem_euclid(columns as i32) => Opening::Door,
            true if chance(self.seed, 5, 5) < 0.55 => Opening::Shop,
            _ => Opening::Window,
        };
        let luck = chance(cell.0, cell.1, self.seed);
        let (half_m, low_m, high_m) = match opening {
            Opening::Door => (0.55, 0.0, 2.25),
            Opening::Shop => (0.42 * column_m, 0.55, 2.3),
            Opening::Window => (0.44, 0.85, 2.3 + 0.1 * luck),
        };
        let x = spot.across - (column + 0.5) * column_m;
        let y = spot.up - storey * storey_m;
        let block = |half_m: f32, low_m: f32, high_m: f32| {
            band(x, -half_m, half_m, spot.footprint_m) * band(y, low_m, high_m, spot.footprint_m)
        };
        let mut albedo = wall.albedo.mix(SURROUND, 0.75 * block(half_m + 0.14, low_m - 0.12, high_m + 0.14));
        if is_street && storey > 0.0 && chance(self.seed, 6, 6) < 0.8 {
            let slats = 0.9 + 0.25 * (y * 40.0).sin() * (1.0 - smoothstep(0.02, 0.08, spot.footprint_m));
            let leaves = block(half_m + 0.56, low_m, high_m) - block(half_m + 0.06, low_m, high_m);
            albedo = albedo.mix(self.shutters * slats, leaves);
        }
        let hole = block(half_m, low_m, high_m);
        if opening == Opening::Door {
            return Surface { albedo: albedo.mix(self.shutters * 0.8, hole), ..wall };
        }
        // On the shady side it is evening already, and shops are open late.
        let burning =
            if opening == Opening::Shop || wall.normal.dot(KEY_DIRECTION) < 0.05 { 0.7 } else { 0.25 };
        let lamp = if luck < burning { 0.5 + 0.8 * luck } else { 0.0 };
        let pane = self.pane(x, y, luck, lamp, wall.normal, spot.footprint_m);
        Surface { albedo: albedo.mix(pane.albedo, hole), glow: pane.glow * hole, ..wall }
    }

    /// Glass with its bars: a lamp behind it, and a piece of the evening sky in it.
    fn pane(&self, x: f32, y: f32, luck: f32, lamp: f32, normal: Vec3, footprint_m: f32) -> Surface {
        let bars = 0.8 * band(x, -0.035, 0.035, footprint_m).max(band(y, 1.72, 1.78, footprint_m));
        let room = 0.55 + 0.45 * noise(x * 1.8 + luck * 90.0, y * 1.5, self.seed);
        let western = luck * (0.5 - 0.5 * normal.x);
        let mirrored = vec3(0.032, 0.035, 0.045).mix(vec3(0.136, 0.088, 0.054), western);
        let glow = LAMPLIGHT * (room * lamp) + mirrored * mix(1.0, 0.6, smoothstep(0.85, 2.3, y));
        let albedo = vec3(0.04, 0.04, 0.05).mix(Vec3::splat(0.5), bars);
        Surface { albedo, glow: glow * (1.0 - bars), normal }
    }
}
