//! The body of a boat: a curved hull, open or decked, found along a ray by stepping.

use crate::light::Surface;
use crate::noise::fbm;
use crate::solid::Hit;
use crate::vector::{Ray, Rgb, Vec3, band, mix, smoothstep, vec3};

/// Shape and paint of a hull. Local axes: x to the bow, y up from the waterline, z to the side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hull {
    pub(crate) half_length_m: f32,
    pub(crate) half_beam_m: f32,
    /// Height of the side above the water amidships.
    pub(crate) freeboard_m: f32,
    /// How deep the inside lies below the rail.
    pub(crate) well_m: f32,
    pub(crate) cabin: Option<Cabin>,
    pub(crate) paint: Rgb,
    pub(crate) trim: Rgb,
    pub(crate) deck: Rgb,
}

/// A deckhouse: a rounded box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cabin {
    pub(crate) center: Vec3,
    pub(crate) half: Vec3,
    pub(crate) paint: Rgb,
    /// Whether a lamp burns in it.
    pub(crate) is_lit: bool,
}

const RAIL_M: f32 = 0.09;
const DRAUGHT_M: f32 = 0.5;
const MOST_STEPS: usize = 60;

impl Hull {
    /// Height of the rail: it rises to the bow, and a little to the stern.
    pub(crate) fn rail_m(&self, x: f32) -> f32 {
        let s = x / self.half_length_m;
        self.freeboard_m * (1.0 + 0.32 * s * s + 0.26 * s.max(0.0) * s.max(0.0) + 0.10 * s)
    }

    /// Distance out of the skin, about; negative inside.
    fn skin(&self, local: Vec3) -> f32 {
        let rail_m = self.rail_m(local.x);
        let rise = ((local.y + DRAUGHT_M) / (rail_m + DRAUGHT_M)).clamp(0.0, 1.15);
        // The stem leans forward: the hull is longer above than at the water.
        let s = local.x / (self.half_length_m * (0.86 + 0.14 * rise));
        let plan = if s > -0.1 {
            1.0 - ((s + 0.1) / 1.1).max(0.0).powf(2.3)
        } else {
            1.0 - 0.38 * (s + 0.1) * (s + 0.1)
        };
        let flare = mix(0.36, 0.85, smoothstep(0.1, 1.0, s));
        let side_m = local.z.abs() - self.half_beam_m * plan * rise.powf(flare);
        let transom_m = (-1.0 - s) * self.half_length_m;
        (side_m * 0.8).max(transom_m)
    }

    fn cabin_distance_m(&self, local: Vec3) -> f32 {
        self.cabin.map_or(f32::MAX, |cabin| {
            let offset = local - cabin.center;
            // Narrower above, so that it does not look like a crate.
            let lean = 0.08 * offset.y;
            let x = (offset.x.abs() + lean - cabin.half.x).max(0.0);
            let y = (offset.y.abs() - cabin.half.y).max(0.0);
            let z = (offset.z.abs() + lean - cabin.half.z).max(0.0);
            vec3(x, y, z).length() - 0.05
        })
    }

    /// Distance out of the whole body, about.
    fn body(&self, local: Vec3) -> f32 {
        let skin = self.skin(local);
        let above_m = local.y - self.rail_m(local.x);
        let hollow = (skin + RAIL_M).max(-(above_m + self.well_m));
        skin.max(above_m).max(-hollow).min(self.cabin_distance_m(local))
    }

    fn slope(&self, local: Vec3) -> Vec3 {
        let step_m = 0.012;
        let along = |axis: Vec3| self.body(local + axis * step_m) - self.body(local - axis * step_m);
        vec3(along(vec3(1.0, 0.0, 0.0)), along(Vec3::UP), along(vec3(0.0, 0.0, 1.0))).normalized()
    }

    /// Where a ray in local axes meets the body; the normal is local too.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        let top_m = self.rail_m(self.half_length_m) + self.cabin.map_or(0.0, |cabin| 2.2 * cabin.half.y);
        let (enter_m, leave_m) = box_span(
            ray,
            vec3(-self.half_length_m, -0.3, -self.half_beam_m),
            vec3(self.half_length_m * 1.03, top_m, self.half_beam_m),
        )?;
        let leave_m = leave_m.min(within_m);
        let mut distance_m = enter_m.max(0.0);
        for _ in 0..MOST_STEPS {
            let gap_m = self.body(ray.at(distance_m));
            if gap_m < 0.004 {
                return Some(Hit { distance_m, normal: self.slope(ray.at(distance_m)) });
            }
            distance_m += (0.75 * gap_m).max(0.006);
            if distance_m > leave_m {
                break;
            }
        }
        None
    }

    /// What it looks like at a local point; the normal stays local.
    pub(crate) fn surface(&self, local: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        if self.cabin_distance_m(local) < 0.02 {
            return self.cabin_surface(local, normal, footprint_m);
        }
        let below_rail_m = self.rail_m(local.x) - local.y;
        let is_inside = self.skin(local) < -0.5 * RAIL_M;
        let grain = fbm(local.x * 1.2, local.y * 9.0 + local.z * 9.0, 3, 501);
        if is_inside {
            let planks = 0.85 + 0.15 * (local.z * 26.0).sin().signum();
            let gloom = mix(1.0, 0.45, smoothstep(0.0, self.well_m.max(0.3), below_rail_m));
            return Surface::matt(self.deck * ((1.0 + 0.3 * grain) * planks * gloom), normal);
        }
        let strakes = band((below_rail_m * 4.5).fract(), 0.0, 0.10, 0.10 + 4.5 * footprint_m);
        let weather = 1.0 + 0.16 * grain - 0.22 * strakes;
        let mut albedo = self.paint * weather;
        albedo = albedo.mix(self.trim, band(below_rail_m, 0.10, 0.24, footprint_m));
        albedo = albedo.mix(vec3(0.46, 0.28, 0.13), band(below_rail_m, -1.0, 0.07, footprint_m));
        // Antifouling, and the dark line that the water leaves.
        albedo = albedo.mix(vec3(0.34, 0.07, 0.05), band(local.y, -1.0, 0.13, footprint_m));
        albedo = albedo.mix(vec3(0.05, 0.06, 0.05), band(local.y, -1.0, 0.035 + 0.03 * grain, footprint_m));
        Surface::matt(albedo, normal)
    }

    fn cabin_surface(&self, local: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let Some(cabin) = self.cabin else { return Surface::matt(self.deck, normal) };
        let offset = local - cabin.center;
        if normal.y > 0.7 {
            return Surface::matt(self.trim * 0.9, normal);
        }
        let across = if normal.z.abs() > normal.x.abs() { offset.x } else { offset.z };
        let pane_m = 0.62;
        let in_pane = ((across / pane_m + 0.5).fract() + 1.0).fract() - 0.5;
        let glass = band(in_pane, -0.36, 0.36, footprint_m / pane_m)
            * band(offset.y, 0.08 * cabin.half.y, 0.72 * cabin.half.y, footprint_m);
        let albedo = cabin.paint.mix(vec3(0.05, 0.06, 0.07), glass);
        let light = if cabin.is_lit { vec3(1.35, 0.66, 0.17) } else { vec3(0.12, 0.10, 0.11) };
        Surface { albedo, glow: light * glass, normal }
    }
}

/// Where a ray enters and leaves a box.
fn box_span(ray: &Ray, low: Vec3, high: Vec3) -> Option<(f32, f32)> {
    let span = |origin: f32, direction: f32, low: f32, high: f32| {
        let (a, b) = ((low - origin) / direction, (high - origin) / direction);
        (a.min(b), a.max(b))
    };
    let x = span(ray.origin.x, ray.direction.x, low.x, high.x);
    let y = span(ray.origin.y, ray.direction.y, low.y, high.y);
    let z = span(ray.origin.z, ray.direction.z, low.z, high.z);
    let (enter_m, leave_m) = (x.0.max(y.0).max(z.0), x.1.min(y.1).min(z.1));
    (enter_m < leave_m && leave_m > 0.0).then_some((enter_m, leave_m))
}
