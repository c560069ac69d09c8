//! What stands on a boat's deck: oars, masts, ropes, sails.

use crate::boat::Pose;
use crate::hull::Hull;
use crate::sail::Sail;
use crate::stroke::Stroke;
use crate::vector::{Rgb, Vec3, vec3};

const WOOD: Rgb = vec3(0.42, 0.25, 0.12);
const ASH: Rgb = vec3(0.55, 0.40, 0.22);
const ROPE: Rgb = vec3(0.20, 0.16, 0.12);
const CANVAS: Rgb = vec3(0.62, 0.55, 0.44);
const RED_BUOY: Rgb = vec3(0.72, 0.16, 0.05);
const YELLOW_BUOY: Rgb = vec3(0.75, 0.50, 0.10);

/// A way to rig a boat.
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

impl Rig {
    /// The rig of a boat with this hull as it lies now.
    pub(crate) fn set(&self, hull: &Hull, pose: &Pose) -> (Vec<Stroke>, Vec<Sail>) {
        let deck = Deck { hull, pose };
        match *self {
            Self::Oars => (deck.oars(), Vec::new()),
            Self::Furled { mast_m } => (deck.furled(mast_m), Vec::new()),
            Self::Fishing { mast_m } => (deck.fishing(mast_m), Vec::new()),
            Self::Sailing { mast_m, cloth } => deck.under_sail(mast_m, cloth),
        }
    }
}

/// A boat without its rig.
struct Deck<'a> {
    hull: &'a Hull,
    pose: &'a Pose,
}

impl Deck<'_> {
    /// A place on board: -1 stern .. 1 bow, metres above the waterline, -1 .. 1 from side to side.
    fn at(&self, along: f32, up_m: f32, aside: f32) -> Vec3 {
        self.pose.world(vec3(along * self.hull.half_length_m, up_m, aside * self.hull.half_beam_m))
    }

    /// A spar or rope between two such places.
    fn bar(&self, from: (f32, f32, f32), to: (f32, f32, f32), radius_m: f32, albedo: Rgb) -> Stroke {
        Stroke::new(self.at(from.0, from.1, from.2), self.at(to.0, to.1, to.2), radius_m, albedo)
    }

    /// The mast and the ropes that hold it.
    fn mast(&self, along: f32, top_m: f32) -> Vec<Stroke> {
        let deck_m = self.hull.freeboard_m;
        let bow_m = self.hull.rail_m(self.hull.half_length_m);
        let (head, hounds) = ((along, top_m * 0.97, 0.0), (along, top_m * 0.80, 0.0));
        vec![
            self.bar((along, 0.2, 0.0), (along, top_m, 0.0), 0.085, WOOD).tapering(0.045),
            self.bar(head, (0.98, bow_m, 0.0), 0.011, ROPE),
            self.bar(head, (-0.97, deck_m, 0.0), 0.011, ROPE),
            self.bar(hounds, (along - 0.06, deck_m, 0.95), 0.011, ROPE),
            self.bar(hounds, (along - 0.06, deck_m, -0.95), 0.011, ROPE),
        ]
    }

    fn oars(&self) -> Vec<Stroke> {
        let rail_m = self.hull.freeboard_m;
        let thwart =
            |along| self.bar((along, rail_m - 0.08, -0.85), (along, rail_m - 0.08, 0.85), 0.07, WOOD);
        vec![
            thwart(-0.35),
            thwart(0.25),
            self.bar((-0.55, rail_m + 0.05, 0.3), (0.6, rail_m + 0.12, 0.12), 0.03, ASH),
            self.bar((-0.6, rail_m + 0.05, -0.25), (0.55, rail_m + 0.12, -0.1), 0.03, ASH),
        ]
    }

    fn furled(&self, mast_m: f32) -> Vec<Stroke> {
        let deck_m = self.hull.freeboard_m;
        let mut strokes = self.mast(0.18, mast_m);
        strokes.extend([
            self.bar((0.16, deck_m + 1.0, 0.0), (-0.82, deck_m + 1.05, 0.0), 0.06, WOOD),
            self.bar((0.12, deck_m + 1.17, 0.0), (-0.76, deck_m + 1.15, 0.0), 0.16, CANVAS).tapering(0.09),
            self.bar((0.18, mast_m * 0.62, -0.5), (0.18, mast_m * 0.62, 0.5), 0.03, WOOD),
        ]);
        strokes
    }

    fn fishing(&self, mast_m: f32) -> Vec<Stroke> {
        let deck_m = self.hull.freeboard_m;
        let derrick = (-0.35, mast_m * 0.86, 0.1);
        let lamp_m = mast_m * 0.9;
        let mut strokes = self.mast(0.22, mast_m);
        strokes.extend([
            self.bar((0.20, deck_m + 0.9, 0.0), derrick, 0.05, WOOD),
            self.bar(derrick, (0.22, mast_m, 0.0), 0.012, ROPE),
            self.bar(derrick, (-0.5, deck_m, 0.1), 0.014, ROPE),
            self.bar((0.22, lamp_m, 0.12), (0.22, lamp_m + 0.12, 0.12), 0.06, CANVAS)
                .shining(vec3(3.6, 2.0, 0.7)),
        ]);
        let buoys = [(-0.1, RED_BUOY), (-0.3, YELLOW_BUOY), (0.4, RED_BUOY)];
        strokes.extend(buoys.map(|(along, albedo)| {
            self.bar((along, deck_m * 0.62, -1.06), (along, deck_m * 0.62 + 0.18, -1.06), 0.15, albedo)
        }));
        strokes
    }

    /// A gaff cutter with the boom let out to leeward, and a man at the helm.
    fn under_sail(&self, mast_m: f32, cloth: Rgb) -> (Vec<Stroke>, Vec<Sail>) {
        let (length_m, up) = (self.hull.half_length_m, self.pose.up);
        let boom_m = self.hull.freeboard_m + 0.85;
        let tack = self.at(0.22, boom_m, 0.0);
        let along = self.pose.turned(vec3(-0.93, 0.0, -0.37)).normalized();
        let (foot_m, luff_m) = (1.18 * length_m, 0.58 * mast_m);
        let peak = (0.62 * length_m, 0.86 * mast_m);
        let corner = |u: f32, v: f32| tack + along * u + up * v;
        let outline = vec![(0.05, 0.0), (foot_m, 0.16), peak, (0.05, luff_m)];
        let main = Sail { tack, along, up, outline, cloth };

        let bow_m = self.hull.rail_m(length_m);
        let bowsprit = self.at(1.28, bow_m + 0.15, 0.0);
        let clew = self.at(0.34, boom_m + 0.25, -0.6);
        let jib = triangle(bowsprit, clew, self.at(0.24, 0.90 * mast_m, 0.0), cloth.mix(CANVAS, 0.35));

        let seat = self.at(-0.68, self.hull.freeboard_m - 0.1, 0.2);
        let mut strokes = self.mast(0.22, mast_m);
        strokes.extend([
            Stroke::new(corner(0.0, -0.06), corner(foot_m + 0.25, 0.10), 0.065, WOOD),
            Stroke::new(corner(0.0, luff_m), corner(peak.0 + 0.1, peak.1 + 0.1), 0.05, WOOD),
            Stroke::new(self.at(0.8, bow_m, 0.0), bowsprit, 0.05, WOOD),
            Stroke::new(seat, seat + up * 0.62, 0.20, vec3(0.10, 0.14, 0.24)).tapering(0.14),
            Stroke::new(seat + up * 0.86, seat + up * 0.92, 0.12, vec3(0.55, 0.34, 0.24)),
        ]);
        (strokes, vec![main, jib])
    }
}

/// A three-cornered sail.
fn triangle(tack: Vec3, clew: Vec3, head: Vec3, cloth: Rgb) -> Sail {
    let along = (clew - tack).normalized();
    let up = along.cross(head - tack).normalized().cross(along);
    let flat = |point: Vec3| ((point - tack).dot(along), (point - tack).dot(up));
    Sail { tack, along, up, outline: vec![(0.0, 0.0), flat(clew), flat(head)], cloth }
}
