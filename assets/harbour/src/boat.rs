//! A boat afloat: its hull, rig and sails, moved by the water.

use std::f32::consts::TAU;

use crate::hull::Hull;
use crate::light::Surface;
use crate::sail::Sail;
use crate::solid::Hit;
use crate::stroke::{Bundle, Stroke};
use crate::vector::{Ray, Rgb, Vec3, vec3};
use crate::veil::Veils;

const WOOD: Rgb = vec3(0.42, 0.25, 0.12);
const ROPE: Rgb = vec3(0.20, 0.16, 0.12);
const CANVAS: Rgb = vec3(0.62, 0.55, 0.44);

/// What stands on the deck.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rig {
    /// Nothing: a rowing boat.
    Oars,
    /// A mast with the sails stowed along the boom.
    Furled { mast_m: f32 },
    /// A short mast with a derrick and working lights.
    Fishing { mast_m: f32 },
    /// A gaff mainsail and a jib, drawing.
    Sailing { mast_m: f32, cloth: Rgb },
}

/// A boat and the way it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boat {
    pub(crate) hull: Hull,
    pub(crate) rig: Rig,
    /// Where it lies at the start, on the water.
    pub(crate) place: Vec3,
    /// The way the bow points, in turns from the right (0) to away from the viewer (0.25).
    pub(crate) heading_turns: f32,
    pub(crate) speed_m_per_s: f32,
    /// How far it leans with the wind, in radians.
    pub(crate) heel: f32,
}

/// A boat at one moment.
pub(crate) struct Afloat {
    hull: Hull,
    frame: Frame,
    radius_m: f32,
    rigging: Bundle,
    sails: Vec<Sail>,
}

/// Where a boat is and how it lies: its own axes in the world.
#[derive(Debug, Clone, Copy)]
struct Frame {
    origin: Vec3,
    forward: Vec3,
    up: Vec3,
    side: Vec3,
}

impl Frame {
    fn world(&self, local: Vec3) -> Vec3 {
        self.origin + self.turned(local)
    }

    fn turned(&self, local: Vec3) -> Vec3 {
        self.forward * local.x + self.up * local.y + self.side * local.z
    }

    fn local(&self, direction: Vec3) -> Vec3 {
        vec3(direction.dot(self.forward), direction.dot(self.up), direction.dot(self.side))
    }
}

impl Boat {
    /// The boat `time_s` seconds into the clip.
    pub(crate) fn at(&self, time_s: f32) -> Afloat {
        let frame = self.frame(time_s);
        let (strokes, sails) = self.rigged(&frame);
        Afloat {
            hull: self.hull,
            frame,
            radius_m: self.hull.half_length_m * 1.1 + 1.0,
            rigging: Bundle::new(strokes),
            sails,
        }
    }

    /// Big boats answer the waves slowly and little.
    fn frame(&self, time_s: f32) -> Frame {
        let (sin, cos) = (self.heading_turns * TAU).sin_cos();
        let (ahead, abeam) = (vec3(cos, 0.0, sin), vec3(-sin, 0.0, cos));
        let phase = self.place.x * 1.7 + self.place.z * 0.9;
        let pace = 2.9 / self.hull.half_length_m.sqrt();
        let small = (2.4 / self.hull.half_length_m).sqrt();
        let roll = self.heel
            + 0.040 * small * (time_s * pace + phase).sin()
            + 0.014 * (time_s * 2.3 * pace + phase).sin();
        let pitch = 0.024 * small * (time_s * pace * 0.83 + 2.0 * phase).sin();
        let heave_m = 0.055 * small * (time_s * pace * 0.91 + phase + 1.0).sin();
        let forward = (ahead + Vec3::UP * pitch).normalized();
        let side = (abeam + Vec3::UP * roll).normalized();
        let origin = self.place + ahead * (self.speed_m_per_s * time_s) + Vec3::UP * heave_m;
        let up = side.cross(forward);
        Frame { origin, forward, up: if up.y < 0.0 { -up } else { up }, side }
    }

    fn rigged(&self, frame: &Frame) -> (Vec<Stroke>, Vec<Sail>) {
        let hull = &self.hull;
        let at = |x: f32, y: f32, z: f32| frame.world(vec3(x * hull.half_length_m, y, z * hull.half_beam_m));
        let bar = |from, to, radius_m, albedo| Stroke::new(from, to, radius_m, albedo);
        let deck_m = hull.freeboard_m;
        let stays = |mast: f32, top_m: f32| {
            vec![
                bar(at(mast, 0.2, 0.0), at(mast, top_m, 0.0), 0.085, WOOD).tapering(0.045),
                bar(at(mast, top_m * 0.97, 0.0), at(0.98, hull.rail_m(hull.half_length_m), 0.0), 0.011, ROPE),
                bar(at(mast, top_m * 0.97, 0.0), at(-0.97, deck_m, 0.0), 0.011, ROPE),
                bar(at(mast, top_m * 0.80, 0.0), at(mast - 0.06, deck_m, 0.95), 0.011, ROPE),
                bar(at(mast, top_m * 0.80, 0.0), at(mast - 0.06, deck_m, -0.95), 0.011, ROPE),
            ]
        };
        match self.rig {
            Rig::Oars => {
                let mut strokes: Vec<_> = [-0.35, 0.25]
                    .map(|x| bar(at(x, deck_m - 0.08, -0.85), at(x, deck_m - 0.08, 0.85), 0.07, WOOD))
                    .into();
                strokes.push(bar(
                    at(-0.55, deck_m + 0.05, 0.3),
                    at(0.6, deck_m + 0.12, 0.12),
                    0.03,
                    vec3(0.55, 0.40, 0.22),
                ));
                strokes.push(bar(
                    at(-0.6, deck_m + 0.05, -0.25),
                    at(0.55, deck_m + 0.12, -0.1),
                    0.03,
                    vec3(0.55, 0.40, 0.22),
                ));
                (strokes, Vec::new())
            }
            Rig::Furled { mast_m } => {
                let mut strokes = stays(0.18, mast_m);
                strokes.push(bar(at(0.16, deck_m + 1.0, 0.0), at(-0.82, deck_m + 1.05, 0.0), 0.06, WOOD));
                strokes.push(
                    bar(at(0.12, deck_m + 1.17, 0.0), at(-0.76, deck_m + 1.15, 0.0), 0.16, CANVAS)
                        .tapering(0.09),
                );
                strokes.push(bar(at(0.18, mast_m * 0.62, -0.5), at(0.18, mast_m * 0.62, 0.5), 0.03, WOOD));
                (strokes, Vec::new())
            }
            Rig::Fishing { mast_m } => {
                let mut strokes = stays(0.22, mast_m);
                strokes.push(bar(at(0.20, deck_m + 0.9, 0.0), at(-0.35, mast_m * 0.86, 0.1), 0.05, WOOD));
                strokes.push(bar(at(-0.35, mast_m * 0.86, 0.1), at(0.22, mast_m, 0.0), 0.012, ROPE));
                strokes.push(bar(at(-0.35, mast_m * 0.86, 0.1), at(-0.5, deck_m, 0.1), 0.014, ROPE));
                let lamp = at(0.22, mast_m * 0.9, 0.12);
                strokes
                    .push(bar(lamp, lamp + vec3(0.0, 0.12, 0.0), 0.06, CANVAS).shining(vec3(3.6, 2.0, 0.7)));
                let buoys = [
                    (-0.1, vec3(0.72, 0.16, 0.05)),
                    (-0.3, vec3(0.75, 0.50, 0.10)),
                    (0.4, vec3(0.72, 0.16, 0.05)),
                ];
                for (x, albedo) in buoys {
                    let buoy = at(x, deck_m * 0.62, -1.06);
                    strokes.push(bar(buoy, buoy + vec3(0.0, 0.18, 0.0), 0.15, albedo));
                }
                (strokes, Vec::new())
            }
            Rig::Sailing { mast_m, cloth } => self.under_sail(frame, stays(0.22, mast_m), mast_m, cloth),
        }
    }

    /// A gaff cutter with the boom let out to leeward.
    fn under_sail(
        &self,
        frame: &Frame,
        mut strokes: Vec<Stroke>,
        mast_m: f32,
        cloth: Rgb,
    ) -> (Vec<Stroke>, Vec<Sail>) {
        let hull = &self.hull;
        let (length_m, boom_m) = (hull.half_length_m, hull.freeboard_m + 0.85);
        let along = frame.turned(vec3(-0.93, 0.0, -0.37)).normalized();
        let tack = frame.world(vec3(0.22 * length_m, boom_m, 0.0));
        let (foot_m, luff_m) = (1.18 * length_m, 0.58 * mast_m);
        let (peak_along_m, peak_m) = (0.62 * length_m, 0.86 * mast_m);
        let corner = |u: f32, v: f32| tack + along * u + frame.up * v;
        strokes.push(Stroke::new(corner(0.0, -0.06), corner(foot_m + 0.25, 0.10), 0.065, WOOD));
        strokes.push(Stroke::new(corner(0.0, luff_m), corner(peak_along_m + 0.1, peak_m + 0.1), 0.05, WOOD));
        let main = Sail {
            tack,
            along,
            up: frame.up,
            outline: vec![(0.05, 0.0), (foot_m, 0.16), (peak_along_m, peak_m), (0.05, luff_m)],
            cloth,
        };
        let bowsprit = frame.world(vec3(1.28 * length_m, hull.rail_m(length_m) + 0.15, 0.0));
        strokes.push(Stroke::new(
            frame.world(vec3(0.8 * length_m, hull.rail_m(length_m), 0.0)),
            bowsprit,
            0.05,
            WOOD,
        ));
        let head = frame.world(vec3(0.24 * length_m, 0.90 * mast_m, 0.0));
        let clew = frame.world(vec3(0.34 * length_m, boom_m + 0.25, -0.75));
        let jib_along = (clew - bowsprit).normalized();
        let jib_normal = jib_along.cross(head - bowsprit).normalized();
        let jib_up = jib_normal.cross(jib_along);
        let flat = |point: Vec3| ((point - bowsprit).dot(jib_along), (point - bowsprit).dot(jib_up));
        let jib = Sail {
            tack: bowsprit,
            along: jib_along,
            up: jib_up,
            outline: vec![(0.0, 0.0), flat(clew), flat(head)],
            cloth: cloth.mix(CANVAS, 0.35),
        };
        // The helmsman.
        let seat = frame.world(vec3(-0.68 * length_m, hull.freeboard_m - 0.1, 0.25));
        strokes.push(Stroke::new(seat, seat + frame.up * 0.62, 0.20, vec3(0.10, 0.14, 0.24)).tapering(0.14));
        strokes.push(Stroke::new(
            seat + frame.up * 0.86,
            seat + frame.up * 0.92,
            0.12,
            vec3(0.55, 0.34, 0.24),
        ));
        (strokes, vec![main, jib])
    }
}

impl Afloat {
    /// A ball that holds masts, ropes and sails; the ends of spars and ropes are the corners of the sails.
    pub(crate) const fn rig_ball(&self) -> (Vec3, f32) {
        self.rigging.ball()
    }

    /// A ball that holds the hull.
    pub(crate) const fn hull_ball(&self) -> (Vec3, f32) {
        (self.frame.origin, self.radius_m)
    }

    /// Adds what the ray sees of masts, ropes and sails to the veils.
    pub(crate) fn add_rig_to(&self, veils: &mut Veils, ray: &Ray, within_m: f32, pixel_angle: f32) {
        self.rigging.add_to(veils, ray, within_m, pixel_angle);
        for sail in &self.sails {
            sail.add_to(veils, ray, within_m, pixel_angle);
        }
    }

    /// Where the ray meets the hull, if it does; the normal is in world axes.
    pub(crate) fn meet(&self, ray: &Ray, within_m: f32) -> Option<Hit> {
        let local = Ray {
            origin: self.frame.local(ray.origin - self.frame.origin),
            direction: self.frame.local(ray.direction),
        };
        let hit = self.hull.meet(&local, within_m)?;
        Some(Hit { normal: self.frame.turned(hit.normal), ..hit })
    }

    /// What the hull looks like there.
    pub(crate) fn surface(&self, point: Vec3, normal: Vec3, footprint_m: f32) -> Surface {
        let local_normal = self.frame.local(normal);
        let surface =
            self.hull.surface(self.frame.local(point - self.frame.origin), local_normal, footprint_m);
        Surface { normal, ..surface }
    }
}
